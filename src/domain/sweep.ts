/**
 * What the daily sweep compares: records with what keepers know, and tags with what is kept. Pure; the activities ask
 * and write.
 */
import type { ImageName } from './image-ref.js';
import type { KeeperStatus } from './keeper-story.js';
import type { PlaceBlock, PlaceRecord } from './record.js';

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
  /** wanted, and nobody keeps it yet; or a copy nobody wants any more, without a keeper */
  readonly unkept: number;
  /** the keeper did not answer, or the registry where there is none */
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
  if (isUnderWay(phase)) return false;
  if (place === undefined) return false; // no place, nobody to tell: the next plan adds it
  if (failure !== undefined) return place.failure?.code !== failure.code;
  if (copy === undefined) return false; // it has seen nothing yet
  return place.failure !== undefined || place.mirroredAt === undefined || place.digest !== copy.digest;
}

function isUnderWay(phase: KeeperStatus['phase']): boolean {
  return phase === 'Copying' || phase === 'Deleting' || phase === 'Paused';
}

/** A deletion that somebody started by hand is not in the keeper's story; none takes as long: milliseconds. */
const longestRetiringMs = 60 * 60 * 1000;

/**
 * A place as its keeper knows it, where no copy is under way and none goes: what a deletion could not take back leaves the
 * record, so that Pods are sent there again, and why it did not take place is said.
 *
 * @param now milliseconds since the epoch
 * @param tombstoneMs how long a deletion waits at least
 * @returns undefined when the record says nothing else
 */
export function keptPlace(place: PlaceRecord, { phase, copy, blocked }: KeeperStatus, now: number, tombstoneMs: number): PlaceRecord | undefined {
  if (isUnderWay(phase) || copy === undefined) return undefined;
  const isLeft = place.retiringSince !== undefined && now - Date.parse(place.retiringSince) > longestRetiringMs + tombstoneMs;
  if (place.retiringSince !== undefined && !isLeft) return undefined;
  if (!isLeft && place.blocked?.reason === blocked?.reason) return undefined;
  return { ...place, retiringSince: undefined, blocked: blocked === undefined ? undefined : blockOf(blocked) };
}

function blockOf({ reason, message, since, attempts }: NonNullable<KeeperStatus['blocked']>): PlaceBlock {
  return { reason: reason as PlaceBlock['reason'], message: message.slice(0, longestMessage), since, attempts }; // keepers know no other words
}

const longestMessage = 256;

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
