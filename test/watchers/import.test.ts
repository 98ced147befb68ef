import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryCluster } from '../../src/cluster/memory.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import { isFromV2, Takeover } from '../../src/watchers/import.js';
import type { Rule } from '../../src/domain/rule.js';
import { aMirrorRule, aMonitorRule } from '../support/builders.js';

const nginx = 'docker.io/library/nginx:1.27' as ImageName;
const copy = 'registry.example.com/mirror/library/nginx:1.27' as ImageName;
const mirroredAt = '2026-10-01T10:00:00Z';
const now = Date.parse('2026-11-20T12:00:00Z');

let cluster: MemoryCluster;
beforeEach(() => {
  cluster = new MemoryCluster();
});

/** Takes a status over, in as many passes as it takes. */
async function importStatus(rule: Rule, status: unknown): Promise<void> {
  const takeover = new Takeover({ cluster, onTaken: () => undefined });
  while (await takeover.look(rule, { status }, now));
}

function aStatus(mirror: object, image: object = {}): object {
  return { matchingImages: [{ image: nginx, ...image, mirrors: [mirror] }] };
}

test.each<[string, unknown, boolean]>([
  ['what v2 wrote for mirrors', aStatus({ image: copy, mirroredAt }), true],
  ['what v2 wrote for checks', { images: [] }, true],
  ['a new object, with the default of its schema', { observedGeneration: -1 }, false],
  ['what we wrote', { ...aStatus({ image: copy, mirroredAt }), conditions: [] }, false],
  ['nothing', undefined, false],
])('%s is an older status: %s', (_sentence, status, expected) => {
  expect(isFromV2({ status })).toBe(expected);
});

test('what v2 added to a status of ours, after the charts were swapped back for a while, is an older status again', () => {
  const status = { ...aStatus({ image: copy, mirroredAt }), conditions: [] };

  expect(isFromV2({ status, otherWriters: ['manager'] })).toBe(true);
  expect(isFromV2({ status: { conditions: [] }, otherWriters: ['somebody'] })).toBe(false);
});

test('a copy that v2 made is known to a record from then on, with the time its image was last used', async () => {
  await importStatus(aMirrorRule(), aStatus({ image: copy, mirroredAt }, { unusedSince: '2026-11-01T00:00:00Z' }));

  expect(await cluster.record(nginx)).toMatchObject({ pods: 0, unusedSince: '2026-11-01T00:00:00Z', places: [{ reference: nginx, role: 'origin' }, { reference: copy, mirroredAt }] });
});

test('what a record knows already stands, and importing twice changes nothing', async () => {
  await cluster.applyUsage({ image: nginx, pods: 3, mirrors: '1/1', places: [{ reference: nginx, role: 'origin' }, { reference: copy, role: 'mirror' }], conditions: [] });
  await cluster.changePlace(nginx, copy, 'kuik-mirror', (place) => ({ ...place, mirroredAt: '2026-11-19T00:00:00Z' }));
  const before = await cluster.record(nginx);

  await importStatus(aMirrorRule(), aStatus({ image: copy, mirroredAt }));

  expect(await cluster.record(nginx)).toEqual(before);
});

test.each([
  ['a copy that was never finished', { image: copy, lastError: 'denied' }],
  ['a place where the rule keeps no copy of that image', { image: 'elsewhere.example.com/library/nginx:1.27', mirroredAt }],
  ['a text that is no image', { image: 'https://x', mirroredAt }],
])('%s is not imported', async (_what, mirror) => {
  await importStatus(aMirrorRule(), aStatus(mirror));

  expect(await cluster.record(nginx)).toBeUndefined();
});

test('what v2 last found out about an image in use stands until the next check', async () => {
  await cluster.applyUsage({ image: nginx, pods: 1, mirrors: '0/0', places: [{ reference: nginx, role: 'origin' }], conditions: [] });
  const images = [{ image: nginx, status: 'NotFound', lastMonitor: mirroredAt }, { image: 'docker.io/library/gone:1', status: 'Available', lastMonitor: mirroredAt }];

  await importStatus(aMonitorRule(), { images });

  expect((await cluster.record(nginx))?.places).toEqual([{ reference: nginx, role: 'origin', state: 'NotFound', checkedAt: mirroredAt }]);
});

test('an image that v2 tracked although no Pod uses it any more stays tracked, with its clock', async () => {
  const images = [{ image: nginx, status: 'Available', lastMonitor: mirroredAt, unusedSince: '2026-11-01T00:00:00Z', original: true }];

  await importStatus(aMonitorRule({ name: 'critical' }), { images });

  expect(await cluster.record(nginx)).toMatchObject({ pods: 0, original: true, unusedSince: '2026-11-01T00:00:00Z', trackedBy: ['critical'], places: [{ reference: nginx, role: 'origin', state: 'Available', checkedAt: mirroredAt }] });
});

