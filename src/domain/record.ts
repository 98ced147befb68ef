import type { AvailabilityState, CredentialId } from './availability.js';
import type { Digest } from './digest.js';
import type { Drift } from './drift.js';
import type { FailureCode, Side } from './failure.js';
import type { ImageName } from './image-ref.js';
import type { SecretRef } from './rule.js';
import type { BlockReason } from './task.js';

/** What a place is to an image: where it comes from, where we copy it, where somebody else keeps it equal. */
export type PlaceRole = 'origin' | 'mirror' | 'replica';

export type Strategy = 'all' | 'sparse' | 'rewrite' | 'adopted';

/** What the cluster knows of one place of one image. Times are RFC 3339. */
export interface PlaceRecord {
  /** image name of the place: `host/path[:tag][@digest]` */
  readonly reference: ImageName;
  // written by the watchers (kuik-usage)
  readonly role?: PlaceRole;
  /** `<Kind>/[<namespace>/]<name>` of the first rule by rank */
  readonly rule?: string;
  readonly secret?: SecretRef;
  /** duration, how long the copy is kept once nobody uses it: what its rule says, or said last; absent: for ever */
  readonly retention?: string;
  // written by checks (kuik-monitor)
  readonly state?: AvailabilityState;
  readonly checkedAt?: string;
  readonly identity?: CredentialId;
  readonly checkFailure?: string;
  // written by copies (kuik-mirror); the digest of an origin or replica by checks
  readonly digest?: Digest;
  readonly sourceDigest?: Digest;
  readonly strategy?: Strategy;
  /** `os/architecture[/variant]` */
  readonly platforms?: readonly string[];
  readonly missingPlatforms?: readonly string[];
  readonly bytes?: number;
  readonly mirroredAt?: string;
  readonly retiringSince?: string;
  /** when the last copy ended, well or not: tells whoever asked for one that it was made */
  readonly triedAt?: string;
  readonly failure?: PlaceFailure;
  readonly blocked?: PlaceBlock;
  readonly drift?: PlaceDrift;
  readonly workflowId?: string;
}

/** What moved behind our back since the copy was made. */
export interface PlaceDrift extends Drift {
  /** RFC 3339; when it was seen first */
  readonly since: string;
}

/** Why the last copy failed. */
export interface PlaceFailure {
  readonly code: FailureCode;
  readonly side?: Side;
  /** at most 256 characters */
  readonly message: string;
  /** RFC 3339 */
  readonly since: string;
  readonly attempts: number;
}

/** Why the last deletion did not take place. */
export interface PlaceBlock {
  readonly reason: BlockReason | FailureCode;
  /** at most 256 characters */
  readonly message: string;
  /** RFC 3339 */
  readonly since: string;
  readonly attempts: number;
}

/** What the cluster knows about one image and its places: an `ImageAvailability`. */
export interface ImageRecord {
  /** object name */
  readonly name: string;
  readonly image: ImageName;
  readonly uid?: string;
  readonly pods: number;
  readonly original?: boolean;
  readonly unusedSince?: string;
  readonly expiresAt?: string;
  /** names of the monitor rules that track it: once nobody uses it any more, nothing else tells */
  readonly trackedBy?: readonly string[];
  readonly places: readonly PlaceRecord[];
  readonly conditions?: readonly Condition[];
  /** annotation `kuik.enix.io/keep-until` */
  readonly keepUntil?: string;
  /** annotation `kuik.enix.io/requested-at` */
  readonly requestedAt?: string;
  /** annotation `kuik.enix.io/paused`: its copies stay as they are, none is made and none deleted */
  readonly paused?: boolean;
}

/** What `kuik-usage` writes of a record, whole. Times are RFC 3339. */
export interface RecordUsage {
  readonly image: ImageName;
  readonly pods: number;
  readonly original?: boolean;
  readonly unusedSince?: string;
  readonly expiresAt?: string;
  readonly trackedBy?: readonly string[];
  /** `present/wanted` */
  readonly mirrors: string;
  /** of all copies together: `linux/amd64,linux/arm64`; absent while none is known */
  readonly platforms?: string;
  /** wanted ones that a copy lacks; absent when none does */
  readonly missing?: string;
  readonly places: readonly Pick<PlaceRecord, 'reference' | 'role' | 'rule' | 'secret' | 'retention'>[];
  readonly conditions: readonly Condition[];
}

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/ */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  /** RFC 3339; kept by the writer while the status is the same */
  readonly lastTransitionTime: string;
}

/** Since when nobody uses an image: what its record says, else now. v2 marks instant expiry by a time before 1970, and means now. */
export function unusedSinceMs({ unusedSince }: Pick<ImageRecord, 'unusedSince'>, now: number): number {
  const stamped = Date.parse(unusedSince ?? '');
  return stamped > 0 && stamped <= now ? stamped : now;
}

/**
 * The readable half of a record's object name, before the hash is added.
 *
 * @returns lower case, only `a-z 0-9 . -`, at most 200 characters
 */
export function recordSlug(image: ImageName): string {
  return image
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/[.-]{2,}/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 200)
    .replace(/[.-]+$/, '');
}
