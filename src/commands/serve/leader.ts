import { randomBytes } from 'node:crypto';
import { clustersName } from '../../domain/names.js';
import type { KeeperClient } from '../../temporal/client.js';
import { ensureSweep } from '../../temporal/sweep-schedule.js';
import { keepPassword } from '../../watchers/database-password.js';
import { carryOutForget } from '../../watchers/forget-cluster.js';
import { AuthorityKeeper } from '../../webhook/authority-keeper.js';
import { admissionPath, webhookConfiguration } from '../../webhook/configuration.js';
import { ProvidedAuthority } from '../../webhook/provided-authority.js';
import { systemClock } from '../../webhook/system-clock.js';
import type { Base } from './base.js';
import { readAuthority } from './webhook-files.js';
import { upgradeDefinitions } from './upgrade-definitions.js';
import { authoritySecretOf, webhookConfigurationName, webhookServiceName } from '../webhook-names.js';

export interface LeadDeps {
  readonly base: Base;
  readonly keepers: KeeperClient;
  readonly clusterId: string;
  /** the namespace of Temporal is ready */
  readonly isPrepared: () => boolean;
  /** resolves after so many milliseconds, or when the signal aborts */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

const firstPauseMs = 500;
const longestPauseMs = 30_000;
const scheduleEveryMs = 60 * 60 * 1000;
const lookEveryMs = 5_000; // somebody may be waiting at a terminal
const betweenSignalsMs = 50; // 20 a second leaves room for claims

/** What only the leader does beside sending claims, until the signal aborts; never rejects. */
export async function leadCluster(deps: LeadDeps, signal: AbortSignal): Promise<void> {
  await Promise.all([scheduleSweep(deps, signal), forgetClusters(deps, signal), keepAuthority(deps.base, signal), makePassword(deps, signal), upgradeOnce(deps, signal)]);
}

/** Of the webhook that a chart registered through our Service, whoever makes its certificates; a process that registers itself is none of ours. */
async function keepAuthority(base: Base, signal: AbortSignal): Promise<void> {
  const { flags, environment, cluster, metrics, log } = base;
  if (!environment.webhooksEnabled) return;
  const name = webhookConfigurationName(base);
  const client = { service: { namespace: environment.installNamespace, name: webhookServiceName(base), path: admissionPath, port: 443 } };
  const common = {
    publish: (caBundle: string) => cluster.applyWebhookConfiguration(webhookConfiguration({ name, client, write: 'caBundle' }, caBundle)),
    trusted: async () => {
      const registered = await cluster.registeredWebhook(name);
      return registered?.reachedBy === 'service' ? registered.caBundle : undefined;
    },
    observe: metrics.inside.certificateLasts,
    clock: systemClock,
    log,
  };
  const { folder } = flags.webhookCertificate;
  const keeper = folder === '' ? new AuthorityKeeper({ ...common, cluster, secret: authoritySecretOf(base) }) : new ProvidedAuthority({ ...common, read: () => readAuthority(folder) });
  await keeper.run(signal);
  metrics.inside.forgetCertificate('ca'); // the next leader renews it: what we knew would soon look like one that nobody does
}

/** Once per term: whoever changes a definition afterwards means it. */
async function upgradeOnce({ base, sleep }: LeadDeps, signal: AbortSignal): Promise<void> {
  const { environment, cluster, version, log } = base;
  if (!environment.upgradesDefinitions) return;
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      await upgradeDefinitions({ cluster, version, log });
      return;
    } catch (error) {
      log.warn({ err: error }, 'a definition cannot be upgraded, trying again');
      await sleep(pauseMs, signal);
    }
  }
}

/** Of the database that the chart runs: made by whoever leads, since a template that makes one makes another each time. */
async function makePassword({ base, sleep }: LeadDeps, signal: AbortSignal): Promise<void> {
  const { environment, cluster, log } = base;
  const { databaseSecret: name, installNamespace: namespace } = environment;
  if (name === undefined) return;
  await keepPassword({ cluster, secret: { namespace, name }, random: () => randomBytes(24).toString('base64url'), sleep, log }, signal);
}

/** As soon as Temporal is there, and hourly: somebody may have deleted it, or the database is another one. */
async function scheduleSweep({ base, clusterId, isPrepared, sleep }: LeadDeps, signal: AbortSignal): Promise<void> {
  const { config, log } = base;
  for (let pauseMs = firstPauseMs; !signal.aborted; await sleep(pauseMs, signal)) {
    if (!isPrepared()) continue;
    try {
      const done = await ensureSweep(config.temporal, { v: 1, cluster: clusterId });
      if (done === 'created') log.info({}, 'the daily sweep is scheduled');
      pauseMs = scheduleEveryMs;
    } catch (error) {
      log.warn({ err: error }, 'the daily sweep cannot be scheduled, trying again');
      pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, pauseMs * 2));
    }
  }
}

/** Looks for requests in one small object; that is cheaper than a watch. */
async function forgetClusters({ base, keepers, clusterId, sleep }: LeadDeps, signal: AbortSignal): Promise<void> {
  const { cluster, environment, log } = base;
  const at = { namespace: environment.installNamespace, name: clustersName };
  const forget = async (id: string): Promise<number> => {
    const told = await keepers.forgetCluster(id, () => sleep(betweenSignalsMs, signal));
    log.info({ cluster: id, keepers: told }, 'a cluster was forgotten, as somebody asked');
    return told;
  };
  for (; !signal.aborted; await sleep(lookEveryMs, signal)) {
    await carryOutForget({ cluster, at, self: clusterId, forget, now: Date.now }).catch((error: unknown) => log.warn({ err: error }, 'a request about clusters waits'));
  }
}
