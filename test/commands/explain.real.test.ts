/** `kuik explain` as people run it: against a real API server, with registries of whom one can be told to fail. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApiServer, toolOutput, type ApiServer } from '../../tools/servers.js';
import { installKinds } from '../cluster/kubernetes-bench.js';
import { startFaultRegistry, type FaultRegistry } from '../support/fault-registry.js';
import { anImage } from '../support/images.js';
import type { ExplanationList } from '../../src/commands/documents/explain.js';
import { readDocument } from '../support/documents.js';
import { kuikOn, type Ended } from '../support/kuik.js';

let api: ApiServer;
let origin: FaultRegistry;
let mirror: FaultRegistry;
let image: string;
let copy: string;

const kubectl = (...args: string[]): Promise<string> => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, ...args]);
const apply = (...objects: readonly object[]): Promise<string> => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });
const kuik = (...args: string[]): Promise<Ended> => kuikOn({ api }, 'explain', ...args);

/** The settings of the cluster, as the chart stores them. */
const configure = (text: string): Promise<string> => apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-image-keeper-manager-config', namespace: 'kuik-system' }, data: { 'config.yaml': text } });

const pod = (): object => ({ containers: [{ name: 'web', image, imagePullPolicy: 'IfNotPresent' }] });
const template = (restartPolicy = 'Always'): object => ({ metadata: { labels: { app: 'web' } }, spec: { ...pod(), restartPolicy } });
const workload = (group: string, kind: string, spec: object): object => ({ apiVersion: `${group}/v1`, kind, metadata: { name: 'web', namespace: 'shop' }, spec });
const selector = { matchLabels: { app: 'web' } };

function workloads(): readonly object[] {
  return [
    workload('apps', 'Deployment', { replicas: 0, selector, template: template() }),
    workload('apps', 'StatefulSet', { replicas: 0, selector, serviceName: 'web', template: template() }),
    workload('apps', 'DaemonSet', { selector, template: template() }),
    workload('apps', 'ReplicaSet', { replicas: 0, selector, template: template() }),
    workload('batch', 'Job', { suspend: true, template: template('Never') }),
    workload('batch', 'CronJob', { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: { template: template('Never') } } }),
  ];
}

function push(registry: FaultRegistry, path: string, tag: string): void {
  const { manifest } = anImage(path);
  const repository = registry.store.open(path);
  repository.manifests.set(manifest.digest, { bytes: Buffer.from(manifest.bytes), mediaType: manifest.mediaType });
  repository.tags.set(tag, manifest.digest);
}

beforeAll(async () => {
  [api, origin, mirror] = await Promise.all([startApiServer(), startFaultRegistry(), startFaultRegistry()]);
  await installKinds(api.kubeconfig);
  [image, copy] = [`${origin.host}/library/web:1.0`, `${mirror.host}/kept/library/web:1.0`];
  push(origin, 'library/web', '1.0');
  push(mirror, 'kept/library/web', '1.0');
  await kubectl('create', 'namespace', 'shop');
  await kubectl('create', 'namespace', 'kuik-system');
  await configure('');
  await kubectl('create', 'serviceaccount', 'default', '-n', 'shop').catch(() => ''); // no controller makes it here
  const spec = { filter: { include: [{ image: '.+' }] }, mirrors: [{ registry: mirror.host, path: '/kept' }] };
  await apply({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'main' }, spec }, ...workloads());
});

afterAll(async () => {
  await Promise.all([api?.kill(), origin?.close(), mirror?.close()]);
});

