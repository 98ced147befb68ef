import { describe, expect, test } from '@jest/globals';
import { createRecordActivities, originState, recorded } from '../../src/activities/record.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { PlaceRecord } from '../../src/domain/record.js';
import type { BlockReason, Report } from '../../src/domain/task.js';
import { partOf, saysSomething } from '../../src/cluster/ownership.js';
import type { RecordInput } from '../../src/temporal/activities.js';
import { copied, digestOf, failed, nginx, place } from '../support/keeper.js';

const noon = '2026-09-01T12:00:00.000Z';
const later = '2026-09-01T18:00:00.000Z';
const reference = place as string as ImageName;
const blank: PlaceRecord = { reference, role: 'mirror' };
const input = (report: Report, at = later): RecordInput => ({ v: 1, image: nginx, destination: place, workflowId: `task/${place}`, report, at });
const good = (some = {}): Report => ({ state: 'copied', outcome: copied({ mirroredAt: later, ...some }) });
const stays = (reason: BlockReason): Report => ({ state: 'stays', block: { reason, message: reason } });
const bad = (code: 'missing' | 'denied') => ({ state: 'failed', failure: failed(code).failure }) as const;

test.each<[string, PlaceRecord, Report, Partial<PlaceRecord>]>([
  ['a copy that begins says which workflow it is', blank, { state: 'copying' }, { workflowId: `task/${place}` }],
  ['a copy that begins keeps the failure before it visible', { ...blank, failure: { code: 'denied', message: 'no', since: noon, attempts: 2 } }, { state: 'copying' }, { failure: { code: 'denied', message: 'no', since: noon, attempts: 2 } }],
  ['a good copy is described', blank, good(), { digest: digestOf('a'), sourceDigest: digestOf('a'), strategy: 'all', platforms: ['linux/amd64'], missingPlatforms: [], bytes: 1000, mirroredAt: later }],
  ['a good copy ends a failure and a retirement', { ...blank, retiringSince: noon, failure: { code: 'denied', message: 'no', since: noon, attempts: 2 } }, good(), { failure: undefined, retiringSince: undefined }],
  ['a copy that was there already stays as old and as large as it was', { ...blank, digest: digestOf('a'), mirroredAt: noon, bytes: 7 }, good({ result: 'unchanged', bytes: 0 }), { mirroredAt: noon, bytes: 7 }],
  ['a copy that was only compared keeps what is known of its content', { ...blank, digest: digestOf('a'), mirroredAt: noon, platforms: ['linux/amd64'], missingPlatforms: ['linux/arm64'], strategy: 'sparse' }, good({ result: 'unchanged', bytes: 0, platforms: [], strategy: 'all' }), { platforms: ['linux/amd64'], missingPlatforms: ['linux/arm64'], strategy: 'sparse' }],
  ['a copy that was adopted because no source could be read keeps what is known of it', { ...blank, digest: digestOf('a'), sourceDigest: digestOf('b'), mirroredAt: noon, platforms: ['linux/amd64'], missingPlatforms: [], strategy: 'rewrite' }, good({ result: 'adopted', bytes: 0, platforms: [], strategy: 'adopted', sourceDigest: undefined }), { sourceDigest: digestOf('b'), platforms: ['linux/amd64'], strategy: 'rewrite' }],
  ['a failure tells a record that was lost what is there all the same', blank, { ...bad('denied'), outcome: copied({ mirroredAt: noon }) }, { mirroredAt: noon, digest: digestOf('a'), failure: { code: 'denied', message: 'denied at docker.io', since: later, attempts: 1 } }],
  ['a place that has another image’s copy is none of ours any more', { ...blank, digest: digestOf('a'), mirroredAt: noon, platforms: ['linux/amd64'] }, { state: 'failed', failure: failed('conflict').failure, holder: nginx }, { digest: undefined, mirroredAt: undefined, platforms: undefined, failure: { code: 'conflict', message: 'conflict at docker.io', since: later, attempts: 1 } }],
  ['and goes on saying so', { ...blank, triedAt: later, failure: { code: 'conflict', message: 'm', since: noon, attempts: 1 } }, { state: 'failed', failure: failed('conflict').failure, holder: nginx }, { triedAt: later, failure: { code: 'conflict', message: 'm', since: noon, attempts: 1 } }],
  ['new content is a new copy', { ...blank, digest: digestOf('b'), mirroredAt: noon, bytes: 7 }, good(), { mirroredAt: later, bytes: 1000 }],
  ['a copy that ended well says when, also when it was told later', blank, good({ mirroredAt: noon }), { triedAt: noon }],
  ['a copy that failed says when', { ...blank, triedAt: noon }, bad('missing'), { triedAt: later }],
  ['a copy that begins has not ended', { ...blank, triedAt: noon }, { state: 'copying' }, { triedAt: noon }],
  ['a failure says why and since when', blank, bad('missing'), { failure: { code: 'missing', message: 'missing at docker.io', since: later, attempts: 1 } }],
  ['the same failure again counts on', { ...blank, failure: { code: 'missing', message: 'm', since: noon, attempts: 3 } }, bad('missing'), { failure: { code: 'missing', message: 'missing at docker.io', since: noon, attempts: 4 } }],
  ['a failure that is told once more is no other one', { ...blank, triedAt: noon, failure: { code: 'missing', message: 'missing at docker.io', since: noon, attempts: 3 } }, { ...bad('missing'), failedAt: noon }, { triedAt: noon, failure: { code: 'missing', message: 'missing at docker.io', since: noon, attempts: 3 } }],
  ['a failure that is told late to a record that was lost was then, not now', blank, { ...bad('missing'), failedAt: noon }, { triedAt: noon, failure: { code: 'missing', message: 'missing at docker.io', since: noon, attempts: 1 } }],
  ['another failure has its own beginning', { ...blank, failure: { code: 'missing', message: 'm', since: noon, attempts: 3 } }, bad('denied'), { failure: { code: 'denied', message: 'denied at docker.io', since: later, attempts: 4 } }],
  ['a failure does not forget the copy that is there', { ...blank, digest: digestOf('a'), mirroredAt: noon }, bad('denied'), { digest: digestOf('a'), mirroredAt: noon }],
  ['a copy that is about to go says since when, once', { ...blank, mirroredAt: noon, retiringSince: noon }, { state: 'retiring' }, { retiringSince: noon, mirroredAt: noon }],
  ['a copy that stays is routed to again, and says why it stays', { ...blank, mirroredAt: noon, retiringSince: noon }, stays('in-use'), { retiringSince: undefined, mirroredAt: noon, blocked: { reason: 'in-use', message: 'in-use', since: later, attempts: 1 } }],
  ['the same reason again counts on', { ...blank, blocked: { reason: 'in-use', message: 'm', since: noon, attempts: 3 } }, stays('in-use'), { blocked: { reason: 'in-use', message: 'in-use', since: noon, attempts: 4 } }],
  ['an attempt that failed is a reason as well', blank, { state: 'stays', block: failed('unreachable').failure }, { blocked: { reason: 'unreachable', message: 'unreachable at docker.io', since: later, attempts: 1 } }],
  ['a good copy ends the talk of deletion', { ...blank, blocked: { reason: 'in-use', message: 'm', since: noon, attempts: 3 } }, good(), { blocked: undefined }],
  ['what moved is recorded, with the time it was seen first', blank, { state: 'copied', outcome: copied(), drift: { origin: digestOf('b') } }, { drift: { origin: digestOf('b'), since: later } }],
  ['what has been told before keeps its time', { ...blank, drift: { origin: digestOf('b'), since: noon } }, { state: 'copied', outcome: copied(), drift: { origin: digestOf('b') } }, { drift: { origin: digestOf('b'), since: noon } }],
  ['what moved once more has a new time', { ...blank, drift: { origin: digestOf('c'), since: noon } }, { state: 'copied', outcome: copied(), drift: { origin: digestOf('b') } }, { drift: { origin: digestOf('b'), since: later } }],
  ['a copy that is ours again has not drifted', { ...blank, drift: { destination: digestOf('b'), since: noon } }, good(), { drift: undefined }],
])('%s', (_sentence, before, report, after) => {
  expect(recorded(before, input(report))).toMatchObject(after);
});

