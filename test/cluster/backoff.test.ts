import { describe, expect, test } from '@jest/globals';
import { Backoff } from '../../src/cluster/kubernetes/backoff.js';
import { Failure, type FailureCode } from '../../src/domain/failure.js';

const failed = (code: FailureCode, retryAfterMs?: number): Failure => new Failure({ code, side: 'cluster', message: code, retryAfterMs });

function pauses(backoff: Backoff, ...errors: readonly unknown[]): number[] {
  return errors.map((error) => backoff.next(error));
}

describe('pauses', () => {
  test('double, and then stay level', () => {
    const backoff = new Backoff({ baseMs: 100, capMs: 500, random: () => 1 });

    expect(pauses(backoff, ...Array<Failure>(5).fill(failed('denied')))).toEqual([100, 200, 400, 500, 500]);
  });

  test.each([
    [0, [50, 100]],
    [0.5, [75, 150]],
    [1, [100, 200]],
  ] as const)('are spread between half and the whole (%d)', (random, expected) => {
    expect(pauses(new Backoff({ baseMs: 100, random: () => random }), failed('denied'), failed('denied'))).toEqual(expected);
  });

  test('are short while nobody answers: asking costs nobody anything', () => {
    const backoff = new Backoff({ random: () => 1 });

    expect(pauses(backoff, ...Array<Failure>(6).fill(failed('unreachable')))).toEqual([500, 1000, 2000, 4000, 4000, 4000]);
  });

  test('begin anew when the server is back, and answers with errors at first', () => {
    const backoff = new Backoff({ baseMs: 100, random: () => 1 });

    expect(pauses(backoff, failed('unreachable'), failed('unreachable'), failed('denied'), failed('denied'), failed('timeout'))).toEqual([100, 200, 100, 200, 100]);
  });

  test('are never shorter than the server asks, nor longer than five minutes for that', () => {
    const backoff = new Backoff({ baseMs: 100, random: () => 1 });

    expect(pauses(backoff, failed('throttled', 7000), failed('throttled', 3_600_000))).toEqual([7000, 300_000]);
  });

  test('begin anew after success', () => {
    const backoff = new Backoff({ baseMs: 100, random: () => 1 });
    pauses(backoff, failed('denied'), failed('denied'));
    backoff.reset();

    expect(backoff.next(failed('denied'))).toBe(100);
  });

  test('follow an error of any kind', () => {
    expect(new Backoff({ baseMs: 100, random: () => 1 }).next('not even an error')).toBe(100);
  });
});
