/** What workflows ask of activities. Inputs are versioned, additive, small, and never hold a credential. */
import type { Published } from '../domain/published.js';
import type { Digest } from '../domain/digest.js';
import type { ChecksReport, ChecksTask } from '../domain/monitor-run.js';
import type { ClaimCounts, OrphanCounts, RecordCounts } from '../domain/sweep.js';
import type { Block, CopyTask, DeleteTask, Report, Sight } from '../domain/task.js';
import type { ImageName, PlaceId } from '../domain/image-ref.js';
import type { CopiedPart, CopyPlan, Part, Resolved } from '../registry/copy-engine.js';

/** Which copy it is about: enough to find the rule, and with it the credentials, in the cluster that executes. */
export type Subject = Pick<CopyTask, 'v' | 'destination' | 'publishAs' | 'image' | 'rules'> & Partial<Pick<CopyTask, 'urgency'>>;

export interface ResolveInput extends Subject, Pick<CopyTask, 'sources' | 'platforms' | 'copy'>, Partial<Pick<CopyTask, 'referrers' | 'recorded' | 'sourceDigest' | 'keeps'>> {}

export interface CopyPlatformInput extends Subject {
  /** its `parts` hold only the one to copy */
  readonly plan: CopyPlan;
  readonly part: Part;
}

export interface PublishInput extends Subject {
  readonly plan: CopyPlan;
}

export interface VerifyInput extends Subject {
  /** also look there: for drift */
  readonly origin?: ImageName;
}

export interface RecordInput {
  readonly v: 1;
  readonly image: ImageName;
  readonly destination: PlaceId;
  readonly workflowId: string;
  readonly report: Report;
  /** RFC 3339 */
  readonly at: string;
  /** with the last word of a run: which cluster did the work, and how long it took; a keeper that tells again does not say so */
  readonly ended?: { readonly by: string; readonly tookMs: number };
}

/** On `kuik-registry.<cluster>`. */
export interface MirrorActivities {
  readonly resolveSource: (input: ResolveInput) => Promise<Resolved>;
  readonly copyPlatform: (input: CopyPlatformInput) => Promise<CopiedPart>;
  readonly publishTag: (input: PublishInput) => Promise<Published>;
  readonly verify: (input: VerifyInput) => Promise<Sight>;
}

/** On `kuik-cluster.<cluster>`. */
export interface RecordActivities {
  readonly recordOutcome: (input: RecordInput) => Promise<'changed' | 'unchanged' | 'absent'>;
}

/** Which copy is to go, in the words of the cluster that is asked. */
export interface ConfirmInput extends Pick<DeleteTask, 'v' | 'destination' | 'publishAs' | 'image' | 'digest' | 'unusedSince'> {
  /** spent budgets are an answer too, before anything is listed: they keep thousands of copies that are due together from asking for lists */
  readonly minds: 'budget' | 'use';
  /** scale of the fixed periods: 1, or less in tests */
  readonly pace?: number;
}

export type Confirmation =
  | {
      readonly v: 1;
      readonly verdict: 'unused';
      /** whether another copy of ours in the same repository has the digest, as far as this cluster knows */
      readonly sharing: 'unshared' | 'shared';
      /** rules or records of this cluster say that the place is ours: it finds the credentials to delete there */
      readonly isHeld: boolean;
      /** whose daily budget it draws from, and how many copies that rule has here */
      readonly rule?: string;
      readonly ruleCopies: number;
    }
  | { readonly v: 1; readonly verdict: 'blocked'; readonly block: Block };

/** On `kuik-cluster.<cluster>`. */
export interface GuardActivities {
  readonly confirmUnused: (input: ConfirmInput) => Promise<Confirmation>;
  /** Draws one deletion from the budgets of this cluster. @returns why there is none */
  readonly drawBudget: (input: DrawInput) => Promise<Block | 'drawn'>;
}

export interface DrawInput extends Pick<DeleteTask, 'v' | 'destination'> {
  readonly rule?: string;
  readonly ruleCopies: number;
}

export interface PlanDeleteInput extends Subject {
  readonly digest: Digest;
  /** what all clusters together say */
  readonly sharing: 'unshared' | 'shared';
}

/** What is deleted, and with it, once nothing else has the digest. */
export interface DeleteTagInput extends PlanDeleteInput {
  readonly beside: readonly { readonly tag: string; readonly digest: Digest }[];
}

export type DeletePlan =
  | { readonly v: 1; readonly verdict: 'delete'; readonly beside: DeleteTagInput['beside'] }
  | { readonly v: 1; readonly verdict: 'absent' }
  | { readonly v: 1; readonly verdict: 'blocked'; readonly block: Block };

export type Deleted =
  /** `restored`: how many tags the registry took along, and got back at once */
  | { readonly v: 1; readonly verdict: 'deleted' | 'absent'; readonly restored?: number }
  | { readonly v: 1; readonly verdict: 'blocked'; readonly block: Block };

/** On `kuik-registry.<cluster>`. */
export interface RetainActivities {
  readonly planDelete: (input: PlanDeleteInput) => Promise<DeletePlan>;
  readonly deleteTag: (input: DeleteTagInput) => Promise<Deleted>;
}

/** Steps of the sweep on `kuik-cluster.<cluster>`: the queue says whose claims and records. */
export interface SweepClusterActivities {
  readonly renewClaims: () => Promise<ClaimCounts>;
  readonly compareRecords: () => Promise<RecordCounts>;
}

/** The step of the sweep on `kuik-registry.<cluster>`. */
export interface SweepRegistryActivities {
  readonly findOrphans: () => Promise<OrphanCounts>;
}

/** On `kuik-monitor.<cluster>`. Writes down what it sees by itself: no image ever stands in a history. */
export interface MonitorActivities {
  readonly checkBatch: (input: ChecksTask) => Promise<ChecksReport>;
}
