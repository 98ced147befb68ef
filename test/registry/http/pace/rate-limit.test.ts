import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isUsedUp, parseRateLimit } from '../../../../src/registry/http/pace/rate-limit.js';

const hours6 = 21_600_000;

describe('what a registry says of its quota', () => {
  test.each([
    ['as Docker Hub writes it', { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' }, { remaining: 76, limit: 100, windowMs: hours6 }],
    ['with a window at the limit only', { 'ratelimit-limit': '100;w=60', 'ratelimit-remaining': '7' }, { remaining: 7, limit: 100, windowMs: 60_000 }],
    ['with several policies, as draft 03 allows', { 'ratelimit-limit': '10, 10;w=1, 50;w=60', 'ratelimit-remaining': '5', 'ratelimit-reset': '3' }, { remaining: 5, limit: 10, windowMs: 1000, resetMs: 3000 }],
    ['in one header, as in draft 06', { ratelimit: 'limit=100, remaining=50, reset=5' }, { remaining: 50, limit: 100, resetMs: 5000 }],
    ['as in draft 08', { ratelimit: '"default";r=50;t=30', 'ratelimit-policy': '"default";q=100;w=60' }, { remaining: 50, limit: 100, windowMs: 60_000, resetMs: 30_000 }],
    ['with spaces', { 'ratelimit-limit': ' 100 ; w=60', 'ratelimit-remaining': ' 99 ; w=60 ' }, { remaining: 99, limit: 100, windowMs: 60_000 }],
    ['nothing left', { 'ratelimit-remaining': '0;w=21600' }, { remaining: 0, windowMs: hours6 }],
    ['with a header sent twice', { 'ratelimit-remaining': ['3', '9'] }, { remaining: 3 }],
    ['only the limit', { 'ratelimit-limit': '100' }, undefined],
    ['words', { 'ratelimit-remaining': 'plenty' }, undefined],
    ['a negative number', { 'ratelimit-remaining': '-1' }, undefined],
    ['a number too long to be one', { 'ratelimit-remaining': '9'.repeat(400) }, undefined],
    ['nothing', {}, undefined],
  ])('%s', (_sentence, headers, expected) => {
    expect(parseRateLimit(headers)).toEqual(expected);
  });

  test('any text is read without failing, and no number is other than finite', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('ratelimit', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'ratelimit-policy'), fc.string()), (headers) => {
        for (const value of Object.values(parseRateLimit(headers) ?? {})) expect(Number.isFinite(value) && value >= 0).toBe(true);
      }),
    );
  });

  test.each([
    ['0', true],
    ['0;w=21600', true],
    ['00', false],
    ['0.5', false],
    ['10', false],
    ['', false],
  ])('remaining %j is used up: %s', (remaining, expected) => {
    expect(isUsedUp({ 'ratelimit-remaining': remaining })).toBe(expected);
  });
});
