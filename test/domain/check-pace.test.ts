import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cycleMs, tickMs, turnsAtOnce, untilNextMs, type Pace } from '../../src/domain/check-pace.js';

const minutes = 60_000;
const hours = 60 * minutes;
const usual: Pace = { intervalMs: 3 * hours, maxPerInterval: 25 };
const hub: Pace = { intervalMs: hours, maxPerInterval: 6 };

describe('one check per tick', () => {
  test.each([
    ['25 in three hours are one every 7m12s', usual, 7 * minutes + 12_000],
    ['6 in an hour are one every ten minutes', hub, 10 * minutes],
    ['what does not divide is rounded up: never one more than may be', { intervalMs: 10, maxPerInterval: 3 }, 4],
    ['nothing is faster than a millisecond', { intervalMs: 1, maxPerInterval: 1000 }, 1],
  ])('%s', (_sentence, pace, expected) => {
    expect(tickMs(pace)).toBe(expected);
  });

  test('a round of 212 images on Docker Hub takes a day and a half', () => {
    expect(cycleMs(hub, 212)).toBe(212 * 10 * minutes);
  });
});

describe('one go', () => {
  test.each([
    ['is one check where a tick is longer than a minute', hub, 1],
    ['is a minute of checks where the pace is fast', { intervalMs: minutes, maxPerInterval: 30 }, 30],
  ])('%s', (_sentence, pace, expected) => {
    expect(turnsAtOnce(pace)).toBe(expected);
  });
});

describe('the wait before the next check', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  test.each([
    ['is none before the first', undefined, 0, 0],
    ['is what is left of the tick', now - 4 * minutes, 0, 6 * minutes],
    ['is none when the tick is over', now - hours, 0, 0],
    ['is what the registry asked for, when that is longer', now - 4 * minutes, 20 * minutes, 20 * minutes],
    ['is at most an hour, whatever it asked for', now, 9 * hours, hours],
    ['is at most a tick, when the clock was set back', now + 9 * hours, 0, 10 * minutes],
  ])('%s', (_sentence, beganAt, askedMs, expected) => {
    expect(untilNextMs(hub, beganAt, now, askedMs)).toBe(expected);
  });
});

const pace = fc.record({ intervalMs: fc.integer({ min: 1, max: 24 * hours }), maxPerInterval: fc.integer({ min: 1, max: 10_000 }) });
/** How long a check takes, how late the next go starts, what the registry asks for. */
const trouble = fc.record({ tookMs: fc.nat(90_000), lateMs: fc.nat(30_000), askedMs: fc.oneof(fc.constant(0), fc.nat(2 * hours)) });

test('whatever checks take and registries ask for: no interval holds more than it may, and no turn is left out', () => {
  fc.assert(
    fc.property(pace, fc.array(trouble, { minLength: 1, maxLength: 200 }), (given, troubles) => {
      let now = 0;
      const began: number[] = [];
      for (const { tookMs, lateMs, askedMs } of troubles) {
        began.push(now);
        const ended = now + tookMs;
        const waitMs = untilNextMs(given, began.at(-1), ended, askedMs);
        expect(waitMs).toBeLessThanOrEqual(Math.max(tickMs(given), Math.min(askedMs, hours)));
        now = ended + waitMs + lateMs;
      }
      for (const [index, at] of began.entries()) {
        const inInterval = began.filter((other, place) => place >= index && other < at + given.intervalMs).length;
        expect(inInterval).toBeLessThanOrEqual(given.maxPerInterval);
      }
      const gaps = began.slice(1).map((at, index) => at - began[index]!);
      for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(tickMs(given)); // evenly spread: no bursts
    }),
  );
});
