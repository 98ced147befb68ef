import { describe, expect, test } from '@jest/globals';
import { isFresh, type AvailabilityState } from '../../src/domain/availability.js';

const lifetimes = { positiveMs: 30_000, negativeMs: 3_000 };
const now = Date.parse('2026-11-20T10:00:00Z');

test.each<[AvailabilityState, number, boolean]>([
  ['Available', 0, true],
  ['Available', 29_999, true],
  ['Available', 30_000, false],
  ['Unreachable', 2_999, true],
  ['Unreachable', 3_000, false],
  ['QuotaExceeded', 3_000, false],
  ['NotFound', 2_999, true],
  ['Scheduled', 0, false],
  ['Available', -29_999, true],
  ['Available', -60_000, false],
])('a fact of %s needs no second look after %d ms: %s', (state, ageMs, isYoung) => {
  expect(isFresh({ state, checkedAt: now - ageMs }, lifetimes, now)).toBe(isYoung);
});

describe('a fact without lifetime', () => {
  test('is never fresh', () => {
    expect(isFresh({ state: 'Available', checkedAt: now }, { positiveMs: 0, negativeMs: 0 }, now)).toBe(false);
  });
});
