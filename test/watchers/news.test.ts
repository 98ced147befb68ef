import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryCluster } from '../../src/cluster/memory.js';
import type { Digest } from '../../src/domain/digest.js';
import type { ImageRecord, PlaceRecord } from '../../src/domain/record.js';
import { NewsDesk } from '../../src/watchers/news.js';
import { aCopy, aMirrorRule, aMonitorRule, aPlace, aRecord } from '../support/builders.js';

const reference = 'registry.example.com/mirror/library/nginx:1.27';
const rule = aMirrorRule();
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest;
const copy = (some: Partial<PlaceRecord> = {}): PlaceRecord => aCopy(reference, { rule: 'ClusterImageSetMirror/main', digest: digest('a'), ...some });
const pending = (some: Partial<PlaceRecord> = {}): PlaceRecord => aPlace({ reference, role: 'mirror', rule: 'ClusterImageSetMirror/main', ...some });
const failure = { code: 'denied', message: 'denied by registry.example.com', since: '2026-11-20T10:00:00Z', attempts: 1 } as const;
const record = (...places: PlaceRecord[]): ImageRecord => ({ ...aRecord({ uid: 'u1' }), places });

let now: number;
let cluster: MemoryCluster;
let desk: NewsDesk;
beforeEach(() => {
  now = 0;
  cluster = new MemoryCluster({ now: () => now });
  desk = new NewsDesk({ cluster, onError: () => undefined });
});

async function look(...records: readonly ImageRecord[]): Promise<void> {
  desk.look(records, [rule]);
  await desk.told();
}

const told = (): string[] => cluster.events.map(({ event }) => `${event.type} ${event.action} ${event.reason} ${event.regarding.kind}`);

describe('what changed between two looks is told on the record and on its rule', () => {
  test.each<[string, PlaceRecord | undefined, PlaceRecord, string | undefined]>([
    ['a copy became visible', pending(), copy(), 'Normal Mirror Mirrored'],
    ['a copy of an image nobody used before', undefined, copy(), 'Normal Mirror Mirrored'],
    ['a copy with other content', copy(), copy({ digest: digest('b'), mirroredAt: '2026-11-21T10:00:00Z' }), 'Normal Mirror Mirrored'],
    ['a copy stopped and waits for a human', pending(), pending({ failure }), 'Warning Mirror Denied'],
    ['it stopped once more', pending({ failure }), pending({ failure: { ...failure, attempts: 2 } }), 'Warning Mirror Denied'],
    ['a failure that is tried again by itself', pending(), pending({ failure: { ...failure, code: 'unreachable' } }), undefined],
    ['the same failure as before', pending({ failure }), pending({ failure: { ...failure } }), undefined],
    ['the tag of the origin moved', copy(), copy({ drift: { origin: digest('b'), since: failure.since } }), 'Warning Monitor TagDrifted'],
    ['somebody else wrote to the destination', copy(), copy({ drift: { destination: digest('c'), since: failure.since } }), 'Warning Monitor DestinationChanged'],
    ['a drift that is known', copy({ drift: { origin: digest('b'), since: failure.since } }), copy({ drift: { origin: digest('b'), since: failure.since }, bytes: 7 }), undefined],
    ['a copy that was looked at', copy(), copy({ triedAt: '2026-11-21T10:00:00Z' }), undefined],
  ])('%s', async (_sentence, before, after, expected) => {
    await look(...(before === undefined ? [] : [record(before)]));

    await look(record(after));

    expect(told()).toEqual(expected === undefined ? [] : [`${expected} ImageAvailability`, `${expected} ClusterImageSetMirror`]);
  });
});

