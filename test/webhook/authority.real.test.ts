/** Who publishes the webhook's authority, on a real API server, with the registration as a chart writes it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AdmissionregistrationV1Api, CoreV1Api, RbacAuthorizationV1Api, type KubeConfig, type V1MutatingWebhookConfiguration } from '@kubernetes/client-node';
import { connectCluster, type KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import { webhookName } from '../../src/cluster/kubernetes/webhook-configuration.js';
import { AuthorityKeeper } from '../../src/webhook/authority-keeper.js';
import { webhookConfiguration } from '../../src/webhook/configuration.js';
import { LeafKeeper } from '../../src/webhook/leaf-keeper.js';
import { certificatesIn, type KeyPair } from '../../src/webhook/x509.js';
import { ask } from '../../tools/health.js';
import { projectRoot } from '../../tools/programs.js';
import { freePort, launch, startApiServer, type ApiServer, type Server } from '../../tools/servers.js';
import { installKinds } from '../cluster/kubernetes-bench.js';
import { until } from '../support/until.js';
import { X509Certificate } from 'node:crypto';
import { handClock, silentLog, type HandClock } from './support.js';

const day = 86_400_000;
const service = { namespace: 'kuik-system', name: 'kube-image-keeper-webhook', path: '/mutate--v1-pod', port: 443 };

let api: ApiServer;
let config: KubeConfig;
let registrations: AdmissionregistrationV1Api;
let cluster: KubernetesCluster;
let asWebhook: KubernetesCluster;

beforeAll(async () => {
  api = await startApiServer();
  config = loadKubeConfig({ file: api.kubeconfig });
  registrations = config.makeApiClient(AdmissionregistrationV1Api);
  await installKinds(api.kubeconfig);
  await config.makeApiClient(CoreV1Api).createNamespace({ body: { metadata: { name: 'kuik-system' } } });
  cluster = connectCluster(config);
  asWebhook = connectCluster(await asReaderOfOneSecret('authority'));
});

afterAll(async () => {
  asWebhook?.close();
  cluster?.close();
  await api?.kill();
});

/** What a chart installs: everything but the authority. */
async function register(name: string, clientConfig: object = { service }): Promise<void> {
  const webhook = { name: webhookName, admissionReviewVersions: ['v1'], sideEffects: 'NoneOnDryRun', failurePolicy: 'Ignore', clientConfig, timeoutSeconds: 3, rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }] };
  await registrations.createMutatingWebhookConfiguration({ body: { metadata: { name }, webhooks: [webhook] } });
}

const read = (name: string): Promise<V1MutatingWebhookConfiguration> => registrations.readMutatingWebhookConfiguration({ name });
const trustedAt = async (name: string): Promise<string> => Buffer.from((await read(name)).webhooks?.[0]?.clientConfig.caBundle ?? '', 'base64').toString();

function chains({ certificate }: KeyPair, bundle: string): boolean {
  return certificatesIn(bundle).some((pem) => new X509Certificate(certificate).verify(new X509Certificate(pem).publicKey));
}

function anAuthority(name: string, clock: HandClock, secret = 'authority'): AuthorityKeeper {
  return new AuthorityKeeper({
    cluster,
    secret: { namespace: 'kuik-system', name: secret },
    publish: (caBundle) => cluster.applyWebhookConfiguration(webhookConfiguration({ name, client: { service }, write: 'caBundle' }, caBundle)),
    trusted: async () => {
      const registered = await cluster.registeredWebhook(name);
      return registered?.reachedBy === 'service' ? registered.caBundle : undefined;
    },
    clock,
    log: silentLog,
  });
}

/** The rights of the webhook: it may read one Secret. */
async function asReaderOfOneSecret(name: string): Promise<KubeConfig> {
  const rbac = config.makeApiClient(RbacAuthorizationV1Api);
  await rbac.createNamespacedRole({ namespace: 'kuik-system', body: { metadata: { name: 'webhook' }, rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [name], verbs: ['get'] }] } });
  await rbac.createNamespacedRoleBinding({ namespace: 'kuik-system', body: { metadata: { name: 'webhook' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'webhook' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'webhook' }] } });
  const copy = loadKubeConfig({ file: api.kubeconfig });
  copy.users = copy.users.map((user) => ({ ...user, impersonateUser: 'webhook' }));
  return copy;
}

