import type { Time } from './pace/time.js';

/** One for all: an abort without a reason makes an error with a stack for each request. */
const ended = new Error('nothing is watched any more');

/**
 * Aborts a request when what is expected does not happen in time. One sleeper serves all expectations, however many
 * there are: an expectation for each chunk of a large blob costs a number each.
 */
export class Watchdog {
  readonly #end = new AbortController();
  #current: AbortController | undefined;
  #dueAt = Infinity;
  #complain: () => unknown = () => undefined;
  #isRunning = false;

  /** @param everyMs how often it looks; no expectation is shorter */
  constructor(
    readonly time: Time,
    readonly everyMs: number,
    readonly signal: AbortSignal,
  ) {}

  /** The signal of one request; the one before it is no longer watched. */
  watch(): AbortSignal {
    this.rest();
    this.#current = new AbortController();
    return AbortSignal.any([this.signal, this.#current.signal]);
  }

  /** From now on it has to happen within so many milliseconds. */
  expect(withinMs: number, complain: () => unknown): void {
    this.#dueAt = this.time.now() + withinMs;
    this.#complain = complain;
    if (!this.#isRunning) void this.#run();
  }

  /** Nothing is expected. */
  rest(): void {
    this.#dueAt = Infinity;
  }

  end(): void {
    this.rest();
    this.#end.abort(ended);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      for (let leftMs = this.everyMs; leftMs > 0; leftMs = this.#dueAt - this.time.now()) {
        await this.time.sleep(Math.min(leftMs, this.everyMs), this.#end.signal);
      }
      this.rest();
      this.#current?.abort(this.#complain());
    } catch {
      // ended: nobody waits any more
    } finally {
      this.#isRunning = false;
    }
  }
}
