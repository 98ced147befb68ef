import { describe, expect, test } from '@jest/globals';
import { imageName, knownImageRef, placeIdentity } from '../../src/domain/image-ref.js';
import { publishedName } from '../../src/domain/published-name.js';
import { imagesUsed } from '../../src/domain/original.js';
import type { ImageRecord } from '../../src/domain/record.js';
import type { Rule } from '../../src/domain/rule.js';
import { useOf, type ClusterPicture, type CopyName } from '../../src/domain/use.js';
import { aCopy, aMirrorRule, aPod, aRecord, aTemplate, type SomePod } from '../support/builders.js';
import { digestOf } from '../support/keeper.js';

const mirror = 'registry.example.com/mirror';
const at = `${mirror}/library/nginx:1.27`;

function aCopyName(image = 'nginx:1.27', destination = at, digest = digestOf('a')): CopyName {
  const ref = knownImageRef(destination);
  return { destination: placeIdentity(ref), publishAs: publishedName(ref), image: imageName(knownImageRef(image)), digest };
}

interface Situation {
  readonly pods?: readonly SomePod[];
  /** opted out, or of templates: only these count as using */
  readonly used?: readonly string[];
  readonly rules?: readonly Rule[];
  readonly records?: readonly ImageRecord[];
}

function aPicture({ pods = [], used = [], rules = [], records = [] }: Situation): ClusterPicture {
  return {
    pods: pods.map(aPod).map((pod) => ({ pod, images: imagesUsed(pod, 7439) })),
    used: used.map((image) => ({ ref: knownImageRef(image), users: [aPod()], pods: 1, original: false })),
    rules,
    records,
    settings: { platforms: [{ architecture: 'amd64' }], retentionMs: 1000 },
  };
}

const recorded = aRecord({ places: [aCopy(at, { digest: digestOf('a'), rule: 'ClusterImageSetMirror/main' })] });

describe('a copy is pulled from', () => {
  test.each<[string, SomePod]>([
    ['by a container', { images: { web: at } }],
    ['by an init container', { images: {}, initImages: { init: at } }],
    ['by an ephemeral container', { spec: { ephemeralContainers: [{ name: 'debug', image: at }] } }],
    ['by an image volume', { spec: { volumes: [{ name: 'data', image: { reference: at } }] } }],
    ['by a Pod that has ended', { images: { web: at }, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }],
    ['by a Pod that is left alone', { images: { web: at }, labels: { 'kuik.enix.io/ignore': 'true' } }],
    ['by tag and digest together', { images: { web: `${at}@${digestOf('a')}` } }],
    ['by its digest', { images: { web: `${mirror}/library/nginx@${digestOf('a')}` } }],
    ['by a digest nobody knows, which may be one of its platforms', { images: { web: `${mirror}/library/nginx@${digestOf('e')}` } }],
  ])('%s', (_sentence, pod) => {
    expect(useOf(aCopyName(), aPicture({ pods: [pod], records: [recorded] })).pulledBy).toBe('pod shop/web-1');
  });

  test.each<[string, SomePod, readonly ImageRecord[]]>([
    ['that names the origin', { images: { web: 'nginx:1.27' } }, []],
    ['that names another tag', { images: { web: `${mirror}/library/nginx:1.28` } }, []],
    ['that names the same digest elsewhere', { images: { web: `docker.io/library/nginx@${digestOf('a')}` } }, []],
    ['that once named it, and pulls from the origin now', { images: { web: 'nginx:1.27' }, annotations: { 'kuik.enix.io/original-images': JSON.stringify({ web: at }) } }, []],
    [
      'that names a digest which another copy of ours keeps',
      { images: { web: `${mirror}/library/nginx@${digestOf('e')}` } },
      [aRecord({ image: 'nginx:1.28', places: [aCopy(`${mirror}/library/nginx:1.28`, { digest: digestOf('e') })] })],
    ],
  ])('but not by a Pod %s', (_sentence, pod, records) => {
    expect(useOf(aCopyName(), aPicture({ pods: [pod], records })).pulledBy).toBeUndefined();
  });

  test('a pinned copy also by the tag it is published under', () => {
    const pinned = `nginx@${digestOf('a')}`;
    const copy = aCopyName(pinned, `${mirror}/library/${pinned}`);

    expect(useOf(copy, aPicture({ pods: [{ images: { web: copy.publishAs } }] })).pulledBy).toBe('pod shop/web-1');
  });

  test('by the template of a workload, which is told apart from a Pod', () => {
    const template = aTemplate('CronJob', { name: 'nightly', images: { job: at } });
    const picture = { ...aPicture({ records: [recorded] }), pods: [{ pod: template, images: imagesUsed(template, 7439) }] };

    expect(useOf(aCopyName(), picture).pulledBy).toBe('cronjob shop/nightly');
  });
});

