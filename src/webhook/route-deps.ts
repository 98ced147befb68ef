import type { Cluster } from '../cluster/cluster.js';
import { mirrorPrefixes, type MirrorPrefixes } from '../domain/mirror-prefix.js';
import type { Rule } from '../domain/rule.js';
import type { Registry } from '../registry/registry.js';
import type { Clock } from './clock.js';
import { Identities, type Keyring } from './identities.js';
import { Prober, type ProbeSettings } from './probe.js';
import { PullSecrets } from './pull-secrets.js';
import type { RouteDeps, RouteSettings } from './route.js';
import { Secrets } from './secrets.js';

/** What routing is made of, at the composition root of webhook and `explain`. */
export interface RouteWorld {
  readonly cluster: Pick<Cluster, 'secret' | 'applySecret' | 'deleteSecret'>;
  readonly registry: Pick<Registry, 'head'>;
  readonly keyring: Keyring;
  readonly rules: RouteDeps['rules'] & { snapshot(): readonly Rule[] };
  readonly records: RouteDeps['records'];
  readonly namespaces: RouteDeps['namespaces'];
  readonly settings: RouteSettings & { readonly probe: ProbeSettings };
  readonly observe: {
    pullSecret(action: 'created' | 'renewed' | 'failed'): void;
    /** whether it was known if a place answers, or had to be asked */
    availability(result: 'hit' | 'miss'): void;
  };
  readonly clock: Clock;
  readonly random: () => number;
}

/** Makes what `decidePod` needs. One per process: it holds the facts and Secrets that reviews share. */
export function createRouteDeps(world: RouteWorld): RouteDeps {
  const { cluster, registry, clock, settings, random } = world;
  const secrets = new Secrets(cluster, clock);
  return {
    rules: world.rules,
    prefixes: oncePerSnapshot(world.rules),
    records: world.records,
    namespaces: world.namespaces,
    identities: new Identities(secrets, world.keyring),
    prober: new Prober({ registry, clock, random, settings: settings.probe, observe: (result) => world.observe.availability(result) }),
    pullSecrets: new PullSecrets({ cluster, secrets, observe: (action) => world.observe.pullSecret(action) }),
    lifetimes: { positiveMs: settings.probe.positiveTtlMs, negativeMs: settings.probe.negativeTtlMs },
    settings,
    clock,
  };
}

/** The view hands out the same list until a rule changes. */
function oncePerSnapshot(rules: { snapshot(): readonly Rule[] }): () => MirrorPrefixes {
  let made: { readonly from: readonly Rule[]; readonly prefixes: MirrorPrefixes } | undefined;
  return () => {
    const from = rules.snapshot();
    if (made?.from !== from) made = { from, prefixes: mirrorPrefixes(from) };
    return made.prefixes;
  };
}
