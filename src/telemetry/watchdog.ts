/**
 * Watches that the event loop turns. A loop that stood still is told by `/readyz`, so that calls go to another
 * replica; one that stands still for good cannot even end itself, so a thread beside it does, and Kubernetes starts
 * the process again.
 */
import { Worker } from 'node:worker_threads';
import type { Check } from './http.js';

export interface WatchdogOptions {
  /** milliseconds between two signs of life */
  readonly everyMs: number;
  /** signs of life that are missed in a row before the process is ended */
  readonly mostMissed: number;
  /** a loop that stood still for so many milliseconds is not ready: a review that arrived meanwhile was answered too late */
  readonly stallMs: number;
  /** for so many milliseconds after it */
  readonly graceMs: number;
  /** milliseconds, any origin; never set back */
  readonly now: () => number;
}

export const usualWatchdog: WatchdogOptions = { everyMs: 500, mostMissed: 60, stallMs: 2_000, graceMs: 10_000, now: () => performance.now() };

export interface Watchdog extends Check {
  stop(): Promise<void>;
}

/**
 * Starts watching this thread, from within and from beside.
 *
 * @param onError told when the thread beside cannot go on: readiness is watched all the same
 */
export function startWatchdog(onError: (error: Error) => void, options: WatchdogOptions = usualWatchdog): Watchdog {
  const { everyMs, mostMissed, now } = options;
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const stalls = new Stalls(options);
  const timer = setInterval(() => {
    Atomics.add(beats, 0, 1);
    stalls.beat(now());
  }, everyMs).unref();
  const thread = new Worker(new URL('./watchdog-thread.cjs', import.meta.url), {
    workerData: { beats, everyMs, mostMissed },
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
    // its own environment and options are nobody's business
    env: {},
    execArgv: [],
    trackUnmanagedFds: false, // it opens none
  });
  thread.on('error', onError).unref();
  return {
    name: 'event-loop',
    ready: () => stalls.ready(now()),
    stop: async () => {
      clearInterval(timer);
      await thread.terminate();
    },
  };
}

/** What the beats of a loop say of it. */
export class Stalls {
  readonly #options: Pick<WatchdogOptions, 'everyMs' | 'stallMs' | 'graceMs'>;
  #lastBeat: number | undefined;
  #last: { readonly ms: number; readonly endedAt: number } | undefined;

  constructor(options: Pick<WatchdogOptions, 'everyMs' | 'stallMs' | 'graceMs'>) {
    this.#options = options;
  }

  beat(now: number): void {
    const ms = this.#lastBeat === undefined ? 0 : now - this.#lastBeat - this.#options.everyMs;
    this.#lastBeat = now;
    if (ms >= this.#options.stallMs) this.#last = { ms, endedAt: now };
  }

  /** For `/readyz`. */
  ready(now: number): true | string {
    if (this.#last === undefined || now - this.#last.endedAt >= this.#options.graceMs) return true;
    return `stood still for ${(this.#last.ms / 1000).toFixed(1)} s a moment ago`;
  }
}