describe('an unused image that several rules of v2 knew', () => {
  const unusedSince = '2026-11-01T00:00:00Z';
  const mirrored: [Rule, object] = [aMirrorRule(), aStatus({ image: copy, mirroredAt }, { unusedSince })];
  const trackedBy = (name: string): [Rule, object] => [aMonitorRule({ name }), { images: [{ image: nginx, status: 'Available', lastMonitor: mirroredAt, unusedSince, original: true }] }];
  const cases: [string, [Rule, object][], object][] = [
    ['a mirror rule and one that tracks it', [mirrored, trackedBy('critical')], { trackedBy: ['critical'], places: [{ reference: nginx, state: 'Available' }, { reference: copy, mirroredAt }] }],
    ['two that track it', [trackedBy('critical'), trackedBy('nightly')], { trackedBy: ['critical', 'nightly'], places: [{ reference: nginx, state: 'Available' }] }],
  ];
  test.each(cases)('stays tracked by all of them, in whichever order they are taken over: %s', async (_sentence, taken, expected) => {
    for (const order of [taken, taken.toReversed()]) {
      cluster = new MemoryCluster();
      for (const [rule, status] of order) await importStatus(rule, status);

      expect(await cluster.record(nginx)).toMatchObject({ pods: 0, original: true, unusedSince, ...expected });
    }
  });

  test.each(cases)('stays tracked by all of them when they are taken over side by side: %s', async (_sentence, taken, expected) => {
    for (const order of [taken, taken.toReversed()]) {
      cluster = new MemoryCluster();
      const takeover = new Takeover({ cluster, onTaken: () => undefined });

      await Promise.all(order.map(([rule, status]) => takeover.look(rule, { status }, now)));

      expect(await cluster.record(nginx)).toMatchObject({ pods: 0, original: true, unusedSince, ...expected });
    }
  });

  test('keeps what its record says besides', async () => {
    const secret = { namespace: 'kuik-system', name: 'push' };
    await cluster.applyUsage({ image: nginx, pods: 0, unusedSince: '2026-11-02T00:00:00Z', mirrors: '1/1', places: [{ reference: nginx, role: 'origin' }, { reference: copy, role: 'mirror', rule: 'ClusterImageSetMirror/main', secret, retention: '1h' }], conditions: [] });

    await importStatus(...trackedBy('critical'));

    expect(await cluster.record(nginx)).toMatchObject({ unusedSince: '2026-11-02T00:00:00Z', trackedBy: ['critical'], places: [{ reference: nginx }, { reference: copy, role: 'mirror', rule: 'ClusterImageSetMirror/main', secret, retention: '1h' }] });
  });

  test('is left to what its Pods say once one uses it again', async () => {
    await cluster.applyUsage({ image: nginx, pods: 1, mirrors: '0/0', places: [{ reference: nginx, role: 'origin' }], conditions: [] });

    await importStatus(...trackedBy('critical'));

    expect((await cluster.record(nginx))?.trackedBy).toBeUndefined();
  });
});

test('one that v2 had not checked yet is left behind', async () => {
  await importStatus(aMonitorRule(), { images: [{ image: nginx, status: 'Scheduled', unusedSince: '2026-11-01T00:00:00Z' }] });

  expect(await cluster.record(nginx)).toBeUndefined();
});

test('a status is taken over once, and a new picture is asked for: the one that is being reported does not know of it', async () => {
  const asked: string[] = [];
  const takeover = new Takeover({ cluster, onTaken: () => void asked.push('another') });
  const status = aStatus({ image: copy, mirroredAt });

  expect(await takeover.look(aMirrorRule(), { status }, now)).toBe(true);
  expect(await takeover.look(aMirrorRule(), { status }, now)).toBe(false);
  expect(await takeover.look(aMirrorRule(), { status: { ...status, conditions: [] } }, now)).toBe(false);
  expect(asked).toEqual(['another']);
});

test('a long status is taken over some at a time, and one that cannot be written is tried again', async () => {
  const images = Array.from({ length: 250 }, (_, at) => ({ image: `docker.io/library/app-${at}:1`, status: 'NotFound', lastMonitor: mirroredAt, unusedSince: mirroredAt }));
  let refused = 1;
  const applyUsage: MemoryCluster['applyUsage'] = async (usage) => {
    if (refused-- > 0) throw new Error('refused');
    return cluster.applyUsage(usage);
  };
  const takeover = new Takeover({ cluster: { applyUsage, record: (image) => cluster.record(image), changePlace: (...args) => cluster.changePlace(...args) }, onTaken: () => undefined });
  const status = { images };

  await expect(takeover.look(aMonitorRule(), { status }, now)).rejects.toThrow('refused');
  expect((await cluster.list('ImageAvailability')).length).toBe(99);
  for (const expected of [true, true, false]) expect(await takeover.look(aMonitorRule(), { status }, now)).toBe(expected);
  expect((await cluster.list('ImageAvailability')).length).toBe(250);
});
