import type { Published } from './published.js';
import type { Claim } from './claim.js';
import type { Digest } from './digest.js';
import type { Drift } from './drift.js';
import type { FailureInfo } from './failure.js';
import type { ImageName, PlaceId } from './image-ref.js';
import type { Platform } from './platform.js';

/** Work asked for: one copy. Credentials are found by rule, in the cluster that executes the activities. */
export interface CopyTask {
  readonly v: 1;
  readonly destination: PlaceId;
  readonly publishAs: ImageName;
  readonly image: ImageName;
  /** whose queues execute the activities */
  readonly cluster: string;
  /** every cluster that claims the destination: each gets the outcome recorded */
  readonly clusters: readonly string[];
  readonly sources: readonly ImageName[];
  readonly rules: Claim['rules'];
  readonly platforms: readonly Platform[];
  readonly copy: Claim['copy'];
  readonly referrers: Claim['referrers'];
  /** what the keeper knows of the copy that is there: spares looking at the whole of it again; `foreign`: it is another image's */
  readonly recorded?: Published | 'foreign';
  /** a tag that moved is not followed */
  readonly keeps?: true;
  /** made once more for other settings: of what it was made of, wherever the tag points by now */
  readonly sourceDigest?: Digest;
  readonly urgency: 'waiting' | 'normal';
  /** names the settings it was planned from; the outcome repeats it */
  readonly plan: string;
  /** workflow ID of the keeper: who is told how it ended, whoever started it */
  readonly keeper: string;
  /** the server knows our search attributes */
  readonly searchable: boolean;
  /** scale of every delay: 1, or less in tests */
  readonly pace?: number;
}

/** How a copy ended well. */
export interface CopyOutcome extends Published {
  readonly v: 1;
  readonly result: 'copied' | 'adopted' | 'unchanged';
  readonly bytes: number;
  /** RFC 3339 */
  readonly mirroredAt: string;
  /** where the bytes came from */
  readonly source?: ImageName;
  /** which cluster looked at the tag of the origin, with its credentials; absent when only a digest was looked for */
  readonly by?: string;
  /** the task's */
  readonly plan?: string;
}

/** How a copy ended badly. */
export interface FailedOutcome {
  readonly v: 1;
  readonly result: 'failed';
  readonly failure: FailureInfo;
  /** which cluster tried */
  readonly by?: string;
  /** RFC 3339 */
  readonly failedAt?: string;
  readonly plan?: string;
}

export type Outcome = CopyOutcome | FailedOutcome;

/** Why a copy that nobody claims stays. @see docs/concepts/retain.md */
export const blockReasons = [
  'claimed',
  'in-use',
  'pinned',
  'incomplete-inventory',
  'budget',
  'digest-changed',
  'shared-digest',
  'unsupported',
  'immutable',
  'denied',
  'no-credential',
] as const;

export type BlockReason = (typeof blockReasons)[number];

/** A guard said no. */
export interface Block {
  readonly reason: BlockReason;
  /** lower case, no full stop, no secret; at most 256 characters where it is stored */
  readonly message: string;
  /** milliseconds after which it may be otherwise; the usual day unless told */
  readonly retryAfterMs?: number;
}

/** A cluster that claims a destination, or did: it may have Pods that pull from there. */
export interface KnownCluster {
  readonly cluster: string;
  /** what it calls the image: the key of its record */
  readonly image: ImageName;
  readonly rules: Claim['rules'];
  /** its lease, and a lease after its last word against a deletion, has been over for the whole retention, or a person said it is gone: its silence no longer blocks */
  readonly isLost?: true;
}

/** Work asked for: one deletion. As for copies, credentials are found in the cluster that executes. */
export interface DeleteTask {
  readonly v: 1;
  readonly destination: PlaceId;
  readonly publishAs: ImageName;
  readonly image: ImageName;
  /** what was published there: anything else belongs to somebody else */
  readonly digest: Digest;
  /** milliseconds since the epoch: since when nobody claims it */
  readonly unusedSince?: number;
  /** every known cluster: each has to say that it does not use the copy */
  readonly clusters: readonly KnownCluster[];
  /** how long nobody is routed there before it goes: milliseconds */
  readonly tombstoneMs: number;
  /** workflow ID of the keeper: asked before the deletion, told after it */
  readonly keeper: string;
  readonly searchable: boolean;
  /** scale of every delay: 1, or less in tests */
  readonly pace?: number;
}

/** How a deletion ended. `deleted` and `absent` only after the registry itself answered that the tag is missing. */
export type DeletionOutcome =
  | { readonly v: 1; readonly result: 'deleted' | 'absent'; readonly digest: Digest }
  | { readonly v: 1; readonly result: 'blocked'; readonly block: Block; /** clusters that keep it by their own word */ readonly by?: readonly string[] };

/** What the last step of every operation tells its keeper, whoever started it; a deletion also asks with it. */
export type Observed =
  | { readonly v: 1; readonly runId: string; readonly kind: 'copy'; readonly outcome: Outcome; /** clusters whose records could not be written */ readonly untold?: readonly string[] }
  | { readonly v: 1; readonly runId: string; readonly kind: 'delete'; readonly outcome: DeletionOutcome | FailedOutcome }
  | Question;

/** A deletion is ready, and asks whether it may. */
export interface Question {
  readonly v: 1;
  readonly runId: string;
  readonly kind: 'delete';
  readonly asking: true;
  /** what it would delete */
  readonly digest: Digest;
}

/** The keeper's word to a deletion that asked, for that run only. */
export interface Consent {
  readonly v: 1;
  readonly runId: string;
  /** absent: go on */
  readonly refused?: Block;
}

/** The cluster no longer wants the destination. */
export interface Release {
  readonly v: 1;
  readonly cluster: string;
  readonly generation: number;
  /** delete the copy without waiting, when nothing else claims it */
  readonly purge?: boolean;
  /** as of claims */
  readonly anew?: boolean;
  /** somebody says that the cluster is gone for good: it is not waited for any more; what it said of retention and clean-up stays */
  readonly forget?: boolean;
}

/** What a look at the registries told. */
export interface Sight {
  /** what the destination's tag answers with */
  readonly digest: Digest | 'missing';
  /** what the origin's tag answers with, when it was asked and answered */
  readonly origin?: Digest | 'missing';
}

/** What is written of a copy into a cluster's record. */
export type Report =
  | { readonly state: 'copying' }
  | { readonly state: 'copied'; readonly outcome: CopyOutcome; readonly drift?: Drift }
  /**
   * `by` and `failedAt` are absent where nothing was tried, or nobody knows any more: which cluster tried, and when.
   * `outcome`: the copy that is there all the same; `holder`: the image whose copy is there instead
   */
  | { readonly state: 'failed'; readonly failure: FailureInfo; readonly by?: string; readonly failedAt?: string; readonly outcome?: CopyOutcome; readonly holder?: ImageName }
  /** nobody is routed there any more */
  | { readonly state: 'retiring' }
  /** it is not deleted: routing goes on; without a block because somebody came for it */
  | { readonly state: 'stays'; readonly block?: Block | FailureInfo }
  | { readonly state: 'deleted' };
