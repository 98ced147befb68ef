/**
 * Everything that the keeper of one destination remembers: who claims it, what the last operations told, what it saw.
 * What to do next is computed from that, see `keeper.ts`.
 */
import type { Claims } from './claims.js';
import type { Drift } from './drift.js';
import type { FailureInfo } from './failure.js';
import type { ImageName, PlaceId } from './image-ref.js';
import type { Block, CopyOutcome, CopyTask, DeleteTask, Outcome, Question, Report, Sight } from './task.js';

/** What a keeper starts with: IDs are made by whoever starts it, since the sandbox has no SHA-256. */
export interface KeeperBirth {
  readonly v: 1;
  readonly destination: PlaceId;
  /** workflow ID of its operations: the server refuses a second one */
  readonly taskId: string;
  /** the server knows our search attributes */
  readonly searchable: boolean;
  /** scale of every delay: 1, or less in tests */
  readonly pace?: number;
}

/** What a keeper remembers. Times are milliseconds since the epoch. A new field is optional, or `revive` adds it. */
export interface KeeperState extends Omit<Required<KeeperBirth>, 'v'> {
  readonly v: 2;
  readonly bornAt: number;
  readonly claims: Claims;
  readonly paused: boolean;
  /** somebody asked for a copy now */
  readonly asked: boolean;
  readonly running?: Running;
  readonly copy?: HeldCopy;
  readonly failure?: HeldFailure;
  /** why the last deletion did not take place */
  readonly blocked?: HeldBlock;
  /** a deletion that waits for consent */
  readonly asking?: Question;
  /** when the last copy was deleted */
  readonly deletedAt?: number;
  /** no operation starts before: a request of the last one may still be under way */
  readonly fencedUntil?: number;
  /** clusters that found no room among the claims, and have to be told */
  readonly turnedAway?: readonly Pick<Told, 'cluster' | 'image'>[];
  /** how a run ended that this keeper did not start */
  readonly hint?: Outcome;
  readonly seen?: Sight;
  /** what the last look found moved behind our back */
  readonly drift?: Drift;
  /** when to look at the copy again */
  readonly lookAt?: number;
  /** `<cluster> <image>`: records that say what this keeper knows */
  readonly told: readonly string[];
  /** records that could not be written: their clusters are told again when they claim */
  readonly unwritten?: readonly Pick<Told, 'cluster' | 'image'>[];
  /** clusters whose workers did not answer */
  readonly silent: readonly string[];
  /** run IDs that were observed, newest last */
  readonly seenRuns: readonly string[];
  /** operations that ended: lets a caller wait for the next */
  readonly ended: number;
  readonly lastMessageAt: number;
  /** how a run decides, from its first step to its last: absent as 3.0 did. @see docs/adr/0038 */
  readonly edition?: 2;
}

/** The operation under way. */
export type Running = RunningCopy | RunningDeletion;

interface Started {
  readonly since: number;
  /** known once the run has started; a run of somebody else has none */
  readonly runId?: string;
}

export interface RunningCopy extends Started, Pick<CopyTask, 'image' | 'plan' | 'cluster' | 'clusters'> {
  readonly kind: 'copy';
  /** UID of the rule whose credentials it is made with */
  readonly rule?: string;
}

export interface RunningDeletion extends Started, Pick<DeleteTask, 'image' | 'digest'> {
  readonly kind: 'delete';
  /** those that were asked */
  readonly clusters: readonly string[];
  /** it has been told to stop */
  readonly cancelled?: boolean;
}

export interface HeldCopy {
  readonly image: ImageName;
  readonly outcome: CopyOutcome;
}

export interface HeldFailure {
  readonly info: FailureInfo;
  /** settings of the run that failed: other settings are tried at once */
  readonly plan: string;
  /** which cluster ran it, and the UID of the rule whose credentials it used: another rule there is tried at once, too */
  readonly cluster?: string;
  readonly rule?: string;
  /** when the last of these failures came, RFC 3339 */
  readonly failedAt?: string;
  /** when the first of them came */
  readonly since: number;
  readonly attempts: number;
  readonly nextAt: number;
  /** nobody of this cluster took the run, which began then: milliseconds since the epoch */
  readonly unheard?: { readonly cluster: string; readonly since: number };
}

/** Why a deletion did not take place, and when it is tried again. */
export interface HeldBlock {
  /** a guard said no, or an attempt failed */
  readonly why: Pick<Block, 'reason' | 'message'> | FailureInfo;
  readonly since: number;
  readonly attempts: number;
  readonly nextAt: number;
}

/** A record that is to be written. */
export interface Told {
  readonly cluster: string;
  readonly image: ImageName;
  readonly report: Report;
}

export function toldKey({ cluster, image }: Pick<Told, 'cluster' | 'image'>): string {
  return `${cluster} ${image}`;
}

/** States of the releases that are still supported: what one of them wrote, the next one reads. */
export type OlderState = Omit<KeeperState, 'v'> & { readonly v: 1 };

/** The state a keeper begins with; one that continues another keeps what that one knew. */
export function revive(input: KeeperBirth | KeeperState | OlderState, now: number): KeeperState {
  if ('claims' in input) return upcast(input);
  return {
    v: 2,
    destination: input.destination,
    taskId: input.taskId,
    searchable: input.searchable,
    pace: input.pace ?? 1,
    bornAt: now,
    claims: [],
    paused: false,
    asked: false,
    told: [],
    silent: [],
    seenRuns: [],
    ended: 0,
    lastMessageAt: now,
  };
}

/** From 1 to 2: what is new is about deletions, of which an older keeper knew none. It continued with nothing under way. */
function upcast(state: KeeperState | OlderState): KeeperState {
  return { ...state, v: 2 };
}