describe('a copy is claimed', () => {
  test.each<[string, boolean, Situation]>([
    ['while a rule wants it for an image in use', true, { used: ['nginx:1.27'], rules: [aMirrorRule()] }],
    ['by another rule than the one that made it', true, { used: ['nginx:1.27'], rules: [aMirrorRule({ name: 'other' })], records: [recorded] }],
    ['not by a rule whose filter changed', false, { used: ['nginx:1.27'], rules: [aMirrorRule({ images: { include: [/quay\.io.*/] } })], records: [recorded] }],
    ['not for an image nobody uses', false, { rules: [aMirrorRule()], records: [recorded] }],
    ['not by a cluster that wants the place for another image, and waits for it', false, { used: ['quay.io/library/nginx:1.27'], rules: [aMirrorRule()] }],
    ['not for an image that wants a name which is taken', false, { used: ['quay.io/library/nginx:1.27'], rules: [aMirrorRule()], records: [recorded] }],
  ])('%s: %s', (_sentence, isClaimed, situation) => {
    expect(useOf(aCopyName(), aPicture(situation)).isClaimed).toBe(isClaimed);
  });
});

describe('the digest of a copy', () => {
  const sibling = (reference: string, letter: string): ImageRecord => aRecord({ image: 'nginx:other', places: [aCopy(reference, { digest: digestOf(letter) })] });

  test.each([
    ['is shared by another tag of ours in its repository', sibling(`${mirror}/library/nginx:stable`, 'a'), 'shared'],
    ['is not shared by a tag with another digest', sibling(`${mirror}/library/nginx:stable`, 'b'), 'unshared'],
    ['is not shared by another repository', sibling(`${mirror}/library/httpd:2`, 'a'), 'unshared'],
  ])('%s', (_sentence, record, sharing) => {
    expect(useOf(aCopyName(), aPicture({ records: [recorded, record] })).sharing).toBe(sharing);
  });
});

test('a pin on any record that names it counts, the one that ends last', () => {
  const until = (keepUntil: string): ImageRecord => aRecord({ image: `nginx:${keepUntil.length}`, places: [aCopy(at)], keepUntil });

  expect(useOf(aCopyName(), aPicture({ records: [until('2026-09-01T00:00:00Z'), until('2027-09-01T00:00:00.000Z')] })).keepUntil).toBe('2027-09-01T00:00:00.000Z');
  expect(useOf(aCopyName(), aPicture({ records: [recorded] }))).not.toHaveProperty('keepUntil');
});

