import type { ImageName, PlaceId } from './image-ref.js';
import type { Platform } from './platform.js';
import type { CopyStrategy, RuleId } from './rule.js';

/**
 * A cluster's statement that it wants a destination kept. One per cluster and destination, absolute,
 * at most 2 KiB. It names rules, never Secrets: activities find credentials by rule in their own cluster.
 */
export interface Claim {
  readonly v: 1;
  /** cluster ID: the UID of `kube-system` unless configured */
  readonly cluster: string;
  /** orders the claims of one cluster */
  readonly generation: number;
  /** place identity of the destination */
  readonly destination: PlaceId;
  /** image name to publish: `host/path:tag`, an anchor tag for a pinned image */
  readonly publishAs: ImageName;
  /** the image it is a copy of */
  readonly image: ImageName;
  readonly rules: readonly RuleId[];
  /** where to copy from, in order: the origin, then replicas; empty: see `isNameless` */
  readonly sources: readonly ImageName[];
  readonly platforms: readonly Platform[];
  readonly copy: CopyStrategy;
  readonly referrers: 'auto' | 'none';
  /** milliseconds */
  readonly retentionMs: number;
  readonly cleanup: boolean;
  readonly drift: 'keep' | 'warn' | 'sync';
  readonly shared: boolean;
  /** the copy that is there is kept, and none is made: Pods run from it, or its rule rests */
  readonly rests?: boolean;
  /** of a shared mirror: all clusters that share it meet in this Temporal namespace; without that nothing is deleted there */
  readonly connected?: boolean;
  /** milliseconds nobody is routed to the copy before it is deleted; 10 min unless told */
  readonly tombstoneMs?: number;
  /** milliseconds this claim lives without renewal; 72 h unless told */
  readonly ttlMs?: number;
  /** milliseconds between two looks at a copy; 24 h unless told */
  readonly verifyEveryMs?: number;
  /** said once more, since the database of Temporal lost something: of what other clusters said since, its keeper may know nothing */
  readonly anew?: boolean;
  /** the daily renewal: counts whatever its generation, which heals a recreated Lease */
  readonly renewal?: boolean;
}

/**
 * A Pod of the cluster names the copy itself, and nothing there knows what it is a copy of: the claim keeps whatever
 * its keeper keeps there. Where there is no keeper it claims nothing: the place may be anybody's.
 */
export function isNameless({ sources }: Pick<Claim, 'sources'>): boolean {
  return sources.length === 0;
}

/** What a cluster wants of a destination: a claim less what its sender adds. */
export type Wish = Omit<Claim, 'v' | 'cluster' | 'generation' | 'ttlMs' | 'verifyEveryMs' | 'tombstoneMs' | 'connected' | 'renewal' | 'anew'>;

export interface Sender extends Pick<Claim, 'cluster' | 'ttlMs' | 'verifyEveryMs' | 'tombstoneMs' | 'connected' | 'anew'> {
  readonly generation: number;
  readonly renewal: boolean;
}

// a claim stays below 2 KiB whatever rules and replicas there are; those that come first count
const mostRules = 8;
const mostSources = 6;
const mostPlatforms = 16;

/** Names every field, because a wish may carry more than may leave the cluster: a Secret's name, say. */
export function claimOf(wish: Wish, { cluster, generation, renewal, ttlMs, verifyEveryMs, tombstoneMs, connected, anew }: Sender): Claim {
  return {
    v: 1,
    cluster,
    generation,
    destination: wish.destination,
    publishAs: wish.publishAs,
    image: wish.image,
    rules: wish.rules.slice(0, mostRules),
    sources: wish.sources.slice(0, mostSources),
    platforms: wish.platforms.slice(0, mostPlatforms),
    copy: wish.copy,
    referrers: wish.referrers,
    retentionMs: wish.retentionMs,
    cleanup: wish.cleanup,
    drift: wish.drift,
    shared: wish.shared,
    ...(wish.rests === true ? { rests: true } : {}),
    ...(wish.shared && connected === true ? { connected } : {}),
    ...(tombstoneMs === undefined ? {} : { tombstoneMs }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(verifyEveryMs === undefined ? {} : { verifyEveryMs }),
    ...(renewal ? { renewal } : {}),
    ...(anew === true ? { anew } : {}),
  };
}
