import { describe, expect, test } from '@jest/globals';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { KeeperStatus } from '../../src/domain/keeper-story.js';
import type { PlaceRecord } from '../../src/domain/record.js';
import { isClusterId, isDrifted, isUnexplained, keptPlace, withClusters } from '../../src/domain/sweep.js';
import { copied, digestOf, place } from '../support/keeper.js';

const noon = '2026-09-01T12:00:00.000Z';
const reference = place as string as ImageName;

function aStatus(some: Partial<KeeperStatus> = {}): KeeperStatus {
  return { v: 1, destination: place, phase: 'Mirrored', next: { step: 'wait', reason: 'NextLook' }, claims: [], copy: copied(), ...some };
}

const good: PlaceRecord = { reference, role: 'mirror', digest: digestOf('a'), mirroredAt: noon };
const failure = { code: 'missing', side: 'source', message: 'gone', since: noon, attempts: 1, nextAt: noon } as const;
const failed: PlaceRecord = { ...good, failure: { code: 'missing', message: 'gone', since: noon, attempts: 1 } };

describe('a record differs from what its keeper knows', () => {
  test.each<[string, PlaceRecord | undefined, KeeperStatus, boolean]>([
    ['not when both know the copy', good, aStatus(), false],
    ['when it knows no copy', { reference, role: 'mirror' }, aStatus(), true],
    ['when it knows another digest', { ...good, digest: digestOf('b') }, aStatus(), true],
    ['when it shows a failure that is over', failed, aStatus(), true],
    ['when it does not show the failure', good, aStatus({ phase: 'Failed', failure }), true],
    ['when it shows another failure', { ...failed, failure: { ...failed.failure!, code: 'denied' } }, aStatus({ phase: 'Failed', failure }), true],
    ['not when both know the failure', failed, aStatus({ phase: 'Failed', failure }), false],
    ['not while a copy is under way', failed, aStatus({ phase: 'Copying' }), false],
    ['not while the keeper is paused', failed, aStatus({ phase: 'Paused' }), false],
    ['not before the keeper has seen anything', good, aStatus({ phase: 'Pending', copy: undefined }), false],
    ['not where there is no place to tell', undefined, aStatus(), false],
  ])('%s', (_when, record, status, isSo) => {
    expect(isDrifted(record, status)).toBe(isSo);
  });
});

describe('what a deletion wrote and could not take back', () => {
  const [tombstoneMs, now] = [10 * 60_000, Date.parse('2026-09-02T12:00:00.000Z')];
  const block = { reason: 'in-use', message: 'pods pull from it', since: noon, attempts: 2 } as const;
  const blocked = { ...block, nextAt: noon };
  const going: PlaceRecord = { ...good, retiringSince: noon };

  test.each<[string, PlaceRecord, KeeperStatus, Partial<PlaceRecord> | undefined]>([
    ['leaves the record of a copy that somebody claims', going, aStatus(), { retiringSince: undefined, mirroredAt: noon }],
    ['leaves the record of a copy that is kept on', going, aStatus({ phase: 'Expiring' }), { retiringSince: undefined }],
    ['is why it did not take place', going, aStatus({ phase: 'Expiring', blocked }), { retiringSince: undefined, blocked: block }],
    ['is why it did not take place, where the record does not say that either', good, aStatus({ phase: 'Expiring', blocked }), { blocked: block }],
    ['is over once the keeper knows of no reason any more', { ...good, blocked: block }, aStatus(), { blocked: undefined }],
    ['stays while a deletion is under way', going, aStatus({ phase: 'Deleting' }), undefined],
    ['stays while one may be under way that somebody started by hand', { ...good, retiringSince: '2026-09-02T11:00:00.000Z' }, aStatus(), undefined],
    ['stays while the keeper is paused', going, aStatus({ phase: 'Paused' }), undefined],
    ['stays while the keeper knows no copy', going, aStatus({ phase: 'Pending', copy: undefined }), undefined],
    ['is nothing where both say the same', { ...good, blocked: block }, aStatus({ phase: 'Expiring', blocked }), undefined],
    ['is nothing where neither says anything', good, aStatus(), undefined],
  ])('%s', (_sentence, record, status, expected) => {
    const kept = keptPlace(record, status, now, tombstoneMs);
    if (expected === undefined) expect(kept).toBeUndefined();
    else expect(kept).toMatchObject(expected);
  });
});

test('clusters are added up over keepers: how many claims, and the newest word; what was released is history', () => {
  const claim = (cluster: string, heardAt: string, state: 'live' | 'expired' | 'released' = 'live') => ({ cluster, rules: [], state, expiresAt: noon, heardAt });

  const once = withClusters([], { claims: [claim('paris', '2026-09-01'), claim('berlin', '2026-09-03'), claim('rome', '2026-09-03', 'released')] });
  const twice = withClusters(once, { claims: [claim('paris', '2026-08-01', 'expired'), claim('berlin', '2026-09-04')] });

  expect(twice).toEqual([
    { id: 'berlin', claims: 2, heardAt: '2026-09-04' },
    { id: 'paris', claims: 2, heardAt: '2026-09-01' },
  ]);
});

test.each([
  ['1.27', false],
  ['1.26', true],
  [`kuik-sha256-${'a'.repeat(64)}`, false],
  [`kuik-sha256-${'b'.repeat(64)}`, true],
  [`sha256-${'a'.repeat(64)}`, false],
  [`sha256-${'a'.repeat(64)}.sig`, false],
  [`sha512-${'a'.repeat(128)}.att`, false],
  ['sha256-latest', true],
])('the tag %s is nobody we know: %s', (tag, isSo) => {
  const published = new Set(['r.io/mirror/nginx:1.27', `r.io/mirror/nginx:kuik-sha256-${'a'.repeat(64)}`] as ImageName[]);

  expect(isUnexplained(tag, 'r.io/mirror/nginx', published)).toBe(isSo);
});

test.each([
  ['0f3c2d4e-aaaa-bbbb-cccc-1234567890ab', true],
  ['paris.prod-1', true],
  ['', false],
  ['paris" OR "1"="1', false],
  ['Paris', false],
])('%j is a cluster ID: %s', (text, isSo) => {
  expect(isClusterId(text)).toBe(isSo);
});
