import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pinnedVersion, programNamed, projectRoot } from '../../tools/programs.js';
import { buildTool, findTool } from '../../tools/toolchain.js';
import { scratchFolder } from '../../tools/servers.js';
import type { PeerName } from './bench.js';
import type { Launcher } from './measure.js';

/** Another program that copies images, used as its own users would. */
export interface Peer {
  readonly name: PeerName;
  readonly version: string;
  /** Copies one image between two registries on loopback. */
  copy(launcher: Launcher, source: string, destination: string, caFile?: string): Promise<void>;
  /** Asks which digest a tag has, and nothing else; absent where the peer has no command for that. */
  readonly digest?: (launcher: Launcher, image: string, caFile?: string) => Promise<string>;
}

export interface Peers {
  readonly peers: readonly Peer[];
  /** a line for each that cannot be had */
  readonly leftOut: readonly string[];
}

type Tls = 'enabled' | 'disabled';

interface Arguments {
  readonly copy: (source: string, destination: string, tls: Tls) => readonly string[];
  readonly digest?: (image: string, tls: Tls) => readonly string[];
}

const argumentsOf: Record<PeerName, Arguments> = {
  crane: {
    copy: (source, destination) => ['copy', '--jobs', '4', source, destination],
    digest: (image) => ['digest', image],
  },
  regctl: {
    copy: (source, destination, tls) => ['image', 'copy', ...regctlHosts([source, destination], tls), source, destination],
    digest: (image, tls) => ['image', 'digest', ...regctlHosts([image], tls), image],
  },
  skopeo: {
    // the rules of the machine on signatures are not what is compared
    copy: (source, destination, tls) => ['copy', '--insecure-policy', '--preserve-digests', ...['src', 'dest'].map((side) => `--${side}-tls-verify=${tls === 'enabled'}`), `docker://${source}`, `docker://${destination}`],
  },
};

function regctlHosts(images: readonly string[], tls: Tls): readonly string[] {
  return images.flatMap((image) => ['--host', `reg=${hostOf(image)},tls=${tls}`]);
}

/** Finds the peers asked for, building them if need be. */
export async function findPeers(names: readonly PeerName[]): Promise<Peers> {
  const peers: Peer[] = [];
  const leftOut: string[] = [];
  for (const name of names) {
    try {
      peers.push(peerAt(name, await findProgram(name)));
    } catch (error) {
      leftOut.push(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { peers, leftOut };
}

/** Of everything that takes part beside ourselves. */
export function versionsOf(peers: readonly Peer[]): Readonly<Record<string, string>> {
  return { registry: pinnedVersion(programNamed('registry')), ...Object.fromEntries(peers.map(({ name, version }) => [name, version])) };
}

function peerAt(name: PeerName, { path, version }: Found): Peer {
  const { copy, digest } = argumentsOf[name];
  const run = (launcher: Launcher, args: (tls: Tls) => readonly string[], caFile: string | undefined): Promise<string> =>
    launcher.run(path, args(caFile === undefined ? 'disabled' : 'enabled'), { env: { ...noCredentials(), ...(caFile && { SSL_CERT_FILE: caFile }) } });
  return {
    name,
    version,
    copy: async (launcher, source, destination, caFile) => void (await run(launcher, (tls) => copy(source, destination, tls), caFile)),
    digest: digest && (async (launcher, image, caFile) => (await run(launcher, (tls) => digest(image, tls), caFile)).trim()),
  };
}

interface Found {
  readonly path: string;
  readonly version: string;
}

/** skopeo comes from the system's packages, the others are pinned and built. */
async function findProgram(name: PeerName): Promise<Found> {
  if (name === 'skopeo') return findSkopeo();
  const program = programNamed(name);
  return (await findTool(program)) ?? (await buildTool(program));
}

async function findSkopeo(): Promise<Found> {
  try {
    const { stdout } = await promisify(execFile)('skopeo', ['--version'], { timeout: 10_000 });
    return { path: 'skopeo', version: versionIn(stdout) };
  } catch (cause) {
    throw new Error('it is not installed (apt-get install skopeo)', { cause });
  }
}

/** `skopeo version 1.9.3` */
function versionIn(text: string): string {
  return /\d+\.\d+\S*/.exec(text)?.[0] ?? text.trim();
}

/** The launcher of this checkout, as a user starts it. */
export function kuik(launcher: Launcher, args: readonly string[], input?: string): Promise<string> {
  return launcher.run(join(projectRoot(), 'bin', 'kuik'), args, { input, env: noCredentials() });
}

let home: string | undefined;

/** Nobody reads the credentials of whoever runs the bench. */
export function noCredentials(): NodeJS.ProcessEnv {
  home ??= scratchFolder('home');
  return { HOME: home, DOCKER_CONFIG: home, XDG_RUNTIME_DIR: home };
}

function hostOf(image: string): string {
  return image.slice(0, image.indexOf('/'));
}
