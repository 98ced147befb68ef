/** `kuik rehearse` as people run it: against a real API server, with registries of which one is imagined to be away. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApiServer, toolOutput, type ApiServer } from '../../tools/servers.js';
import type { Rehearsal } from '../../src/commands/documents/rehearsal.js';
import { installKinds } from '../cluster/kubernetes-bench.js';
import { startFaultRegistry, type FaultRegistry } from '../support/fault-registry.js';
import { anImage } from '../support/images.js';
import { kuikOn } from '../support/kuik.js';

let api: ApiServer;
let origin: FaultRegistry;
let mirror: FaultRegistry;

const apply = (...objects: readonly object[]): Promise<string> => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });

function deployment(name: string, path: string, labels: Readonly<Record<string, string>> = {}): object {
  const app = { app: name };
  const template = { metadata: { labels: { ...app, ...labels } }, spec: { containers: [{ name: 'web', image: `${origin.host}/${path}:1.0`, imagePullPolicy: 'IfNotPresent' }] } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'shop' }, spec: { replicas: 0, selector: { matchLabels: app }, template } };
}

/** The settings of the cluster, as the chart stores them. */
function configure(text: string): Promise<string> {
  return apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-image-keeper-manager-config', namespace: 'kuik-system' }, data: { 'config.yaml': text } });
}

function unconfigure(): Promise<string> {
  return toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'delete', 'configmap', '-n', 'kuik-system', '--ignore-not-found', 'kube-image-keeper-manager-config']);
}

function push(registry: FaultRegistry, path: string): void {
  const { manifest } = anImage(path);
  const repository = registry.store.open(path);
  repository.manifests.set(manifest.digest, { bytes: Buffer.from(manifest.bytes), mediaType: manifest.mediaType });
  repository.tags.set('1.0', manifest.digest);
}

beforeAll(async () => {
  [api, origin, mirror] = await Promise.all([startApiServer(), startFaultRegistry(), startFaultRegistry()]);
  await installKinds(api.kubeconfig);
  for (const path of ['kept/web', 'kept/api', 'other/db']) push(origin, path);
  push(mirror, 'copies/kept/web');
  for (const name of ['shop', 'kuik-system']) await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await configure('');
  const spec = { filter: { include: [{ image: '.+/kept/.+' }] }, mirrors: [{ registry: mirror.host, path: '/copies' }] };
  await apply(
    { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'main' }, spec },
    deployment('copied', 'kept/web'),
    deployment('not-yet', 'kept/api'),
    deployment('unprotected', 'other/db'),
    deployment('opted-out', 'kept/web', { 'kuik.enix.io/ignore': 'true' }),
  );
});

afterAll(async () => {
  await Promise.all([api?.kill(), origin?.close(), mirror?.close()]);
});

describe('kuik rehearse', () => {
  test('tells who could not restart without a registry, who would go elsewhere, and what has no second place', async () => {
    const { code, output, errors } = await kuikOn({ api }, 'rehearse', origin.host, '-o', 'json');

    expect([code, errors]).toEqual([2, '']);
    const { workloads, images, looked } = JSON.parse(output) as Rehearsal;
    expect(looked).toBe(4);
    expect(workloads.map(({ namespace, name, verdict }) => `${namespace} ${name} ${verdict}`)).toEqual([
      'shop deployment/copied moves',
      'shop deployment/not-yet stuck',
      'shop deployment/opted-out stuck',
      'shop deployment/unprotected stuck',
    ]);
    expect(workloads[0]?.containers[0]).toMatchObject({ pulls: `${mirror.host}/copies/kept/web:1.0`, reason: 'OriginUnavailable' });
    expect(images).toEqual([`${origin.host}/other/db:1.0`]);
    expect(origin.requests).toEqual([]); // imagined to be away, and not contacted
  });

  test('is good news where nothing hangs on the registry', async () => {
    const { code, output } = await kuikOn({ api }, 'rehearse', 'quay.io', '-n', 'shop');

    expect([code, output]).toEqual([0, 'Nothing of 4 workloads could be pulled from quay.io: it would not be missed.\n']);
  });

  test('answers with the settings of the cluster: a namespace that is skipped there is left alone here', async () => {
    await configure('skipNamespaces: [shop]');

    const { code, output, errors } = await kuikOn({ api }, 'rehearse', origin.host, '-o', 'json');

    expect([code, errors]).toEqual([2, '']);
    const { workloads } = JSON.parse(output) as Rehearsal;
    expect(workloads.map(({ name, verdict, containers }) => `${name} ${verdict} ${containers[0]?.why}`)).toEqual(['copied', 'not-yet', 'opted-out', 'unprotected'].map((name) => expect.stringMatching(`^deployment/${name} stuck .*left alone`)));
    await configure('');
  });

  test('answers with the settings of a release of any name, which the labels of the chart tell', async () => {
    await unconfigure();
    const labels = { 'app.kubernetes.io/name': 'kube-image-keeper', 'app.kubernetes.io/part-of': 'kube-image-keeper', 'app.kubernetes.io/component': 'manager' };
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kuik-kube-image-keeper-manager-config', namespace: 'kuik-system', labels }, data: { 'config.yaml': 'skipNamespaces: [shop]' } });

    const { code, output, errors } = await kuikOn({ api }, 'rehearse', origin.host, '-o', 'json');

    expect([code, errors]).toEqual([2, '']);
    expect((JSON.parse(output) as Rehearsal).workloads[0]?.containers[0]?.why).toMatch(/left alone/);
    await toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'delete', 'configmap', '-n', 'kuik-system', 'kuik-kube-image-keeper-manager-config']);
  });

  test('answers with the defaults where nothing is installed, and says so', async () => {
    await unconfigure();

    const { code, errors } = await kuikOn({ api }, 'rehearse', 'quay.io', '-n', 'shop');

    expect([code, errors]).toEqual([0, expect.stringMatching(/^kuik rehearse: there is no ConfigMap kuik-system\/kube-image-keeper-manager-config: answered with the default settings; .*KUIK_FULL_NAME/)]);
  });

  test.each([
    [[], 1, /^kuik rehearse: name a registry, as in kuik rehearse docker\.io/],
    [['quay.io/acme'], 1, /"quay\.io\/acme" is no registry; write its host\[:port\]/],
  ])('%j is refused, and says what to write', async (args, expected, message) => {
    const { code, errors } = await kuikOn({ api }, 'rehearse', ...args);

    expect([code, errors]).toEqual([expected, expect.stringMatching(message)]);
  });
});
