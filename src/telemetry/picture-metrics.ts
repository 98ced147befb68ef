/** What the manager that leads knows of its cluster; the others tell nothing, so that nothing is told twice. */
import type { Measure, Reading } from './scraped.js';

/** How many, at a registry: `host[:port]`. */
export interface RegistryCount {
  readonly registry: string;
  readonly count: number;
}

export interface PictureSeen {
  readonly mirrors: readonly MirrorSeen[];
  /** by destination: how long the oldest copy that is wanted and has not failed has been waited for, in seconds */
  readonly oldestWaiting: readonly { readonly registry: string; readonly seconds: number }[];
  /** copies whose retention clock runs */
  readonly expiring: readonly RegistryCount[];
  /** copies whose deletion did not take place */
  readonly blocked: readonly (RegistryCount & { readonly reason: string })[];
  /** images in use that can be pulled from nowhere, by origin */
  readonly unavailable: readonly RegistryCount[];
  /** workloads with an image that can be pulled from this registry alone */
  readonly atRisk: readonly RegistryCount[];
}

/** A mirror rule, and how many images it has in each state. */
export interface MirrorSeen {
  readonly kind: string;
  /** empty where it has none */
  readonly namespace: string;
  readonly name: string;
  readonly counts: Readonly<Record<MirrorState, number>>;
}

export const mirrorStates = ['mirrored', 'pending', 'failed', 'unused'] as const;
export type MirrorState = (typeof mirrorStates)[number];

export const pictureMeasures: readonly Measure<PictureSeen>[] = [
  {
    name: 'mirroring_images', help: 'Images of a mirror rule by state, as its status counts them: an unused one is counted under its other state, too', labelNames: ['kind', 'namespace', 'name', 'state'],
    of: ({ mirrors }) => mirrors.flatMap(({ kind, namespace, name, counts }) => mirrorStates.map((state) => ({ labels: { kind, namespace, name, state }, value: counts[state] }))),
  },
  {
    name: 'mirroring_oldest_waiting_seconds', help: 'How long the oldest copy that is wanted and has not failed has been waited for, by destination; 0 while none is', labelNames: ['registry'], together: Math.max,
    of: ({ oldestWaiting }) => oldestWaiting.map(({ registry, seconds }) => ({ labels: { registry }, value: seconds })),
  },
  { name: 'retention_expiring', help: 'Copies whose retention clock runs', labelNames: ['registry'], of: ({ expiring }) => counted(expiring) },
  {
    name: 'retention_blocked_deletions', help: 'Copies that nobody claims and that are not deleted', labelNames: ['registry', 'reason'],
    of: ({ blocked }) => blocked.map(({ registry, reason, count }) => ({ labels: { registry, reason }, value: count })),
  },
  { name: 'images_unavailable', help: 'Images in use that can be pulled from nowhere, as far as is known, by the registry they come from', labelNames: ['registry'], of: ({ unavailable }) => counted(unavailable) },
  { name: 'workloads_at_risk', help: 'Workloads that could not start again without this registry: an image of theirs is available nowhere else', labelNames: ['registry'], of: ({ atRisk }) => counted(atRisk) },
];

function counted(counts: readonly RegistryCount[]): readonly Reading[] {
  return counts.map(({ registry, count }) => ({ labels: { registry }, value: count }));
}