test.each<[string, Report, string | undefined]>([
  ['a copy made from the origin has seen it', good({ source: nginx }), 'Available'],
  ['a copy made from a replica says nothing of the origin', good({ source: 'replica.example.com/library/nginx:1.27' as ImageName }), undefined],
  ['an origin that lacks the image is not found', bad('missing'), 'NotFound'],
  ['a failure at the destination says nothing of the origin', { state: 'failed', failure: { code: 'denied', side: 'destination', message: 'no' } }, undefined],
  ['a failure of another source says nothing of the origin', { state: 'failed', failure: { code: 'unreachable', side: 'source', host: 'replica.example.com', message: 'gone' } }, undefined],
  ['a copy that begins has seen nothing', { state: 'copying' }, undefined],
])('%s', (_sentence, report, state) => {
  expect(originState(input(report))).toBe(state);
});

/** What Berlin's record says of the origin afterwards. */
async function originAfter(told: RecordInput, before: Partial<PlaceRecord> = {}): Promise<PlaceRecord> {
  let origin: PlaceRecord = { reference: nginx, role: 'origin', ...before };
  const { recordOutcome } = createRecordActivities({
    clusterId: 'berlin',
    records: { at: () => [] },
    cluster: {
      changePlace: async (_image, _at, manager, change) => {
        if (manager === 'kuik-monitor') origin = change(origin);
        return 'changed';
      },
    },
  });
  await recordOutcome(told);
  return origin;
}

