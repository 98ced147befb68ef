import type { Priority } from './priority.js';
import type { Time } from './time.js';
import { PriorityQueue } from './priority-queue.js';

/** So many requests a second, and a few at once after a rest. One timer at most, and none while nobody waits. */
export class TokenBucket {
  readonly queue = new PriorityQueue();
  #tokens: number;
  #filledAt: number;
  #timer: AbortController | undefined;

  constructor(
    readonly perSecond: number,
    readonly burst: number,
    readonly time: Time,
  ) {
    this.#tokens = burst;
    this.#filledAt = time.now();
  }

  /** @throws the signal's reason when it aborts while waiting */
  async take(priority: Priority, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#fill();
    if (this.#tokens >= 1 && this.queue.length === 0) return void this.#tokens--;

    const turn = this.queue.wait(priority, signal);
    this.#schedule();
    try {
      await turn;
    } finally {
      if (this.queue.length === 0) this.#timer?.abort();
    }
  }

  #fill(): void {
    const now = this.time.now();
    // a clock that was set back fills nothing
    const elapsedMs = Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    this.#tokens = Math.min(this.burst, this.#tokens + (elapsedMs * this.perSecond) / 1000);
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    const timer = new AbortController();
    this.#timer = timer;
    const waitMs = Math.max(1, Math.ceil(((1 - this.#tokens) / this.perSecond) * 1000));
    const done = (): void => {
      this.#timer = undefined;
      this.#give();
    };
    // an abort means that nobody waited at that moment; somebody may again
    this.time.sleep(waitMs, timer.signal).then(done, done);
  }

  #give(): void {
    this.#fill();
    while (this.#tokens >= 1 && this.queue.next()) this.#tokens--;
    if (this.queue.length > 0) this.#schedule();
  }
}
