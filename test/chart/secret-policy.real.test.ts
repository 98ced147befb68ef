/** The rights of the chart on a real API server, and its policy on top: our processes write their own Secrets and no other. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AppliedSecret, Secret } from '../../src/domain/secret.js';
import { connectCluster, type KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import { secretCopy, secretCopyName } from '../../src/domain/secret-copy.js';
import { startApiServer, toolOutput, type ApiServer } from '../../tools/servers.js';
import { aMirrorRule } from '../support/builders.js';
import { until } from '../support/until.js';
import { namespace, render } from './helm.js';

const installed = /^(?:ServiceAccount|(?:Cluster)?Role(?:Binding)?|ValidatingAdmissionPolicy(?:Binding)?)$/;
const { id: rule } = aMirrorRule({ name: 'main', uid: '0b0c7c3e-6f7c-4d2a-9d5e-1c1f9a0a3b11' });
const data = { '.dockerconfigjson': Buffer.from('{"auths":{}}') };
const source: Secret = { namespace, name: 'pull', uid: 'u', resourceVersion: '1', type: 'kubernetes.io/dockerconfigjson', data, labels: {}, annotations: {} };
const copy = secretCopy(source, rule, 'shop');
const plain = (name: string, more: Partial<AppliedSecret> = {}): AppliedSecret => ({ namespace: 'shop', name, type: 'kubernetes.io/dockerconfigjson', data, ...more });

let api: ApiServer;
const processes = new Map<string, KubernetesCluster>();
beforeAll(async () => {
  api = await startApiServer();
  for (const name of [namespace, 'shop']) await kubectl(['create', 'namespace', name]);
  const objects = (await render({})).filter(({ kind }) => installed.test(kind));
  await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  for (const name of ['manager', 'webhook']) processes.set(name, connectCluster(loadKubeConfig({ file: await kubeconfigOf(name), kubeconfig: '', home: '' })));
  // an API server takes a new policy into use within seconds
  await until(async () => as('webhook').applySecret(plain('too-early'), 'kuik-webhook').then(() => false, () => true));
}, 300_000);
afterAll(async () => {
  for (const each of processes.values()) each.close();
  await api?.kill();
});

function kubectl(args: readonly string[], input?: string): Promise<string> {
  return toolOutput('kubectl', [`--kubeconfig=${api.kubeconfig}`, ...args], { input });
}

async function kubeconfigOf(process: string): Promise<string> {
  const token = (await kubectl(['create', 'token', `kube-image-keeper-${process}`, `--namespace=${namespace}`, '--duration=1h'])).trim();
  const config = JSON.parse(await readFile(api.kubeconfig, 'utf8')) as object;
  const file = join(api.dir, `kubeconfig-${process}`);
  await writeFile(file, JSON.stringify({ ...config, users: [{ name: 'admin', user: { token } }] }), { mode: 0o600 });
  return file;
}

function as(process: string): KubernetesCluster {
  const cluster = processes.get(process);
  if (cluster === undefined) throw new Error(`there is no ${process}`);
  return cluster;
}

/** `done`, or what the API server says against it. */
async function outcome(work: Promise<unknown>): Promise<string> {
  return work.then(() => 'done', (error: unknown) => (error instanceof Error ? error.message : String(error)));
}

const refused = expect.stringMatching(/not allowed to|is neither/);

describe.each(['manager', 'webhook'])('the %s', (process) => {
  test('makes, renews and deletes copies of pull Secrets', async () => {
    expect(await outcome(as(process).applySecret(copy, 'kuik-webhook'))).toBe('done');
    expect(await outcome(as(process).applySecret({ ...copy, annotations: { ...copy.annotations, 'kuik.enix.io/source-version': '2' } }, 'kuik-webhook'))).toBe('done');
    expect(await outcome(as(process).deleteSecret({ namespace: 'shop', name: copy.name }))).toBe('done');
  });

  test.each<[string, AppliedSecret]>([
    ['of any name', plain('database')],
    ['named like a copy and not labelled as one', plain(secretCopyName(source, rule.uid))],
    ['labelled as a copy under any name', plain('database', { labels: copy.labels })],
    ['that is a token of a ServiceAccount', plain('kuik-token-1', { labels: copy.labels, type: 'kubernetes.io/service-account-token', data: {}, annotations: { 'kubernetes.io/service-account.name': 'default' } })],
    ['named as our own in another namespace', plain('kube-image-keeper-webhook-server-cert', { type: 'Opaque' })],
  ])('makes no Secret %s', async (_sentence, secret) => {
    expect(await outcome(as(process).applySecret(secret, 'kuik-webhook'))).toEqual(refused);
  });

  test("does not take over a Secret of somebody else's, whatever it would make of it, and deletes none", async () => {
    await kubectl(['-n', 'shop', 'create', 'secret', 'docker-registry', `kuik-theirs-${process}`, '--docker-server=r', '--docker-username=u', '--docker-password=p']);

    expect(await outcome(as(process).applySecret(plain(`kuik-theirs-${process}`, { labels: copy.labels }), 'kuik-certificates'))).toEqual(refused);
    expect(await outcome(as(process).deleteSecret({ namespace: 'shop', name: `kuik-theirs-${process}` }))).toEqual(refused);
    expect(await kubectl(['-n', 'shop', 'get', 'secret', `kuik-theirs-${process}`, '-o', 'jsonpath={.metadata.labels}'])).toBe('');
  });

  test('writes its authority', async () => {
    expect(await outcome(as(process).applySecret(plain('kube-image-keeper-webhook-server-cert', { namespace, type: 'Opaque' }), 'kuik-certificates'))).toBe('done');
  });
});

test('the manager makes the password of the database', async () => {
  expect(await as('manager').createSecret(plain('kube-image-keeper-postgresql', { namespace, type: 'Opaque' }))).toBe('created');
});

test('others write what they may', async () => {
  expect(await kubectl(['-n', 'shop', 'create', 'secret', 'generic', 'database'])).toContain('created');
});

test('the message says what was refused, and why', async () => {
  const { stderr } = await toolOutput('kubectl', [`--kubeconfig=${await kubeconfigOf('webhook')}`, '-n', 'shop', 'create', 'secret', 'generic', 'other']).then(() => ({ stderr: '' }), (error: unknown) => ({ stderr: String(error) }));

  expect(stderr).toContain('kube-image-keeper writes no Secrets but its copies of pull Secrets, and kube-image-keeper-webhook-server-cert, kube-image-keeper-postgresql in kuik-system: shop/other is neither');
});

test.each([
  ['makes and reads what it serves with', {}, ['kube-image-keeper-webhook-server-cert', 'kube-image-keeper-postgresql']],
  ['reads what others made', { certificates: { mode: 'provided', provided: { secretName: 'tls' } }, temporal: { database: { existingSecret: 'password' } } }, []],
])('where kuik %s, the policy lets it write these of its own', async (_sentence, values, names) => {
  const policy = (await render({ values })).find(({ kind }) => kind === 'ValidatingAdmissionPolicy')?.['spec'] as { variables: { name: string; expression: string }[] };

  expect(policy.variables.find(({ name }) => name === 'isOwn')?.expression).toBe(`request.namespace == "kuik-system" && variables.name in ${JSON.stringify(names)}`);
});
