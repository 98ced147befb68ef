/** Our webhook behind a real API server, with failurePolicy Fail: a call that fails shows as a refused Pod. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CoreV1Api, CustomObjectsApi, PatchStrategy, setHeaderOptions, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { connectCluster, type KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import type { Registry } from '../../src/registry/registry.js';
import { NamespacesView } from '../../src/views/namespaces.js';
import { RecordsView } from '../../src/views/records.js';
import { RulesView } from '../../src/views/rules.js';
import { unsyncedViews, watchCluster } from '../../src/watchers/watch.js';
import { answerReview, type AdmissionDeps } from '../../src/webhook/admission.js';
import { CertificateKeeper } from '../../src/webhook/certificate-keeper.js';
import { admissionPath, webhookConfiguration } from '../../src/webhook/configuration.js';
import { createRouteDeps } from '../../src/webhook/route-deps.js';
import { secretCopyName } from '../../src/domain/secret-copy.js';
import { createAdmissionServer, type AdmissionServer } from '../../src/webhook/server.js';
import { systemClock } from '../../src/webhook/system-clock.js';
import type { KeyPair } from '../../src/webhook/x509.js';
import { freePort, startApiServer, type ApiServer } from '../../tools/servers.js';
import { installKinds } from '../cluster/kubernetes-bench.js';
import { until } from '../support/until.js';
import { pushTo, realKeyring } from './world.js';
import { silentLog } from './support.js';

const group = { group: 'kuik.enix.io', version: 'v1alpha1' };
const caSecret = { namespace: 'kube-system', name: 'kuik-webhook-server-cert' };

let api: ApiServer;
let config: KubeConfig;
let core: CoreV1Api;
let custom: CustomObjectsApi;
let cluster: KubernetesCluster;
let registries: MemoryRegistry;
let server: AdmissionServer | undefined;
let certificates: CertificateKeeper;
const views = { rules: new RulesView(), records: new RecordsView(), namespaces: new NamespacesView() };
const outcomes: string[] = [];
const stop = new AbortController();
/** registries that swallow every request */
let isBlackHole = false;

beforeAll(async () => {
  api = await startApiServer();
  config = loadKubeConfig({ file: api.kubeconfig });
  core = config.makeApiClient(CoreV1Api);
  custom = config.makeApiClient(CustomObjectsApi);
  await installKinds(api.kubeconfig);
  cluster = connectCluster(config);
  void watchCluster(cluster, views, { installNamespace: 'kube-system' }, stop.signal);
  await until(() => unsyncedViews(views).length === 0);

  const port = await freePort();
  certificates = new CertificateKeeper({
    cluster,
    secret: caSecret,
    names: { dns: ['localhost'], ips: ['127.0.0.1'] },
    publish: (caBundle) => cluster.applyWebhookConfiguration(webhookConfiguration({ name: 'kuik-test', client: { url: `https://127.0.0.1:${port}${admissionPath}` }, failurePolicy: 'Fail' }, caBundle)),
    serve,
    clock: systemClock,
    log: silentLog,
  });
  await certificates.look();
  await server?.listen({ host: '127.0.0.1', port });
  // a new configuration works a second or two later: until then Pods pass by
  await until(async () => (await create('probe', 'nginx', { dryRun: true })).metadata?.annotations !== undefined);
});

beforeEach(() => {
  isBlackHole = false;
  registries = new MemoryRegistry('docker.io');
  outcomes.length = 0;
});

afterAll(async () => {
  stop.abort();
  await server?.close();
  cluster.close();
  await api.kill();
});

