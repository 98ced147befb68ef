import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { imageName, knownImageRef, placeIdentity, type ImageName, type PlaceId } from '../../src/domain/image-ref.js';
import type { ImageRecord, PlaceRecord } from '../../src/domain/record.js';
import { NamespacesView } from '../../src/views/namespaces.js';
import { RecordsView } from '../../src/views/records.js';
import { aCopy, aPlace, aRecord } from '../support/builders.js';
import { delivered, outcome, stories } from './shuffled.js';

const mirror = 'registry.example.com/mirror/library/nginx:1.27';
const named = (text: string): ImageName => imageName(knownImageRef(text));
const placed = (text: string): PlaceId => placeIdentity(knownImageRef(text));

function viewOf(...records: readonly ImageRecord[]): RecordsView {
  const view = new RecordsView();
  for (const record of records) view.apply({ type: 'put', key: record.name, object: record });
  return view;
}

describe('records', () => {
  test('are found by image and by place', () => {
    const record = aRecord({ image: 'nginx:1.27', places: [{ reference: 'nginx:1.27', role: 'origin' }, aCopy(mirror)] });
    const view = viewOf(record);

    expect(view.byImage(named('nginx:1.27'))).toBe(record);
    expect(view.at(placed(mirror))).toEqual([{ record, place: aCopy(mirror) }]);
    expect(view.at(placed('elsewhere.example.com/nginx'))).toEqual([]);
  });

  test('a fact is what was last seen, and with whose credential', () => {
    const seen = (checkedAt: string, state: 'Available' | 'NotFound') => aPlace({ reference: mirror, state, checkedAt, identity: 'anonymous' });
    const view = viewOf(
      aRecord({ image: 'nginx:1.27', places: [seen('2026-11-20T10:00:00Z', 'NotFound')] }),
      aRecord({ image: mirror, places: [seen('2026-11-20T11:00:00Z', 'Available')] }),
    );

    expect(view.fact(placed(mirror))).toEqual({ state: 'Available', identity: 'anonymous', checkedAt: Date.parse('2026-11-20T11:00:00Z') });
  });

  test.each([
    ['a place nobody looked at', {}],
    ['a state without the identity it was seen with', { state: 'Available', checkedAt: '2026-11-20T10:00:00Z' }],
    ['a state without a time', { state: 'Available', identity: 'anonymous' }],
    ['a time that is none', { state: 'Available', identity: 'anonymous', checkedAt: 'yesterday' }],
  ] as const)('%s is no fact', (_what, place) => {
    expect(viewOf(aRecord({ places: [{ reference: mirror, ...place }] })).fact(placed(mirror))).toBeUndefined();
  });

  test.each([
    ['whose copy is there', [aCopy(mirror)], 'docker.io/library/nginx:1.27'],
    ['nobody while no copy was made', [{ reference: mirror, role: 'mirror' }], undefined],
    ['nobody where it merely comes from', [{ reference: mirror, role: 'origin', mirroredAt: '2026-11-20T10:00:00Z' }], undefined],
  ] as const)('a destination is held by the image %s', (_who, places, holder) => {
    expect(viewOf(aRecord({ image: 'nginx:1.27', places })).holder(placed(mirror))).toBe(holder);
  });

  test('a copy about to be deleted is retiring, until it is claimed again', () => {
    const view = viewOf(aRecord({ places: [aCopy(mirror, { retiringSince: '2026-11-20T10:00:00Z' })] }));
    expect(view.isRetiring(placed(mirror))).toBe(true);

    const again = aRecord({ places: [aCopy(mirror)] });
    view.apply({ type: 'put', key: again.name, object: again });
    expect(view.isRetiring(placed(mirror))).toBe(false);
  });

  test('a place that is no reference is passed over', () => {
    const broken: PlaceRecord = { reference: 'not a reference' as ImageName };

    expect(viewOf({ ...aRecord(), places: [broken, aCopy(mirror)] }).holder(placed(mirror))).toBe('docker.io/library/nginx:1.27');
  });

  test('are complete when they have been told so', () => {
    let changes = 0;
    const view = new RecordsView(() => (changes += 1));
    expect(view.isSynced).toBe(false);

    view.apply({ type: 'synced' });
    expect([view.isSynced, changes]).toEqual([true, 1]);
  });

  test('end up the same however the events come', () => {
    const images = ['a.example.com/x:1', 'b.example.com/x:1', 'c.example.com/x:1'];
    const reference = fc.constantFrom(mirror, `${mirror}@sha256:${'a'.repeat(64)}`, 'other.example.com/x:1', ...images);
    const recordOf = (image: string): fc.Arbitrary<ImageRecord> =>
      fc.uniqueArray(reference, { maxLength: 3 }).map((places) => ({ ...aRecord({ image, places: places.map((place) => aCopy(place)) }), name: image }));

    fc.assert(
      fc.property(
        stories(images, recordOf).chain((told) => fc.tuple(fc.constant(told), delivered(told))),
        ([told, changes]) => {
          const view = new RecordsView();
          for (const change of changes) view.apply(change);
          const records = [...outcome(told).values()];

          expect(new Set(view.snapshot())).toEqual(new Set(records));
          for (const image of images) expect(view.byImage(named(image))).toEqual(records.find((record) => record.image === image));
          for (const place of [mirror, 'other.example.com/x:1', `${mirror}@sha256:${'a'.repeat(64)}`, ...images]) {
            const holders = records.filter((record) => record.places.some((known) => placed(known.reference) === placed(place))).map(({ image }) => image);
            expect(view.at(placed(place)).map(({ record }) => record.image)).toEqual(holders.sort());
          }
        },
      ),
    );
  });
});

describe('namespaces', () => {
  test('have labels while they are there', () => {
    const view = new NamespacesView();
    view.apply({ type: 'put', key: 'shop', object: { name: 'shop', labels: { team: 'a' } } });
    expect([view.labels('shop'), view.labels('unknown'), view.isSynced]).toEqual([{ team: 'a' }, {}, false]);

    view.apply({ type: 'synced' });
    view.apply({ type: 'gone', key: 'shop' });
    expect([view.has('shop'), view.isSynced, view.snapshot()]).toEqual([false, true, []]);
  });
});
