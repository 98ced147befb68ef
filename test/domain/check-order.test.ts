import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checksAt, lastAskedAt, roundMs, roundTurns } from '../../src/domain/check-order.js';
import { imageName, knownImageRef, type PlaceId } from '../../src/domain/image-ref.js';
import type { TrackedImage } from '../../src/domain/monitor.js';

const now = Date.parse('2026-11-20T12:00:00Z');
const hour = 3_600_000;
const ago = (ms: number): string => new Date(now - ms).toISOString();

describe('the next check of a registry', () => {
  const at = (name: string, checkedAt?: number, rest: Partial<TrackedImage> = {}): TrackedImage => {
    const ref = knownImageRef(name);
    return { image: imageName(ref), ref, by: ['main'], isChecked: true, original: true, records: [imageName(ref)], ...(checkedAt === undefined ? {} : { seen: { state: 'Available', checkedAt: ago(checkedAt) } }), ...rest };
  };
  const failing = (name: string, checkedAt: number, rest: Partial<TrackedImage> = {}): TrackedImage => at(name, checkedAt, { seen: { state: 'NotFound', checkedAt: ago(checkedAt) }, ...rest });
  test.each<[string, TrackedImage[], string[]]>([
    ['is of what was never checked', [at('a', 5), at('b')], ['b', 'a']],
    ['is of what is in use before what is not, among these', [at('a', undefined, { unusedSince: ago(1) }), at('b')], ['b', 'a']],
    ['is of what was checked longest ago, used or not', [at('a', 1), at('b', 9, { unusedSince: ago(1) }), at('c', 5)], ['b', 'c', 'a']],
    ['is of what is in use and fails, once a fourth of the time has gone by', [at('a', 9), failing('b', 3)], ['b', 'a']],
    ['is of the others until then', [at('a', 9), failing('b', 2)], ['a', 'b']],
    ['is no sooner of what fails and is not in use', [at('a', 9), failing('b', 3, { unusedSince: ago(1) })], ['a', 'b']],
    ['is of what was never checked, whatever fails', [failing('a', 9), at('b')], ['b', 'a']],
    ['is of what a faster clock has checked, by its distance', [at('a', 1), at('b', -5)], ['b', 'a']],
    ['goes by name where all else is equal', [at('b', 1), at('a', 1)], ['a', 'b']],
    ['is never of another registry', [at('quay.io/a/b'), at('a')], ['a']],
    ['is never for a rule that rests', [at('a', undefined, { isChecked: false })], []],
    ['waits until there is a record to write to', [at('a', undefined, { records: [] })], []],
  ])('%s', (_sentence, images, expected) => {
    expect(checksAt('docker.io', images, now).map(({ place }) => place)).toEqual(expected.map((name) => `docker.io/library/${name}:latest`));
  });

  test('asks once for two names of one digest, and tells both records', () => {
    const digest = `sha256:${'d'.repeat(64)}`;
    const [check, ...others] = checksAt('docker.io', [at(`nginx:1.27@${digest}`, 1), at(`nginx@${digest}`)], now);

    expect(others).toEqual([]);
    expect(check).toMatchObject({ place: `docker.io/library/nginx@${digest}`, records: [`docker.io/library/nginx:1.27@${digest}`, `docker.io/library/nginx@${digest}`] });
    expect(check?.checkedAt).toBeUndefined();
  });

  test('passes over what was tried since, whatever came of it', () => {
    const tried = new Map([['docker.io/library/a:latest' as PlaceId, now]]);

    expect(checksAt('docker.io', [at('a'), at('b', 5), at('c', 9)], now, tried).map(({ place }) => place.at(-8))).toEqual(['c', 'b', 'a']);
  });

  test('knows when a check was made last, and takes no sight of a copy for one', () => {
    const seenBy = (ms: number, identity?: string): TrackedImage => at(`a${ms}`, ms, { seen: { state: 'Available', checkedAt: ago(ms), identity } });

    expect(lastAskedAt(checksAt('docker.io', [seenBy(5), seenBy(9, 'anonymous'), seenBy(7, 'abc')], now))).toBe(now - 7);
    expect(lastAskedAt(checksAt('docker.io', [seenBy(5)], now))).toBeUndefined();
  });

  test('a round takes as long as the registry with the most to check, shared by all rules', () => {
    const all = [at('a'), at('b'), at('c', 1, { by: ['other'] }), at('quay.io/a/b')];
    const pace = (host: string) => ({ intervalMs: hour, maxPerInterval: host === 'docker.io' ? 6 : 60 });

    expect(roundMs(all.slice(0, 2), all, pace)).toBe(30 * 60_000);
    expect(roundMs([], all, pace)).toBeUndefined();
  });

  test.each<[string, TrackedImage[], number]>([
    ['of nothing takes no turn', [], 0],
    ['of images that can be pulled takes a turn for each', [at('a', 1), at('b', 1)], 2],
    ['takes four more for what is in use and fails: so often it is checked meanwhile', [at('a', 1), failing('b', 1)], 5],
    ['takes a turn for each where everything fails', [failing('a', 1), failing('b', 1)], 2],
  ])('a round %s', (_sentence, images, turns) => {
    expect(roundTurns(checksAt('docker.io', images, now))).toBe(turns);
  });

  test('whatever fails, everything has its turn about once in a round, and what fails two to four times as often', () => {
    const rounds = 6;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), (healthy, broken) => {
        const states = [...Array<'Available'>(healthy).fill('Available'), ...Array<'NotFound'>(broken).fill('NotFound')];
        const checkedAt = states.map((_, index) => index - states.length);
        const counts = { Available: 0, NotFound: 0 };
        let longest = 0;
        const images = (): TrackedImage[] => states.map((state, index) => at(`i${index}`, undefined, { seen: { state, checkedAt: new Date(checkedAt[index]!).toISOString() } }));
        const round = roundTurns(checksAt('docker.io', images(), 0));

        for (let time = 0; time < (rounds + 2) * round; time += 1) {
          const [check] = checksAt('docker.io', images(), time);
          const next = images().findIndex(({ image }) => image === check!.images[0]);
          if (time >= 2 * round) {
            counts[states[next]!] += 1; // the first rounds begin as they like
            longest = Math.max(longest, time - checkedAt[next]!);
          }
          checkedAt[next] = time;
        }

        expect(longest).toBeLessThanOrEqual(1.2 * round + 8);
        expect(counts.NotFound / broken / (counts.Available / healthy)).toBeGreaterThanOrEqual(2);
        expect(counts.NotFound / broken / (counts.Available / healthy)).toBeLessThan(4.5);
      }),
      { numRuns: 60 },
    );
  });
});