function serve(leaf: KeyPair): void {
  if (server !== undefined) return server.serve(leaf);
  const head: Registry['head'] = (at, as, call) => (isBlackHole ? new Promise(() => {}) : registries.head(at, as, call));
  const route = createRouteDeps({
    cluster,
    registry: { head },
    keyring: realKeyring,
    ...views,
    // facts live for no time, so that every test decides by what it set up
    settings: {
      deadlineMs: 2_000,
      rewriteOnNever: false,
      honorPrioritiesOnAlways: false,
      pinDigests: false,
      v1ProxyPort: 7439,
      skip: { labels: [], annotations: [], namespaces: [] },
      probe: { timeoutMs: 1_000, positiveTtlMs: 0, negativeTtlMs: 0, resolveDigest: false },
    },
    observe: { pullSecret: () => {}, availability: () => {} },
    clock: systemClock,
    random: () => 0,
  });
  const deps: AdmissionDeps = { ...route, ready: () => unsyncedViews(views).join() || true, observe: { decided: () => {} }, log: silentLog };
  server = createAdmissionServer({ answer: (body, timeoutMs) => answerReview(body, timeoutMs, deps), observe: { reviewed: (outcome) => outcomes.push(outcome) }, log: silentLog }, leaf);
}

let names = 0;

/** Creates a Pod as a user does; rejects when the API server refuses it. */
function create(name: string, image: string, { dryRun = false, metadata = {}, spec = {} }: { dryRun?: boolean; metadata?: object; spec?: object } = {}): Promise<V1Pod> {
  const body = { metadata: { name: `${name}-${names++}`, ...metadata }, spec: { containers: [{ name: 'web', image, imagePullPolicy: 'IfNotPresent' }], ...spec } };
  return core.createNamespacedPod({ namespace: 'default', body, ...(dryRun && { dryRun: 'All' }) });
}

/** Applies a rule and waits until the webhook knows it; removed again by `withRule`. */
async function withRule(plural: string, kind: string, name: string, spec: object, work: (uid: string) => Promise<void>): Promise<void> {
  const created = (await custom.createClusterCustomObject({ ...group, plural, body: { apiVersion: 'kuik.enix.io/v1alpha1', kind, metadata: { name }, spec } })) as { metadata: { uid: string } };
  const isKnown = (): boolean => views.rules.snapshot().some(({ id }) => id.name === name);
  await until(isKnown);
  try {
    await work(created.metadata.uid);
  } finally {
    await custom.deleteClusterCustomObject({ ...group, plural, name });
    await until(() => !isKnown());
  }
}

const mirrorAll = (more: object = {}): object => ({ priority: -1, filter: { include: [{ image: '.*' }] }, mirrors: [{ registry: 'mirror.example.com', path: '/m', ...more }] });
const withMirror = (spec: object, work: (uid: string) => Promise<void>): Promise<void> => withRule('clusterimagesetmirrors', 'ClusterImageSetMirror', 'main', spec, work);
const imageOf = (pod: V1Pod): string | undefined => pod.spec?.containers[0]?.image;
const reasonOf = (pod: V1Pod): string | undefined => pod.metadata?.annotations?.['kuik.enix.io/reason'];

