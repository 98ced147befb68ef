/** What routing decides with. On its own: who explains a decision has no need of a server, or of certificates. */
import type { Cluster } from '../cluster/cluster.js';
import { keyring, secretProblems } from '../registry/keyring.js';
import type { Registry } from '../registry/registry.js';
import { createRouteDeps } from '../webhook/route-deps.js';
import type { RouteDeps } from '../webhook/route.js';
import { systemClock } from '../webhook/system-clock.js';
import type { Base } from './serve/base.js';
import type { ReadViews } from './read-views.js';

export interface RouteBase extends Pick<Base, 'config' | 'metrics'> {
  readonly cluster: Pick<Cluster, 'secret' | 'applySecret' | 'deleteSecret'>;
  readonly registry: Pick<Registry, 'head'>;
}

/** Everything a routing decision reads; `kuik explain` decides with the same. */
export function routeDeps({ config, cluster, registry, metrics }: RouteBase, views: ReadViews): RouteDeps {
  const { activeCheck, rewriteOnNever, honorPrioritiesOnAlways, pinDigests } = config.routing;
  return createRouteDeps({
    cluster,
    registry,
    keyring: { credentials: keyring, problems: (secret) => secretProblems([secret]).map(({ message }) => message) },
    rules: views.rules,
    records: views.records,
    namespaces: views.namespaces,
    settings: { deadlineMs: activeCheck.deadlineMs, rewriteOnNever, honorPrioritiesOnAlways, pinDigests, v1ProxyPort: config.migration.v1ProxyPort, skip: config.skip, probe: activeCheck },
    observe: { pullSecret: metrics.webhook.pullSecret, availability: (result) => metrics.registry.cached('availability', result) },
    clock: systemClock,
    random: Math.random,
  });
}
