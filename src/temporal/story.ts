/** The history of a run as lines that people read: what happened when, without what only Temporal needs to know. */
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { Claim } from '../domain/claim.js';
import { ruleText } from '../domain/rule.js';
import type { CopyOutcome, CopyTask, DeletionOutcome, Observed, Release } from '../domain/task.js';
import { signals, workflowTypes } from './contract.js';

export interface StoryLine {
  /** RFC 3339 */
  readonly at: string;
  /** which workflow tells it, such as `keep/registry.example.com/mirror/library/nginx:1.27` */
  readonly workflowId: string;
  readonly runId: string;
  readonly what: string;
}

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type Event = NonNullable<NonNullable<History['events']>[number]>;
type Failure = NonNullable<NonNullable<Event['workflowExecutionFailedEventAttributes']>['failure']>;

/** Which run a history is of. */
export type Run = Pick<StoryLine, 'workflowId' | 'runId'>;

export function storyOf(run: Run, { events }: History): readonly StoryLine[] {
  const steps = new Map<string, Step>();
  return (events ?? []).flatMap((event) => {
    const what = told(event, steps);
    return what === undefined ? [] : [{ at: timeOf(event.eventTime), ...run, what }];
  });
}

/** An activity that was asked for, by the event that did. */
interface Step {
  readonly name: string;
  readonly isMute: boolean;
}

/** Telling records and keepers how it went is no part of how it went. */
const muteActivities: readonly string[] = ['recordOutcome'];

/** @returns undefined for what says nothing to people: workflow tasks, timers, markers */
function told(event: Event, steps: Map<string, Step>): string | undefined {
  return lifeOf(event) ?? messageOf(event) ?? childOf(event) ?? stepOf(event, steps);
}

function lifeOf(event: Event): string | undefined {
  const { workflowExecutionStartedEventAttributes: started, workflowExecutionCompletedEventAttributes: completed, workflowExecutionFailedEventAttributes: failed } = event;
  if (started) return started.continuedExecutionRunId ? undefined : beginning(started.workflowType?.name ?? '', firstOf(started.input?.payloads));
  if (completed) return endOf(firstOf(completed.result?.payloads));
  if (failed) return `failed, ${failureText(failed.failure)}`;
  if (event.workflowExecutionTerminatedEventAttributes) return `terminated by ${event.workflowExecutionTerminatedEventAttributes.identity || 'somebody'}`;
  if (event.workflowExecutionCanceledEventAttributes) return 'cancelled';
  if (event.workflowExecutionTimedOutEventAttributes) return 'ran out of time';
  return undefined;
}

function beginning(type: string, input: unknown): string {
  switch (type) {
    case workflowTypes.keepImage:
      return 'keeper begins';
    case workflowTypes.copyImage: {
      const { image, sources = [], cluster } = (input ?? {}) as Partial<CopyTask>;
      return `copy of ${image ?? 'an image'} begins in cluster ${cluster ?? '?'}${sources.length > 1 ? `, from ${sources[0]} or ${sources.length - 1} other sources` : ''}`;
    }
    case workflowTypes.deleteImage:
      return 'deletion begins';
    default:
      return `${type} begins`;
  }
}

function endOf(result: unknown): string {
  const outcome = (result ?? {}) as Partial<CopyOutcome> | DeletionOutcome;
  switch (outcome.result) {
    case 'copied':
    case 'adopted':
    case 'unchanged':
      return `${outcomeWords[outcome.result]}: ${outcome.digest} (${outcome.strategy}), ${outcome.platforms?.join(', ') || 'single platform'}`;
    case 'deleted':
      return `deleted: ${outcome.digest}`;
    case 'absent':
      return 'nothing to delete: the tag is gone already';
    case 'blocked':
      return `not deleted, ${outcome.block.reason}: ${outcome.block.message}`;
    default:
      return 'ends';
  }
}

const outcomeWords = { copied: 'copied and verified', adopted: 'was there already, and is kept', unchanged: 'is as it was' } as const;

