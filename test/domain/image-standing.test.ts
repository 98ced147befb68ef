import { describe, expect, test } from '@jest/globals';
import { standingOf, troubleOf, type Standing } from '../../src/domain/image-standing.js';
import type { Digest } from '../../src/domain/digest.js';
import { aCopy, aPlace, aRecord, type SomePlace } from '../support/builders.js';

const origin = (state?: 'Available' | 'NotFound'): SomePlace => ({ reference: 'nginx:1.27', role: 'origin', ...(state === undefined ? {} : { state }) });
const copy = (rest = {}): SomePlace => aCopy('registry.example.com/mirror/library/nginx:1.27', rest);
const waiting: SomePlace = { reference: 'registry.example.com/mirror/library/nginx:1.27', role: 'mirror' };
const replica = (state?: 'Available' | 'NotFound'): SomePlace => ({ reference: 'replica.example.com/library/nginx:1.27', role: 'replica', ...(state === undefined ? {} : { state }) });
const failure = { code: 'denied', message: 'push refused', since: '2026-11-20T10:00:00Z', attempts: 2 } as const;
const missing = { ...failure, code: 'missing', side: 'source', message: 'manifest missing on source docker.io' } as const;
const moved = `sha256:${'d'.repeat(64)}` as Digest;

describe('an image', () => {
  test.each<[string, SomePlace[], number, Partial<Standing>]>([
    ['with its origin and its copy is fine', [origin('Available'), copy()], 1, { origin: 'available', pullable: 'yes', isUnmirrored: false, copies: { there: 1, wanted: 1 } }],
    ['whose origin is gone is pulled from its copy', [origin('NotFound'), copy()], 1, { origin: 'unavailable', pullable: 'yes' }],
    ['whose origin is gone and whose copy is not there yet is pulled from nowhere', [origin('NotFound'), waiting], 1, { pullable: 'no', isUnmirrored: true }],
    ['whose copy is about to be deleted is not pulled from it', [origin('NotFound'), copy({ retiringSince: '2026-11-20T10:00:00Z' })], 0, { pullable: 'no' }],
    ['whose origin is gone is pulled from a replica', [origin('NotFound'), replica('Available')], 1, { pullable: 'yes' }],
    ['with a replica nobody has looked at may be pulled from it', [origin('NotFound'), replica()], 1, { pullable: 'unknown' }],
    ['nobody has looked at is unknown', [origin()], 1, { origin: 'unknown', pullable: 'unknown' }],
    ['whose source a copy found missing is at no other place', [origin(), { ...waiting, failure: missing }], 1, { origin: 'unavailable', pullable: 'no' }],
    ['is there again once a check has seen it since', [origin('Available'), { ...waiting, failure: missing }], 1, { origin: 'available', pullable: 'yes' }],
    ['that no rule mirrors is unmirrored', [origin('Available')], 1, { isUnmirrored: true, copies: { there: 0, wanted: 0 } }],
    ['that nobody uses lacks no copy', [origin('Available')], 0, { isUnmirrored: false, isUsed: false }],
    ['whose tag moved has drifted', [origin('Available'), copy({ drift: { origin: moved, since: '2026-11-20T10:00:00Z' } })], 1, { isDrifted: true }],
  ])('%s', (_sentence, places, pods, standing) => {
    expect(standingOf(aRecord({ places, pods }))).toMatchObject(standing);
  });

  test('says that its copy is refused, and not that nobody wants one', () => {
    const message = 'r.example.com/nginx:1.27 belongs to quay.io/nginx:1.27; layout: host keeps them apart';
    const record = aRecord({ pods: 1, conditions: [{ type: 'Mirrored', status: 'False', reason: 'Collision', message, lastTransitionTime: '2026-11-20T10:00:00Z' }] });

    expect(troubleOf(record)).toBe(`copy refused: ${message}`);
  });

  test.each<[string, SomePlace[], number, RegExp | undefined]>([
    ['nothing, when all is well', [origin('Available'), copy()], 1, undefined],
    ['the state of its origin first', [aPlace({ reference: 'nginx:1.27', role: 'origin', state: 'NotFound', checkFailure: 'no such tag' }), { ...waiting, failure }], 1, /^NotFound: no such tag$/],
    ['that a copy found it missing, where no check has looked', [origin(), { ...waiting, failure: missing }], 1, /^copy failed, missing: manifest missing on source docker\.io$/],
    ['then why its copy failed', [origin('Available'), { ...waiting, failure }], 1, /^copy failed, denied: push refused$/],
    ['that somebody else wrote over its copy', [origin('Available'), copy({ drift: { destination: moved, since: '' } })], 1, /kuik did not write/],
    ['that its copy is not there yet', [origin('Available'), waiting], 1, /not there yet/],
    ['that nobody mirrors it', [origin('Available')], 1, /no rule mirrors it/],
    ['nothing of the kind when nobody uses it', [origin('Available')], 0, undefined],
    ['why a copy could not be deleted', [copy({ blocked: { reason: 'budget', message: 'five a day', since: '', attempts: 1 } })], 0, /^not deleted, budget: five a day$/],
    ['which platforms its copy lacks', [origin('Available'), copy({ missingPlatforms: ['linux/arm64'] })], 1, /lacks linux\/arm64/],
  ])('says %s', (_sentence, places, pods, trouble) => {
    const said = troubleOf(aRecord({ places, pods }));

    if (trouble === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(trouble);
  });
});
