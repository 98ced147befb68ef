import type { Log } from '../../src/telemetry/log.js';
import type { Clock } from '../../src/webhook/clock.js';

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A clock that stands still until it is moved: `advance` wakes sleepers in order and lets them act. */
export interface HandClock extends Clock {
  advance(ms: number): Promise<void>;
  /** how many are asleep */
  sleepers(): number;
}

export function handClock(start = Date.parse('2026-11-21T12:00:00Z')): HandClock {
  let now = start;
  let sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  async function advance(ms: number): Promise<void> {
    const end = now + ms;
    for (;;) {
      const next = sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      now = Math.max(now, next.at);
      next.wake();
      await settled();
    }
    now = end;
    await settled();
  }

  return {
    now: () => now,
    sleepers: () => sleepers.length,
    advance,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = { at: now + ms, wake: done };
        function done(): void {
          sleepers = sleepers.filter((one) => one !== sleeper);
          resolve();
        }
        if (signal?.aborted) return resolve();
        signal?.addEventListener('abort', done, { once: true });
        sleepers.push(sleeper);
      }),
  };
}

/** Lets everything that can go on without time passing go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
