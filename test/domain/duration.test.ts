import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../src/domain/duration.js';

const hourMs = 3_600_000;

describe('durations', () => {
  test.each([
    ['0', 0],
    ['+0', 0],
    ['0s', 0],
    ['168h', 168 * hourMs],
    ['1h30m', 1.5 * hourMs],
    ['1.5h', 1.5 * hourMs],
    ['1.1h', 1.1 * hourMs],
    ['.5s', 500],
    ['1.s', 1000],
    ['-1m', -60_000],
    ['+1m', 60_000],
    ['30m1h', 1.5 * hourMs],
    ['250ms', 250],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['1μs', 0.001],
    ['1ns', 0.000001],
    ['1.9ns', 0.000001],
    ['0.1s', 100],
    ['2562047h47m16.854s', 9223372036854],
  ])('%s is read', (text, ms) => {
    expect(parseDuration(text)).toBeCloseTo(ms, 5);
  });

  test.each(['', ' ', '7d', '10', '1 h', ' 1h', '1h ', 'h', '.', '.s', '1.2.3s', '-', '--1s', '1e3s', '1H', '00', 'P7D', '2562048h', '1h-30m', '½h'])('%j is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([
    [0, '0s'],
    [168 * hourMs, '168h'],
    [1.5 * hourMs, '1h30m'],
    [hourMs + 1000, '1h1s'],
    [1.1 * hourMs, '1h6m'],
    [120_500, '2m0.5s'],
    [250, '250ms'],
    [1.5, '1.5ms'],
    [0.0015, '1.5µs'],
    [0.000001, '1ns'],
    [0.0000001, '0s'],
    [-60_000, '-1m'],
  ])('%d milliseconds are written as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.maxSafeNat().map((ms) => ms % 2 ** 42), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  test('any text is read or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'019.hmsµn-+'.split('')) })), (text) => {
        const ms = parseDuration(text);
        expect(ms === undefined || Number.isFinite(ms)).toBe(true);
      }),
    );
  });
});
