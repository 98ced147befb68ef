import type { Fact } from '../domain/availability.js';
import type { Candidate } from '../domain/candidate.js';
import type { RouteReason } from '../domain/names.js';
import type { LeftAloneReason } from '../domain/opt-out.js';
import type { PassOverReason } from '../domain/pass-over.js';
import type { Usage } from '../domain/usage.js';

/** What became of a Pod: left alone as a whole, or one decision per usage asked about. */
export type PodDecision = { readonly skipped: SkipReason } | { readonly usages: readonly UsageDecision[] };

export type SkipReason = Exclude<LeftAloneReason, 'Recorded'>;

export interface UsageDecision {
  readonly usage: Usage;
  /** `skip`: this usage is never routed */
  readonly verdict: 'keep' | 'rewrite' | 'skip';
  readonly reason: RouteReason;
  /** every place, in order of rank, with what is known of it */
  readonly places: readonly ConsideredPlace[];
  /** what the container gets, when rewritten */
  readonly image?: string;
  /** the place chosen, when rewritten */
  readonly to?: Candidate;
  /** name of the Secret the Pod needs to pull from there */
  readonly pullSecret?: string;
  /** with reason `Error`: for the log */
  readonly error?: unknown;
}

export interface ConsideredPlace {
  readonly candidate: Candidate;
  /** `skipped` must not be used, `unasked` could not change the choice (any more) */
  readonly verdict: 'chosen' | 'skipped' | 'unavailable' | 'unasked';
  /** seen with a credential of this Pod, or of the place's rule */
  readonly fact?: Fact;
  readonly passedOver?: PassOverReason;
  /** what else there is to say, for people: a Secret that is missing, no answer in time */
  readonly note?: string;
}
