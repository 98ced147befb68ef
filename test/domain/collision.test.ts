import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { copyHolders, isSameImage, resolveCollisions, type Contender } from '../../src/domain/collision.js';
import { imageName, knownImageRef, placeIdentity } from '../../src/domain/image-ref.js';
import { aCopy, aPlace, aRecord } from '../support/builders.js';

const destination = 'registry.example.com/mirror/library/nginx:1.27';
const hub = 'docker.io/library/nginx:1.27';
const quay = 'quay.io/library/nginx:1.27';

function wish(image: string, at = destination): Contender {
  return { image: imageName(knownImageRef(image)), destination: placeIdentity(knownImageRef(at)) };
}

describe('a destination that two images want', () => {
  test('goes to the first by name while nothing is there', () => {
    const { holders, collisions } = resolveCollisions([wish(quay), wish(hub)], []);

    expect([...holders]).toEqual([[destination, hub]]);
    expect(collisions).toEqual([{ destination, image: quay, holder: hub }]);
  });

  test('stays with the image whose copy is there', () => {
    const { holders, collisions } = resolveCollisions([wish(hub), wish(quay)], [aRecord({ image: quay, places: [aCopy(destination)] })]);

    expect([...holders]).toEqual([[destination, quay]]);
    expect(collisions).toEqual([{ destination, image: hub, holder: quay }]);
  });

  test('stays with a copy that nobody wants any more', () => {
    const { collisions } = resolveCollisions([wish(hub)], [aRecord({ image: quay, pods: 0, places: [aCopy(destination)] })]);

    expect(collisions).toEqual([{ destination, image: hub, holder: quay }]);
  });

  test('is free again when the copy is gone', () => {
    const { collisions } = resolveCollisions([wish(hub)], [aRecord({ image: quay, places: [aPlace({ reference: destination, role: 'mirror' })] })]);

    expect(collisions).toEqual([]);
  });

  test('is held by no origin or replica of that name', () => {
    expect(copyHolders([aRecord({ image: destination, places: [aPlace({ reference: destination, role: 'origin', mirroredAt: '2026-11-20T10:00:00Z' })] })]).size).toBe(0);
  });

  test('is not contended for by two spellings of one image', () => {
    expect(resolveCollisions([wish('nginx', 'r.example.com/nginx'), wish('nginx:latest', 'r.example.com/nginx:latest')], []).collisions).toEqual([]);
  });

  test('is not contended for when it is pinned: one digest, one content', () => {
    const pinned = `@sha256:${'ab'.repeat(32)}`;
    const { holders, collisions } = resolveCollisions([wish(hub + pinned, destination + pinned), wish(quay + pinned, destination + pinned)], []);

    expect(collisions).toEqual([]);
    expect(holders.size).toBe(1);
  });

  test('belongs to one image, whatever the order of wishes and records', () => {
    const image = fc.constantFrom(hub, quay, 'ghcr.io/library/nginx:1.27');
    const place = fc.constantFrom(destination, 'registry.example.com/b/library/nginx:1.27');
    const wishes = fc.array(fc.tuple(image, place).map(([name, at]) => wish(name, at)));
    const records = fc.array(fc.tuple(image, place).map(([name, at]) => aRecord({ image: name, places: [aCopy(at)] })));
    fc.assert(
      fc.property(wishes, records, (wanted, known) => {
        const { holders, collisions } = resolveCollisions(wanted, known);

        expect(resolveCollisions(wanted.toReversed(), known.toReversed())).toEqual({ holders, collisions });
        for (const each of wanted) {
          const holder = holders.get(each.destination);
          const hasLost = collisions.some((collision) => collision.image === each.image && collision.destination === each.destination);
          expect(hasLost).toBe(holder !== each.image);
        }
      }),
    );
  });
});

test.each([
  ['nginx', 'nginx:latest', true],
  [`nginx:1@sha256:${'ab'.repeat(32)}`, `nginx@sha256:${'ab'.repeat(32)}`, true],
  ['nginx:1', 'nginx:2', false],
  ['nginx:1', 'quay.io/library/nginx:1', false],
])('%s and %s are one image: %s', (a, b, isSame) => {
  expect(isSameImage(imageName(knownImageRef(a)), imageName(knownImageRef(b)))).toBe(isSame);
});
