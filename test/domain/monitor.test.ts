import { describe, expect, test } from '@jest/globals';
import { checksAt } from '../../src/domain/check-order.js';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { monitoredHosts, trackedImages, uncheckedPlaces, type TrackedImage } from '../../src/domain/monitor.js';
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

    expect(image).toMatchObject({ records: [nginx], original: true, seen: { state: 'NotFound', checkFailure: 'not found on docker.io' } });
    expect(image).not.toHaveProperty('unusedSince');
  });

  test('that is a copy is tracked under its own name, in the record of its image', () => {
    const copy = 'registry.example.com/mirror/library/nginx:1.27';
    const images = track({ used: [use(copy, { original: false })], records: [aRecord({ places: [seen(), aCopy(copy, { state: 'Available', checkedAt: ago(hour) })] })] });

    expect(images).toMatchObject([{ image: copy, records: [nginx], original: false, seen: { state: 'Available' } }]);
  });

  describe('that is a copy, which has no record of its own,', () => {
    const copy = 'registry.example.com/mirror/library/nginx:1.27';
    const checked = aCopy(copy, { state: 'Available', checkedAt: ago(hour), identity: 'anonymous' });
    const copies = { images: { include: [/registry\.example\.com\/.+/] } };
    const [quayOnly, blogOnly] = [{ images: { include: [/quay\.io\/.+/] } }, { pods: { include: { namespaces: [/blog/] } } }];
    const broken = { problems: [brokenFilter], images: {} };
    test.each<[string, Rule[], { trackedBy?: string[]; place?: PlaceRecord }, string[]]>([
      ['stays tracked by a suspended rule that selects it', [aMonitorRule({ suspended: true, ...copies })], {}, ['main']],
      ['stays tracked by a suspended rule that tracks its image, too', [aMonitorRule({ suspended: true })], { trackedBy: ['main'] }, ['main']],
      ['is not tracked by a suspended rule that selects something else', [aMonitorRule({ suspended: true, ...quayOnly })], {}, []],
      ['is not tracked by a suspended rule for a Pod out of its scope', [aMonitorRule({ suspended: true, ...blogOnly })], {}, []],
      ['is not tracked by a suspended rule before anybody has checked it', [aMonitorRule({ suspended: true, ...copies })], { place: aCopy(copy) }, []],
      ['stays tracked by a rule nobody can read any more, when that tracks its image', [aMonitorRule({ name: 'a', ...broken }), aMonitorRule({ name: 'b' })], { trackedBy: ['a'] }, ['a', 'b']],
      ['stays tracked by a rule nobody can read any more, when no other can have had it checked', [aMonitorRule({ name: 'a', ...broken }), aMonitorRule({ name: 'b', ...quayOnly })], {}, ['a']],
      ['is not tracked by a rule nobody can read when another had it checked', [aMonitorRule({ name: 'a', ...broken }), aMonitorRule({ name: 'b' })], {}, ['b']],
    ])('%s', (_sentence, rules, { trackedBy, place = checked }, by) => {
      const records = [aRecord({ trackedBy, places: [seen(), place] })];
      const images = track({ used: [use(copy, { original: false })], rules, records });

      expect(images.filter(({ image }) => image === copy).flatMap((image) => image.by)).toEqual(by);
      // what checks said of it is kept as long
      expect(uncheckedPlaces(records, images)).toEqual(by.length > 0 || place !== checked ? [] : [{ image: nginx, reference: copy }]);
    });
  });

  describe('that is the copy of several names of one digest', () => {
    const digest = `sha256:${'d'.repeat(64)}`;
    const copy = `registry.example.com/mirror/library/nginx@${digest}`;
    const names = [`docker.io/library/nginx:1.27@${digest}`, `docker.io/library/nginx@${digest}`];
    const [first, second] = [
      aRecord({ image: names[0], places: [aCopy(copy, { state: 'NotFound', checkedAt: ago(hour) })] }),
      aRecord({ image: names[1], places: [{ reference: copy, role: 'mirror', state: 'Available', checkedAt: ago(2 * hour) }] }),
    ] as const;
    test.each([
      ['as they came', [first, second]],
      ['the other way round', [second, first]],
    ])('is tracked once, and all their records speak of it: %s', (_order, records) => {
      const images = track({ used: [use(copy, { original: false })], records });

      expect(images).toMatchObject([{ image: copy, records: names, seen: { state: 'NotFound', checkedAt: ago(hour) } }]);
      expect(checksAt('registry.example.com', images, now)).toMatchObject([{ place: copy, records: names }]);
    });

    test('has a record of its own told as well', () => {
      const own = aRecord({ image: copy, places: [{ reference: copy, role: 'origin' }] });

      expect(track({ used: [use(copy)], records: [first, own, second] })).toMatchObject([{ records: [names[0], names[1], copy], seen: { state: 'NotFound' } }]);
    });
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

test('registries are to be checked where something tracked has a record to write to', () => {
  const [tracked] = track({ used: [use(nginx)], records: [aRecord({ image: nginx })] });
  const [unwritten] = track({ used: [use('quay.io/a/b:1')] });

  expect(monitoredHosts([tracked!, unwritten!, { ...unwritten!, records: [unwritten!.image] }, { ...tracked!, isChecked: false }])).toEqual(['docker.io', 'quay.io']);
  expect(monitoredHosts([unwritten!])).toEqual([]);
});

describe('what is tracked at one registry', () => {
  const copy = 'registry.example.com/mirror/library/nginx:1.27';
  const everywhere = {
    used: [use(nginx), use(copy, { original: false }), use('registry.example.com:5000/app:1'), use('quay.io/acme/api:1')],
    rules: [aMonitorRule()],
    records: [
      aRecord({ places: [seen(), aCopy(copy, { state: 'Available', checkedAt: ago(hour) })] }),
      aRecord({ image: 'quay.io/acme/old:1', trackedBy: ['main'], unusedSince: ago(hour), places: [{ ...seen(), reference: 'quay.io/acme/old:1' }] }),
      aRecord({ image: 'ghcr.io/acme/old:1', trackedBy: ['main'], unusedSince: ago(hour), places: [{ ...seen(), reference: 'ghcr.io/acme/old:1' }] }),
    ],
    now,
  };

  test.each([
    ['docker.io', 1],
    ['registry.example.com', 1],
    ['registry.example.com:5000', 1],
    ['quay.io', 2],
    ['ghcr.io', 1],
    ['registry', 0],
  ])('%s is what is tracked there of all', (at, count) => {
    const there = trackedImages({ ...everywhere, at });

    expect(there).toEqual(trackedImages(everywhere).filter(({ ref }) => ref.host === at));
    expect(there).toHaveLength(count);
  });
});
