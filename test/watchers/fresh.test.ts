import { describe, expect, test } from '@jest/globals';
import type { WatchHealth } from '../../src/cluster/cluster.js';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { Failure } from '../../src/domain/failure.js';
import { imageName, knownImageRef } from '../../src/domain/image-ref.js';
import { useOf } from '../../src/domain/use.js';
import { freshPicture, shareLooks, type FreshDeps } from '../../src/watchers/fresh.js';
import { unsteadyWatch } from '../../src/watchers/steady.js';
import { aCopy, aRecord, aTemplate } from '../support/builders.js';
import { digestOf, minutes, nginx, place, t0 } from '../support/keeper.js';

const watch = (some: Partial<WatchHealth> = {}): WatchHealth => ({ kind: 'Pod', connected: true, objects: 3, handlerErrors: 0, unreadable: 0, steadySince: t0 - 10 * minutes, ...some });

test.each<[string, readonly WatchHealth[], string | undefined]>([
  ['believed when every watch has been steady for long enough', [watch(), watch({ kind: 'Namespace' })], undefined],
  ['believed between two streams of one watch', [watch({ connected: false })], undefined],
  ['not believed before anything is watched', [], 'nothing is watched yet'],
  ['not believed a minute too early', [watch(), watch({ kind: 'Namespace', steadySince: t0 - 9 * minutes })], 'Namespace objects have been read for 540 s only'],
  ['not believed while something cannot be read', [watch({ lastError: { code: 'denied', side: 'cluster', message: 'not allowed to watch pods' } })], 'Pod objects cannot be read: not allowed to watch pods'],
  ['not believed before the first list', [watch({ connected: false, steadySince: undefined })], 'Pod objects have not been read yet'],
  ['not believed after a change that nobody could handle', [watch({ steadySince: undefined })], 'a change of Pod objects could not be handled'],
  ['not believed while an object makes no sense', [watch({ unreadable: 1 })], '1 Pod objects make no sense'],
])('a manager is %s', (_sentence, watches, doubt) => {
  expect(unsteadyWatch(watches, t0, 10 * minutes)).toBe(doubt);
});

test('looks are shared, and none began before it was asked for', async () => {
  let begun = 0;
  const gates: (() => void)[] = [];
  const look = shareLooks(() => {
    const mine = ++begun;
    return new Promise<number>((resolve) => gates.push(() => resolve(mine)));
  });

  const first = look();
  await new Promise(setImmediate);
  const [second, third] = [look(), look()];
  await new Promise(setImmediate);
  expect(begun).toBe(1);
  gates[0]?.();
  expect(await first).toBe(1);
  await new Promise(setImmediate);
  gates[1]?.();

  expect(await Promise.all([second, third])).toEqual([2, 2]);
});

test('a look that fails does not fail the next one', async () => {
  let times = 0;
  const look = shareLooks(async () => {
    if (++times === 1) throw new Error('away');
    return times;
  });

  await expect(look()).rejects.toThrow('away');
  expect(await look()).toBe(2);
});

const rule = {
  key: 'main', kind: 'ClusterImageSetMirror' as const, name: 'main', uid: 'uid-of-main', generation: 1, labels: {}, annotations: {}, finalizers: [], status: {},
  spec: { filter: { include: [{ image: '.*' }] }, mirrors: [{ registry: 'registry.example.com', path: '/mirror' }] },
};

function looking(cluster: FreshDeps['cluster'], workloads: boolean): Promise<Awaited<ReturnType<typeof freshPicture>>> {
  const settings = { platforms: [], retentionMs: 0, skip: { labels: [], annotations: [], namespaces: [] } };
  return freshPicture({ cluster, translate: { installNamespace: 'kuik-system' }, settings, v1ProxyPort: 7439, workloads });
}

describe('a fresh look at a cluster with a suspended CronJob', () => {
  const copy = { destination: place, publishAs: imageName(knownImageRef(place)), image: nginx, digest: digestOf('a') };

  test.each<[string, { readonly image: string; readonly workloads: boolean; readonly isRecorded?: boolean }, object]>([
    ['finds its image in use', { image: nginx, workloads: true }, { isClaimed: true }],
    ['also where no record knows the copy', { image: nginx, workloads: true, isRecorded: false }, { isClaimed: true }],
    ['finds it pulling from a copy that it names', { image: place, workloads: true }, { pulledBy: 'cronjob shop/nightly' }],
    ['does not ask for it while templates do not count', { image: place, workloads: false }, { isClaimed: false }],
  ])('%s', async (_sentence, { image, workloads, isRecorded = true }, use) => {
    const cluster = new MemoryCluster();
    cluster.put('ClusterImageSetMirror', rule);
    if (isRecorded) cluster.put('ImageAvailability', aRecord({ image: nginx, pods: 0, places: [aCopy(place, { digest: digestOf('a') })] }));
    cluster.put('CronJob', aTemplate('CronJob', { name: 'nightly', images: { job: image } }));

    const found = useOf(copy, await looking(cluster, workloads));

    expect(found).toMatchObject(use);
    if (!workloads) expect(found.pulledBy).toBeUndefined();
  });

  test('says nothing at all when a kind of workload cannot be listed', async () => {
    const cluster = new MemoryCluster();
    const denied = new Failure({ code: 'denied', side: 'cluster', message: 'not allowed to list jobs: grant verb list on jobs in API group batch' });
    const list: FreshDeps['cluster']['list'] = (kind) => (kind === 'Job' ? Promise.reject(denied) : cluster.list(kind));

    await expect(looking({ list }, true)).rejects.toBe(denied);
    await expect(looking({ list }, false)).resolves.toBeDefined();
  });
});
