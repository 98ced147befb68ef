import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Loop, type LoopOptions } from '../../src/watchers/loop.js';

let end: AbortController;
beforeEach(() => {
  end = new AbortController();
});
afterEach(() => end.abort());

/** A loop, and the promise of its next passes. */
function aLoop(options: Partial<LoopOptions>): { loop: Loop; errors: unknown[]; done: Promise<void> } {
  const errors: unknown[] = [];
  const loop = new Loop({ pass: async () => undefined, mayRun: () => true, onError: (error) => errors.push(error), gatherMs: 1, everyMs: 60_000, signal: end.signal, ...options });
  return { loop, errors, done: loop.run() };
}

/** Counts calls, and lets a test wait for the nth. */
function counting(): { call: () => void; times: () => number; reached: (count: number) => Promise<void> } {
  let count = 0;
  let notice: () => void = () => undefined;
  return {
    call: () => {
      count += 1;
      notice();
    },
    times: () => count,
    reached: (wanted) =>
      new Promise((resolve) => {
        notice = () => count >= wanted && resolve();
        notice();
      }),
  };
}

describe('the loop of the watchers', () => {
  test('runs once at the start without being asked', async () => {
    const passes = counting();
    aLoop({ pass: async () => passes.call() });

    await passes.reached(1);
  });

  test('gathers many changes into one pass', async () => {
    const passes = counting();
    const { loop } = aLoop({ pass: async () => passes.call(), gatherMs: 30 });
    for (let change = 0; change < 1000; change += 1) loop.ask();

    await passes.reached(1);

    expect(passes.times()).toBe(1);
  });

  test('runs once more for a change that arrived during a pass', async () => {
    const passes = counting();
    const { loop } = aLoop({
      pass: async () => {
        passes.call();
        if (passes.times() === 1) loop.ask();
      },
    });

    await passes.reached(2);
  });

  test('tries again after an error, which it reports', async () => {
    const passes = counting();
    const { errors } = aLoop({
      pass: async () => {
        passes.call();
        if (passes.times() < 3) throw new Error(`pass ${passes.times()}`);
      },
    });

    await passes.reached(3);

    expect(errors).toEqual([new Error('pass 1'), new Error('pass 2')]);
  });

  test('waits while it may not run, and runs when it may', async () => {
    const passes = counting();
    const lead = { isOurs: false };
    const { loop } = aLoop({ pass: async () => passes.call(), mayRun: () => lead.isOurs });
    loop.ask();
    lead.isOurs = true;
    loop.ask();

    await passes.reached(1);
  });

  test('ends when it is told to, also in the middle of a nap', async () => {
    const { done } = aLoop({});

    end.abort();

    await expect(done).resolves.toBeUndefined();
  });
});
