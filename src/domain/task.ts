import type { Claim } from './claim.js';
import type { Digest } from './digest.js';
import type { FailureInfo } from './failure.js';
import type { ImageName, PlaceId } from './image-ref.js';
import type { Platform } from './platform.js';
import type { Strategy } from './record.js';

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
  /** what the keeper knows of the copy that is there: spares looking at the whole of it again */
  readonly recorded?: Pick<CopyOutcome, 'digest' | 'strategy' | 'platforms' | 'missingPlatforms' | 'warnings'>;
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
export interface CopyOutcome {
  readonly v: 1;
  readonly result: 'copied' | 'adopted' | 'unchanged';
  /** what the destination answers with */
  readonly digest: Digest;
  readonly sourceDigest?: Digest;
  readonly strategy: Strategy;
  /** `os/architecture[/variant]` */
  readonly platforms: readonly string[];
  readonly missingPlatforms: readonly string[];
  /** what did not come along, signatures for example: the copy is good all the same */
  readonly warnings?: readonly string[];
  readonly bytes: number;
  /** RFC 3339 */
  readonly mirroredAt: string;
  /** where the bytes came from */
  readonly source?: ImageName;
  /** the task's */
  readonly plan?: string;
}

/** How a copy ended badly. */
export interface FailedOutcome {
  readonly v: 1;
  readonly result: 'failed';
  readonly failure: FailureInfo;
  readonly plan?: string;
}

export type Outcome = CopyOutcome | FailedOutcome;

/** What the last step of every operation tells its keeper, whoever started it. */
export interface Observed {
  readonly v: 1;
  readonly runId: string;
  readonly kind: 'copy' | 'delete';
  readonly outcome: Outcome;
}

/** The cluster no longer wants the destination. */
export interface Release {
  readonly v: 1;
  readonly cluster: string;
  readonly generation: number;
  /** delete the copy without waiting, when nothing else claims it */
  readonly purge?: boolean;
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
  | { readonly state: 'copied'; readonly outcome: CopyOutcome }
  | { readonly state: 'failed'; readonly failure: FailureInfo };
