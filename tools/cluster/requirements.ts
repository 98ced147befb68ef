/**
 * Whether this machine can carry a cluster in which Pods run, and what it lacks. Kernel features are tried in
 * namespaces of their own instead of being looked up: a module that is not loaded yet is loaded by its first use.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeEnvironment } from './node.js';
import { pluginFolder } from './settings.js';
import { isExecutable } from '../executable.js';

/** Package of Debian by program. */
const systemPrograms: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  'containerd-shim-runc-v2': 'containerd',
  runc: 'runc',
  ip: 'iproute2',
  nft: 'nftables',
  iptables: 'iptables',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  mount: 'mount',
};

const plugins = ['ptp', 'host-local', 'portmap', 'loopback'];

/** Bit by name. @see capabilities(7), linux/capability.h */
const capabilities: Readonly<Record<string, number>> = { CAP_CHOWN: 0, CAP_DAC_OVERRIDE: 1, CAP_KILL: 5, CAP_SETGID: 6, CAP_SETUID: 7, CAP_NET_ADMIN: 12, CAP_SYS_CHROOT: 18, CAP_SYS_PTRACE: 19, CAP_SYS_ADMIN: 21, CAP_MKNOD: 27 };

const features: readonly { readonly what: string; readonly script: string }[] = [
  { what: 'overlayfs', script: 'mkdir "$DIR/lower" "$DIR/upper" "$DIR/work" "$DIR/all" && mount -t overlay -o "lowerdir=$DIR/lower,upperdir=$DIR/upper,workdir=$DIR/work" overlay "$DIR/all"' },
  { what: 'virtual network cables (veth)', script: 'ip link add one type veth peer name two' },
  { what: 'nftables with NAT', script: 'nft add table ip kuik && nft "add chain ip kuik nat { type nat hook postrouting priority 100 ; }"' },
];

export interface Machine {
  readonly platform: string;
  readonly isRoot: boolean;
  /** `CapEff` of /proc/self/status, as hexadecimal */
  readonly capabilities: string;
  readonly has: (program: string) => boolean;
  readonly hasPlugin: (plugin: string) => boolean;
  /** runs a script in new namespaces; what it complained about, or undefined when it worked */
  readonly tries: (script: string) => string | undefined;
}

/** @throws Error with everything that is missing */
export function requireCluster(): void {
  const missing = missingForCluster(thisMachine());
  if (missing.length > 0) throw new Error(['a cluster in which Pods run cannot be started here:', ...missing.map((each) => `    ${each}`)].join('\n'));
}

/** What is missing, each with the next step; nothing when a cluster can run. What comes first hides what depends on it. */
export function missingForCluster(machine: Machine): readonly string[] {
  if (machine.platform !== 'linux') return [`Linux: this is ${machine.platform}`];
  if (!machine.isRoot) return ['root: run this as root'];
  const lacking = lackingCapabilities(machine.capabilities);
  if (lacking.length > 0) return [`${lacking.join(', ')}: root has been deprived of them here; run this on a machine of your own or in a privileged container`];
  const absent = [...absentPrograms(machine), ...(plugins.every(machine.hasPlugin) ? [] : [`${plugins.join(', ')} in ${pluginFolder}: apt-get install containernetworking-plugins`])];
  if (absent.length > 0) return absent;
  return features.flatMap(({ what, script }) => {
    const complaint = machine.tries(script);
    return complaint === undefined ? [] : [`${what} of the kernel: ${complaint}`];
  });
}

function lackingCapabilities(effective: string): readonly string[] {
  const mask = BigInt(`0x${effective}`);
  return Object.entries(capabilities).flatMap(([name, bit]) => ((mask >> BigInt(bit)) & 1n) === 1n ? [] : [name]);
}

function absentPrograms({ has }: Machine): readonly string[] {
  const absent = Object.keys(systemPrograms).filter((program) => !has(program));
  return absent.length === 0 ? [] : [`${absent.join(', ')}: apt-get install ${[...new Set(absent.map((program) => systemPrograms[program]))].join(' ')}`];
}

export function thisMachine(): Machine {
  const folders = (nodeEnvironment['PATH'] ?? '').split(':');
  return {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    get capabilities() {
      return /^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
    },
    has: (program) => folders.some((folder) => isExecutable(join(folder, program))),
    hasPlugin: (plugin) => isExecutable(join(pluginFolder, plugin)),
    tries: tryIt,
  };
}

function tryIt(script: string): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'kuik-try-'));
  try {
    const { status, stderr } = spawnSync('unshare', ['--mount', '--net', '--propagation=private', 'sh', '-c', script], { env: { ...process.env, ...nodeEnvironment, DIR: dir }, encoding: 'utf8', timeout: 10_000 });
    return status === 0 ? undefined : stderr.trim().split('\n')[0] || 'it does not work';
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
