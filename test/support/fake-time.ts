/** Time turned by hand: sleepers wake in order, and whatever they start has run before `pass` returns. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Time } from '../../src/registry/http/pace/time.js';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export class FakeTime implements Time {
  readonly #sleepers = new Set<Sleeper>();

  constructor(private at = Date.parse('2026-03-01T12:00:00Z')) {}

  /** timers that are set */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  readonly now = (): number => this.at;

  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (): void => (this.#sleepers.delete(sleeper), reject(signal.reason as Error));
      const wake = (): void => (signal.removeEventListener('abort', leave), resolve());
      const sleeper: Sleeper = { at: this.at + ms, wake };
      signal.addEventListener('abort', leave, { once: true });
      this.#sleepers.add(sleeper);
    });
  };

  /** Moves the clock without waking anybody: as somebody who sets it does. */
  set(at: number): void {
    this.at = at;
  }

  async pass(ms: number): Promise<void> {
    const end = this.at + ms;
    await settle();
    for (;;) {
      const next = [...this.#sleepers].sort((one, other) => one.at - other.at)[0];
      if (next === undefined || next.at > end) break;
      this.#sleepers.delete(next);
      this.at = Math.max(this.at, next.at);
      next.wake();
      await settle();
    }
    this.at = end;
  }
}

/** Lets everything run that can run without time passing. */
export async function settle(): Promise<void> {
  await nextTurn();
}
