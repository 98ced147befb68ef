/**
 * The one place where failures cross into Temporal and back. `ApplicationFailure.type` is the code, its details the
 * data of the failure; whether it is tried again, and when, follows from the table in domain/failure, not from
 * whoever threw it. Workflows run this too: it may import nothing that reads clock, network or Node.
 */
import { ActivityFailure, ApplicationFailure, CancelledFailure, ChildWorkflowFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { failureInfo, failures, isFailureCode, type Consequence, type FailureCode, type FailureInfo } from '../domain/failure.js';

/** Codes that an activity does not try again by itself. */
export const finalCodes: readonly FailureCode[] = (Object.keys(failures) as FailureCode[]).filter((code) => consequences(code).retry !== 'again');

const longestMessage = 256; // as in the record
const longestAskedMs = 60 * 60 * 1000; // a registry that asks for more is asked again after an hour

/**
 * What a history may hold of an error: code, side, host and our own words. Anything that is no `Failure` loses its
 * message, because nobody knows what is in it; the log has it.
 *
 * @param where what was being done, for unexpected errors: an activity's type
 */
export function toApplicationFailure(error: unknown, where: string, backoffMs?: number): ApplicationFailure {
  const info = failureInfo(error);
  if (info !== undefined) return applicationFailure(info, backoffMs);
  return withoutStack(ApplicationFailure.create({ message: `unexpected ${nameOf(error)} in ${where}, see the log of the manager`, type: unexpected, nextRetryDelay: backoffMs }));
}

/** As a workflow throws it: the run fails visibly, with the code as type. */
export function applicationFailure(info: FailureInfo, backoffMs?: number): ApplicationFailure {
  const clean = sanitised(info);
  return withoutStack(
    ApplicationFailure.create({
      message: clean.message,
      type: clean.code,
      details: [clean],
      nonRetryable: finalCodes.includes(clean.code),
      nextRetryDelay: retryDelayMs(clean, backoffMs),
    }),
  );
}

/** A stack would lead to this file and nowhere else. */
function withoutStack(failure: ApplicationFailure): ApplicationFailure {
  failure.stack = '';
  return failure;
}

const unexpected = 'unexpected';

function nameOf(error: unknown): string {
  return error instanceof Error && /^[A-Za-z]{1,64}$/.test(error.name) ? error.name : 'error';
}

/** The time the registry gave, else the first delay of the table for `throttled`, else the usual back-off. */
function retryDelayMs(info: FailureInfo, backoffMs: number | undefined): number | undefined {
  if (info.retryAfterMs !== undefined) return Math.min(info.retryAfterMs, longestAskedMs);
  return info.code === 'throttled' ? failures.throttled.slowRetryMs : backoffMs;
}

/** Only the fields we know, with a short message without URL queries, user names in URLs, and control characters. */
export function sanitised({ code, side, host, message, retryAfterMs }: FailureInfo): FailureInfo {
  return { code, side, message: sanitisedText(message), ...(host === undefined ? {} : { host }), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function sanitisedText(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/(\w+:\/\/)[^\s/@]*@/g, '$1')
    .replace(/\?[^\s"'<>]*/g, '')
    .replace(/\b(bearer|basic)\s+\S+/gi, '$1 ...')
    .slice(0, longestMessage);
}

/**
 * What stopped a workflow's work, as data.
 *
 * @param error what an activity, a child workflow or our own code threw; cancellation is the caller's to tell apart
 * @param cluster whose workers had the work
 */
export function failureOf(error: unknown, cluster: string): FailureInfo {
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) return failureOf(error.cause, cluster);
  if (error instanceof TimeoutFailure) return timeoutInfo(error, cluster);
  if (error instanceof ApplicationFailure) return thrownInfo(error);
  if (error instanceof TerminatedFailure) return { code: 'timeout', side: 'cluster', message: 'the run was terminated by hand' };
  if (error instanceof CancelledFailure) return { code: 'timeout', side: 'cluster', message: 'the run was cancelled by hand' };
  return failureInfo(error) ?? { code: 'invalid', side: 'cluster', message: `unexpected ${nameOf(error)} in a workflow` };
}

function timeoutInfo({ timeoutType }: TimeoutFailure, cluster: string): FailureInfo {
  if (timeoutType === 'SCHEDULE_TO_START') return { code: 'unreachable', side: 'cluster', message: `no worker of cluster ${cluster} takes the work` };
  return { code: 'timeout', side: 'cluster', message: timeoutType === 'HEARTBEAT' ? 'the worker went away during the work' : 'the work took too long' };
}

function thrownInfo({ type, message, details }: ApplicationFailure): FailureInfo {
  const [found] = details ?? [];
  if (isInfo(found)) return found;
  if (typeof type === 'string' && isFailureCode(type)) return { code: type, side: 'cluster', message };
  return { code: 'invalid', side: 'cluster', message };
}

function isInfo(found: unknown): found is FailureInfo {
  return typeof found === 'object' && found !== null && 'code' in found && isFailureCode(String(found.code)) && 'side' in found && 'message' in found;
}

function consequences(code: FailureCode): Consequence {
  return failures[code];
}
