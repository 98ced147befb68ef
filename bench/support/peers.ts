import { join } from 'node:path';
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
}

export interface Peers {
  readonly peers: readonly Peer[];
  /** a line for each that cannot be had */
  readonly leftOut: readonly string[];
}

const argumentsOf: Record<PeerName, (source: string, destination: string, tls: 'enabled' | 'disabled') => readonly string[]> = {
  crane: (source, destination) => ['copy', '--jobs', '4', source, destination],
  regctl: (source, destination, tls) => ['image', 'copy', ...[source, destination].flatMap((image) => ['--host', `reg=${hostOf(image)},tls=${tls}`]), source, destination],
};

/** Finds the peers asked for, building them if need be. */
export async function findPeers(names: readonly PeerName[]): Promise<Peers> {
  const peers: Peer[] = [];
  const leftOut: string[] = [];
  for (const name of names) {
    try {
      peers.push(await findPeer(name));
    } catch (error) {
      leftOut.push(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { peers, leftOut };
}

async function findPeer(name: PeerName): Promise<Peer> {
  const program = programNamed(name);
  const { path } = (await findTool(program)) ?? (await buildTool(program));
  const env = noCredentials();
  return {
    name,
    version: pinnedVersion(program),
    copy: async (launcher, source, destination, caFile) => {
      const args = argumentsOf[name](source, destination, caFile === undefined ? 'disabled' : 'enabled');
      await launcher.run(path, args, { env: { ...env, ...(caFile && { SSL_CERT_FILE: caFile }) } });
    },
  };
}

/** The launcher of this checkout, as a user starts it. */
export function kuik(launcher: Launcher, args: readonly string[], input?: string): Promise<string> {
  return launcher.run(join(projectRoot(), 'bin', 'kuik'), args, { input, env: noCredentials() });
}

let home: string | undefined;

/** Nobody reads the credentials of whoever runs the bench. */
function noCredentials(): NodeJS.ProcessEnv {
  home ??= scratchFolder('home');
  return { HOME: home, DOCKER_CONFIG: home };
}

function hostOf(image: string): string {
  return image.slice(0, image.indexOf('/'));
}
