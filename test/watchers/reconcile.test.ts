import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { Failure } from '../../src/domain/failure.js';
import { imageName, knownImageRef, type ImageName, type PlaceId } from '../../src/domain/image-ref.js';
import type { WantedCopy } from '../../src/domain/mirror.js';
import type { PlaceRecord, RecordUsage } from '../../src/domain/record.js';
import { workloadKinds } from '../../src/domain/usage.js';
import { NamespacesView } from '../../src/views/namespaces.js';
import { NodesView } from '../../src/views/nodes.js';
import { RecordsView } from '../../src/views/records.js';
import { RulesView } from '../../src/views/rules.js';
import { UsageView } from '../../src/views/usage.js';
import { WorkloadsView } from '../../src/views/workloads.js';
import { Requests } from '../../src/watchers/requests.js';
import { Reconciler } from '../../src/watchers/reconcile.js';
import { awaitedViews, unsyncedViews, watchCluster, type Views } from '../../src/watchers/watch.js';
import { aPod, aTemplate, selecting } from '../support/builders.js';
import { digestOf } from '../support/keeper.js';

const nginx = imageName(knownImageRef('nginx:1.27'));
const copy = 'registry.example.com/mirror/library/nginx:1.27' as PlaceId;
const rule = {
  key: 'main', kind: 'ClusterImageSetMirror' as const, name: 'main', uid: 'uid-of-main', generation: 1, labels: {}, annotations: {}, finalizers: [], status: {},
  spec: { filter: { include: [{ image: '.*' }] }, mirrors: [{ registry: 'registry.example.com', path: '/mirror' }] },
};

/** The watchers over a cluster in memory; claims are noted instead of sent. */
class Bench {
  readonly cluster = new MemoryCluster();
  readonly views = { rules: new RulesView(), records: new RecordsView(), namespaces: new NamespacesView(), usage: new UsageView({ v1ProxyPort: 7439 }) } satisfies Views;
  readonly nodes = new NodesView();
  readonly workloads = new WorkloadsView({ v1ProxyPort: 7439 });
  readonly writes: RecordUsage[] = [];
  wanted: ReadonlyMap<PlaceId, WantedCopy> = new Map();
  released: readonly PlaceId[] = [];
  purged: ReadonlySet<PlaceId> = new Set();
  readonly askedAgain: PlaceId[] = [];
  failing: Failure | undefined;
  hold: () => Promise<void> = async () => undefined;
  reports = 0;
  now = Date.parse('2026-11-20T12:00:00Z');
  readonly #end = new AbortController();
  readonly reconciler = new Reconciler({
    cluster: {
      applyUsage: async (usage) => {
        if (this.failing !== undefined) throw this.failing;
        this.writes.push(usage);
        await this.cluster.applyUsage(usage);
      },
      deleteRecord: (image) => this.cluster.deleteRecord(image),
      changePlace: (image, reference, manager, change) => this.cluster.changePlace(image, reference, manager, change),
    },
    ...this.views,
    namespaceLabels: (namespace) => this.views.namespaces.labels(namespace),
    settings: { platforms: [{ architecture: 'amd64' }], retentionMs: 1000, skip: { labels: [selecting('skip=me')], annotations: [], namespaces: [] } },
    claims: {
      want: (wanted, released, purged) => {
        this.wanted = wanted;
        this.released = released;
        this.purged = purged;
      },
    },
    nodePlatforms: () => this.nodes.platforms(),
    workloads: this.workloads,
    tellAgain: (destinations) => this.askedAgain.push(...destinations),
    hold: () => this.hold(),
    report: async () => void (this.reports += 1),
    now: () => this.now,
  });

