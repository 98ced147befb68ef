import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CoreV1Api, CustomObjectsApi, KubeConfig, RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { connectCluster, type KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import { secretCopyName } from '../../src/domain/secret-copy.js';
import { SecretCopies } from '../../src/watchers/secret-copies.js';
import { startApiServer, type ApiServer } from '../../tools/servers.js';
import { installKinds } from '../cluster/kubernetes-bench.js';
import { aMirrorRule, aPod } from '../support/builders.js';

const namespaces = ['team-a', 'team-b', 'team-c', 'team-d', 'team-e'];
const source = { namespace: 'kuik-system', name: 'pull' };
const day = 24 * 60 * 60 * 1000;

let server: ApiServer;
let core: CoreV1Api;
let narrow: KubernetesCluster;
let copies: SecretCopies;
let copyName: string;
let named: readonly string[] = namespaces;
let now = Date.parse('2026-11-20T12:00:00Z');

beforeAll(async () => {
  server = await startApiServer();
  await installKinds(server.kubeconfig);
  const config = loadKubeConfig({ file: server.kubeconfig });
  core = config.makeApiClient(CoreV1Api);
  for (const name of [...namespaces, 'kuik-system']) await core.createNamespace({ body: { metadata: { name } } });
  narrow = connectCluster(await asManager(config));

  const rule = await createRule(config);
  copyName = secretCopyName(source, rule);
  await write('first');
  copies = new SecretCopies({
    cluster: narrow,
    rules: () => [aMirrorRule({ name: 'global', uid: rule, mirrors: [{ credentialSecret: source }] })],
    pods: () => named.map((namespace) => aPod({ namespace, pullSecrets: [copyName] })),
    namespaces: () => namespaces,
    expiryMs: day,
    observe: () => undefined,
    now: () => now,
  });
});

afterAll(async () => {
  narrow?.close();
  await server?.kill();
});

test('with no more than get, create, patch and delete, every namespace gets its copy, owned by the rule', async () => {
  await copies.pass();

  expect(await passwords()).toEqual(Array(5).fill('first'));
  expect((await read('team-a'))?.metadata?.ownerReferences).toEqual([{ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', name: 'global', uid: expect.any(String) }]);
});

test('a rotated source reaches every namespace, also one where somebody edited the copy', async () => {
  await core.patchNamespacedSecret({ name: copyName, namespace: 'team-c', body: [{ op: 'replace', path: '/data', value: { '.dockerconfigjson': dockerConfig('edited') } }] });
  await write('second');

  await copies.pass();

  expect(await passwords()).toEqual(Array(5).fill('second'));
});

test('what v2 left is taken over: the owner-uid says whose it is', async () => {
  const { metadata } = (await read('team-b')) ?? {};
  await core.deleteNamespacedSecret({ name: copyName, namespace: 'team-b' });
  const labels = { ...metadata?.labels, 'kuik.enix.io/owner-kind': 'ImageSetMirror' }; // whatever the rule was
  await core.createNamespacedSecret({ namespace: 'team-b', body: { metadata: { name: copyName, labels }, type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': dockerConfig('of v2') } } });

  await copies.pass();

  expect(await read('team-b')).toMatchObject({
    metadata: { labels: { 'kuik.enix.io/owner-kind': 'ClusterImageSetMirror' }, annotations: { 'kuik.enix.io/source': 'kuik-system/pull' }, ownerReferences: [{ name: 'global' }] },
    data: { '.dockerconfigjson': dockerConfig('second') },
  });
});

test('a Secret of somebody else with that name is left alone', async () => {
  await core.deleteNamespacedSecret({ name: copyName, namespace: 'team-d' });
  await core.createNamespacedSecret({ namespace: 'team-d', body: { metadata: { name: copyName }, stringData: { mine: 'x' } } });

  await copies.pass();

  expect((await read('team-d'))?.data).toEqual({ mine: Buffer.from('x').toString('base64') });
});

test('a source that is gone leaves its copies', async () => {
  await core.deleteNamespacedSecret(source);

  await copies.pass();

  expect((await passwords())[0]).toBe('second');
});

test('copies no Pod names go when their time is over; one that was written meanwhile stays', async () => {
  named = ['team-a'];
  await copies.pass();
  expect((await read('team-b'))?.metadata?.annotations).toMatchObject({ 'kuik.enix.io/unused-since': '2026-11-20T12:00:00.000Z' });
  await narrow.applySecret({ ...(await present('team-c')), annotations: { 'kuik.enix.io/source': 'kuik-system/pull' } }, 'kuik-webhook'); // what the webhook does

  now += day;
  await copies.pass();

  expect(await Promise.all(namespaces.map(async (namespace) => (await read(namespace)) !== undefined))).toEqual([true, false, true, true, false]);
});

async function passwords(): Promise<string[]> {
  const read = await Promise.all(namespaces.map((namespace) => narrow.secret({ namespace, name: copyName })));
  return read.map((secret) => /"password":"([^"]*)"/.exec(Buffer.from(secret?.data['.dockerconfigjson'] ?? []).toString())?.[1] ?? '');
}

async function present(namespace: string) {
  const secret = await narrow.secret({ namespace, name: copyName });
  if (secret === undefined) throw new Error(`no copy in ${namespace}`);
  return secret;
}

async function read(namespace: string) {
  const found = await core.listNamespacedSecret({ namespace, fieldSelector: `metadata.name=${copyName}` });
  return found.items[0];
}

async function write(password: string): Promise<void> {
  const data = { '.dockerconfigjson': dockerConfig(password) };
  const type = 'kubernetes.io/dockerconfigjson';
  await core.deleteNamespacedSecret(source).catch(() => undefined);
  await core.createNamespacedSecret({ namespace: source.namespace, body: { metadata: { name: source.name }, type, data } });
}

/** Base64, as the API has it. */
function dockerConfig(password: string): string {
  return Buffer.from(JSON.stringify({ auths: { 'registry.example.com': { username: 'robot', password } } })).toString('base64');
}

async function createRule(config: KubeConfig): Promise<string> {
  const body = { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'global' }, spec: { mirrors: [{ registry: 'registry.example.com', credentialSecret: source }] } };
  const made = (await config.makeApiClient(CustomObjectsApi).createClusterCustomObject({ group: 'kuik.enix.io', version: 'v1alpha1', plural: 'clusterimagesetmirrors', body })) as { metadata: { uid: string } };
  return made.metadata.uid;
}

/** Somebody with the rights of the manager on Secrets, and none besides. */
async function asManager(config: KubeConfig): Promise<KubeConfig> {
  const rbac = config.makeApiClient(RbacAuthorizationV1Api);
  const rules = [
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create', 'patch', 'delete'] },
    // an owner reference that blocks deletion would need more; ours does not
    { apiGroups: ['kuik.enix.io'], resources: ['clusterimagesetmirrors'], verbs: ['get'] },
  ];
  await rbac.createClusterRole({ body: { metadata: { name: 'copies' }, rules } });
  await rbac.createClusterRoleBinding({
    body: { metadata: { name: 'copies' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'copies' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'copies' }] },
  });
  const copy = new KubeConfig();
  copy.loadFromString(config.exportConfig());
  copy.users = copy.users.map((known) => ({ ...known, impersonateUser: 'copies' }));
  return copy;
}
