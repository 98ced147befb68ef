import { beforeEach, expect, test } from '@jest/globals';
import type { ImageRecord } from '../../src/domain/record.js';
import type { Pod } from '../../src/domain/usage.js';
import { Sightings } from '../../src/watchers/sightings.js';
import { aPlace, aPod, aRecord } from '../support/builders.js';

const origin = 'nginx:1.27';
const copy = 'registry.example.com/mirror/library/nginx:1.27';
const other = 'other.example.com/mirror/library/nginx:1.27';
const mirroredAt = '2026-11-20T10:00:00Z';
const usual: ImageRecord = aRecord({ places: [{ reference: origin, role: 'origin' }, { reference: copy, role: 'mirror', mirroredAt }] });
const minutes = 60_000;

let record: ImageRecord;
let now: number;
let asked: string[];
let errors: unknown[];
let answer: () => Promise<unknown>;
let atOnce: { now: number; most: number };
let expire: () => void;
let sightings: Sightings;

beforeEach(() => {
  [record, now, asked, errors, atOnce] = [usual, 0, [], [], { now: 0, most: 0 }];
  answer = async () => 'sent';
  sightings = new Sightings({
    record: (image) => (image === record.image ? record : undefined),
    resync: async (destination) => {
      asked.push(destination);
      atOnce.most = Math.max(atOnce.most, (atOnce.now += 1));
      await answer().finally(() => (atOnce.now -= 1));
    },
    v1ProxyPort: 7439,
    maxConcurrent: 2,
    timeoutMs: 5_000,
    onError: (error) => errors.push(error),
    now: () => now,
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        expire = resolve;
        signal.addEventListener('abort', () => resolve());
      }),
  });
  sightings.look([]);
});

function aSighting(name: string, reason = 'PreferredUnavailable', written = origin): Pod {
  return aPod({ name, annotations: { 'kuik.enix.io/reason': JSON.stringify({ web: reason }), 'kuik.enix.io/original-images': JSON.stringify({ web: written }) } });
}

async function look(pods: readonly Pod[]): Promise<readonly string[]> {
  asked = [];
  sightings.look(pods);
  await new Promise((resolve) => setImmediate(resolve));
  return asked;
}

test.each([
  ['PreferredUnavailable', true],
  ['OriginUnavailable', true],
  ['NoPlaceAvailable', true],
  ['PlacePreferred', false],
  ['OriginAvailable', false],
  ['OnlyOrigin', false],
])('a new Pod with %s has the copy of its image looked at again: %s', async (reason, expected) => {
  expect(await look([aSighting('a', reason)])).toEqual(expected ? [copy] : []);
});

test.each([
  ['an image without a record', aSighting('a', 'PreferredUnavailable', 'ghcr.io/acme/api:v4')],
  ['a text that is no image', aSighting('a', 'PreferredUnavailable', 'Not An Image')],
  ['annotations that make no sense', aPod({ annotations: { 'kuik.enix.io/reason': '[', 'kuik.enix.io/original-images': '3' } })],
  ['a Pod without annotations', aPod()],
])('%s asks for nothing', async (_what, pod) => {
  expect(await look([pod])).toEqual([]);
  expect(errors).toEqual([]);
});

test('only places that hold a copy are looked at: elsewhere somebody is at it', async () => {
  record = { ...usual, places: [...usual.places, aPlace({ reference: other, role: 'mirror' })] };
  expect(await look([aSighting('a')])).toEqual([copy]);
});

test('a Pod counts once, whatever is seen of it later', async () => {
  expect(await look([aSighting('a')])).toEqual([copy]);
  now += 10 * minutes;
  expect(await look([{ ...aSighting('a'), phase: 'Running' }])).toEqual([]);
});

test('Pods that are there when a manager begins to lead are not new', async () => {
  sightings.forget();
  expect(await look([aSighting('a')])).toEqual([]);
  expect(await look([aSighting('a'), aSighting('b')])).toEqual([copy]);
});

test('a rollout of 1,000 Pods is one question', async () => {
  const pods = Array.from({ length: 1_000 }, (_, index) => aSighting(`pod-${index}`));
  const questions: string[] = [];
  for (const count of [100, 500, 1_000]) {
    questions.push(...(await look(pods.slice(0, count))));
    now += minutes;
  }
  expect(questions).toEqual([copy]);
});

test('after five minutes the next new Pod asks again', async () => {
  await look([aSighting('a')]);
  now += 5 * minutes;
  expect(await look([aSighting('a'), aSighting('b')])).toEqual([copy]);
});

test('no more keepers are asked at once than configured', async () => {
  record = { ...usual, places: Array.from({ length: 7 }, (_, index) => aPlace({ reference: `r${index}.example.com/library/nginx:1.27`, role: 'mirror', mirroredAt })) };
  answer = () => new Promise((resolve) => setImmediate(resolve));
  sightings.look([aSighting('a')]);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect([asked.length, atOnce.most]).toEqual([7, 2]);
});

test('who cannot be reached is asked with the next look, though the Pod is no longer new', async () => {
  answer = () => Promise.reject(new Error('temporal is away'));
  await look([aSighting('a')]);
  expect(errors).toHaveLength(1);

  answer = async () => 'sent';
  expect(await look([aSighting('a')])).toEqual([copy]);
  expect(await look([aSighting('a')])).toEqual([]);
});

test('who does not answer in time holds up nobody for longer', async () => {
  answer = () => new Promise(() => undefined);
  await look([aSighting('a')]);
  expire();
  await new Promise((resolve) => setImmediate(resolve));

  expect(errors).toEqual([new Error(`the keeper of ${copy} was not reached within 5000 ms`)]);
});
