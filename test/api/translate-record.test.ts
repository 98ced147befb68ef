import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { importedChecks, importedCopies } from '../../src/api/import-status.js';
import { translateRecord } from '../../src/api/translate-record.js';

const digest = `sha256:${'a'.repeat(64)}`;
const time = '2026-11-20T10:50:14Z';

function anObject(status: unknown, metadata: object = {}): object {
  return { metadata: { name: 'docker.io-library-nginx-1.27-6965a10c', uid: 'uid-1', ...metadata }, spec: { image: 'docker.io/library/nginx:1.27' }, status };
}

describe('a record', () => {
  test('is read with every field it has', () => {
    const place = {
      reference: 'registry.example.com/mirror/library/nginx:1.27',
      role: 'mirror',
      rule: 'ClusterImageSetMirror/main',
      secret: { namespace: 'kuik-system', name: 'push' },
      state: 'Available',
      checkedAt: time,
      identity: 'anonymous',
      checkFailure: 'x',
      digest,
      sourceDigest: digest,
      strategy: 'sparse',
      platforms: ['linux/amd64'],
      missingPlatforms: ['linux/arm64'],
      bytes: 7,
      mirroredAt: time,
      retiringSince: time,
      triedAt: time,
      failure: { code: 'denied', message: 'no', since: time, attempts: 2 },
      blocked: { reason: 'in-use', message: 'pod shop/web-1 pulls from it', since: time, attempts: 2 },
      workflowId: 'keep/registry.example.com/mirror/library/nginx:1.27',
    };

    const record = translateRecord(anObject({ pods: 3, original: true, unusedSince: time, expiresAt: time, places: [place] }, { annotations: { 'kuik.enix.io/keep-until': 'forever', 'kuik.enix.io/requested-at': time } }));

    expect(record).toEqual({
      name: 'docker.io-library-nginx-1.27-6965a10c',
      uid: 'uid-1',
      image: 'docker.io/library/nginx:1.27',
      pods: 3,
      original: true,
      unusedSince: time,
      expiresAt: time,
      places: [place],
      keepUntil: 'forever',
      requestedAt: time,
    });
  });

  test('has no field that was not there: equal records compare as equal', () => {
    expect(Object.keys(translateRecord(anObject(undefined)))).toEqual(['name', 'image', 'uid', 'pods', 'places']);
  });

  test.each([
    ['a place without a reference', [{ role: 'mirror' }, { reference: 'quay.io/a:1' }], [{ reference: 'quay.io/a:1' }]],
    ['a place that is no image', [{ reference: 'https://x' }, 'oops', { reference: 'quay.io/a:1' }], [{ reference: 'quay.io/a:1' }]],
    ['an unknown role, state, strategy and digest', [{ reference: 'quay.io/a:1', role: 'cache', state: 'Fine', strategy: 'magic', digest: 'sha256:abc' }], [{ reference: 'quay.io/a:1' }]],
    ['a time that is none', [{ reference: 'quay.io/a:1', mirroredAt: 'yesterday', checkedAt: time }], [{ reference: 'quay.io/a:1', checkedAt: time }]],
    ['a failure with an unknown code', [{ reference: 'quay.io/a:1', failure: { code: 'bad-luck', message: 'x', since: time } }], [{ reference: 'quay.io/a:1' }]],
    ['half a Secret', [{ reference: 'quay.io/a:1', secret: { name: 'x' } }], [{ reference: 'quay.io/a:1' }]],
  ])('%s is left out, the rest stays', (_sentence, places, read) => {
    expect(translateRecord(anObject({ places })).places).toEqual(read);
  });

  test('a short name written by hand is read as what it stands for', () => {
    expect(translateRecord({ spec: { image: 'nginx' } }).image).toBe('docker.io/library/nginx:latest');
  });

  test('whatever it holds, reading never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (status, places) => {
        expect(translateRecord(anObject(status)).image).toBe('docker.io/library/nginx:1.27');
        expect(Array.isArray(translateRecord(anObject({ places })).places)).toBe(true);
        expect(Array.isArray(translateRecord(status).places)).toBe(true);
      }),
    );
  });
});

describe('a status that v2 wrote', () => {
  const now = Date.parse('2026-11-21T00:00:00Z');

  test('tells which copies exist', () => {
    const status = {
      matchingImages: [
        { image: 'docker.io/library/nginx:1.27', unusedSince: '2026-11-01T00:00:00Z', mirrors: [{ image: 'r.example.com/library/nginx:1.27', mirroredAt: time }, { image: 'r.example.com/other:1', lastError: 'x' }] },
        { image: 'docker.io/library/never:1', mirrors: [{ image: 'r.example.com/library/never:1' }] },
        { image: 'not an image', mirrors: [{ image: 'r.example.com/a:1', mirroredAt: time }] },
      ],
    };

    expect(importedCopies(status, now)).toEqual([{ image: 'docker.io/library/nginx:1.27', unusedSince: '2026-11-01T00:00:00Z', places: [{ reference: 'r.example.com/library/nginx:1.27', mirroredAt: time }] }]);
  });

  test('tells what checks found', () => {
    const status = { images: [{ image: 'quay.io/a:1', status: 'NotFound', lastMonitor: time }, { image: 'quay.io/b:1', status: 'Weird' }] };

    expect(importedChecks(status, now)).toEqual([
      { image: 'quay.io/a:1', state: 'NotFound', checkedAt: time },
      { image: 'quay.io/b:1', state: 'Scheduled' },
    ]);
  });

  test('a time before 1970, its mark for "expire at once", means unused since now', () => {
    const images = [{ image: 'quay.io/a:1', unusedSince: '0001-01-01T00:00:00Z', mirrors: [{ image: 'r.example.com/a:1', mirroredAt: time }] }];

    expect(importedCopies({ matchingImages: images }, now)).toMatchObject([{ unusedSince: '2026-11-21T00:00:00Z' }]);
    expect(importedChecks({ images }, now)).toMatchObject([{ unusedSince: '2026-11-21T00:00:00Z' }]);
  });

  test('whatever it holds, reading never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const status of [value, { matchingImages: value, images: value }]) {
          expect(Array.isArray(importedCopies(status, now))).toBe(true);
          expect(Array.isArray(importedChecks(status, now))).toBe(true);
        }
      }),
    );
  });
});