describe('what a check found is told on the record and on the rules that track the image', () => {
  const trackers = [aMonitorRule({ name: 'critical' }), aMonitorRule({ name: 'other' })];
  const tracked = (some: Partial<PlaceRecord>, rest: Partial<ImageRecord> = {}): ImageRecord => ({ ...aRecord({ uid: 'u1', trackedBy: ['critical'], ...rest }), places: [aPlace({ reference: 'nginx:1.27', role: 'origin', ...some })] });
  const state = (name: PlaceRecord['state'], checkFailure?: string): Partial<PlaceRecord> => ({ state: name, checkFailure });
  const lookFrom = async (before: ImageRecord, after: ImageRecord): Promise<void> => {
    desk.look([before], [rule, ...trackers]);
    desk.look([after], [rule, ...trackers]);
    await desk.told();
  };

  test.each<[string, Partial<PlaceRecord>, Partial<PlaceRecord>, string | undefined]>([
    ['it is gone', state('Available'), state('NotFound', 'not found on docker.io'), 'Warning Monitor ImageUnavailable'],
    ['it was gone when somebody looked for the first time', {}, state('NotFound'), 'Warning Monitor ImageUnavailable'],
    ['it cannot be pulled for another reason', state('Unreachable'), state('InvalidAuth'), 'Warning Monitor ImageUnavailable'],
    ['its registry limits us', state('Available'), state('QuotaExceeded'), 'Warning Monitor RegistryThrottled'],
    ['it is back', state('NotFound'), state('Available'), 'Normal Monitor ImageAvailable'],
    ['it is there', {}, state('Available'), undefined],
    ['it is still gone', state('NotFound'), { ...state('NotFound'), checkedAt: '2026-11-21T10:00:00Z' }, undefined],
    ['nobody looks any more', state('NotFound'), {}, undefined],
  ])('%s', async (_sentence, before, after, expected) => {
    await lookFrom(tracked(before), tracked(after));

    expect(told()).toEqual(expected === undefined ? [] : [`${expected} ImageAvailability`, `${expected} ClusterImageSetAvailability`]);
  });

  test('with the image and why, on the rule', async () => {
    await lookFrom(tracked(state('Available')), tracked(state('NotFound', 'not found on docker.io: library/nginx:1.27')));

    expect(cluster.events[1]?.event).toMatchObject({
      regarding: { kind: 'ClusterImageSetAvailability', name: 'critical' },
      note: 'docker.io/library/nginx:1.27: docker.io/library/nginx:1.27 cannot be pulled (NotFound): not found on docker.io: library/nginx:1.27',
    });
  });

  test('not where only a copy failed at an origin that nobody tracks', async () => {
    await lookFrom(tracked(state('Available'), { trackedBy: undefined }), tracked(state('NotFound'), { trackedBy: undefined }));

    expect(told()).toEqual([]);
  });

  test('of a copy that a Pod pulls from, on the record', async () => {
    await lookFrom(record(copy()), record(copy(state('NotFound'))));

    expect(told()).toEqual(['Warning Monitor ImageUnavailable ImageAvailability']);
  });
});

test('nothing is told of the first look, nor of the first after somebody else may have led', async () => {
  await look(record(copy()));
  desk.forget();
  await look(record(copy({ digest: digest('b') })));

  expect(told()).toEqual([]);
});

test('events name their object, so that kubectl describe shows them, and on a rule the image', async () => {
  await look(record(pending()));
  await look(record(pending({ failure })));

  expect(cluster.events[0]?.event).toMatchObject({ regarding: { kind: 'ImageAvailability', uid: 'u1', name: expect.any(String) }, note: expect.stringMatching(/denied by registry\.example\.com; it is tried again after 6h.*kuik retry/) });
  expect(cluster.events[1]?.event).toMatchObject({ regarding: { kind: 'ClusterImageSetMirror', name: 'main', uid: rule.id.uid }, note: expect.stringMatching(/^docker\.io\/library\/nginx:1\.27: /) });
});

test('a rule with many failing images gets one event in five minutes, and a count after that', async () => {
  const images = Array.from({ length: 50 }, (_, index) => `acme/app:${index}`);
  const all = (attempts: number): ImageRecord[] => images.map((image) => ({ ...aRecord({ image }), places: [pending({ failure: { ...failure, attempts } })] }));
  await look();

  await look(...all(1));
  expect(cluster.events.filter(({ event }) => event.regarding.kind === 'ClusterImageSetMirror').map(({ count }) => count)).toEqual([1]);
  now += 5 * 60_000;
  await look(...all(2));

  expect(cluster.events.filter(({ event }) => event.regarding.kind === 'ClusterImageSetMirror').map(({ count }) => count)).toEqual([51]);
});

test('an event that cannot be written holds up nothing', async () => {
  const failed: unknown[] = [];
  const broken = new NewsDesk({ cluster: { emitEvent: () => Promise.reject(new Error('away')) }, onError: (error) => failed.push(error) });
  broken.look([record(pending())], [rule]);
  broken.look([record(copy())], [rule]);
  await broken.told();

  expect(failed).toHaveLength(2);
});