test('a whole rotation: one publisher, replicas that may read one Secret, and no leaf that is not trusted', async () => {
  await register('rotation');
  const clock = handClock(Date.now());
  const leader = anAuthority('rotation', clock);
  const leaves: KeyPair[] = [];
  const replicas = [0, 1].map((index) => new LeafKeeper({ cluster: asWebhook, secret: { namespace: 'kuik-system', name: 'authority' }, names: { dns: ['localhost'], ips: [] }, serve: (leaf) => void (leaves[index] = leaf), clock, log: silentLog }));
  const bundles = new Set<string>();

  await leader.look();
  for (let passed = 0; passed < 300; passed += 2) {
    for (const each of [...replicas, leader]) {
      await each.look();
      const bundle = await trustedAt('rotation');
      bundles.add(bundle);
      expect(leaves.map((leaf) => chains(leaf, bundle))).toEqual(leaves.map(() => true));
    }
    await clock.advance(2 * day);
  }

  expect([...bundles].map((bundle) => certificatesIn(bundle).length)).toEqual([1, 2, 1]);
  const { webhooks } = await read('rotation');
  expect(webhooks).toMatchObject([{ name: webhookName, failurePolicy: 'Ignore', timeoutSeconds: 3, clientConfig: { service } }]); // the chart's fields stay the chart's
});

test('who leads next goes on with the authority that is there', async () => {
  await register('next');
  const clock = handClock(Date.now());
  await anAuthority('next', clock, 'inherited').look();
  const before = await trustedAt('next');

  await anAuthority('next', clock, 'inherited').look();

  expect(await trustedAt('next')).toBe(before);
});

test.each<[string, () => Promise<unknown>]>([
  ['a registration by URL, which is somebody else\'s', () => register('elsewhere', { url: 'https://127.0.0.1:9443/mutate--v1-pod' })],
  ['no registration at all', () => registrations.deleteMutatingWebhookConfiguration({ name: 'elsewhere' })],
])('%s is left alone', async (_what, prepare) => {
  await prepare();

  await anAuthority('elsewhere', handClock(Date.now()), 'unwanted').look();

  expect(await cluster.secret({ namespace: 'kuik-system', name: 'unwanted' })).toBeUndefined();
  expect((await cluster.registeredWebhook('elsewhere'))?.caBundle ?? '').toBe('');
});

describe('as processes', () => {
  const started: Server[] = [];
  afterAll(async () => {
    for (const server of started) await server.stop();
  });

  async function start(role: 'webhook' | 'manager'): Promise<Server & { readonly health: string; readonly port: number; readonly logFile: string }> {
    const [port, healthPort] = [await freePort(), await freePort()];
    const health = `http://127.0.0.1:${healthPort}`;
    const logFile = join(api.dir, `${role}-${port}.log`);
    const server = await launch({
      name: `kuik ${role}`,
      command: join(projectRoot(), 'bin', 'kuik'),
      args: [role, '-config=/nowhere', `-kubeconfig=${api.kubeconfig}`, `-webhook-bind-address=127.0.0.1:${port}`, `-health-probe-bind-address=127.0.0.1:${healthPort}`],
      env: { POD_NAMESPACE: 'kuik-system' },
      logFile,
      ready: async () => (await ask(`${health}/healthz`).catch(() => undefined))?.status === 200,
    });
    started.push(server);
    return { ...server, health, port, logFile };
  }
  const readyz = async (health: string): Promise<string> => (await ask(`${health}/readyz`)).body;

  /** Whether a server shows a certificate for our Service that these authorities signed. */
  function isTrusted(port: number, ca: string): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, ca, servername: 'kube-image-keeper-webhook.kuik-system.svc' }, () => {
        resolve(socket.authorized);
        socket.destroy();
      });
      socket.once('error', () => resolve(false));
    });
  }

  test('the manager publishes without Temporal, the webhook waits for it, goes on without it, and drains before it ends', async () => {
    await register('kube-image-keeper-mutating-webhook');
    const webhook = await start('webhook');
    expect(await readyz(webhook.health)).toContain('[-]certificate no certificate yet');

    const manager = await start('manager');
    await until(async () => (await readyz(webhook.health)).endsWith('\nready\n'));
    const trusted = await trustedAt('kube-image-keeper-mutating-webhook');
    expect(await isTrusted(webhook.port, trusted)).toBe(true);

    await manager.kill();
    const another = await start('webhook');
    await until(async () => (await readyz(another.health)).endsWith('\nready\n'));
    expect(await isTrusted(another.port, trusted)).toBe(true);

    const stopped = webhook.stop();
    await until(async () => (await readyz(webhook.health)).includes('[-]webhook draining'));
    expect(await isTrusted(webhook.port, trusted)).toBe(true); // whoever has not heard of it is still answered
    await stopped;
    expect(await readFile(webhook.logFile, 'utf8')).toContain('"stopped"');
  });
});