  async start(): Promise<void> {
    void watchCluster(this.cluster, { ...this.views, nodes: this.nodes, workloads: this.workloads }, { installNamespace: 'kuik-system' }, this.#end.signal);
    await this.cluster.settle();
  }

  async pass(): Promise<void> {
    await this.cluster.settle();
    await this.reconciler.pass();
    await this.cluster.settle();
  }

  /** What a keeper writes of the copy. */
  async tell(what: Partial<PlaceRecord>): Promise<void> {
    await this.cluster.changePlace(nginx, copy as string as ImageName, 'kuik-mirror', (place) => ({ ...place, ...what }));
  }

  async record(image: ImageName = nginx): Promise<Awaited<ReturnType<MemoryCluster['record']>>> {
    return this.cluster.record(image);
  }
}

let bench: Bench;
beforeEach(async () => {
  bench = new Bench();
  await bench.start();
});

describe('the watchers', () => {
  test('are complete once every view has its first list', () => {
    expect(unsyncedViews(bench.views)).toEqual([]);
  });

  test('wait for every kind of workload where templates count', () => {
    const workloads = new WorkloadsView({ v1ProxyPort: 7439 });
    for (const kind of workloadKinds) {
      expect(awaitedViews({ ...bench.views, workloads })).toEqual(['workloads']);
      workloads.apply(kind, { type: 'synced' });
    }
    expect(awaitedViews({ ...bench.views, workloads })).toEqual([]);
  });

  test('make a record of an image in use, then claim its copy', async () => {
    bench.cluster.put('ClusterImageSetMirror', rule);
    bench.cluster.put('Pod', aPod());

    await bench.pass();

    expect(await bench.record()).toMatchObject({ pods: 1, places: [{ reference: nginx, role: 'origin' }, { reference: copy, role: 'mirror' }] });
    expect([...bench.wanted.keys()]).toEqual([copy]);
  });

  test.each([
    ['labelled with a skipped label', { labels: { skip: 'me' } }],
    ['with the opt-out of v1', { labels: { 'kube-image-keeper.enix.io/image-caching-policy': 'ignore' } }],
    ['with our own opt-out', { labels: { 'kuik.enix.io/ignore': 'true' } }],
  ])('leave a Pod alone that is %s', async (_what, pod) => {
    bench.cluster.put('ClusterImageSetMirror', rule);
    bench.cluster.put('Pod', aPod(pod));

    await bench.pass();

    expect(await bench.record()).toBeUndefined();
    expect(bench.wanted.size).toBe(0);
  });

  test('report what they see although a rule cannot be let go, and say so at the end', async () => {
    bench.cluster.put('Pod', aPod());
    bench.hold = () => Promise.reject(new Error('a finalizer cannot be taken off'));

    await expect(bench.pass()).rejects.toThrow('a finalizer cannot be taken off');

    expect(bench.reports).toBe(1);
  });

  test('write nothing when nothing changed', async () => {
    bench.cluster.put('Pod', aPod());
    await bench.pass();
    await bench.pass(); // sees its own record
    const before = bench.writes.length;

    await bench.pass();

    expect(bench.writes).toHaveLength(before);
  });

  test('make a deleted record again', async () => {
    bench.cluster.put('Pod', aPod());
    await bench.pass();
    await bench.cluster.deleteRecord(nginx);

    await bench.pass();

    expect(await bench.record()).toMatchObject({ pods: 1 });
  });

  test('have a keeper tell again when its record stays silent about a wanted copy', async () => {
    bench.cluster.put('ClusterImageSetMirror', rule);
    bench.cluster.put('Pod', aPod());
    await bench.pass();
    bench.now += 29_000; // a new copy speaks within seconds
    await bench.pass();
    expect(bench.askedAgain).toEqual([]);

    bench.now += 2_000;
    await bench.pass();
    await bench.pass();

    expect(bench.askedAgain).toEqual([copy]);
  });

  describe('with what checks saw', () => {
    const check = (reference: string, what: Partial<PlaceRecord>): Promise<unknown> => bench.cluster.changePlace(nginx, reference as ImageName, 'kuik-monitor', (place) => ({ ...place, ...what }));
    const seen = { state: 'Available', checkedAt: '2026-11-20T11:00:00Z', identity: 'anonymous' } as const;
    const critical = { ...rule, kind: 'ClusterImageSetAvailability' as const, key: 'critical', name: 'critical', uid: 'uid-of-critical', spec: { filter: { include: [{ image: '.*' }] } } };
    const copied = { workflowId: 'task/a', mirroredAt: '2026-11-20T10:00:00Z', triedAt: '2026-11-20T10:00:00Z', digest: digestOf('a'), sourceDigest: digestOf('a') };

    async function mirrored(drift: string): Promise<void> {
      bench.cluster.put('ClusterImageSetMirror', { ...rule, spec: { ...rule.spec, drift } });
      bench.cluster.put('ClusterImageSetAvailability', critical);
      bench.cluster.put('Pod', aPod());
      await bench.pass();
      await bench.tell(copied);
    }

    test.each([
      ['ask the keeper of a copy whose origin moved, where the rule minds', 'warn', 1],
      ['ask nobody where it does not', 'keep', 0],
    ])('%s, once', async (_sentence, drift, times) => {
      await mirrored(drift);
      await check(nginx, { ...seen, digest: digestOf('b') });
      await bench.pass();
      await bench.pass();

      expect(bench.askedAgain).toEqual(Array.from({ length: times }, () => copy));
    });

    test('ask again when the origin moves once more, and not when it is back', async () => {
      await mirrored('sync');
      for (const letter of ['b', 'c', 'a'] as const) {
        await check(nginx, { ...seen, digest: digestOf(letter) });
        await bench.pass();
      }

      expect(bench.askedAgain).toEqual([copy, copy]);
    });

    test('ask the keeper of a copy that was not found, until it was made again', async () => {
      await mirrored('keep');
      bench.cluster.put('Pod', aPod({ name: 'sent', images: { web: copy } }));
      await check(copy, { ...seen, state: 'NotFound' });
      await bench.pass();
      await bench.pass();
      await bench.tell({ ...copied, triedAt: '2026-11-20T11:30:00Z' });
      await bench.pass();

      expect(bench.askedAgain).toEqual([copy]);
    });

    test('take back what was found when nobody tracks the image any more, and leave what a copy saw', async () => {
      await mirrored('keep');
      await check(nginx, seen);
      await bench.pass();
      expect((await bench.record())?.trackedBy).toEqual(['critical']);
      bench.cluster.remove('ClusterImageSetAvailability', 'critical');
      await bench.pass();

      const { trackedBy, places } = (await bench.record())!;
      expect(trackedBy).toBeUndefined();
      expect(places[0]).toEqual({ reference: nginx, role: 'origin' });
      expect(places[1]).toMatchObject(copied);

      await check(nginx, { ...seen, identity: undefined });
      await bench.pass();
      expect((await bench.record())?.places[0]).toMatchObject({ state: 'Available' });
    });
  });

  test('ask no keeper whose record says that the copy began, exists or failed', async () => {
    bench.cluster.put('ClusterImageSetMirror', rule);
    bench.cluster.put('Pod', aPod());
    await bench.pass();
    await bench.cluster.changePlace(nginx, copy as string as ImageName, 'kuik-mirror', (place) => ({ ...place, workflowId: `task/${copy}` }));
    bench.now += 60_000;

    await bench.pass();

    expect(bench.askedAgain).toEqual([]);
  });

  test('make no record of the copy a Pod was routed to: it is a place of its image', async () => {
    bench.cluster.put('ClusterImageSetMirror', rule);
    bench.cluster.put('Pod', aPod());
    await bench.pass();
    await bench.cluster.changePlace(nginx, copy as string as ImageName, 'kuik-mirror', (place) => ({ ...place, mirroredAt: '2026-11-20T11:00:00Z' }));
    bench.cluster.put('Pod', aPod({ name: 'web-2', images: { web: copy }, annotations: { 'kuik.enix.io/original-images': '{"web":"nginx:1.27"}' } }));

    await bench.pass();

    expect(await bench.record(copy as string as ImageName)).toBeUndefined();
    expect(await bench.record()).toMatchObject({ pods: 2 });
  });

  test('stamp the time when the last Pod is gone, and release the claim', async () => {
    bench.cluster.put('ClusterImageSetMirror', { ...rule, spec: { ...rule.spec, cleanup: { enabled: true } } });
    bench.cluster.put('Pod', aPod());
    await bench.pass();
    bench.cluster.remove('Pod', 'shop/web-1');

    await bench.pass();

    expect(await bench.record()).toMatchObject({ pods: 0, unusedSince: '2026-11-20T12:00:00.000Z' });
    expect(bench.released).toEqual([copy]);
  });

  describe('of workloads that have no Pods', () => {
    const cleaning = { ...rule, spec: { ...rule.spec, cleanup: { enabled: true } } };
    const usedOnce = async (): Promise<void> => {
      bench.cluster.put('ClusterImageSetMirror', cleaning);
      bench.cluster.put('Pod', aPod());
      await bench.pass();
      await bench.cluster.changePlace(nginx, copy as string as ImageName, 'kuik-mirror', (place) => ({ ...place, mirroredAt: '2026-11-20T11:00:00Z', digest: digestOf('a') }));
      bench.cluster.remove('Pod', 'shop/web-1');
    };

    test.each(workloadKinds)('keep record and claim for the template of a %s, count Pods only, and end both with it', async (kind) => {
      bench.cluster.put(kind, aTemplate(kind, { name: 'nightly', images: { job: 'nginx:1.27' } }));
      await usedOnce();
      await bench.pass();

      expect(bench.writes.at(-1)).toMatchObject({ image: nginx, pods: 0, mirrors: '1/1' });
      expect((await bench.record())?.unusedSince).toBeUndefined();
      expect([[...bench.wanted.keys()], bench.released]).toEqual([[copy], []]);

      bench.cluster.remove(kind, 'shop/nightly');
      await bench.pass();
      expect(await bench.record()).toMatchObject({ pods: 0, unusedSince: '2026-11-20T12:00:00.000Z' });
      expect([[...bench.wanted.keys()], bench.released]).toEqual([[], [copy]]);
    });

    test('clear the time when a template comes back to an image nobody used', async () => {
      await usedOnce();
      await bench.pass();
      expect((await bench.record())?.unusedSince).toBeDefined();

      bench.cluster.put('CronJob', aTemplate('CronJob', { images: { job: 'nginx:1.27' } }));
      await bench.pass();

      expect((await bench.record())?.unusedSince).toBeUndefined();
      expect([...bench.wanted.keys()]).toEqual([copy]);
    });

    test('keep a copy that a template names by itself, for the image it is a copy of', async () => {
      bench.cluster.put('Deployment', aTemplate('Deployment', { images: { web: copy } }));
      await usedOnce();
      await bench.pass();

      expect((await bench.record())?.unusedSince).toBeUndefined();
      expect(await bench.record(copy as string as ImageName)).toBeUndefined();
      expect([...bench.wanted.values()]).toMatchObject([{ destination: copy, image: nginx, rests: true }]);
    });

    test.each<[string, Parameters<typeof aTemplate>[1]]>([
      ['whose image no Pod has used', { images: { job: 'nginx:1.27' } }],
      ['that names a copy no Pod has brought in', { images: { job: copy } }],
    ])('bring in nothing for a template %s', async (_which, pod) => {
      bench.cluster.put('ClusterImageSetMirror', cleaning);
      bench.cluster.put('CronJob', aTemplate('CronJob', pod));

      await bench.pass();

      expect([bench.writes, bench.wanted.size]).toEqual([[], 0]);
    });

    test('leave a template alone that opted out', async () => {
      bench.cluster.put('CronJob', aTemplate('CronJob', { labels: { skip: 'me' }, images: { job: 'nginx:1.27' } }));
      await usedOnce();
      await bench.pass();

      expect(await bench.record()).toMatchObject({ unusedSince: '2026-11-20T12:00:00.000Z' });
      expect(bench.wanted.size).toBe(0);
    });
  });

  test('keep claiming a copy that a Pod runs from when its rule, its record and its filter are gone', async () => {
    const sent = { 'kuik.enix.io/original-images': '{"web":"nginx:1.27"}', 'kuik.enix.io/rewritten-by': '{"web":"ImageSetMirror/gone"}' };
    bench.cluster.put('Pod', aPod({ images: { web: copy }, annotations: sent, labels: { skip: 'me' } }));

    await bench.pass();

    expect([...bench.wanted.values()]).toMatchObject([{ destination: copy, image: nginx, rule: 'ImageSetMirror/shop/gone', rests: true }]);
  });

  test('forget what was written of a place that left its record', async () => {
    bench.cluster.put('ClusterImageSetMirror', rule);
    bench.cluster.put('Pod', aPod());
    await bench.pass();
    await bench.cluster.changePlace(nginx, copy as string as ImageName, 'kuik-mirror', (place) => ({ ...place, mirroredAt: '2026-11-20T11:00:00Z', bytes: 7 }));
    await bench.cluster.changePlace(nginx, copy as string as ImageName, 'kuik-monitor', (place) => ({ ...place, state: 'Available' }));
    bench.cluster.put('ClusterImageSetMirror', { ...rule, generation: 2, spec: { ...rule.spec, mirrors: [] } });

    await bench.pass();
    expect(bench.released).toEqual([copy]);
    await bench.pass();

    expect((await bench.record())?.places.map(({ reference }) => reference)).toEqual([nginx]);
  });

  test('give an unused copy whose keeper is lost a new one, and then release it', async () => {
    bench.cluster.put('ClusterImageSetMirror', { ...rule, spec: { ...rule.spec, cleanup: { enabled: true } } });
    bench.cluster.put('Pod', aPod());
    await bench.pass();
    await bench.cluster.changePlace(nginx, copy as string as ImageName, 'kuik-mirror', (place) => ({ ...place, mirroredAt: '2026-11-20T11:00:00Z', digest: `sha256:${'a'.repeat(64)}` as never }));
    bench.cluster.remove('Pod', 'shop/web-1');
    await bench.pass();
    expect(bench.released).toEqual([copy]);

    bench.reconciler.adopt(copy);
    await bench.pass();
    expect([...bench.wanted.keys()]).toEqual([copy]);
    bench.now += 11 * 60_000;
    await bench.pass();

    expect(bench.released).toEqual([copy]);
  });

  test('release a copy that was given a new keeper as soon as that has looked, and at once where its rule is purged', async () => {
    bench.cluster.put('ClusterImageSetMirror', { ...rule, annotations: { 'kuik.enix.io/purge': 'true' } });
    bench.cluster.put('Pod', aPod());
    await bench.pass();
    await bench.tell({ mirroredAt: '2026-11-20T11:00:00Z', triedAt: '2026-11-20T11:00:00Z', digest: `sha256:${'a'.repeat(64)}` as never });
    bench.cluster.put('ClusterImageSetMirror', { ...rule, generation: 2, annotations: { 'kuik.enix.io/purge': 'true' }, deletionTimestamp: '2026-11-20T11:59:00Z', finalizers: ['kuik.enix.io/mirror-cleanup'] });
    bench.cluster.remove('Pod', 'shop/web-1');
    await bench.pass();
    expect(bench.released).toEqual([copy]);

    bench.reconciler.adopt(copy);
    await bench.pass();
    expect([...bench.wanted.values()]).toMatchObject([{ destination: copy, cleanup: true, retentionMs: 0, isAdopted: true }]);
    await bench.tell({ mirroredAt: '2026-11-20T11:00:00Z', triedAt: '2026-11-20T12:00:30Z', digest: `sha256:${'a'.repeat(64)}` as never });
    await bench.pass();

    expect([[...bench.wanted.keys()], bench.released, [...bench.purged]]).toEqual([[], [copy], [copy]]);
  });

  test('want the platforms of nodes, too, for mirrors without platforms of their own, also after such a node has gone', async () => {
    const mirrors = [{ registry: 'registry.example.com', path: '/mirror' }, { registry: 'own.example.com', platforms: [{ architecture: 'amd64' }] }];
    bench.cluster.put('ClusterImageSetMirror', { ...rule, spec: { ...rule.spec, mirrors } });
    bench.cluster.put('Pod', aPod());
    bench.cluster.put('Node', { name: 'amd', platform: { os: 'linux', architecture: 'amd64' } });
    bench.cluster.put('Node', { name: 'arm', platform: { os: 'linux', architecture: 'arm64' } });
    bench.cluster.put('Node', { name: 'silent', platform: { os: '', architecture: '' } });
    await bench.cluster.settle();
    bench.cluster.remove('Node', 'arm');

    await bench.pass();

    expect([...bench.wanted.values()].map(({ platforms }) => platforms)).toEqual([[{ architecture: 'amd64' }, { os: 'linux', architecture: 'arm64' }], [{ architecture: 'amd64' }]]);
  });

  test('still claim what they can when a record cannot be written, and try again', async () => {
    bench.cluster.put('ClusterImageSetMirror', rule);
    bench.cluster.put('Pod', aPod());
    bench.failing = new Failure({ code: 'unreachable', side: 'cluster', message: 'api server gone' });

    await expect(bench.pass()).rejects.toBe(bench.failing);
    expect([...bench.wanted.keys()]).toEqual([copy]);

    bench.failing = undefined;
    await bench.pass();
    expect(await bench.record()).toMatchObject({ pods: 1 });
  });

  test('keep a broken rule out of the way of the others', async () => {
    bench.cluster.put('ClusterImageSetMirror', { ...rule, key: 'bad', name: 'bad', uid: 'uid-of-bad', spec: { filter: { include: [{ image: '(' }] }, mirrors: [{ registry: 'bad.example.com' }] } });
    bench.cluster.put('ClusterImageSetMirror', rule);
    bench.cluster.put('Pod', aPod());

    await bench.pass();

    expect([...bench.wanted.keys()]).toEqual([copy]);
  });
});

describe('a request on a record', () => {
  let checks: ImageName[];
  const noted = async (image: ImageName): Promise<void> => void checks.push(image);
  beforeEach(() => {
    checks = [];
  });

  async function ask(): Promise<void> {
    bench.cluster.put('ClusterImageSetMirror', rule);
    bench.cluster.put('Pod', aPod());
    await bench.pass();
    await bench.cluster.annotateRecord(nginx, { 'kuik.enix.io/requested-at': '2026-11-20T12:00:00Z' });
    await bench.cluster.settle();
  }

  test('becomes a retry of its copies, and is taken off', async () => {
    await ask();
    const retried: PlaceId[] = [];

    await new Requests().carryOut({ ...bench.views, cluster: bench.cluster, check: noted, retry: async (place) => void retried.push(place) });

    expect(retried).toEqual([copy]);
    expect((await bench.record())?.requestedAt).toBeUndefined();
    expect(checks).toEqual([]); // nobody tracks it
  });

  test('of a tracked image has it checked as well, before its turn', async () => {
    const spec = { filter: { include: [{ image: '.*' }] } };
    bench.cluster.put('ClusterImageSetAvailability', { ...rule, kind: 'ClusterImageSetAvailability', key: 'critical', name: 'critical', uid: 'uid-of-critical', spec });
    await ask();

    await new Requests().carryOut({ ...bench.views, cluster: bench.cluster, check: noted, retry: async () => undefined });

    expect(checks).toEqual([nginx]);
  });

  test('is carried out once, although the watch still shows it at the next pass', async () => {
    await ask();
    const retried: PlaceId[] = [];
    const deps = { records: { snapshot: () => snapshot }, cluster: bench.cluster, check: noted, retry: async (place: PlaceId) => void retried.push(place) };
    const snapshot = bench.views.records.snapshot();
    const requests = new Requests();

    await requests.carryOut(deps);
    await requests.carryOut(deps);

    expect(retried).toEqual([copy]);
  });

  test('that was made again while it was carried out stays', async () => {
    await ask();
    const again = async (): Promise<void> => void (await bench.cluster.annotateRecord(nginx, { 'kuik.enix.io/requested-at': '2026-11-20T12:00:01Z' }));

    await new Requests().carryOut({ ...bench.views, cluster: bench.cluster, check: noted, retry: again });

    expect((await bench.record())?.requestedAt).toBe('2026-11-20T12:00:01Z');
  });

  test('of one image that fails holds up no other', async () => {
    const other = imageName(knownImageRef('redis:8'));
    bench.cluster.put('Pod', aPod({ name: 'other', images: { web: 'redis:8' } }));
    await ask();
    await bench.cluster.annotateRecord(other, { 'kuik.enix.io/requested-at': '2026-11-20T12:00:00Z' });
    await bench.cluster.settle();
    const away = new Failure({ code: 'unreachable', side: 'cluster', message: 'temporal gone' });

    const asking = new Requests().carryOut({ ...bench.views, cluster: bench.cluster, check: noted, retry: (place) => (place === copy ? Promise.reject(away) : Promise.resolve()) });

    await expect(asking).rejects.toBe(away);
    expect((await bench.cluster.record(other))?.requestedAt).toBeUndefined();
  });

  test('stays while the keeper cannot be reached', async () => {
    await ask();
    const away = new Failure({ code: 'unreachable', side: 'cluster', message: 'temporal gone' });

    await expect(new Requests().carryOut({ ...bench.views, cluster: bench.cluster, check: noted, retry: () => Promise.reject(away) })).rejects.toBe(away);

    expect((await bench.record())?.requestedAt).toBe('2026-11-20T12:00:00Z');
  });
});