test('what a copy learned of its origin goes there as kuik-monitor, without deciding for any credential', async () => {
  expect(await originAfter(input(good({ source: nginx, by: 'berlin' })))).toEqual({ reference: nginx, role: 'origin', state: 'Available', checkedAt: later, digest: digestOf('a'), identity: undefined, checkFailure: undefined });
});

describe('what is known of an origin', () => {
  const check = { state: 'Available', checkedAt: '2026-09-01T17:05:00.000Z', identity: 'anonymous' } as const;
  const refused = (who: { by?: string; failedAt?: string }): Report => ({ state: 'failed', failure: failed('unauthorized').failure, ...who });
  const lost = { state: 'InvalidAuth', checkedAt: later, identity: undefined, checkFailure: 'unauthorized at docker.io' };
  test.each<[string, RecordInput, object]>([
    ['is worse after a copy that this cluster could not make', input(refused({ by: 'berlin' })), lost],
    ['stands when another cluster is refused: its credential is not ours', input(refused({ by: 'paris' })), check],
    ['stands when another cluster can read it', input(good({ source: nginx, by: 'paris' })), check],
    ['stands when nobody says who tried', input(refused({})), check],
    ['stands when a failure is told once more that is older', input(refused({ by: 'berlin', failedAt: '2026-09-01T16:00:00.000Z' })), check],
    ['is told once more where nobody has looked since', input(refused({ by: 'berlin', failedAt: '2026-09-01T17:30:00.000Z' })), { ...lost, checkedAt: '2026-09-01T17:30:00.000Z' }],
  ])('%s', async (_sentence, told, expected) => {
    expect(await originAfter(told, check)).toMatchObject(expected);
  });

  test('is told once more to a record that was lost', async () => {
    expect(await originAfter(input(good({ source: nginx, by: 'berlin', mirroredAt: noon })))).toMatchObject({ state: 'Available', checkedAt: noon });
  });
});

