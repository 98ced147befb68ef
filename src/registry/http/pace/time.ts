import { setTimeout as later } from 'node:timers/promises';

/** The time, as an argument: tests turn it by hand. */
export interface Time {
  /** milliseconds since the epoch */
  now(): number;
  /** @throws the signal's reason when it aborts first; the timer is gone then */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Sleeps on a real timer. An abort throws its own reason, not Node's. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await later(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
