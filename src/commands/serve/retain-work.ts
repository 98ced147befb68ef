import { createBudget } from '../../activities/budget.js';
import type { Credentials } from '../../activities/credentials.js';
import { createGuardActivities } from '../../activities/guard.js';
import { createRetainActivities } from '../../activities/retain.js';
import { knownImageRef } from '../../domain/image-ref.js';
import { budgetNote } from '../../domain/names.js';
import { createDeletionEngine } from '../../registry/deletion-engine.js';
import type { GuardActivities, RetainActivities } from '../../temporal/activities.js';
import { freshPicture, shareLooks } from '../../watchers/fresh.js';
import { unsteadyWatch } from '../../watchers/steady.js';
import type { Base } from './base.js';

/** What deletions have done in the world, and ask of this cluster. */
export function retainWork({ cluster, registry, config, environment, metrics }: Base, credentials: Credentials): { registry: RetainActivities; cluster: GuardActivities } {
  const settings = { platforms: config.mirroring.platforms, retentionMs: config.retention.defaultMs, isConnected: config.temporal.shared, skip: config.skip };
  const look = (): ReturnType<typeof freshPicture> => freshPicture({ cluster, translate: { installNamespace: environment.installNamespace }, settings, v1ProxyPort: config.migration.v1ProxyPort, workloads: config.retention.workloads });
  return {
    registry: createRetainActivities({
      engine: createDeletionEngine(registry),
      credentials,
      observe: (destination, outcome) => metrics.retention.deleted(knownImageRef(destination).host, outcome),
    }),
    cluster: createGuardActivities({
      look: shareLooks(look),
      unsteady: (forMs) => unsteadyWatch(cluster.watchHealth(), Date.now(), forMs),
      budget: createBudget({ cluster, note: { namespace: environment.installNamespace, name: budgetNote }, limits: config.retention, now: Date.now }),
      now: Date.now,
    }),
  };
}
