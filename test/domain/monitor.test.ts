import { describe, expect, test } from '@jest/globals';
import { imageName, knownImageRef, type PlaceId } from '../../src/domain/image-ref.js';
import { checksAt, lastAskedAt, monitoredHosts, roundMs, trackedImages, type TrackedImage } from '../../src/domain/monitor.js';
import type { ImageUse } from '../../src/domain/record-plan.js';
import type { ImageRecord, PlaceRecord } from '../../src/domain/record.js';
import type { Rule } from '../../src/domain/rule.js';
import { aCopy, aMonitorRule, aPod, aRecord, aTemplate, brokenFilter } from '../support/builders.js';

const now = Date.parse('2026-11-20T12:00:00Z');
const hour = 3_600_000;
const nginx = 'docker.io/library/nginx:1.27';
const ago = (ms: number): string => new Date(now - ms).toISOString();
const seen = (state: PlaceRecord['state'] = 'Available', checkedAt = ago(hour)) => ({ reference: nginx, role: 'origin' as const, state, checkedAt });

function use(image: string, rest: Partial<ImageUse> = {}): ImageUse {
  return { ref: knownImageRef(image), users: [aPod()], pods: 1, original: true, ...rest };
}

function track({ used = [], rules = [aMonitorRule()], records = [] }: { used?: readonly ImageUse[]; rules?: readonly Rule[]; records?: readonly ImageRecord[] }): readonly TrackedImage[] {
  return trackedImages({ used, rules, records, now });
}

const namesOf = (images: readonly TrackedImage[]): readonly string[] => images.map(({ image, by }) => `${image} by ${by.join()}`);

describe('an image in use', () => {
  const elsewhere = aMonitorRule({ name: 'elsewhere', pods: { include: { namespaces: [/blog/] } } });
  const quay = aMonitorRule({ name: 'quay', images: { include: [/quay\.io\/.+/] } });
  test.each<[string, Rule[], string[]]>([
    ['is tracked by the rule that selects it', [aMonitorRule()], [`${nginx} by main`]],
    ['is tracked by every rule that selects it, in the order of their names', [aMonitorRule({ name: 'b' }), aMonitorRule({ name: 'a' })], [`${nginx} by a,b`]],
    ['is not tracked by a rule whose filter does not see its Pod', [elsewhere], []],
    ['is not tracked by a rule that selects other images', [quay], []],
    ['is not tracked by a rule without a single filter item', [aMonitorRule({ images: {} })], []],
    ['is not tracked by a rule that rests', [aMonitorRule({ suspended: true })], []],
    ['is not tracked by a rule that is being deleted', [aMonitorRule({ deletedAt: ago(0) })], []],
    ['is not tracked by a rule nobody can read', [aMonitorRule({ problems: [brokenFilter] })], []],
  ])('%s', (_sentence, rules, expected) => {
    expect(namesOf(track({ used: [use(nginx)], rules }))).toEqual(expected);
  });

  test('stays tracked by a rule that rests, and is not checked for it', () => {
    const [image] = track({ used: [use(nginx)], rules: [aMonitorRule({ suspended: true })], records: [aRecord({ trackedBy: ['main'], places: [seen()] })] });

    expect(image).toMatchObject({ by: ['main'], isChecked: false });
  });

  test('leaves at once when it is no longer selected, however long its rule keeps images', () => {
    expect(track({ used: [use(nginx)], rules: [elsewhere, quay], records: [aRecord({ trackedBy: ['elsewhere', 'quay'], places: [seen()] })] })).toEqual([]);
  });

  test('tells what the last check found, from the record that speaks of its place', () => {
    const [image] = track({ used: [use(nginx)], records: [aRecord({ places: [{ ...seen('NotFound'), checkFailure: 'not found on docker.io' }] })] });

    expect(image).toMatchObject({ record: nginx, original: true, seen: { state: 'NotFound', checkFailure: 'not found on docker.io' } });
    expect(image).not.toHaveProperty('unusedSince');
  });

  test('that is a copy is tracked under its own name, in the record of its image', () => {
    const copy = 'registry.example.com/mirror/library/nginx:1.27';
    const images = track({ used: [use(copy, { original: false })], records: [aRecord({ places: [seen(), aCopy(copy, { state: 'Available', checkedAt: ago(hour) })] })] });

    expect(images).toMatchObject([{ image: copy, record: nginx, original: false, seen: { state: 'Available' } }]);
  });

  test('of a pinned Pod is tracked with its digest', () => {
    const pinned = `nginx:1.27@sha256:${'d'.repeat(64)}`;

    expect(namesOf(track({ used: [use(pinned)] }))).toEqual([`docker.io/library/${pinned} by main`]);
  });

  test.each([
    ['is kept by a template of a workload', ['main'], 1],
    ['is not brought in by one', [], 0],
  ])('%s', (_sentence, trackedBy, expected) => {
    const named = use(nginx, { users: [aTemplate('CronJob')], pods: 0 });

    expect(track({ used: [named], records: [aRecord({ trackedBy, places: [seen()] })] })).toHaveLength(expected);
  });
});