describe('what can be asked about', () => {
  test('workloads of every kind, several at once, as kubectl spells them: the Pods they would make', async () => {
    const { code, output, errors } = await kuik('deploy/web', 'deployment.apps/web', 'sts/web', 'ds/web', 'rs/web', 'job/web', 'cronjob/web', '-n', 'shop', '-o', 'json');

    expect([code, errors]).toEqual([0, '']);
    const { items } = readDocument<ExplanationList>('ExplanationList', output);
    expect(items.map(({ name }) => name)).toEqual(['deployment/web', 'deployment/web', 'statefulset/web', 'daemonset/web', 'replicaset/web', 'job/web', 'cronjob/web']);
    for (const { namespace, containers } of items) expect([namespace, containers]).toMatchObject(['shop', [{ image, pulls: image, reason: 'OriginAvailable' }]]);
  });

  test('a Pod that is there, as its user wrote it, beside what it was given', async () => {
    const annotations = { 'kuik.enix.io/original-images': JSON.stringify({ web: image }), 'kuik.enix.io/reason': '{"web":"OriginUnavailable"}', 'kuik.enix.io/rewritten-by': '{"web":"ClusterImageSetMirror/main"}' };
    await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', namespace: 'shop', annotations }, spec: { containers: [{ name: 'web', image: copy, imagePullPolicy: 'IfNotPresent' }] } });

    const { code, output } = await kuik('pod/web-1', '-n', 'shop');

    expect(output).toMatch(new RegExp(`^pod shop/web-1\ncontainer web   ${image}  ->  ${image}   OriginAvailable\n  when it was created: ${copy}, OriginUnavailable\n`));
    expect(code).toBe(0);
  });

  test('a container of it that its user keeps out', async () => {
    const annotations = { 'kuik.enix.io/original-images': JSON.stringify({ web: image }) };
    await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-2', namespace: 'shop', annotations }, spec: { containers: [{ name: 'web', image }] } });

    const { code, output } = await kuik('pod/web-2', '-n', 'shop');

    expect([code, output]).toEqual([0, `pod shop/web-2\ncontainer web   ${image}  ->  ${image}   Recorded\n`]);
  });

  test('an image by itself', async () => {
    const { code, output } = await kuik('--image', image, '-n', 'shop');

    expect(output).toContain(`image ${image} in namespace shop\n`);
    expect(output).toContain(copy);
    expect(code).toBe(0);
  });

  test('a folder of manifests, as CI has it: several documents, lists, and things that are no workload', async () => {
    const folder = join(api.dir, 'manifests');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'a.yaml'), `kind: Service\nmetadata: {name: web}\n---\n${JSON.stringify(workloads()[0])}\n`);
    await writeFile(join(folder, 'b.json'), JSON.stringify({ kind: 'List', items: [workloads()[1], { kind: 'Rollout', metadata: { name: 'canary' }, spec: { template: template() } }] }));
    await writeFile(join(folder, 'notes.txt'), 'kind: [');

    const { code, output } = await kuik('-f', folder, '-n', 'shop');

    expect(output.match(/^\S+ \S+$/gm)).toEqual(['deployment shop/web', 'statefulset shop/web', 'rollout shop/canary']);
    expect(code).toBe(0);
  });

  test('the namespace is that of the context, unless told', async () => {
    const file = join(api.dir, 'shop.kubeconfig');
    await writeFile(file, (await readFile(api.kubeconfig, 'utf8')).replace('"cluster":"local","user"', '"cluster":"local","namespace":"shop","user"'));

    expect((await kuikOn({ api: { ...api, kubeconfig: file } }, 'explain', 'deploy/web')).output).toContain('deployment shop/web\n');
  });
});

describe('--as-if', () => {
  test('down: what would take over, and nobody is bothered', async () => {
    origin.calm();

    const { code, output } = await kuik('deploy/web', '-n', 'shop', '--as-if', `${origin.host}=down`);

    expect(output).toContain(`container web   ${image}  ->  ${copy}   OriginUnavailable`);
    expect(output).toContain(`as if ${origin.host} were down`);
    expect(code).toBe(0);
    expect(origin.log()).toEqual([]);
  });

  test('both registries down: the Pod could not start, exit 2', async () => {
    const { code, output } = await kuik('deploy/web', '-n', 'shop', '--as-if', `${origin.host}=down`, '--as-if', `${mirror.host}=down`);

    expect(output).toContain('NoPlaceAvailable');
    expect(code).toBe(2);
  });

  test('a registry that nothing else stands in for: exit 2, though nobody had to be asked', async () => {
    const lonely = `${mirror.host}/kept/library/web:1.0`; // below a mirror: no copy of it is offered

    const { code, output } = await kuik('--image', lonely, '--as-if', `${mirror.host}=down`);

    expect(output).toContain('OnlyOrigin');
    expect(output).toContain(`as if ${mirror.host} were down`);
    expect(code).toBe(2);
  });

  test('a registry that has no part in it is said to have none', async () => {
    const { code, errors } = await kuik('deploy/web', '-n', 'shop', '--as-if', 'quay.io=down');

    expect(errors).toBe('kuik explain: --as-if: nothing of this is pulled from quay.io, nor could be\n');
    expect(code).toBe(0);
  });
});

describe('the settings of the cluster', () => {
  afterAll(() => configure(''));

  test('decide: what the webhook leaves alone is left alone here', async () => {
    await configure('skipNamespaces: [shop]');

    const { output, errors } = await kuik('deploy/web', '-n', 'shop');

    expect([output, errors]).toEqual([expect.stringMatching(/^deployment shop\/web {2}left alone: \S+\n$/), '']);
  });

  test('are not asked for where a file is named', async () => {
    const file = join(api.dir, 'config.yaml');
    await writeFile(file, '');

    expect((await kuik('deploy/web', '-n', 'shop', '--config', file)).output).toContain('OriginAvailable');
    expect(await kuik('deploy/web', '-n', 'shop', '--config', '/nowhere.yaml')).toMatchObject({ code: 1, errors: expect.stringContaining('the configuration /nowhere.yaml cannot be read') });
  });

  test('name files of the Pods: a registry that does not answer without them may answer the webhook', async () => {
    await configure('registries: {items: {"127.0.0.1:1": {caFile: /etc/ours/ca.pem}}}');

    const { code, errors } = await kuik('--image', '127.0.0.1:1/acme/api:v4', '-n', 'default');

    expect(errors).toMatch(/^kuik explain: registries\.items\.127\.0\.0\.1:1\.caFile: \/etc\/ours\/ca\.pem is in the Pods, and not here: 127\.0\.0\.1:1 was asked without it/);
    expect(code).toBe(2);
    expect((await kuik('--image', image, '-n', 'default')).errors).toBe('');
  });

  test('where there are none: the defaults, and it is said', async () => {
    await kubectl('delete', 'configmap', '-n', 'kuik-system', 'kube-image-keeper-manager-config');

    expect((await kuik('deploy/web', '-n', 'shop')).errors).toMatch(/^kuik explain: there is no ConfigMap kuik-system\/kube-image-keeper-manager-config: answered with the default settings; .*KUIK_FULL_NAME/);
  });
});

