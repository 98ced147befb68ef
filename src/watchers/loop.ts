import { setTimeout as sleep } from 'node:timers/promises';

export interface LoopOptions {
  /** one pass over everything; its errors are reported and it is tried again */
  readonly pass: () => Promise<void>;
  /** false while somebody else leads, or a view is not complete */
  readonly mayRun: () => boolean;
  readonly onError: (error: unknown) => void;
  /** how long changes are gathered before a pass: milliseconds */
  readonly gatherMs: number;
  /** a pass without any change, for what only time changes: milliseconds */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

const longestWaitMs = 30_000;

/**
 * Runs passes one after the other: soon after a change, and now and then without one. Changes that arrive during a
 * pass cause one more. Waits longer after each failure in a row.
 */
export class Loop {
  readonly #options: LoopOptions;
  #wake: () => void = () => undefined;
  #isAsked = true;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Something changed. */
  ask(): void {
    this.#isAsked = true;
    this.#wake();
  }

  /** @returns when the signal aborts; never rejects */
  async run(): Promise<void> {
    const { signal, gatherMs, mayRun } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      await this.#untilAsked();
      await pause(gatherMs, signal);
      if (signal.aborted) return;
      if (!mayRun()) continue;
      this.#isAsked = false;
      failures = (await this.#try()) ? 0 : failures + 1;
      if (failures > 0) {
        this.#isAsked = true;
        await pause(Math.min(longestWaitMs, gatherMs * 2 ** failures), signal);
      }
    }
  }

  async #try(): Promise<boolean> {
    try {
      await this.#options.pass();
      return true;
    } catch (error) {
      this.#options.onError(error);
      return false;
    }
  }

  async #untilAsked(): Promise<void> {
    if (this.#isAsked && this.#options.mayRun()) return;
    const { signal, everyMs, mayRun } = this.#options;
    const nap = new AbortController();
    this.#wake = () => nap.abort();
    // a lost lease or an incomplete view ends without telling us: look again soon
    await pause(mayRun() ? everyMs : Math.min(everyMs, 1_000), AbortSignal.any([signal, nap.signal]));
    this.#wake = () => undefined;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