describe('an image nobody uses any more', () => {
  const record = (rest: Partial<ImageRecord> = {}): ImageRecord => aRecord({ pods: 0, unusedSince: ago(24 * hour), trackedBy: ['main'], places: [seen()], ...rest });
  test.each<[string, Rule, ImageRecord, boolean]>([
    ['stays for ever without an expiry', aMonitorRule(), record(), true],
    ['stays until it expires', aMonitorRule({ unusedExpiryMs: 25 * hour }), record(), true],
    ['goes when it has expired', aMonitorRule({ unusedExpiryMs: 24 * hour }), record(), false],
    ['never expires while its rule rests', aMonitorRule({ unusedExpiryMs: hour, suspended: true }), record(), true],
    ['goes at once when it was never checked', aMonitorRule(), record({ places: [{ reference: nginx as never, role: 'origin' }] }), false],
    ['goes at once when the rule does not select it any more', aMonitorRule({ images: { include: [/quay\.io\/.+/] } }), record(), false],
    ['goes with its rule', aMonitorRule({ name: 'other' }), record(), false],
    ['is no matter of a rule that never tracked it, though it selects the name', aMonitorRule(), record({ trackedBy: [] }), false],
  ])('%s', (_sentence, rule, known, isTracked) => {
    expect(track({ rules: [rule], records: [known] })).toHaveLength(isTracked ? 1 : 0);
  });

  test('says since when, and until when', () => {
    const [image] = track({ rules: [aMonitorRule({ unusedExpiryMs: 48 * hour })], records: [record()] });

    expect(image).toMatchObject({ unusedSince: ago(24 * hour), endsAt: now + 24 * hour });
  });

  test('ends with the rule that keeps it longest', () => {
    const rules = [aMonitorRule({ name: 'long', unusedExpiryMs: 72 * hour }), aMonitorRule({ name: 'short', unusedExpiryMs: 30 * hour })];
    const [image] = track({ rules, records: [record({ trackedBy: ['long', 'short'] })] });

    expect(image?.endsAt).toBe(now + 48 * hour);
  });
});

describe('the next check of a registry', () => {
  const at = (name: string, checkedAt?: number, rest: Partial<TrackedImage> = {}): TrackedImage => {
    const ref = knownImageRef(name);
    return { image: imageName(ref), ref, by: ['main'], isChecked: true, original: true, record: imageName(ref), ...(checkedAt === undefined ? {} : { seen: { state: 'Available', checkedAt: ago(checkedAt) } }), ...rest };
  };
  test.each<[string, TrackedImage[], string[]]>([
    ['is of what was never checked', [at('a', 5), at('b')], ['b', 'a']],
    ['is of what is in use before what is not, among these', [at('a', undefined, { unusedSince: ago(1) }), at('b')], ['b', 'a']],
    ['is of what was checked longest ago, used or not', [at('a', 1), at('b', 9, { unusedSince: ago(1) }), at('c', 5)], ['b', 'c', 'a']],
    ['goes by name where all else is equal', [at('b', 1), at('a', 1)], ['a', 'b']],
    ['is never of another registry', [at('quay.io/a/b'), at('a')], ['a']],
    ['is never for a rule that rests', [at('a', undefined, { isChecked: false })], []],
    ['waits until there is a record to write to', [at('a', undefined, { record: undefined })], []],
  ])('%s', (_sentence, images, expected) => {
    expect(checksAt('docker.io', images).map(({ place }) => place)).toEqual(expected.map((name) => `docker.io/library/${name}:latest`));
  });

  test('asks once for two names of one digest, and tells both records', () => {
    const digest = `sha256:${'d'.repeat(64)}`;
    const [check, ...others] = checksAt('docker.io', [at(`nginx:1.27@${digest}`, 1), at(`nginx@${digest}`)]);

    expect(others).toEqual([]);
    expect(check).toMatchObject({ place: `docker.io/library/nginx@${digest}`, records: [`docker.io/library/nginx:1.27@${digest}`, `docker.io/library/nginx@${digest}`] });
    expect(check?.checkedAt).toBeUndefined();
  });

  test('passes over what was tried since, whatever came of it', () => {
    const tried = new Map([['docker.io/library/a:latest' as PlaceId, now]]);

    expect(checksAt('docker.io', [at('a'), at('b', 5), at('c', 9)], tried).map(({ place }) => place.at(-8))).toEqual(['c', 'b', 'a']);
  });

  test('knows when a check was made last, and takes no sight of a copy for one', () => {
    const seenBy = (ms: number, identity?: string): TrackedImage => at(`a${ms}`, ms, { seen: { state: 'Available', checkedAt: ago(ms), identity } });

    expect(lastAskedAt(checksAt('docker.io', [seenBy(5), seenBy(9, 'anonymous'), seenBy(7, 'abc')]))).toBe(now - 7);
    expect(lastAskedAt(checksAt('docker.io', [seenBy(5)]))).toBeUndefined();
  });

  test('a round takes as long as the registry with the most to check, shared by all rules', () => {
    const all = [at('a'), at('b'), at('c', 1, { by: ['other'] }), at('quay.io/a/b')];
    const pace = (host: string) => ({ intervalMs: hour, maxPerInterval: host === 'docker.io' ? 6 : 60 });

    expect(monitoredHosts(all)).toEqual(['docker.io', 'quay.io']);
    expect(roundMs(all.slice(0, 2), all, pace)).toBe(30 * 60_000);
    expect(roundMs([], all, pace)).toBeUndefined();
  });
});
