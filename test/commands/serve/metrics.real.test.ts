/** Metrics over HTTPS, read by people and programs that a real API server knows, or does not. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connectCluster, type KubernetesCluster } from '../../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../../src/cluster/kubernetes/kubeconfig.js';
import { serveMetrics, type MetricsBase } from '../../../src/commands/serve/metrics.js';
import { metricsPages, type PageServer } from '../../../src/telemetry/http.js';
import { issueLeaf, makeAuthority, type KeyPair } from '../../../src/webhook/x509.js';
import { scratchFolder, startApiServer, toolOutput, type ApiServer } from '../../../tools/servers.js';
import { until } from '../../support/until.js';

const pages = metricsPages({ contentType: 'text/plain', text: async () => 'up 1\n' });
const role = (name: string, rule: object): object[] => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'default' } },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules: [rule] },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name }, subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }] },
];

let api: ApiServer;
let cluster: KubernetesCluster;
let tokens: { readonly reader: string; readonly other: string };
beforeAll(async () => {
  api = await startApiServer();
  const kubectl = (args: readonly string[], input?: string): Promise<string> => toolOutput('kubectl', [`--kubeconfig=${api.kubeconfig}`, ...args], { input });
  const items = [...role('reader', { nonResourceURLs: ['/metrics'], verbs: ['get'] }), ...role('other', { apiGroups: [''], resources: ['pods'], verbs: ['get'] })];
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const tokenOf = async (name: string): Promise<string> => (await kubectl(['create', 'token', name])).trim();
  tokens = { reader: await tokenOf('reader'), other: await tokenOf('other') };
  cluster = connectCluster(loadKubeConfig({ file: api.kubeconfig, kubeconfig: '', home: '' }));
}, 300_000);
afterAll(async () => {
  cluster?.close();
  await api?.kill();
});

let server: PageServer | undefined;
let told: string[] = [];
beforeEach(() => void (told = []));
afterEach(() => server?.close());

const baseWith = (folder = '', reviewed: MetricsBase['cluster'] = cluster): MetricsBase => ({
  flags: { metricsBindAddress: '127.0.0.1:0', metricsSecure: true, metricsCertificate: { folder, certificate: 'tls.crt', key: 'tls.key' } },
  log: { info: (...args: unknown[]) => void told.push(JSON.stringify(args)), warn: (...args: unknown[]) => void told.push(JSON.stringify(args)) },
  cluster: reviewed,
});

async function get(path: string, token?: string, trust?: string): Promise<{ status: number; body: string }> {
  const dispatcher = new Agent({ connect: trust === undefined ? { rejectUnauthorized: false } : { ca: trust, servername: 'metrics.example.com' } });
  try {
    const answer = await request(`https://127.0.0.1:${server?.port}${path}`, { dispatcher, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
    return { status: answer.statusCode, body: await answer.body.text() };
  } finally {
    await dispatcher.close();
  }
}

describe('metrics over HTTPS', () => {
  test.each<[string, string, () => string | undefined, number, string]>([
    ['are read by who may', '/metrics', () => tokens.reader, 200, 'up 1'],
    ['are not read by who may something else', '/metrics', () => tokens.other, 403, 'nonResourceURLs ["/metrics"]'],
    ['are not read by nobody', '/metrics', () => undefined, 401, 'Authorization: Bearer'],
    ['are not read with a token that the API server does not know', '/metrics', () => 'made-up', 401, 'Authorization: Bearer'],
    ['tell nobody what else there is', '/nothing', () => undefined, 401, ''],
    ['let nobody read another path than the role names', '/nothing', () => tokens.reader, 403, 'nonResourceURLs ["/nothing"]'],
  ])('%s', async (_sentence, path, token, status, body) => {
    server = await serveMetrics(baseWith(), pages);

    expect(await get(path, token())).toEqual({ status, body: expect.stringContaining(body) });
  });

  test('ask once about one token, and never log it', async () => {
    let asked = 0;
    const counting: MetricsBase['cluster'] = { reviewAccess: (token, path) => ((asked += 1), cluster.reviewAccess(token, path)) };
    server = await serveMetrics(baseWith('', counting), pages);

    for (const token of [tokens.reader, tokens.other]) for (let i = 0; i < 3; i++) await get('/metrics', token);

    expect(asked).toBe(2);
    expect(told.join()).toContain('system:serviceaccount:default:other');
    expect(told.join()).not.toContain(tokens.other);
  });

  test('let nobody in while the API server cannot be asked, and everybody who may afterwards', async () => {
    let isAway = true;
    server = await serveMetrics(baseWith('', { reviewAccess: (token, path) => (isAway ? Promise.reject(new Error('away')) : cluster.reviewAccess(token, path)) }), pages);

    expect(await get('/metrics', tokens.reader)).toMatchObject({ status: 503 });
    isAway = false;
    expect(await get('/metrics', tokens.reader)).toMatchObject({ status: 200 });
  });
});

describe('a certificate for metrics', () => {
  const leafOf = (authority: KeyPair): Promise<KeyPair> => issueLeaf(authority, { dns: ['metrics.example.com'], ips: [] }, Date.now(), 3_600_000);
  async function write(folder: string, { certificate, privateKey }: KeyPair): Promise<void> {
    await writeFile(join(folder, 'tls.crt'), certificate);
    await writeFile(join(folder, 'tls.key'), privateKey);
  }

  test('is served, and so is the one that takes its place', async () => {
    const folder = scratchFolder('metrics');
    const [one, other] = [await makeAuthority('one', Date.now(), 3_600_000), await makeAuthority('other', Date.now(), 3_600_000)];
    await write(folder, await leafOf(one));
    server = await serveMetrics(baseWith(folder), pages, 50);

    expect(await get('/metrics', tokens.reader, one.certificate)).toMatchObject({ status: 200 });
    await write(folder, await leafOf(other));
    await until(async () => get('/metrics', tokens.reader, other.certificate).then(({ status }) => status === 200, () => false));
  });

  test('that is not there stops the start, and says where it was looked for', async () => {
    await expect(serveMetrics(baseWith('/nowhere'), pages)).rejects.toThrow(/-metrics-cert-path: .*\/nowhere\/tls\.crt/);
  });

  test('whose key is another stops the start', async () => {
    const folder = scratchFolder('metrics-pair');
    const authority = await makeAuthority('one', Date.now(), 3_600_000);
    await write(folder, { ...(await leafOf(authority)), privateKey: (await leafOf(authority)).privateKey });

    await expect(serveMetrics(baseWith(folder), pages)).rejects.toThrow('do not belong together');
  });
});
