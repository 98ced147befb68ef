/**
 * A whole Kubernetes cluster of one node, made of plain processes: a kubelet pulls images and runs Pods, Services and
 * names work, and registries of a test are pulled from at the address of the host. No container engine is needed, and
 * nothing in the cluster reaches the internet. `requirements.ts` says what the machine has to bring.
 *
 *     const cluster = await startCluster();
 *     const registry = await startRegistry({ host: cluster.network.host });
 *     cluster.trust(registry.address);
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { scratchFolder, toolOutput } from '../servers.js';
import { toolPath } from '../toolchain.js';
import { programNamed } from '../programs.js';
import { writeImage } from '../release/assemble.js';
import { ctr, startComponents } from './components.js';
import { freeNetwork, type Network } from './network.js';
import { startNode, type ClusterNode } from './node.js';
import { requireCluster } from './requirements.js';
import { sandboxImage, writeSettings } from './settings.js';
import { systemObjects } from './system-objects.js';

/** What it is made of. */
export const kubernetesPrograms = (['etcd', 'kube-apiserver', 'kubectl', 'kubelet', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'coredns', 'pause'] as const).map(programNamed);

export interface ClusterOptions {
  /** everything the cluster writes; new, and not below /run. A scratch folder unless told */
  readonly dir?: string;
  /** told what has just started */
  readonly onStart?: (what: string) => void;
}

export interface Cluster {
  readonly dir: string;
  readonly network: Network;
  readonly node: ClusterNode;
  /** path of a file that makes its user cluster-admin */
  readonly kubeconfig: string;
  kubectl(...args: string[]): Promise<string>;
  apply(manifest: string): Promise<string>;
  /** puts an image into the node, as if it had been pulled under its name. @param layout an OCI layout whose root is named */
  load(layout: string): Promise<void>;
  /** lets the node pull from `host[:port]`: over plain HTTP, or with TLS from an authority in a PEM file. Read at every pull */
  trust(host: string, tls?: { readonly caFile: string }): void;
  /** lets node and Pods resolve a name, to the host unless told; a moment may pass */
  resolve(name: string, address?: string): Promise<void>;
  /** ends every process of it at once */
  stop(): Promise<void>;
}

/** Ready in about six seconds. @throws Error that says what the machine lacks */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { dir = scratchFolder('cluster'), onStart = () => undefined } = options;
  requireCluster();
  const network = freeNetwork();
  mkdirSync(dir, { recursive: true });
  await writeSettings(dir, network);
  const node = await startNode(dir, network);
  const cluster = clusterOf(dir, network, node);
  try {
    await startComponents({ dir, network, node }, async () => {
      onStart(`etcd, containerd and kube-apiserver at https://${network.node}:6443`);
      await loadSandboxImage(cluster);
      const objects = JSON.stringify(systemObjects(dir, network));
      await eventually('kube-system', async () => (await cluster.apply(objects)) !== ''); // it appears a moment after the server is ready
    });
    await ready(cluster);
    onStart(`kubelet, scheduler, controllers, kube-proxy and CoreDNS: node ${network.name} is Ready`);
    return cluster;
  } catch (error) {
    await node.stop();
    throw error;
  }
}

function clusterOf(dir: string, network: Network, node: ClusterNode): Cluster {
  const kubeconfig = join(dir, 'pki', 'admin.kubeconfig');
  return {
    dir,
    network,
    node,
    kubeconfig,
    kubectl: (...args) => toolOutput('kubectl', ['--kubeconfig', kubeconfig, ...args], { timeoutMs: 600_000 }),
    apply: (manifest) => toolOutput('kubectl', ['--kubeconfig', kubeconfig, 'apply', '-f', '-'], { input: manifest }),
    load: (layout) => load(node, layout),
    trust: (host, tls) => trust(dir, host, tls),
    resolve: async (name, address = network.host) => {
      appendFileSync(join(dir, 'conf', 'names'), `${address} ${name}\n`);
      await eventually(`the name ${name}`, async () => (await node.enter('getent', 'hosts', name)).startsWith(address));
    },
    stop: () => node.stop(),
  };
}

async function load(node: ClusterNode, layout: string): Promise<void> {
  const tar = spawn('tar', ['-C', layout, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const importing = node.spawnInside('ctr', [...ctr, 'images', 'import', '-']);
  const { stdin, stdout, stderr } = importing;
  if (stdin === null || stdout === null || stderr === null) throw new Error('ctr has no streams');
  const ended = new Promise<number | null>((resolve, reject) => importing.once('error', reject).once('close', resolve));
  const [said, complaint, , code] = await Promise.all([text(stdout), text(stderr), pipeline(tar.stdout, stdin).catch(() => undefined), ended]);
  if (code !== 0) throw new Error(`the image in ${layout} cannot be loaded: ${complaint.trim() || said.trim()}`);
}

/** containerd 1.6 ignores the file, and asks with TLS, where it has no [host] table. */
function trust(dir: string, host: string, tls?: { readonly caFile: string }): void {
  const url = `${tls === undefined ? 'http' : 'https'}://${host}`;
  mkdirSync(join(dir, 'certs.d', host), { recursive: true });
  writeFileSync(join(dir, 'certs.d', host, 'hosts.toml'), `server = "${url}"\n[host."${url}"]\n${tls === undefined ? '' : `ca = "${tls.caFile}"\n`}`);
}

/** Every Pod's sandbox runs it, so it has to be there before the first Pod. */
async function loadSandboxImage(cluster: Cluster): Promise<void> {
  const layout = await mkdtemp(join(cluster.dir, 'sandbox-'));
  const layers = [async (root: string): Promise<void> => copyFile(await toolPath('pause'), join(root, 'pause'))];
  await writeImage(layout, { name: sandboxImage, layers, config: { Entrypoint: ['/pause'] } });
  await cluster.load(layout);
  await rm(layout, { recursive: true });
}

/** Pods are refused until their ServiceAccount is there, and wait until the node is Ready. */
async function ready(cluster: Cluster): Promise<void> {
  await eventually('the node to be Ready', async () => (await cluster.kubectl('get', 'node', cluster.network.name, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'True');
  await eventually('the ServiceAccount "default"', async () => (await cluster.kubectl('get', 'serviceaccount', 'default', '-o', 'name')) !== '');
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 60_000; ; await sleep(100)) {
    if (await holds().catch(() => false)) return;
    if (performance.now() > deadline) throw new Error(`waited a minute in vain for ${what}`);
  }
}
