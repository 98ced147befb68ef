import { describe, expect, test } from '@jest/globals';
import type { Change, Cluster, Watched, WatchedKind } from '../../src/cluster/cluster.js';
import { recordName } from '../../src/cluster/record-name.js';
import { imageName, knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import type { PlaceRecord, RecordUsage } from '../../src/domain/record.js';
import { workloadKinds, type WorkloadKind } from '../../src/domain/usage.js';
import { until } from '../support/until.js';
import { someCertificates } from './certificates.js';

/** A cluster under test, and what a user or a controller does to it without us. */
export interface ClusterBench {
  readonly cluster: Cluster;
  /** another connection, as another replica has */
  another(): Cluster;
  createPod(name: string, images: Readonly<Record<string, string>>): Promise<void>;
  deletePod(name: string): Promise<void>;
  /** without Pods: suspended, or scaled to zero */
  createWorkload(kind: WorkloadKind, name: string, images: Readonly<Record<string, string>>): Promise<void>;
  deleteWorkload(kind: WorkloadKind, name: string): Promise<void>;
  createNamespace(name: string, labels: Readonly<Record<string, string>>): Promise<void>;
  createNode(name: string, labels: Readonly<Record<string, string>>): Promise<void>;
  /** a ClusterImageSetMirror without mirrors, held by the finalizers named */
  createRule(name: string, finalizers?: readonly string[]): Promise<void>;
  deleteRule(name: string): Promise<void>;
  createSecret(name: string, data: Readonly<Record<string, string>>, labels?: Readonly<Record<string, string>>): Promise<void>;
  events(reason: string): Promise<readonly { readonly note: string; readonly count: number }[]>;
  /** what a chart installs: everything but the authority */
  createWebhook(name: string, timeoutSeconds: number): Promise<void>;
  webhook(name: string): Promise<{ readonly caBundle: string; readonly timeoutSeconds: number } | undefined>;
}

const dockerConfig = 'kubernetes.io/dockerconfigjson';
const emptyConfig = '{"auths":{}}';

/**
 * What every cluster does, real or in memory.
 *
 * @param bench made once, before the first test; tests share it and use names of their own
 */
export function clusterConformance(bench: () => ClusterBench): void {
  describe('watching', () => {
    test('delivers what is there, then that it is complete, then changes and deletions', async () => {
      await bench().createPod('first', { web: 'nginx:1.27' });
      const seen = new Seen(bench().cluster, 'Pod');
      await seen.synced;
      expect(seen.objects.get('default/first')?.usages.map(({ written }) => written)).toEqual(['nginx:1.27']);

      await bench().createPod('second', { web: 'redis:7' });
      await until(() => seen.objects.has('default/second'));
      await bench().deletePod('first');
      await until(() => !seen.objects.has('default/first'));

      const changes = seen.changes.filter((change) => change.type === 'synced' || /\/(?:first|second)$/.test(change.key));
      expect(changes[0]).toMatchObject({ type: 'put', key: 'default/first' });
      expect(changes[1]).toEqual({ type: 'synced' });
      expect(changes.at(-1)).toEqual({ type: 'gone', key: 'default/first' });
      await seen.stop();
      await bench().deletePod('second');
    });

    test('two watchers see the same, whenever they come', async () => {
      await bench().createNamespace('early', { team: 'a' });
      const first = new Seen(bench().cluster, 'Namespace');
      await first.synced;
      await bench().createNamespace('late', { team: 'b' });
      const second = new Seen(bench().another(), 'Namespace');
      await second.synced;
      await until(() => first.objects.has('late'));

      expect(second.objects).toEqual(first.objects);
      expect(first.objects.get('early')?.labels).toMatchObject({ team: 'a' });
      await Promise.all([first.stop(), second.stop()]);
    });

    test('tells how it stands', async () => {
      const seen = new Seen(bench().cluster, 'Namespace');
      await seen.synced;
      await until(() => bench().cluster.watchHealth().some(({ kind, connected }) => kind === 'Namespace' && connected));
      const health = bench().cluster.watchHealth().find(({ kind }) => kind === 'Namespace');

      expect(health).toMatchObject({ connected: true, objects: seen.objects.size, handlerErrors: 0, unreadable: 0 });
      expect(health?.listedAt).toBeGreaterThan(0);
      expect(health?.steadySince).toBeGreaterThan(0);
      await seen.stop();
      expect(bench().cluster.watchHealth()).toEqual([]);
    });

    test('a handler that throws neither stops its watch nor disturbs another', async () => {
      const stop = new AbortController();
      const bad = bench().cluster.watch('Namespace', (change) => {
        if (change.type === 'put') throw new Error('a mistake');
      }, stop.signal);
      const good = new Seen(bench().cluster, 'Namespace');
      await good.synced;
      await bench().createNamespace('after-the-mistake', {});
      await until(() => good.objects.has('after-the-mistake'));

      expect(bench().cluster.watchHealth().some(({ handlerErrors }) => handlerErrors > 0)).toBe(true);
      stop.abort();
      await Promise.all([bad, good.stop()]);
    });

    test('reads rules no further than their envelope, and nodes as platforms', async () => {
      await bench().createRule('watched', ['example.com/hold']);
      await bench().createNode('worker', { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'arm64' });
      const rules = new Seen(bench().cluster, 'ClusterImageSetMirror');
      const nodes = new Seen(bench().cluster, 'Node');
      await Promise.all([rules.synced, nodes.synced]);

      expect(rules.objects.get('watched')).toMatchObject({ kind: 'ClusterImageSetMirror', name: 'watched', generation: 1, finalizers: ['example.com/hold'] });
      expect(rules.objects.get('watched')?.spec).toBeDefined();
      expect(nodes.objects.get('worker')).toEqual({ name: 'worker', platform: { os: 'linux', architecture: 'arm64' } });

      await bench().deleteRule('watched');
      await until(() => rules.objects.get('watched')?.deletionTimestamp !== undefined);
      await bench().cluster.setFinalizer({ kind: 'ClusterImageSetMirror', name: 'watched' }, 'example.com/hold', false);
      await until(() => !rules.objects.has('watched'));
      await Promise.all([rules.stop(), nodes.stop()]);
    });
  });

  describe('workloads', () => {
    test.each(workloadKinds)('of kind %s are read as the Pods they would make, listed and watched', async (kind) => {
      await bench().createWorkload(kind, 'first', { job: 'nginx:1.27', log: 'busybox:1' });
      const seen = new Seen(bench().cluster, kind);
      await seen.synced;
      await bench().createWorkload(kind, 'second', { job: 'redis:7' });
      await until(() => seen.objects.has('default/second'));

      const [first] = (await bench().cluster.list(kind)).filter(({ name }) => name === 'first');
      expect(first).toMatchObject({ key: 'default/first', namespace: 'default', workload: kind, labels: { app: 'first' } });
      expect(first?.labels).not.toHaveProperty('of');
      expect(first?.usages.map(({ written }) => written)).toEqual(['nginx:1.27', 'busybox:1']);
      expect(seen.objects.get('default/first')).toEqual(first);

      for (const name of ['first', 'second']) await bench().deleteWorkload(kind, name);
      await until(() => !seen.objects.has('default/first') && !seen.objects.has('default/second'));
      await seen.stop();
    });
  });

  describe('reading', () => {
    test('an absent object is an answer', async () => {
      expect(await bench().cluster.pod('default', 'nobody')).toBeUndefined();
      expect(await bench().cluster.secret({ namespace: 'default', name: 'nothing' })).toBeUndefined();
      expect(await bench().cluster.record(named('nobody/uses:this'))).toBeUndefined();
    });

    test('a Pod is read as it is now', async () => {
      await bench().createPod('read', { web: 'nginx:1.27', log: 'busybox' });

      expect((await bench().cluster.pod('default', 'read'))?.usages.map(({ key }) => key)).toEqual(['web', 'log']);
      expect((await bench().cluster.list('Pod')).map(({ key }) => key)).toContain('default/read');
      await bench().deletePod('read');
      expect((await bench().cluster.list('Pod')).map(({ key }) => key)).not.toContain('default/read');
    });

    test('of one namespace only its own objects are listed and watched', async () => {
      await bench().createPod('near', { web: 'nginx:1.27' });
      const [here, elsewhere] = [new Seen(bench().cluster, 'Pod', 'default'), new Seen(bench().cluster, 'Pod', 'kube-system')];
      await Promise.all([here.synced, elsewhere.synced]);
      await bench().createPod('nearer', { web: 'nginx:1.27' });
      await until(() => here.objects.has('default/nearer'));

      expect(here.objects.has('default/near')).toBe(true);
      expect(elsewhere.objects.size).toBe(0);
      expect((await bench().cluster.list('Pod', 'default')).map(({ key }) => key)).toEqual(expect.arrayContaining(['default/near', 'default/nearer']));
      expect(await bench().cluster.list('Pod', 'kube-system')).toEqual([]);

      for (const name of ['near', 'nearer']) await bench().deletePod(name);
      await Promise.all([here.stop(), elsewhere.stop()]);
    });

    test('a namespace has an identity that stays', async () => {
      const uid = await bench().cluster.namespaceUid('kube-system');

      expect(uid).not.toBe('');
      expect(await bench().another().namespaceUid('kube-system')).toBe(uid);
      await expect(bench().cluster.namespaceUid('no-such-namespace')).rejects.toMatchObject({ code: 'missing', side: 'cluster' });
    });
  });

  describe('records', () => {
    test('give back the conditions that were written, so that unchanged ones keep their time', async () => {
      const image = named('conditions.example.com/a:1');
      const conditions = [{ type: 'Mirrored', status: 'True', reason: 'Mirrored', message: 'held', lastTransitionTime: '2026-11-20T10:00:00.000Z' }] as const;

      await bench().cluster.applyUsage(aUsage(image, { conditions }));

      expect((await bench().cluster.record(image))?.conditions).toEqual(conditions);
    });

    test('are made, changed and removed by what the watchers see', async () => {
      const image = named('nginx:1.27');
      const seen = new Seen(bench().cluster, 'ImageAvailability');
      await seen.synced;
      await bench().cluster.applyUsage(aUsage(image, { pods: 3 }));

      const name = 'docker.io-library-nginx-1.27-6965a10c';
      await until(() => seen.objects.get(name)?.pods === 3);
      await bench().cluster.applyUsage(aUsage(image, { pods: 0, unusedSince: '2026-11-20T10:00:00Z' }));
      expect(await bench().cluster.record(image)).toMatchObject({ name, image, pods: 0, unusedSince: '2026-11-20T10:00:00Z', places: [{ reference: image, role: 'origin' }] });

      await bench().cluster.applyUsage(aUsage(image, { pods: 1 }));
      expect((await bench().cluster.record(image))?.unusedSince).toBeUndefined();

      await bench().cluster.deleteRecord(image);
      await until(() => !seen.objects.has(name));
      await bench().cluster.deleteRecord(image);
      await seen.stop();
    });

    test('nobody disturbs a field of another', async () => {
      const image = named('acme/api:v1');
      const mirror = named('registry.example.com/mirror/acme/api:v1');
      const rule = 'ClusterImageSetMirror/global';
      const retention = '168h';
      const usage = aUsage(image, { places: [{ reference: image, role: 'origin' }, { reference: mirror, role: 'mirror', rule, retention }] });
      await bench().cluster.applyUsage(usage);

      await bench().cluster.changePlace(image, mirror, 'kuik-mirror', (place) => ({ ...place, role: 'replica', retention: '1h', state: 'NotFound', bytes: 42, mirroredAt: '2026-11-20T10:00:00Z' }));
      await bench().cluster.changePlace(image, mirror, 'kuik-monitor', (place) => ({ ...place, bytes: 1, state: 'Available', checkedAt: '2026-11-20T11:00:00Z', identity: 'anonymous' }));
      await bench().cluster.applyUsage({ ...usage, pods: 7 });

      const record = await bench().cluster.record(image);
      expect(record?.pods).toBe(7);
      expect(record?.places.find(({ reference }) => reference === mirror)).toEqual({
        reference: mirror,
        role: 'mirror',
        rule,
        retention,
        bytes: 42,
        mirroredAt: '2026-11-20T10:00:00Z',
        state: 'Available',
        checkedAt: '2026-11-20T11:00:00Z',
        identity: 'anonymous',
      });
      await bench().cluster.deleteRecord(image);
    });

    test('the digest of a mirror is what a copy published, that of an origin what a check saw', async () => {
      const image = named('acme/digests:v1');
      const mirror = named('registry.example.com/mirror/acme/digests:v1');
      await bench().cluster.applyUsage(aUsage(image, { places: [{ reference: image, role: 'origin' }, { reference: mirror, role: 'mirror' }] }));
      const saying = (letter: string) => (place: PlaceRecord): PlaceRecord => ({ ...place, digest: `sha256:${letter.repeat(64)}` as PlaceRecord['digest'] });

      await bench().cluster.changePlace(image, mirror, 'kuik-mirror', saying('a'));
      expect(await bench().cluster.changePlace(image, mirror, 'kuik-monitor', saying('b'))).toBe('unchanged');
      await bench().cluster.changePlace(image, image, 'kuik-monitor', saying('c'));
      expect(await bench().cluster.changePlace(image, image, 'kuik-mirror', saying('d'))).toBe('unchanged');

      const digests = (await bench().cluster.record(image))?.places.map(({ digest }) => digest?.at(-1)).sort();
      expect(digests).toEqual(['a', 'c']);
      await bench().cluster.deleteRecord(image);
    });

    test('a place of one manager changes without its other places', async () => {
      const image = named('acme/many:v1');
      const mirrors = ['a', 'b', 'c'].map((host) => named(`${host}.example.com/acme/many:v1`));
      await bench().cluster.applyUsage(aUsage(image, { places: mirrors.map((reference) => ({ reference, role: 'mirror' })) }));

      for (const [index, mirror] of mirrors.entries()) await bench().cluster.changePlace(image, mirror, 'kuik-mirror', (place) => ({ ...place, bytes: index + 1 }));
      await bench().cluster.changePlace(image, mirrors[1] ?? image, 'kuik-mirror', ({ reference, role }) => ({ reference, role }));

      expect((await bench().cluster.record(image))?.places.map(({ bytes }) => bytes)).toEqual([1, undefined, 3]);
      await bench().cluster.deleteRecord(image);
    });

    test('a place goes when nobody says anything of it any more', async () => {
      const image = named('acme/gone:v1');
      const mirror = named('registry.example.com/acme/gone:v1');
      await bench().cluster.applyUsage(aUsage(image, { places: [{ reference: image, role: 'origin' }, { reference: mirror, role: 'mirror' }] }));
      await bench().cluster.changePlace(image, mirror, 'kuik-mirror', (place) => ({ ...place, bytes: 42 }));

      await bench().cluster.applyUsage(aUsage(image, {}));
      expect((await bench().cluster.record(image))?.places.map(({ reference }) => reference)).toContain(mirror);
      await bench().cluster.changePlace(image, mirror, 'kuik-mirror', ({ reference }) => ({ reference }));

      expect((await bench().cluster.record(image))?.places.map(({ reference }) => reference)).toEqual([image]);
      await bench().cluster.deleteRecord(image);
    });

    test('what changes nothing is not written, and what is absent is said so', async () => {
      const image = named('acme/same:v1');
      const setBytes = (place: PlaceRecord): PlaceRecord => ({ ...place, bytes: 1, platforms: ['linux/amd64'] });

      expect(await bench().cluster.changePlace(image, image, 'kuik-mirror', setBytes)).toBe('absent');
      await bench().cluster.applyUsage(aUsage(image, {}));
      expect(await bench().cluster.changePlace(image, image, 'kuik-mirror', setBytes)).toBe('changed');
      expect(await bench().cluster.changePlace(image, image, 'kuik-mirror', setBytes)).toBe('unchanged');
      await bench().cluster.deleteRecord(image);
    });

    test('a storm of writers loses no update', async () => {
      const image = named('acme/storm:v1');
      const places = [image, named('a.example.com/storm:v1'), named('b.example.com/storm:v1')];
      await bench().cluster.applyUsage(aUsage(image, { places: places.map((reference) => ({ reference, role: 'mirror' })) }));

      const updates = process.env['FAULT_SIZE'] === 'soak' ? 400 : 50; // of each writer
      const writers = [bench().cluster, bench().another(), bench().another()];
      await Promise.all(
        writers.map(async (writer) => {
          for (let update = 0; update < updates; update += 1) {
            await writer.changePlace(image, places[update % 3] ?? image, 'kuik-mirror', (place) => ({ ...place, bytes: (place.bytes ?? 0) + 1 }));
          }
        }),
      );

      const total = (await bench().cluster.record(image))?.places.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
      expect(total).toBe(3 * updates);
      await bench().cluster.deleteRecord(image);
    });

    test('annotations are set and removed one by one', async () => {
      const image = named('acme/pinned:v1');
      await expect(bench().cluster.annotateRecord(image, { 'kuik.enix.io/keep-until': 'forever' })).rejects.toMatchObject({ code: 'missing' });
      await bench().cluster.applyUsage(aUsage(image, {}));

      await bench().cluster.annotateRecord(image, { 'kuik.enix.io/keep-until': 'forever' });
      await bench().cluster.annotateRecord(image, { 'kuik.enix.io/requested-at': '2026-11-20T10:00:00Z' });
      expect(await bench().cluster.record(image)).toMatchObject({ keepUntil: 'forever', requestedAt: '2026-11-20T10:00:00Z' });

      await bench().cluster.annotateRecord(image, { 'kuik.enix.io/keep-until': undefined });
      expect((await bench().cluster.record(image))?.keepUntil).toBeUndefined();
      expect((await bench().cluster.record(image))?.requestedAt).toBe('2026-11-20T10:00:00Z');
      await bench().cluster.deleteRecord(image);
    });

    test('a dry run of an annotation answers with it, and stores nothing', async () => {
      const image = named('acme/dry:v1');
      await expect(bench().cluster.annotateRecord(image, { 'kuik.enix.io/keep-until': 'forever' }, { dryRun: true })).rejects.toMatchObject({ code: 'missing' });
      await bench().cluster.applyUsage(aUsage(image, {}));

      expect(await bench().cluster.annotateRecord(image, { 'kuik.enix.io/keep-until': 'forever' }, { dryRun: true })).toMatchObject({ image, keepUntil: 'forever' });

      expect((await bench().cluster.record(image))?.keepUntil).toBeUndefined();
      await bench().cluster.deleteRecord(image);
    });

    test('a request is taken off only while it is the one that was seen', async () => {
      const image = named('acme/asked:v1');
      const request = 'kuik.enix.io/requested-at';
      await bench().cluster.takeAnnotation(image, request, 'first');
      await bench().cluster.applyUsage(aUsage(image, {}));
      await bench().cluster.annotateRecord(image, { [request]: 'second', 'kuik.enix.io/keep-until': 'forever' });

      await bench().cluster.takeAnnotation(image, request, 'first');
      expect((await bench().cluster.record(image))?.requestedAt).toBe('second');
      await bench().cluster.takeAnnotation(image, request, 'second');

      expect(await bench().cluster.record(image)).toMatchObject({ keepUntil: 'forever' });
      expect((await bench().cluster.record(image))?.requestedAt).toBeUndefined();
      await bench().cluster.deleteRecord(image);
    });
  });

  describe('ConfigMaps', () => {
    test('hold the keys of several writers, and what people ask for', async () => {
      const ref = { namespace: 'default', name: 'kuik-clusters' };
      await expect(bench().cluster.annotateConfigMap(ref, { 'kuik.enix.io/forget-cluster': 'paris' })).rejects.toMatchObject({ code: 'missing' });
      await bench().cluster.setConfigMap(ref, { 'a.json': '1' });
      await bench().cluster.setConfigMap(ref, { 'b.json': '2' });
      await bench().cluster.setConfigMap(ref, { 'a.json': '3' });

      await bench().cluster.annotateConfigMap(ref, { 'kuik.enix.io/forget-cluster': 'rome' }, { dryRun: true });
      expect(await bench().cluster.configMap(ref)).toEqual({ ...ref, data: { 'a.json': '3', 'b.json': '2' }, annotations: {} });
      await bench().cluster.annotateConfigMap(ref, { 'kuik.enix.io/forget-cluster': 'paris' });
      expect((await bench().cluster.configMap(ref))?.annotations).toEqual({ 'kuik.enix.io/forget-cluster': 'paris' });
      await bench().cluster.annotateConfigMap(ref, { 'kuik.enix.io/forget-cluster': undefined });

      expect((await bench().cluster.configMap(ref))?.annotations).toEqual({});
      expect(await bench().cluster.configMap({ ...ref, name: 'absent' })).toBeUndefined();
    });
  });

  describe('Secrets', () => {
    test('are read with their bytes', async () => {
      await bench().createSecret('readable', { '.dockerconfigjson': emptyConfig });
      const secret = await bench().cluster.secret({ namespace: 'default', name: 'readable' });

      expect(secret).toMatchObject({ namespace: 'default', name: 'readable', type: dockerConfig });
      expect(Buffer.from(secret?.data['.dockerconfigjson'] ?? []).toString()).toBe(emptyConfig);
    });

    test('are made once under a free name, and left as they are under one that is taken', async () => {
      const secret = { namespace: 'default', name: 'once', type: 'Opaque', labels: { 'app.kubernetes.io/managed-by': 'kuik' } };
      const say = (password: string): Promise<'created' | 'present'> => bench().another().createSecret({ ...secret, data: { password: Buffer.from(password) } });

      expect(await say('first')).toBe('created');
      expect(await say('second')).toBe('present');

      const found = await bench().cluster.secret(secret);
      expect(found).toMatchObject({ type: 'Opaque', labels: secret.labels });
      expect(Buffer.from(found?.data['password'] ?? []).toString()).toBe('first');
    });

    test('are made, renewed and removed', async () => {
      const copy = { namespace: 'default', name: 'kuik-copy', type: dockerConfig, labels: { 'kuik.enix.io/owner-uid': 'u1' }, annotations: { 'kuik.enix.io/source': 'a/b' } };
      const ref = { namespace: 'default', name: 'kuik-copy' };
      await bench().cluster.applySecret({ ...copy, data: { '.dockerconfigjson': Buffer.from(emptyConfig) } }, 'kuik-webhook');
      const before = await bench().cluster.secret(ref);
      await bench().cluster.applySecret({ ...copy, data: { '.dockerconfigjson': Buffer.from('{"auths":{"a":{}}}') } }, 'kuik-webhook');
      const after = await bench().cluster.secret(ref);

      expect(before).toMatchObject({ labels: copy.labels, annotations: copy.annotations, type: dockerConfig });
      expect(after?.uid).toBe(before?.uid);
      expect(after?.resourceVersion).not.toBe(before?.resourceVersion);
      expect(Buffer.from(after?.data['.dockerconfigjson'] ?? []).toString()).toBe('{"auths":{"a":{}}}');

      await bench().cluster.deleteSecret(ref);
      await bench().cluster.deleteSecret(ref);
      expect(await bench().cluster.secret(ref)).toBeUndefined();
    });

    test('lose an annotation that is not said again', async () => {
      const copy = { namespace: 'default', name: 'kuik-annotated', type: dockerConfig, data: { '.dockerconfigjson': Buffer.from(emptyConfig) } };
      await bench().cluster.applySecret({ ...copy, annotations: { 'kuik.enix.io/source': 'a/b', 'kuik.enix.io/unused-since': '2026-11-20T10:00:00Z' } }, 'kuik-webhook');
      await bench().cluster.applySecret({ ...copy, annotations: { 'kuik.enix.io/source': 'a/b' } }, 'kuik-webhook');

      expect((await bench().cluster.secret(copy))?.annotations).toEqual({ 'kuik.enix.io/source': 'a/b' });
    });

    test('are written and removed as they were read, or not at all', async () => {
      const copy = { namespace: 'default', name: 'kuik-versioned', type: dockerConfig, data: { '.dockerconfigjson': Buffer.from(emptyConfig) }, labels: { 'kuik.enix.io/owner-uid': 'u1' } };
      await bench().cluster.applySecret(copy, 'kuik-webhook');
      const before = (await bench().cluster.secret(copy))?.resourceVersion;
      await bench().cluster.applySecret({ ...copy, data: { '.dockerconfigjson': Buffer.from('{"auths":{"b":{}}}') } }, 'kuik-webhook');

      await expect(bench().cluster.applySecret({ ...copy, version: before }, 'kuik-webhook')).rejects.toMatchObject({ code: 'conflict', side: 'cluster' });
      await expect(bench().cluster.deleteSecret(copy, before)).rejects.toMatchObject({ code: 'conflict', side: 'cluster' });

      await bench().cluster.deleteSecret(copy, (await bench().cluster.secret(copy))?.resourceVersion);
      expect(await bench().cluster.secret(copy)).toBeUndefined();
      await bench().cluster.deleteSecret(copy, before);
    });

    test('never change their type', async () => {
      const copy = { namespace: 'default', name: 'kuik-typed', data: { '.dockerconfigjson': Buffer.from(emptyConfig) }, labels: { 'kuik.enix.io/owner-uid': 'u1' } };
      await bench().cluster.applySecret({ ...copy, type: dockerConfig }, 'kuik-webhook');

      await expect(bench().cluster.applySecret({ ...copy, type: 'Opaque' }, 'kuik-webhook')).rejects.toMatchObject({ code: 'invalid', side: 'cluster' });
    });

    test('of somebody else are not overwritten, those of an older release are', async () => {
      const mine = { namespace: 'default', type: dockerConfig, data: { '.dockerconfigjson': Buffer.from('{"auths":{"mine":{}}}') } };
      await bench().createSecret('theirs', { '.dockerconfigjson': emptyConfig });
      await bench().createSecret('from-v2', { '.dockerconfigjson': emptyConfig }, { 'kuik.enix.io/owner-uid': 'u1' });

      await bench().createSecret('of-another-rule', { '.dockerconfigjson': emptyConfig }, { 'kuik.enix.io/owner-uid': 'u2' });
      const labels = { 'kuik.enix.io/owner-uid': 'u1' };

      await expect(bench().cluster.applySecret({ ...mine, labels, name: 'theirs' }, 'kuik-webhook')).rejects.toMatchObject({ code: 'conflict', side: 'cluster' });
      await expect(bench().cluster.applySecret({ ...mine, labels, name: 'of-another-rule' }, 'kuik-webhook')).rejects.toMatchObject({ code: 'conflict', side: 'cluster' });
      await bench().cluster.applySecret({ ...mine, labels, name: 'from-v2' }, 'kuik-webhook');

      const renewed = await bench().cluster.secret({ namespace: 'default', name: 'from-v2' });
      expect(Buffer.from(renewed?.data['.dockerconfigjson'] ?? []).toString()).toBe('{"auths":{"mine":{}}}');
    });
  });

  describe('rules', () => {
    const rule = (name: string) => ({ kind: 'ClusterImageSetMirror' as const, name });

    test('their status is written whole', async () => {
      await bench().createRule('reported');
      await bench().cluster.applyRuleStatus(rule('reported'), { observedGeneration: 1, counts: { images: 2, unused: 1 } });
      await bench().cluster.applyRuleStatus(rule('reported'), { observedGeneration: 1, counts: { images: 3 } });

      const found = (await bench().cluster.list('ClusterImageSetMirror')).find(({ name }) => name === 'reported');
      expect(found?.status).toEqual({ observedGeneration: 1, counts: { images: 3 } });
      await bench().deleteRule('reported');
    });

    test('finalizers are added and removed beside those of others', async () => {
      await bench().createRule('held', ['example.com/theirs']);
      const read = async (): Promise<readonly string[] | undefined> => (await bench().cluster.list('ClusterImageSetMirror')).find(({ name }) => name === 'held')?.finalizers;

      await bench().cluster.setFinalizer(rule('held'), 'kuik.enix.io/mirror-cleanup', true);
      await bench().cluster.setFinalizer(rule('held'), 'kuik.enix.io/mirror-cleanup', true);
      expect(await read()).toEqual(['example.com/theirs', 'kuik.enix.io/mirror-cleanup']);

      await bench().cluster.setFinalizer(rule('held'), 'kuik.enix.io/mirror-cleanup', false);
      expect(await read()).toEqual(['example.com/theirs']);
      await bench().cluster.setFinalizer(rule('held'), 'example.com/theirs', false);
      await bench().deleteRule('held');
    });

    test('nothing happens to a rule that is gone', async () => {
      await bench().cluster.applyRuleStatus(rule('never-was'), { observedGeneration: 1 });
      await bench().cluster.setFinalizer(rule('never-was'), 'kuik.enix.io/mirror-cleanup', true);

      expect((await bench().cluster.list('ClusterImageSetMirror')).map(({ name }) => name)).not.toContain('never-was');
    });
  });

  describe('a note', () => {
    const note = (name: string) => ({ namespace: 'default', name });

    test('is made with its first text, and keeps what was written last', async () => {
      const { cluster } = bench();

      expect(await cluster.changeNote(note('first'), (text) => ({ text, answer: text ?? 'nothing' }))).toBe('nothing');
      expect(await cluster.changeNote(note('first'), () => ({ text: 'one', answer: 'made' }))).toBe('made');
      expect(await bench().another().changeNote(note('first'), (text) => ({ text: `${text} two`, answer: text }))).toBe('one');
      expect(await cluster.changeNote(note('first'), (text) => ({ text, answer: text }))).toBe('one two');
    });

    test('loses no change of replicas that write together', async () => {
      const writers = [bench().cluster, bench().another(), bench().another()];

      await Promise.all(writers.flatMap((cluster) => Array.from({ length: 10 }, () => cluster.changeNote(note('storm'), (text) => ({ text: String(Number(text ?? 0) + 1), answer: undefined })))));

      expect(await bench().cluster.changeNote(note('storm'), (text) => ({ text, answer: text }))).toBe('30');
    });
  });

  describe('the webhook configuration', () => {
    const ours = { client: { url: 'https://127.0.0.1:9443/mutate--v1-pod' }, failurePolicy: 'Ignore', timeoutSeconds: 3 } as const;

    test('is registered whole, and again with the next authority', async () => {
      await bench().cluster.applyWebhookConfiguration({ ...ours, name: 'kuik-whole', caBundle: someCertificates.one });
      expect(await bench().webhook('kuik-whole')).toEqual({ caBundle: someCertificates.one, timeoutSeconds: 3 });

      await bench().cluster.applyWebhookConfiguration({ ...ours, name: 'kuik-whole', caBundle: someCertificates.two });
      expect(await bench().webhook('kuik-whole')).toEqual({ caBundle: someCertificates.two, timeoutSeconds: 3 });
    });

    test('of a chart only gets its authority from us', async () => {
      await bench().createWebhook('kuik-chart', 7);
      await bench().cluster.applyWebhookConfiguration({ ...ours, name: 'kuik-chart', caBundle: someCertificates.one, write: 'caBundle' });

      expect(await bench().webhook('kuik-chart')).toEqual({ caBundle: someCertificates.one, timeoutSeconds: 7 });
    });
  });

  test('the same event in a row is written once', async () => {
    const event = {
      regarding: { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ImageAvailability', name: recordName(named('nginx:1.27')), uid: 'u1' },
      type: 'Warning',
      action: 'Mirror',
      reason: 'Denied',
      note: 'copy to registry.example.com stopped: denied',
    } as const;
    for (let times = 0; times < 5; times += 1) await bench().cluster.emitEvent(event);
    await bench().cluster.emitEvent({ ...event, regarding: { ...event.regarding, name: 'another' } });

    expect((await bench().events('Denied')).map(({ note }) => note)).toEqual([event.note, event.note]);
  });

  test('an event with a name of its own is written once, also by a replica that knows of none', async () => {
    const event = {
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'routed', uid: 'u1' },
      type: 'Normal',
      action: 'Route',
      reason: 'PlacePreferred',
      note: 'container web is pulled from registry.example.com/mirror/library/nginx:1.27',
      once: '0123456789abcdef',
    } as const;
    await bench().cluster.emitEvent(event);
    await bench().another().emitEvent(event);

    expect(await bench().events('PlacePreferred')).toEqual([{ note: event.note, count: 1 }]);
  });
}

/** Everything one watch delivers. */
class Seen<K extends WatchedKind> {
  readonly changes: Change<Watched[K]>[] = [];
  readonly objects = new Map<string, Watched[K]>();
  readonly synced: Promise<void>;
  readonly #end = new AbortController();
  readonly #ended: Promise<void>;

  constructor(cluster: Cluster, kind: K, namespace?: string) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#ended = cluster.watch(kind, (change) => this.#apply(change, resolve), this.#end.signal, namespace);
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#ended;
  }

  #apply(change: Change<Watched[K]>, isSynced: () => void): void {
    this.changes.push(change);
    if (change.type === 'put') this.objects.set(change.key, change.object);
    else if (change.type === 'gone') this.objects.delete(change.key);
    else isSynced();
  }
}

function named(text: string): ImageName {
  return imageName(knownImageRef(text));
}

function aUsage(image: ImageName, changes: Partial<RecordUsage>): RecordUsage {
  return { image, pods: 1, mirrors: '0/0', places: [{ reference: image, role: 'origin' }], conditions: [], ...changes };
}
