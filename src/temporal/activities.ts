/** What workflows ask of activities. Inputs are versioned, additive, small, and never hold a credential. */
import type { CopyTask, Report, Sight } from '../domain/task.js';
import type { ImageName, PlaceId } from '../domain/image-ref.js';
import type { CopiedPart, CopyPlan, Part, Published, Resolved } from '../registry/engine.js';

/** Which copy it is about: enough to find the rule, and with it the credentials, in the cluster that executes. */
export type Subject = Pick<CopyTask, 'v' | 'destination' | 'publishAs' | 'image' | 'rules'> & Partial<Pick<CopyTask, 'urgency'>>;

export interface ResolveInput extends Subject, Pick<CopyTask, 'sources' | 'platforms' | 'copy'>, Partial<Pick<CopyTask, 'referrers' | 'recorded'>> {}

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
