/**
 * What the daily sweep compares: records with what keepers know, and tags with what is kept. Pure; the activities ask
 * and write.
 */
import type { ImageName } from './image-ref.js';
import type { KeeperStatus } from './keeper-story.js';
import type { PlaceRecord } from './record.js';

/** Where a sweep stands, or how its step ended; small, since it stands in a history. */
export interface ClaimCounts {
  readonly sent: number;
  /** the keeper could not be told: the next sweep, or the claim queue, does it */
  readonly failed: number;
}

export interface RecordCounts {
  readonly compared: number;
  /** said something else than their keeper: it was asked to tell again */
  readonly repaired: number;
  /** wanted, and nobody keeps it yet */
  readonly unkept: number;
  /** the keeper did not answer */
  readonly silent: number;
}

export interface OrphanCounts {
  readonly repositories: number;
  readonly tags: number;
  /** tags below our prefixes that nobody keeps: reported, never deleted */
  readonly orphans: number;
  /** repositories that could not be listed */
  readonly unread: number;
}

/** What a sweep tells when it is over. */
export interface SweepReport {
  readonly v: 1;
  readonly claims: ClaimCounts;
  readonly records: RecordCounts;
  readonly orphans: OrphanCounts;
}

/** Whom a sweep is for. */
export interface SweepTask {
  readonly v: 1;
  readonly cluster: string;
  /** scale of every delay: 1, or less in tests */
  readonly pace?: number;
}

/** A cluster as the keepers of shared destinations know it. */
export interface SharingCluster {
  readonly id: string;
  /** destinations it claims together with us, its expired claims included */
  readonly claims: number;
  /** when the newest of its claims came: RFC 3339 */
  readonly heardAt: string;
}

/** What stands in the ConfigMap `kuik-clusters`, under `clusters.json`. */
export interface ClustersReport {
  readonly v: 1;
  /** whose manager wrote it */
  readonly self: string;
  /** RFC 3339 */
  readonly at: string;
  readonly clusters: readonly SharingCluster[];
}

/** Under `forgotten.json`: how the last request to forget a cluster ended. */
export interface ForgottenReport {
  readonly v: 1;
  readonly cluster: string;
  /** of the request: RFC 3339 */
  readonly requestedAt: string;
  readonly at: string;
  /** keepers that were told */
  readonly keepers: number;
  /** why nothing was done */
  readonly refused?: string;
}

export const clustersKey = 'clusters.json';
export const forgottenKey = 'forgotten.json';

/** Cluster IDs, as the configuration takes them: fit for a query as they are. */
export function isClusterId(text: string): boolean {
  return /^[a-z0-9.-]{1,63}$/.test(text);
}

/** Whether a record says something else of a copy than its keeper knows. While anything is under way it may. */
export function isDrifted(place: PlaceRecord | undefined, { phase, copy, failure }: KeeperStatus): boolean {
  if (phase === 'Copying' || phase === 'Deleting' || phase === 'Paused') return false;
  if (place === undefined) return false; // no place, nobody to tell: the next plan adds it
  if (failure !== undefined) return place.failure?.code !== failure.code;
  if (copy === undefined) return false; // it has seen nothing yet
  return place.failure !== undefined || place.mirroredAt === undefined || place.digest !== copy.digest;
}

/** Adds what one keeper says of the clusters that claim its destination. Released claims are history. */
export function withClusters(known: readonly SharingCluster[], { claims }: Pick<KeeperStatus, 'claims'>): readonly SharingCluster[] {
  const found = new Map(known.map((cluster) => [cluster.id, cluster]));
  for (const { cluster: id, state, heardAt } of claims) {
    if (state === 'released' || state === 'forgotten' || heardAt === undefined) continue;
    const before = found.get(id);
    found.set(id, { id, claims: (before?.claims ?? 0) + 1, heardAt: before === undefined || before.heardAt < heardAt ? heardAt : before.heardAt });
  }
  return [...found.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** Tags that describe another one: the list of what refers to a digest, and what cosign keeps of it. They come and go with it. */
const describing = /^sha(?:256|512)-[0-9a-f]{64,128}(?:\.(?:sig|att|sbom))?$/;

/**
 * Whether a tag could be an orphan.
 *
 * @param published names under which the copies we know of are published
 */
export function isUnexplained(tag: string, repository: string, published: ReadonlySet<ImageName>): boolean {
  return !describing.test(tag) && !published.has(`${repository}:${tag}` as ImageName);
}
