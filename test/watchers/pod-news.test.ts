import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryCluster } from '../../src/cluster/memory.js';
import type { Pod } from '../../src/domain/usage.js';
import { PodNewsDesk } from '../../src/watchers/pod-news.js';
import { aPod } from '../support/builders.js';

const copy = 'registry.example.com/mirror/library/nginx:1.27';

let now: number;
let cluster: MemoryCluster;
let pauses: number;
let desk: PodNewsDesk;
beforeEach(() => {
  now = 0;
  cluster = new MemoryCluster({ now: () => now });
  pauses = 0;
  desk = aDesk();
  desk.look([]);
});

/** A replica of the manager that has just begun. */
function aDesk(): PodNewsDesk {
  return new PodNewsDesk({ cluster, onError: () => undefined, pause: async () => void (pauses += 1) });
}

function aRoutedPod(name: string, { reason = 'OriginUnavailable', now = copy, phase = 'Pending', more = {} }: { reason?: string; now?: string; phase?: string; more?: Record<string, string> } = {}): Pod {
  const annotations = { 'kuik.enix.io/reason': JSON.stringify({ web: reason }), 'kuik.enix.io/original-images': JSON.stringify({ web: 'nginx:1.27' }), ...more };
  return { ...aPod({ name, images: { web: now }, annotations }), phase };
}

const unanswered = (name: string): Pod => aRoutedPod(name, { reason: 'NoPlaceAvailable', now: 'nginx:1.27' });

async function look(...pods: readonly Pod[]): Promise<readonly string[]> {
  const before = cluster.events.length;
  desk.look(pods);
  await desk.told();
  return cluster.events.slice(before).map(({ event }) => `${event.type} ${event.action} ${event.reason} ${event.regarding.name}`);
}

test('a new Pod is told of on the Pod itself, so that kubectl describe shows it', async () => {
  expect(await look(aRoutedPod('a'))).toEqual(['Normal Route OriginUnavailable a']);
  expect(cluster.events[0]?.event).toMatchObject({ regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'a', uid: 'uid-of-a' }, note: expect.stringContaining(copy) });
});

describe('a Pod is told of once', () => {
  test('whatever is seen of it later', async () => {
    await look(aRoutedPod('a'));

    expect(await look({ ...aRoutedPod('a'), phase: 'Running' })).toEqual([]);
    expect(await look(aRoutedPod('a', { more: { 'example.com/restarted-at': 'now' } }))).toEqual([]);
  });

  test('until its image is changed', async () => {
    await look(aRoutedPod('a'));

    expect(await look(unanswered('a'))).toEqual(['Warning Route NoPlaceAvailable a']);
  });

  test('across restarts: running Pods are old news, and a waiting one has its event already', async () => {
    await look(aRoutedPod('a'), aRoutedPod('b'));
    desk = aDesk();
    now += 56 * 60_000; // the event is still there, and nobody counts its like any more

    expect(await look({ ...aRoutedPod('a'), phase: 'Running' }, aRoutedPod('b'))).toEqual([]);
    expect(await look({ ...aRoutedPod('a'), phase: 'Running' }, aRoutedPod('b'), aRoutedPod('c'))).toEqual(['Normal Route OriginUnavailable c']);
  });

  test('also when it came while nobody led', async () => {
    desk.forget();

    expect(await look(aRoutedPod('waiting'), { ...aRoutedPod('running'), phase: 'Running' })).toEqual(['Normal Route OriginUnavailable waiting']);
  });
});

test('a Pod that is being deleted, and one that nobody routed, are not worth a word', async () => {
  expect(await look({ ...aRoutedPod('a'), isDeleted: true }, aPod({ name: 'b' }))).toEqual([]);
});

test('of a flood of Pods the warnings come through, and the API server is left alone between two events', async () => {
  const flood = Array.from({ length: 1_500 }, (_, index) => aRoutedPod(`pod-${index}`));

  const told = await look(...flood, unanswered('late'));

  expect([told.length, told[0], pauses]).toEqual([1_000, 'Warning Route NoPlaceAvailable late', 1_000]);
});

test('an event that cannot be written holds up nobody', async () => {
  const failed: unknown[] = [];
  const broken = new PodNewsDesk({ cluster: { emitEvent: () => Promise.reject(new Error('away')) }, onError: (error) => failed.push(error) });
  broken.look([]);
  broken.look([aRoutedPod('a'), aRoutedPod('b')]);
  await broken.told();

  expect(failed).toHaveLength(2);
});