/** What others said to a keeper. */
function messageOf(event: Event): string | undefined {
  const { workflowExecutionSignaledEventAttributes: signal, workflowExecutionUpdateAcceptedEventAttributes: update } = event;
  if (update) return `asked to ${update.acceptedRequest?.input?.name ?? 'do something'}`;
  if (!signal) return undefined;
  const said = firstOf(signal.input?.payloads);
  switch (signal.signalName) {
    case signals.claim: {
      const { cluster, rules = [] } = (said ?? {}) as Partial<Claim>;
      return `claimed by cluster ${cluster ?? '?'} for ${rules.map(ruleText).join(', ') || 'a Pod that runs from it'}`;
    }
    case signals.release:
      return `released by cluster ${((said ?? {}) as Partial<Release>).cluster ?? '?'}`;
    case signals.observed:
      return observedText(said as Observed | undefined);
    case signals.proceed:
      return undefined; // the keeper's answer to itself
    default:
      return `asked to ${signal.signalName}`;
  }
}

function observedText(seen: Observed | undefined): string | undefined {
  if (seen === undefined) return undefined;
  if ('asking' in seen) return 'a deletion asks whether it may go on';
  return undefined; // the run itself tells how it ended
}

function childOf(event: Event): string | undefined {
  const { childWorkflowExecutionStartedEventAttributes: child } = event;
  if (!child) return undefined;
  return `${child.workflowType?.name === workflowTypes.deleteImage ? 'deletion' : 'copy'} started, run ${child.workflowExecution?.runId ?? ''}`;
}

function stepOf(event: Event, steps: Map<string, Step>): string | undefined {
  const { activityTaskScheduledEventAttributes: asked, activityTaskStartedEventAttributes: started, activityTaskCompletedEventAttributes: done } = event;
  const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
  if (asked) {
    const [name, summary] = [asked.activityType?.name ?? '', decoded(event.userMetadata?.summary)];
    steps.set(String(event.eventId), { name: [name, summary].filter((part) => typeof part === 'string' && part !== '').join(' '), isMute: muteActivities.includes(name) });
    return undefined;
  }
  // written together with its end: how often it was tried before
  if (started) {
    const step = steps.get(String(started.scheduledEventId));
    const attempt = started.attempt ?? 1;
    return step === undefined || step.isMute || attempt <= 1 ? undefined : `${step.name}: attempt ${attempt}, after ${failureText(started.lastFailure)}`;
  }
  if (done) {
    const step = steps.get(String(done.scheduledEventId));
    return step === undefined || step.isMute ? undefined : `${step.name}: done`;
  }
  return failed ? `${steps.get(String(failed.scheduledEventId))?.name ?? 'a step'}: failed, ${failureText(failed.failure)}` : undefined;
}

/** The innermost failure is what happened; those around it say where. */
export function failureText(failure: Failure | null | undefined): string {
  let inner = failure;
  while (inner?.cause) inner = inner.cause;
  if (inner === null || inner === undefined) return 'for an unknown reason';
  const code = inner.applicationFailureInfo?.type;
  return code ? `${code}: ${inner.message}` : (inner.message ?? 'for an unknown reason');
}

function firstOf(payloads: readonly Payload[] | null | undefined): unknown {
  return decoded(payloads?.[0]);
}

/** What nobody can read is nobody's story. */
export function decoded(payload: Payload | null | undefined): unknown {
  try {
    return payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
  } catch {
    return undefined;
  }
}

interface Timestamp {
  /** the wire has 64 bits; what JSON was made of has a plain number */
  readonly seconds?: number | { toNumber(): number } | null;
  readonly nanos?: number | null;
}

function timeOf(time: Timestamp | null | undefined): string {
  const seconds = time?.seconds ?? 0;
  return new Date((typeof seconds === 'number' ? seconds : seconds.toNumber()) * 1000 + Math.floor((time?.nanos ?? 0) / 1e6)).toISOString();
}
