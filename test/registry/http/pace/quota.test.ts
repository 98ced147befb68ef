import { describe, expect, test } from '@jest/globals';
import { Quota } from '../../../../src/registry/http/pace/quota.js';
import { priorities, type Priority } from '../../../../src/registry/http/pace/priority.js';

const now = Date.parse('2026-03-01T12:00:00Z');
const hub = { limit: 100, windowMs: 21_600_000 };

function waits(quota: Quota, at = now): Record<Priority, number> {
  return Object.fromEntries(priorities.map((priority) => [priority, quota.waitMs(priority, at)])) as Record<Priority, number>;
}

describe('a quota below its reserve', () => {
  test('holds background work back, and nothing that a Pod waits for', () => {
    const quota = new Quota(20);

    quota.answered({ remaining: 19, ...hub }, 'check', now);

    // one request comes back every 216 s in a window that slides
    expect(waits(quota)).toEqual({ probe: 0, publish: 0, waiting: 0, copy: 216_000, check: 216_000, delete: 216_000 });
  });

  test.each([
    ['exactly the reserve is left', { remaining: 20, ...hub }, 20, 0],
    ['the registry says when all of it is back', { remaining: 1, limit: 100, resetMs: 30_000 }, 20, 30_000],
    ['nothing is left in a short window', { remaining: 0, limit: 10, windowMs: 60_000 }, 20, 12_000],
    ['the wait would be more than an hour', { remaining: 0, limit: 100, windowMs: 86_400_000 }, 20, 3_600_000],
    ['no limit is told, and something is left', { remaining: 1 }, 20, 0],
    ['no limit is told, and nothing is left', { remaining: 0, windowMs: 60_000 }, 20, 60_000],
    ['the limit is 0', { remaining: 0, limit: 0 }, 20, 0],
    ['there is to be no reserve', { remaining: 0, ...hub }, 0, 0],
    ['half is to be kept', { remaining: 49, ...hub }, 50, 216_000],
  ])('background work waits as long as it takes when %s', (_sentence, limit, reserve, waitMs) => {
    const quota = new Quota(reserve);

    quota.answered(limit, 'copy', now);

    expect(quota.waitMs('copy', now)).toBe(waitMs);
  });

  test('an answer with enough left opens it again', () => {
    const quota = new Quota(20);
    quota.answered({ remaining: 3, ...hub }, 'copy', now);

    quota.answered({ remaining: 60, ...hub }, 'probe', now + 1000);

    expect(quota.waitMs('copy', now + 1000)).toBe(0);
  });

  test('when the wait is over one goes ahead, and the others wait for its answer', () => {
    const quota = new Quota(20);
    quota.answered({ remaining: 19, ...hub }, 'copy', now);
    const later = now + 216_000;
    expect(quota.waitMs('copy', later)).toBe(0);

    quota.pass('copy', later);

    expect(quota.waitMs('check', later)).toBe(5000);
    quota.answered({ remaining: 20, ...hub }, 'copy', later + 50);
    expect(quota.waitMs('check', later + 50)).toBe(0);
  });
});

describe('a registry that said 429', () => {
  test('is left alone by everybody but probes', () => {
    const quota = new Quota(20);

    quota.close(90_000, now);

    expect(waits(quota)).toEqual({ probe: 0, publish: 90_000, waiting: 90_000, copy: 90_000, check: 90_000, delete: 90_000 });
  });

  test('tells for how long still, which a quota below its reserve does not', () => {
    const [refused, low] = [new Quota(20), new Quota(20)];
    refused.close(90_000, now);
    low.answered({ remaining: 1, ...hub }, 'copy', now);

    expect([refused.throttledMs(now + 30_000), refused.throttledMs(now + 91_000), low.throttledMs(now)]).toEqual([60_000, 0, 0]);
  });

  test('an answer to what was sent before, and a probe that is served, open nothing', () => {
    const quota = new Quota(20);
    quota.close(90_000, now);

    quota.answered(undefined, 'copy', now + 10);
    expect(quota.waitMs('copy', now + 10)).toBe(89_990);
    quota.pass('copy', now + 90_000);
    quota.answered(undefined, 'probe', now + 90_010);

    expect(quota.waitMs('copy', now + 90_010)).toBe(4990);
  });

  test('a shorter wait does not shorten a longer one', () => {
    const quota = new Quota(20);
    quota.close(90_000, now);

    quota.close(1000, now);

    expect(quota.waitMs('copy', now)).toBe(90_000);
  });

  test('whoever goes ahead and is refused closes it again for as long as it is told', () => {
    const quota = new Quota(20);
    quota.close(90_000, now);
    quota.pass('copy', now + 90_000);

    quota.close(1000, now + 90_010);

    expect(quota.waitMs('copy', now + 90_010)).toBe(1000);
  });

  test('one that goes ahead and never comes back holds the others for 5 s, no longer', () => {
    const quota = new Quota(20);
    quota.close(90_000, now);

    quota.pass('copy', now + 90_000);

    expect(quota.waitMs('copy', now + 95_000)).toBe(0);
  });

  test('a clock that is set back by a day makes nobody wait for more than an hour', () => {
    const quota = new Quota(20);
    quota.close(90_000, now);

    expect(quota.waitMs('copy', now - 86_400_000)).toBe(3_600_000);
  });
});

test('what is left is told until its window is over', () => {
  const quota = new Quota(20);
  expect(quota.remaining(now)).toBeUndefined();

  quota.answered({ remaining: 76, ...hub }, 'check', now);

  expect(quota.remaining(now + 1000)).toBe(76);
  expect(quota.remaining(now + 21_600_001)).toBeUndefined();
});