test('an outcome goes into the place of its destination, as kuik-mirror', async () => {
  const calls: unknown[] = [];
  const { recordOutcome } = createRecordActivities({
    clusterId: 'berlin',
    records: { at: () => [] },
    cluster: {
      changePlace: async (image, at, manager, change) => {
        calls.push([image, at, manager, change(blank).digest]);
        return 'absent';
      },
    },
  });

  expect(await recordOutcome(input(good()))).toBe('absent');
  expect(calls).toEqual([[nginx, place, 'kuik-mirror', digestOf('a')]]);
});

test('a message fits the record', () => {
  const report: Report = { state: 'failed', failure: { code: 'invalid', side: 'source', message: 'x'.repeat(999) } };

  expect(recorded(blank, input(report)).failure?.message).toHaveLength(256);
});

test('a copy that is gone leaves nothing behind that a copy wrote', () => {
  const whole = recorded({ ...blank, retiringSince: noon, blocked: { reason: 'budget', message: 'm', since: noon, attempts: 1 } }, input(good()));

  expect(saysSomething(partOf(whole, 'kuik-mirror'))).toBe(true);
  expect(partOf(recorded(whole, input({ state: 'deleted' })), 'kuik-mirror')).toEqual({ reference });
});

describe('names of one digest have a record each, and one copy', () => {
  const pinned = (tag: string): ImageName => `docker.io/library/nginx:${tag}@${digestOf('a')}` as ImageName;
  const held: PlaceRecord = { ...blank, digest: digestOf('a'), mirroredAt: noon };
  const going: PlaceRecord = { ...held, retiringSince: noon };

  /** What the records say after the first of them was told. */
  async function after(report: Report, places: Record<string, PlaceRecord>): Promise<Record<string, PlaceRecord>> {
    const records = new Map(Object.entries(places).map(([tag, at]) => [pinned(tag), at]));
    const { recordOutcome } = createRecordActivities({
      clusterId: 'berlin',
      records: { at: (at) => (at === place ? [...records].map(([image, at]) => ({ record: { image }, place: at })) : []) },
      cluster: { changePlace: async (image, _at, _manager, change) => (records.set(image, change(records.get(image) ?? blank)), 'changed') },
    });
    await recordOutcome({ ...input(report), image: pinned('1.27') });
    return Object.fromEntries(Object.keys(places).map((tag) => [tag, records.get(pinned(tag))!]));
  }

  test.each<[string, Report, PlaceRecord, object]>([
    ['all of them say that it is about to go', { state: 'retiring' }, held, { retiringSince: later, mirroredAt: noon }],
    ['all of them say that it stays, and why', stays('in-use'), going, { retiringSince: undefined, mirroredAt: noon, blocked: { reason: 'in-use' } }],
    ['all of them say that it is gone', { state: 'deleted' }, going, { mirroredAt: undefined, digest: undefined, retiringSince: undefined }],
    ['none of them says that a copy goes that is verified', good(), going, { retiringSince: undefined, mirroredAt: noon }],
  ])('%s', async (_sentence, report, before, expected) => {
    expect(await after(report, { 1.27: before, 1.28: before })).toMatchObject({ 1.27: expected, 1.28: expected });
  });

  test.each<[string, Report, PlaceRecord]>([
    ['that only wants the copy hears nothing of its deletion', { state: 'retiring' }, blank],
    ['that only wants the copy keeps what it says of its own attempt', { state: 'deleted' }, { ...blank, failure: { code: 'conflict', message: 'taken', since: noon, attempts: 1 }, triedAt: noon }],
    ['hears nothing of a copy that another name had made', good(), { ...held, digest: digestOf('b') }],
    ['hears nothing of a copy that another name failed to make', bad('missing'), held],
  ])('a record %s', async (_sentence, report, before) => {
    expect(await after(report, { 1.27: held, 1.28: before })).toMatchObject({ 1.28: before });
  });

  test('the place of a mirror that is the origin of another image is no copy of that one', async () => {
    const origin: PlaceRecord = { reference, role: 'origin', state: 'Available', retiringSince: noon };

    expect(await after({ state: 'deleted' }, { 1.27: going, 1.28: origin })).toMatchObject({ 1.28: origin });
  });
});
