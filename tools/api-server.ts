/**
 * etcd and kube-apiserver: everything of Kubernetes that is not a controller. There is no kubelet (Pods stay
 * Pending, tests play their status), nothing is garbage-collected, and a deleted namespace stays Terminating.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from './guard.js';
import { isOk } from './health.js';
import { claimPort, freePort } from './ports.js';
import { launch } from './process.js';
import type { Server } from './process.js';
import { toolPath } from './toolchain.js';

export interface ApiServerOptions {
  /** data, keys, logs; a folder used before brings its objects back. A new scratch folder unless told. */
  readonly dir?: string;
  /** a free one unless told */
  readonly port?: number;
  /**
   * `required`: as in a cluster, a Pod is refused until its ServiceAccount exists, and nobody here creates one.
   * `ignored` (unless told): Pods can be created in any namespace.
   */
  readonly serviceAccounts?: 'ignored' | 'required';
  /** more arguments for kube-apiserver */
  readonly args?: readonly string[];
}

/** Stopping or killing it takes etcd along; start it again with its `dir` and `port`. */
export interface ApiServer extends Server {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  /** path of a file that makes its user cluster-admin */
  readonly kubeconfig: string;
  /** bearer token of that user */
  readonly token: string;
  /** PEM of the authority of the serving certificate */
  readonly caFile: string;
  readonly etcd: Etcd;
}

/** The store; compacting it makes the API server forget. */
export interface Etcd extends Server {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

/** Starts both; ready in about three seconds, with the namespaces `default` and `kube-system` there. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const dir = options.dir ?? scratchFolder('kubernetes');
  mkdirSync(dir, { recursive: true });
  const port = await claimPort(options.port);
  const etcd = await startEtcd(dir);
  try {
    return await startKubeApiServer({ ...options, dir, port }, etcd);
  } catch (error) {
    await etcd.kill();
    throw error;
  }
}

async function startEtcd(dir: string): Promise<Etcd> {
  const [url, peer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const server = await launch({
    name: 'etcd',
    command: await toolPath('etcd'),
    args: [
      `--data-dir=${join(dir, 'etcd')}`,
      '--unsafe-no-fsync', // a test that survives a power cut is not worth its disk
      '--log-level=warn',
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ],
    logFile: join(dir, 'etcd.log'),
    ready: () => isOk(`${url}/health`),
  });
  return { ...server, url };
}

async function startKubeApiServer(options: ApiServerOptions & { readonly dir: string; readonly port: number }, etcd: Etcd): Promise<ApiServer> {
  const { dir, port } = options;
  const url = `https://127.0.0.1:${port}`;
  const [token, caFile, kubeconfig] = [adminToken(dir), join(dir, 'pki', 'apiserver.crt'), join(dir, 'kubeconfig')];
  const answers = (path: string): Promise<boolean> => isOk(`${url}${path}`, { token, caFile });

  const server = await launch({
    name: 'kube-apiserver',
    command: await toolPath('kube-apiserver'),
    args: kubeApiServerArguments(options, etcd.url),
    logFile: join(dir, 'kube-apiserver.log'),
    // the two namespaces appear a moment after readyz says ok
    ready: async () => (await answers('/readyz')) && (await answers('/api/v1/namespaces/default')) && answers('/api/v1/namespaces/kube-system'),
  });

  writeFileSync(kubeconfig, kubeconfigFor(url, token, caFile), { mode: 0o600 });
  const endBoth = (how: 'stop' | 'kill') => async () => {
    await server[how]();
    await etcd[how]();
  };
  return { ...server, url, port, dir, kubeconfig, token, caFile, etcd, stop: endBoth('stop'), kill: endBoth('kill') };
}

function kubeApiServerArguments({ dir, port, serviceAccounts, args }: ApiServerOptions & { readonly dir: string; readonly port: number }, etcdUrl: string): string[] {
  const key = serviceAccountKey(dir);
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(dir, 'pki')}`,
    `--token-auth-file=${join(dir, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--endpoint-reconciler-type=none',
    ...(serviceAccounts === 'required' ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ...(args ?? []),
  ];
}

/** Made once per folder, so that clients still know the server after a restart. */
function adminToken(dir: string): string {
  const file = join(dir, 'tokens.csv');
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(16).toString('hex')},admin,admin,system:masters\n`, { mode: 0o600 });
  return readFileSync(file, 'utf8').split(',')[0] ?? '';
}

function serviceAccountKey(dir: string): string {
  const file = join(dir, 'sa.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  if (!existsSync(file)) writeFileSync(file, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  return file;
}

/** JSON is YAML. */
function kubeconfigFor(server: string, token: string, caFile: string): string {
  const certificate = readFileSync(caFile).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'local',
    contexts: [{ name: 'local', context: { cluster: 'local', user: 'admin' } }],
    clusters: [{ name: 'local', cluster: { server, 'certificate-authority-data': certificate } }],
    users: [{ name: 'admin', user: { token } }],
  });
}
