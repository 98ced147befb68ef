/**
 * The node: one set of namespaces (mounts, network, processes, IPC, host name) whose process 1 is `node.sh`. Ending
 * that process ends everything of the node at once; what the host keeps are its cgroups, which `stop` removes.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../programs.js';
import { launch, type Server } from '../servers.js';
import { toolPath } from '../toolchain.js';
import type { Network } from './network.js';

export interface ClusterNode extends Server {
  /** what `nsenter` wants before a command that is to run in it */
  readonly entry: readonly string[];
  /** runs a command in it to its end, and returns what it printed */
  enter(command: string, ...args: string[]): Promise<string>;
  /** the same for one whose streams somebody wants; standard output and errors come together with ours unless told */
  spawnInside(command: string, args: readonly string[]): ChildProcess;
  /** whether somebody in it listens on a TCP port, at whatever address */
  listensOn(port: number): boolean;
}

/** Programs of the system are found where root's shell would find them; nobody pulls through a proxy of ours. */
export const nodeEnvironment: Readonly<Record<string, string>> = {
  PATH: `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${process.env['PATH'] ?? ''}`,
  ...Object.fromEntries(['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'].map((name) => [name, ''])),
};

const run = promisify(execFile);

/** @param dir holds `conf/resolv.conf` and `conf/hosts` */
export async function startNode(dir: string, network: Network): Promise<ClusterNode> {
  for (const folder of ['run', 'log', 'kubelet', 'cni-cache', 'var-log']) mkdirSync(join(dir, folder), { recursive: true });
  await removeCgroups(network.name); // of one that ended without us
  makeCgroups(network.name);
  const pidFile = join(dir, 'run', 'pid');
  const server = await launch({
    name: 'node',
    command: 'unshare',
    args: [...['--mount', '--net', '--pid', '--ipc', '--uts', '--fork', '--kill-child', '--propagation=private'], join(projectRoot(), 'tools', 'cluster', 'node.sh'), dir, network.name, await toolPath('pause')],
    env: nodeEnvironment,
    logFile: join(dir, 'log', 'node.log'),
    ready: async () => existsSync(pidFile),
  });
  const pid = readFileSync(pidFile, 'utf8').trim();
  const entry = ['--target', pid, '--mount', '--net', '--pid', '--ipc', '--uts', '--'];
  const enter = (command: string, ...args: string[]): Promise<string> => system('nsenter', [...entry, command, ...args]);
  // `unshare` itself ignores SIGTERM; its end takes process 1 along
  const stop = async (): Promise<void> => {
    await server.kill();
    await system('ip', ['link', 'del', network.name]).catch(() => undefined); // the kernel does it too, but takes its time
    await removeCgroups(network.name);
  };
  const node: ClusterNode = {
    ...server,
    entry,
    enter,
    spawnInside: (command, args) => spawn('nsenter', [...entry, command, ...args], { env: { ...process.env, ...nodeEnvironment } }),
    listensOn: (port) => listens(pid, port),
    stop,
    kill: stop,
  };
  try {
    await connectCable(pid, network, enter);
  } catch (error) {
    await stop();
    throw error;
  }
  return node;
}

/** Runs a program of the system. @returns what it printed */
async function system(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, args, { env: { ...process.env, ...nodeEnvironment }, maxBuffer: 16 << 20 });
  return stdout.trimEnd();
}

async function connectCable(pid: string, network: Network, enter: ClusterNode['enter']): Promise<void> {
  const ip = (...args: string[]): Promise<string> => system('ip', args);
  await ip('link', 'add', network.name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid);
  await ip('addr', 'add', `${network.host}/24`, 'dev', network.name);
  await ip('link', 'set', network.name, 'up');
  await ip('route', 'add', network.whole, 'via', network.node, 'dev', network.name);
  await enter('ip', 'link', 'set', 'lo', 'up');
  await enter('ip', 'addr', 'add', `${network.node}/24`, 'dev', 'eth0');
  await enter('ip', 'link', 'set', 'eth0', 'up');
  // without any route, what the node itself sends to a Service would fail before kube-proxy's rules see it
  await enter('ip', 'route', 'add', network.services, 'dev', 'eth0');
}

/** @see proc_pid_net(5): the fourth column is the state, 0A for one that listens */
function listens(pid: string, port: number): boolean {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = ['tcp', 'tcp6'].flatMap((file) => readFileSync(`/proc/${pid}/net/${file}`, 'utf8').split('\n'));
  return lines.some((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/);
    return local.endsWith(end) && state === '0A';
  });
}

const cgroups = '/sys/fs/cgroup';

/** Of version 1 there is a tree per controller, of version 2 a single one. */
function trees(): readonly string[] {
  if (existsSync(join(cgroups, 'cgroup.controllers'))) return [cgroups];
  return readdirSync(cgroups, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [join(cgroups, entry.name)] : []));
}

function makeCgroups(name: string): void {
  for (const tree of trees()) mkdirSync(join(tree, name), { recursive: true });
  const controllers = join(cgroups, 'cgroup.controllers');
  if (!existsSync(controllers)) return;
  const wanted = readFileSync(controllers, 'utf8').trim().split(/\s+/).map((each) => `+${each}`).join(' ');
  writeFileSync(join(cgroups, 'cgroup.subtree_control'), wanted);
}

/** Processes that were killed leave their cgroups a moment later. */
async function removeCgroups(name: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      for (const tree of trees()) removeTree(join(tree, name));
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      await sleep(100);
    }
  }
}

/** Folders only: the files of a cgroup go with it. */
function removeTree(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeTree(join(path, entry.name));
  rmdirSync(path);
}
