import { failures, type FailureInfo } from './failure.js';

const longestWaitMs = 6 * 60 * 60 * 1000;

/** How far below its length a delay may fall, so that a thousand failures of one outage do not return together. */
const jitter = 0.2;

/**
 * How long a failed copy waits before a new run: the first delay of its code, doubling up to six hours, and never
 * before the time the registry gave.
 *
 * @param attempts failed runs so far, at least 1
 * @param share where in the jitter this delay lies: at least 0, less than 1
 * @param pace scale of the result: 1, or less in tests
 * @returns milliseconds
 */
export function slowRetryMs(failure: FailureInfo, attempts: number, share: number, pace: number): number {
  const doubled = failures[failure.code].slowRetryMs * 2 ** Math.min(attempts - 1, 16);
  const spread = Math.min(doubled, longestWaitMs) * (1 - jitter * share) * pace;
  return Math.ceil(Math.max(spread, failure.retryAfterMs ?? 0));
}

/** A period, spread by up to 20 %: never longer than asked for. */
export function spreadMs(periodMs: number, share: number): number {
  return Math.ceil(periodMs * (1 - jitter * share));
}