describe('what is wrong is named, with the next step', () => {
  test.each<[string, string[], RegExp]>([
    ['nothing asked', [], /name objects \(pod\/NAME, deploy\/NAME\), files \(-f\) or images \(--image\): one of the three/],
    ['two questions at once', ['deploy/web', '--image', 'nginx'], /one of the three/],
    ['a kind that has no Pods', ['svc/web'], /^kuik explain: svc\/web: write KIND\/NAME, such as pod\/web; kinds are pod, deploy/],
    ['a workload that is not there', ['deploy/nobody', '-n', 'shop'], /deployment shop\/nobody not found; -n names another namespace/],
    ['a file that is not there', ['-f', '/nowhere.yaml'], /\/nowhere\.yaml: ENOENT/],
    ['no image reference', ['--image', 'Nginx'], /--image "Nginx": no image reference; write it as in a Pod, such as nginx:1\.27/],
    ['no registry in --as-if', ['deploy/web', '--as-if', 'main=down'], /--as-if main=down: "main" is no registry; write its host\[:port\] as images do, such as docker\.io=down/],
    ['no state in --as-if', ['deploy/web', '--as-if', 'docker.io'], /--as-if docker\.io: write docker\.io= and one of down, throttled, missing, unauthorized, denied/],
    ['an output nobody knows', ['deploy/web', '-o', 'xml'], /Allowed choices are table, wide, json, yaml, name/],
  ])('%s', async (_what, args, message) => {
    const { code, output, errors } = await kuik(...args);

    expect(errors).toMatch(message);
    expect([code, output]).toEqual([1, '']);
  });

  test('an API server that is not there', async () => {
    const file = join(api.dir, 'nowhere.kubeconfig');
    await writeFile(file, (await readFile(api.kubeconfig, 'utf8')).replace(/https:\/\/127\.0\.0\.1:\d+/, 'https://127.0.0.1:1'));

    const { code, errors } = await kuikOn({ api: { ...api, kubeconfig: file } }, 'explain', 'deploy/web');

    expect(errors).toMatch(/API server not reachable.*; check it with kubectl cluster-info, or name another cluster with --context/);
    expect(code).toBe(1);
  });
});

describe('Secrets', () => {
  const docker = (password: string): object => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'pull', namespace: 'shop' }, type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': JSON.stringify({ auths: { [guarded.host]: { username: 'robot', password } } }) } });
  let guarded: FaultRegistry;
  let kubeconfig: string;

  beforeAll(async () => {
    guarded = await startFaultRegistry({ access: { type: 'basic', accounts: { robot: 'right' } } });
    push(guarded, 'acme/api', 'v4');
    await apply(docker('right'), { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'shop' }, imagePullSecrets: [{ name: 'pull' }] });
    const rights = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'developer' }, rules: [{ apiGroups: ['kuik.enix.io', 'apps'], resources: ['*'], verbs: ['get', 'list'] }, { apiGroups: [''], resources: ['namespaces', 'serviceaccounts', 'configmaps'], verbs: ['get', 'list'] }] };
    await apply(rights, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'developer' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'developer' }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'developer' }] });
    kubeconfig = join(api.dir, 'developer.kubeconfig');
    await writeFile(kubeconfig, (await readFile(api.kubeconfig, 'utf8')).replace('"user":{"token"', '"user":{"as":"developer","token"'));
  });
  afterAll(() => guarded?.close());

  const asDeveloper = (...args: string[]): Promise<Ended> => kuikOn({ api: { ...api, kubeconfig } }, 'explain', ...args);

  test('of the ServiceAccount count, as they will at admission', async () => {
    const { code, output } = await kuik('--image', `${guarded.host}/acme/api:v4`, '-n', 'shop');

    expect(output).toContain('as shop/pull');
    expect(code).toBe(0);
  });

  test('that the caller may not read: records answer instead, and it is said so', async () => {
    const { code, output, errors } = await asDeveloper('--image', `${guarded.host}/acme/api:v4`, '-n', 'shop');

    expect(errors).toBe('kuik explain: you may not read secret shop/pull: what is pulled with it is explained by records, or as anybody sees it\n');
    expect(output).toContain('UnavailableSecret');
    expect(code).toBe(2);
  });

  test('that the caller may not read do not hide what everybody may pull', async () => {
    const { code, output } = await asDeveloper('deploy/web', '-n', 'shop');

    expect(output).toContain('OriginAvailable');
    expect(code).toBe(0);
  });
});
