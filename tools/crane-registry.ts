import { join } from 'node:path';
import { scratchFolder } from './guard.js';
import { ask } from './health.js';
import { claimPort } from './ports.js';
import { launch } from './process.js';
import type { Server } from './process.js';
import { toolPath } from './toolchain.js';

export interface CraneRegistryServer extends Server {
  /** `127.0.0.1:PORT`, as it stands in an image name */
  readonly address: string;
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

/** Starts crane's registry, which keeps images in memory: the odd one out in most of what a specification leaves open. */
export async function startCraneRegistry(options: { readonly port?: number; readonly name?: string } = {}): Promise<CraneRegistryServer> {
  const { name = 'crane-registry' } = options;
  const port = await claimPort(options.port);
  const address = `127.0.0.1:${port}`;
  const url = `http://${address}`;
  const server = await launch({
    name,
    command: await toolPath('crane'),
    args: ['registry', 'serve', '--address', address],
    logFile: join(scratchFolder(name), 'registry.log'),
    ready: async () => (await ask(`${url}/v2/`)).status === 200,
  });
  return { ...server, address, port, url };
}
