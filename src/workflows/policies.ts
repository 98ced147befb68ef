import type { ActivityOptions } from '@temporalio/workflow';
import { finalCodes } from '../temporal/failures.js';

const seconds = 1_000;
const minutes = 60 * seconds;
const hours = 60 * minutes;

/** Time in which a signal and the end of the run that sent it are both seen. */
const settleMs = 30 * seconds;
const busyMs = 1 * hours;

/**
 * Every limit and delay of our workflows, in one place. The pace comes with the input, so that a replay sees the
 * one its history was made with. It scales delays only: timeouts tell whether something is alive, and a machine
 * under test is slower, not faster. Where a delay waits for another process it keeps a floor.
 *
 * @param pace 1, or less in tests
 */
export function policiesAt(pace: number) {
  const delay = (ms: number): number => Math.max(1, Math.round(ms * pace));
  const retry = (firstMs: number, longestMs: number, maximumAttempts: number) => ({
    initialInterval: delay(firstMs),
    maximumInterval: delay(longestMs),
    backoffCoefficient: 2,
    maximumAttempts,
    nonRetryableErrorTypes: [...finalCodes],
  });
  const recordOutcome = { startToCloseTimeout: 10 * seconds, scheduleToCloseTimeout: 10 * minutes, retry: { initialInterval: delay(1 * seconds), maximumInterval: delay(30 * seconds), backoffCoefficient: 2 }, cancellationType: 'TRY_CANCEL' } as const;
  const confirmUnused = { startToCloseTimeout: 60 * seconds, scheduleToStartTimeout: Math.max(10 * seconds, 10 * minutes * pace), retry: retry(5 * seconds, 1 * minutes, 3), cancellationType: 'TRY_CANCEL' } as const;
  return {
    resolveSource: { startToCloseTimeout: 60 * seconds, retry: retry(1 * seconds, 1 * minutes, 6), cancellationType: 'TRY_CANCEL' },
    // a worker that died is noticed by its heartbeat; no total limit is promised. About 11 minutes of waiting
    copyPlatform: { startToCloseTimeout: 24 * hours, heartbeatTimeout: 30 * seconds, retry: retry(5 * seconds, 10 * minutes, 8), cancellationType: 'WAIT_CANCELLATION_COMPLETED' },
    publishTag: { startToCloseTimeout: 5 * minutes, retry: retry(1 * seconds, 1 * minutes, 6), cancellationType: 'TRY_CANCEL' },
    verify: { startToCloseTimeout: 30 * seconds, retry: retry(1 * seconds, 1 * minutes, 3), cancellationType: 'TRY_CANCEL' },
    /** a look by the keeper: nothing else happens meanwhile, so it may not wait for a dead cluster */
    look: { startToCloseTimeout: 30 * seconds, scheduleToCloseTimeout: 10 * minutes, retry: retry(1 * seconds, 1 * minutes, 3), cancellationType: 'TRY_CANCEL' },
    recordOutcome,
    /** the same to a cluster that need not be there: nobody waits for it longer than this, and it is told again when it claims */
    tell: { ...recordOutcome, scheduleToStartTimeout: Math.max(10 * seconds, 1 * minutes * pace) },
    /** the first word of a copy: nobody takes it, nobody is there */
    signOfLife: { startToCloseTimeout: 10 * seconds, scheduleToStartTimeout: Math.max(10 * seconds, 5 * minutes * pace), retry: retry(1 * seconds, 5 * seconds, 3), cancellationType: 'TRY_CANCEL' },
    /** one step over everything a cluster has; its heartbeat is its cursor, so another attempt goes on */
    sweepStep: { startToCloseTimeout: 24 * hours, scheduleToCloseTimeout: 24 * hours, heartbeatTimeout: 2 * minutes, retry: retry(5 * seconds, 10 * minutes, 5), cancellationType: 'TRY_CANCEL' },
    /** a minute of checks, and however long the last of them takes; one attempt: who goes on looks whose turn it is, and the monitor waits before that */
    checkBatch: { startToCloseTimeout: 15 * minutes, heartbeatTimeout: 30 * seconds, retry: { maximumAttempts: 1 }, cancellationType: 'TRY_CANCEL' },
    /** no answer of a cluster is doubt: nobody waits for it longer than this */
    confirmUnused,
    /** the same at the last moment, of one that may stay silent: the word of the others would grow old meanwhile */
    confirmLost: { ...confirmUnused, scheduleToStartTimeout: Math.max(10 * seconds, 1 * minutes * pace) },
    /** a cluster that confirmed a moment ago is waited for as long as for its word */
    planDelete: { startToCloseTimeout: 5 * minutes, scheduleToStartTimeout: confirmUnused.scheduleToStartTimeout, retry: retry(1 * seconds, 1 * minutes, 6), cancellationType: 'TRY_CANCEL' },
    /** one attempt, which the workflow repeats: never while an earlier one may still be at work, and never when a worker that was away comes back, for by then it may be in use */
    deleteTag: { startToCloseTimeout: 30 * seconds, scheduleToStartTimeout: Math.max(10 * seconds, 1 * minutes * pace), retry: { maximumAttempts: 1 }, cancellationType: 'WAIT_CANCELLATION_COMPLETED' },
    /** of a deletion: how long it waits for its keeper's word */
    consentMs: Math.max(5 * seconds, 5 * minutes * pace),
    /** how long what the clusters said of a copy lets it go: what they cannot hear of meanwhile may use it */
    wordMs: Math.max(60 * seconds, 5 * minutes * pace),
    /** every view is listed anew in this time: two looks at the clusters are at least so far apart */
    resyncMs: Math.max(1, 10 * minutes * pace),
    settleMs: Math.max(2 * seconds, settleMs * pace),
    /** after it the keeper asks the server whether the run it waits for still exists */
    busyMs: Math.max(2 * seconds, busyMs * pace),
  } as const satisfies Record<string, ActivityOptions | number>;
}