describe('through a real API server', () => {
  test('a Pod keeps its image where no rule says otherwise, and says why', async () => {
    const pod = await create('plain', 'nginx:1');

    expect(imageOf(pod)).toBe('nginx:1');
    expect(pod.metadata?.annotations).toMatchObject({ 'kuik.enix.io/original-images': '{"web":"nginx:1"}', 'kuik.enix.io/reason': '{"web":"OnlyOrigin"}' });
  });

  test('a Pod pulls from the mirror when it has the image', () =>
    withMirror(mirrorAll(), async () => {
      pushTo(registries, 'mirror.example.com/m/library/nginx:1');

      const pod = await create('mirrored', 'nginx:1');

      expect(imageOf(pod)).toBe('mirror.example.com/m/library/nginx:1');
      expect(pod.metadata?.annotations).toMatchObject({
        'kuik.enix.io/original-images': '{"web":"nginx:1"}',
        'kuik.enix.io/reason': '{"web":"PlacePreferred"}',
        'kuik.enix.io/rewritten-by': '{"web":"ClusterImageSetMirror/main"}',
      });
    }));

  test('a Pod gets a copy of the Secret it needs, and a dry run writes none', async () => {
    const auths = { 'mirror.example.com': { username: 'robot', password: 'p' } };
    await core.createNamespacedSecret({ namespace: 'kube-system', body: { metadata: { name: 'pull' }, type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': JSON.stringify({ auths }) } } });

    await withMirror(mirrorAll({ credentialSecret: { name: 'pull', namespace: 'kube-system' } }), async (uid) => {
      registries.host('mirror.example.com').requires('robot', 'p');
      pushTo(registries, 'mirror.example.com/m/library/nginx:1');
      const copy = { namespace: 'default', name: secretCopyName({ namespace: 'kube-system', name: 'pull' }, uid) };

      const rehearsed = await create('secret', 'nginx:1', { dryRun: true });
      expect(rehearsed.spec?.imagePullSecrets).toEqual([{ name: copy.name }]);
      expect(await cluster.secret(copy)).toBeUndefined();

      const pod = await create('secret', 'nginx:1');
      expect(imageOf(pod)).toBe('mirror.example.com/m/library/nginx:1');
      expect(pod.spec?.imagePullSecrets).toEqual([{ name: copy.name }]);
      const written = await core.readNamespacedSecret(copy);
      expect(JSON.parse(Buffer.from(written.data?.['.dockerconfigjson'] ?? '', 'base64').toString())).toEqual({ auths });
      expect(written.metadata?.ownerReferences).toMatchObject([{ kind: 'ClusterImageSetMirror', name: 'main', uid }]);
    });
  });

  test('init containers and sidecars are routed, and the result is a valid Pod', () =>
    withMirror(mirrorAll(), async () => {
      pushTo(registries, 'mirror.example.com/m/library/nginx:1');
      const spec = {
        initContainers: [
          { name: 'init', image: 'nginx:1', imagePullPolicy: 'IfNotPresent' },
          { name: 'sidecar', image: 'nginx:1', imagePullPolicy: 'IfNotPresent', restartPolicy: 'Always' },
        ],
        imagePullSecrets: [{ name: 'mine' }],
      };

      const pod = await create('many', 'nginx:1', { spec });

      expect(pod.spec?.initContainers?.map(({ image }) => image)).toEqual(['mirror.example.com/m/library/nginx:1', 'mirror.example.com/m/library/nginx:1']);
    }));

  test('a changed image is decided, and applying the manifest again changes nothing', () =>
    withMirror(mirrorAll(), async () => {
      pushTo(registries, 'mirror.example.com/m/library/nginx:1');
      pushTo(registries, 'mirror.example.com/m/library/nginx:2');
      const { metadata } = await create('changed', 'nginx:1');
      const name = metadata?.name ?? '';
      const setImage = (image: string): Promise<V1Pod> =>
        core.patchNamespacedPod({ namespace: 'default', name, body: { spec: { containers: [{ name: 'web', image }] } } }, setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch));

      expect(imageOf(await setImage('nginx:1'))).toBe('mirror.example.com/m/library/nginx:1');
      const changed = await setImage('nginx:2');

      expect(imageOf(changed)).toBe('mirror.example.com/m/library/nginx:2');
      expect(changed.metadata?.annotations?.['kuik.enix.io/original-images']).toBe('{"web":"nginx:2"}');
    }));

  test('kubectl debug is routed', () =>
    withMirror(mirrorAll(), async () => {
      pushTo(registries, 'mirror.example.com/m/library/busybox:1');
      const { metadata } = await create('debugged', 'nginx:1');

      const pod = await core.patchNamespacedPodEphemeralcontainers(
        { namespace: 'default', name: metadata?.name ?? '', body: { spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox:1', imagePullPolicy: 'IfNotPresent' }] } } },
        setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
      );

      expect(pod.spec?.ephemeralContainers?.[0]?.image).toBe('mirror.example.com/m/library/busybox:1');
    }));

  describe('a call that would change nothing is not made', () => {
    const patch = (name: string, change: object): Promise<V1Pod> => core.patchNamespacedPod({ namespace: 'default', name, body: change }, setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch));

    test.each<[string, object]>([
      ['a Pod that is ignored', { labels: { 'kuik.enix.io/ignore': 'true' } }],
      ['a Pod that v1 ignored', { labels: { 'kube-image-keeper.enix.io/image-caching-policy': 'ignore' } }],
      ['a Pod of a node', { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: '7c3b8c0e-0000-4000-8000-000000000000' }] }],
      ['a static Pod', { annotations: { 'kubernetes.io/config.mirror': 'x' }, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: '7c3b8c0e-0000-4000-8000-000000000000', controller: true }] }],
    ])('for %s', async (_what, metadata) => {
      await create('spared', 'nginx:1', { metadata, ...('annotations' in metadata ? { spec: { nodeName: 'node-1' } } : {}) });

      expect(outcomes).toEqual([]);
    });

    test('for a Pod of an ignored namespace', async () => {
      await core.createNamespace({ body: { metadata: { name: 'ignored', labels: { 'kuik.enix.io/ignore': 'true' } } } });
      await core.createNamespacedPod({ namespace: 'ignored', body: { metadata: { name: 'spared' }, spec: { containers: [{ name: 'web', image: 'nginx:1' }] } } });

      expect(outcomes).toEqual([]);
    });

    test('for an update that changes no image, whatever else it changes', async () => {
      const spec = { initContainers: [{ name: 'init', image: 'nginx:1' }], activeDeadlineSeconds: 600 };
      const { metadata } = await create('updated', 'nginx:1', { spec });
      const name = metadata?.name ?? '';
      outcomes.length = 0;

      await patch(name, { metadata: { labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['example.com/hold'] } });
      await patch(name, { spec: { activeDeadlineSeconds: 300 } });
      await core.deleteNamespacedPod({ namespace: 'default', name, gracePeriodSeconds: 0 });
      await patch(name, { metadata: { finalizers: null } });

      expect(outcomes).toEqual([]);
    });

    test('but for one that does', async () => {
      const { metadata } = await create('updated', 'nginx:1', { spec: { initContainers: [{ name: 'init', image: 'nginx:1' }] } });
      const name = metadata?.name ?? '';
      outcomes.length = 0;

      await patch(name, { spec: { containers: [{ name: 'web', image: 'nginx:2' }] } });
      const changed = await patch(name, { spec: { initContainers: [{ name: 'init', image: 'nginx:2' }] } });

      expect(outcomes).toEqual(['unchanged', 'unchanged']);
      expect(changed.metadata?.annotations?.['kuik.enix.io/original-images']).toBe('{"init":"nginx:2","web":"nginx:2"}');
    });
  });
});

