import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryCluster } from '../../src/cluster/memory.js';
import type { Digest } from '../../src/domain/digest.js';
import type { ImageRecord, PlaceRecord } from '../../src/domain/record.js';
import { NewsDesk } from '../../src/watchers/news.js';
import { aCopy, aMirrorRule, aPlace, aRecord } from '../support/builders.js';

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
