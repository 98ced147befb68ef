import { createCheckCredentials } from '../../activities/monitor-credentials.js';
import { createMonitorActivities, type MonitorDeps } from '../../activities/monitor.js';
import type { Cluster } from '../../cluster/cluster.js';
import { monitorSettingsOf } from '../../config/monitoring.js';
import type { ImageName } from '../../domain/image-ref.js';
import { trackedImages, type TrackedImage } from '../../domain/monitor.js';
import { optOutOf, type SkipSettings } from '../../domain/opt-out.js';
import type { Pod } from '../../domain/usage.js';
import { keyring, offersNothing, secretProblems } from '../../registry/keyring.js';
import type { MonitorActivities } from '../../temporal/activities.js';
import type { MonitoredSeen } from '../../telemetry/monitoring-metrics.js';
import { usesIn, type Surroundings } from '../../watchers/reconcile.js';
import type { Base } from './base.js';
import { fallbackSecret } from './mirror-work.js';
import type { ManagerViews } from './part.js';

interface World extends Pick<Base, 'config'>, Pick<MonitorDeps, 'registry'> {
  readonly cluster: Pick<Cluster, 'secret' | 'changePlace'>;
}

/** What monitors have done in the world. */
export function monitorWork({ cluster, registry, config }: World, views: ManagerViews, around: Surroundings): MonitorActivities {
  return createMonitorActivities({
    tracked: (host) => trackedNow(around, host),
    settings: (host) => monitorSettingsOf(config.monitoring, host),
    credentials: createCheckCredentials({
      rules: () => views.rules.snapshot(),
      podsUsing: (image) => usersOf(image, views, config.skip),
      trackedBy: (image) => views.records.byImage(image)?.trackedBy ?? [],
      secret: (ref) => cluster.secret(ref),
      keyring,
      unusable: (secret) => (offersNothing(secret) ? secretProblems([secret])[0]?.message : undefined),
      fallback: (host) => fallbackSecret(config, host),
    }),
    registry,
    cluster,
  });
}

/** Pods that use an image and, where they count, templates of workloads that name it; without those that are opted out. */
function usersOf(image: ImageName, { usage, workloads, namespaces }: Pick<ManagerViews, 'usage' | 'workloads' | 'namespaces'>, skip: SkipSettings): readonly Pod[] {
  return [...usage.podsOf(image), ...(workloads?.podsOf(image) ?? [])].filter((pod) => optOutOf(pod, skip, namespaces.labels(pod.namespace)) === undefined);
}

/**
 * What this cluster tracks at this moment, on whichever replica.
 *
 * @param at only what lies at this registry
 */
export function trackedNow(around: Surroundings, at?: string): readonly TrackedImage[] {
  const records = around.records.snapshot();
  return trackedImages({ used: usesIn(around, records), rules: around.rules.snapshot(), records, now: around.now(), at });
}

/** What metrics count: each image once for each rule that tracks it. */
export function monitoredSeen(images: readonly TrackedImage[], now: number): readonly MonitoredSeen[] {
  return images.flatMap(({ by, ref, seen = {}, unusedSince, original }) => {
    const checkedAt = Date.parse(seen.checkedAt ?? '');
    const about = { registry: ref.host, status: seen.state ?? 'Scheduled', used: unusedSince === undefined, original, ...(Number.isNaN(checkedAt) ? {} : { ageMs: Math.max(0, now - checkedAt) }) };
    return by.map((name) => ({ name, ...about }));
  });
}