describe('on bad days', () => {
  test('a broken rule disables itself and nothing else', () =>
    withRule('clusterimagesetmirrors', 'ClusterImageSetMirror', 'broken', { priority: -9, filter: { include: [{ image: '(' }] }, mirrors: [{ registry: 'broken.example.com' }] }, () =>
      withMirror(mirrorAll(), async () => {
        pushTo(registries, 'mirror.example.com/m/library/nginx:1');
        pushTo(registries, 'broken.example.com/library/nginx:1');

        expect(imageOf(await create('broken', 'nginx:1'))).toBe('mirror.example.com/m/library/nginx:1');
      }),
    ));

  test('a rule whose Secret is missing costs its place, never the Pod', () =>
    withMirror(mirrorAll({ credentialSecret: { name: 'nowhere', namespace: 'kube-system' } }), async () => {
      pushTo(registries, 'mirror.example.com/m/library/nginx:1');

      expect(reasonOf(await create('missing', 'nginx:1'))).toBe('{"web":"OnlyOrigin"}');
    }));

  test('Pods are admitted in time while every registry swallows requests', () =>
    withMirror(mirrorAll(), async () => {
      isBlackHole = true;

      const pods = await Promise.all(Array.from({ length: 20 }, (_, index) => create('hole', `nginx:${index}`)));

      expect(new Set(pods.map(reasonOf))).toEqual(new Set(['{"web":"NoPlaceAvailable"}']));
      expect(outcomes).toEqual(pods.map(() => 'unchanged'));
    }));

  test('a deleted authority comes back, and no Pod is refused meanwhile', async () => {
    const before = await cluster.secret(caSecret);
    await core.deleteNamespacedSecret(caSecret);

    await create('between', 'nginx:1');
    await certificates.look();
    await create('after', 'nginx:1');

    expect((await cluster.secret(caSecret))?.data).toEqual(before?.data);
  });
});