describe('what the rules say by now, whatever they said when the copy was claimed last', () => {
  const since = '2026-11-20T10:00:00Z';
  const days = 24 * 60 * 60 * 1000;
  const daysLater = (count: number): number => Date.parse(since) + count * days;
  const cleaning = (retentionMs?: number): Rule => aMirrorRule({ mirrors: [{ cleanup: { enabled: true, ...(retentionMs === undefined ? {} : { retentionMs }) } }] });
  const unused = (place: Parameters<typeof aCopy>[1] = {}): ImageRecord => aRecord({ unusedSince: since, places: [aCopy(at, { rule: 'ClusterImageSetMirror/main', ...place })] });
  const purging = aMirrorRule({ deletedAt: since, purge: true });

  test.each<[string, object | undefined, Situation & { readonly keeperSince?: number }]>([
    ['clean-up was turned off', { cleanup: false, dueAt: daysLater(0) }, { rules: [aMirrorRule()], records: [unused({ retention: '24h' })] }],
    ['clean-up was turned off, and the place has left its record', { cleanup: false, dueAt: 0 }, { rules: [aMirrorRule()] }],
    ['retention was raised', { cleanup: true, dueAt: daysLater(7) }, { rules: [cleaning(7 * days)], records: [unused({ retention: '24h' })] }],
    ['the usual retention counts where none is named', { cleanup: true, dueAt: Date.parse(since) + 1000 }, { rules: [cleaning()], records: [unused()] }],
    ['of several records of one copy the one that keeps it longest counts', { cleanup: true, dueAt: daysLater(9) }, { rules: [cleaning(7 * days)], records: [unused(), aRecord({ image: 'nginx:2', unusedSince: new Date(daysLater(2)).toISOString(), places: [aCopy(at, { retention: '168h' })] })] }],
    ['of an image that is in use the keeper knows since when its copy is not', { cleanup: true, dueAt: daysLater(10) }, { rules: [cleaning(7 * days)], records: [recorded], keeperSince: daysLater(3) }],
    ['a rule that is gone said it last', { cleanup: true, dueAt: daysLater(1) }, { records: [unused({ retention: '24h' })] }],
    ['nothing was said last: for ever', { cleanup: false, dueAt: daysLater(0) }, { records: [unused()] }],
    ['another rule that keeps copies there has its say: clean-up only if it agrees', { cleanup: false, dueAt: daysLater(0) }, { rules: [cleaning(1 * days), aMirrorRule({ name: 'other' })], records: [unused({ retention: '24h' })] }],
    ['and for as long as it says', { cleanup: true, dueAt: daysLater(7) }, { rules: [cleaning(1 * days), aMirrorRule({ name: 'other', mirrors: [{ cleanup: { enabled: true, retentionMs: 7 * days } }] })], records: [unused({ retention: '24h' })] }],
    ['but none that would not make a copy of this image', { cleanup: true, dueAt: daysLater(1) }, { rules: [cleaning(1 * days), aMirrorRule({ name: 'other', images: { include: [/quay.*/] } })], records: [unused({ retention: '24h' })] }],
    ['where no record is left every rule that keeps copies there has one', { cleanup: false, dueAt: 0 }, { rules: [cleaning(0), aMirrorRule({ name: 'other' })] }],
    ['a rule that goes with all it copied waits for nothing', { cleanup: true, dueAt: daysLater(0) }, { rules: [purging], records: [unused({ retention: '24h' })] }],
    ['neither rule nor record knows it', undefined, {}],
  ])('%s', (_sentence, expiry, { keeperSince, ...situation }) => {
    expect(useOf({ ...aCopyName(), ...(keeperSince === undefined ? {} : { unusedSince: keeperSince }) }, aPicture(situation)).expiry).toEqual(expiry);
  });
});

describe('a cluster holds a copy', () => {
  test.each<[string, boolean, Situation]>([
    ['when one of its rules makes it', true, { rules: [aMirrorRule()] }],
    ['when a suspended rule made it', true, { rules: [aMirrorRule({ suspended: true })] }],
    ['when only its record is left', true, { records: [recorded] }],
    ['not when neither knows it', false, { rules: [aMirrorRule({ mirrors: [{ path: 'elsewhere' }] })] }],
  ])('%s: %s', (_sentence, isHeld, situation) => {
    expect(useOf(aCopyName(), aPicture(situation)).isHeld).toBe(isHeld);
  });
});

test('a deletion draws from the budget of the rule that made the copy, and of all it made', () => {
  const more = Array.from({ length: 3 }, (_, index) => aRecord({ image: `httpd:${index}`, places: [aCopy(`${mirror}/library/httpd:${index}`, { rule: 'ClusterImageSetMirror/main' })] }));

  expect(useOf(aCopyName(), aPicture({ rules: [aMirrorRule({ name: 'newer' })], records: [recorded, ...more] }))).toMatchObject({ rule: 'ClusterImageSetMirror/main', ruleCopies: 4 });
  expect(useOf(aCopyName(), aPicture({ rules: [aMirrorRule({ name: 'newer' })] }))).toMatchObject({ rule: 'ClusterImageSetMirror/newer', ruleCopies: 0 });
});
