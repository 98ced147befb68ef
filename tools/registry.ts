import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { scratchFolder } from './guard.js';
import { ask } from './health.js';
import { claimPort } from './ports.js';
import { launch } from './process.js';
import type { Server } from './process.js';
import { toolPath } from './toolchain.js';

export interface RegistryOptions {
  /** a free one unless told */
  readonly port?: number;
  /** address of this machine to listen on, 127.0.0.1 unless told */
  readonly host?: string;
  /** images, configuration, log; a folder used before brings its images back. A new scratch folder unless told. */
  readonly dir?: string;
  /** name in log and messages, `registry` unless told */
  readonly name?: string;
  /** password by user; without it everybody may do everything */
  readonly htpasswd?: Readonly<Record<string, string>>;
  /** PEM files; plain HTTP without them */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
  /** whether manifests and blobs may be deleted, `allowed` unless told */
  readonly deletion?: 'allowed' | 'refused';
  /** `sparse`: an index may be pushed without its manifests; `whole`, all of them first, unless told */
  readonly indexes?: 'whole' | 'sparse';
  /** `kept`: its log gets a line per request it answered; nothing about requests unless told */
  readonly accessLog?: 'kept';
  /** another build of distribution; the pinned one unless told */
  readonly command?: string;
}

export interface RegistryServer extends Server {
  /** `HOST:PORT`, as it stands in an image name */
  readonly address: string;
  readonly port: number;
  readonly dir: string;
  /** `http://HOST:PORT`, or https */
  readonly url: string;
}

/** Starts a CNCF distribution registry; ready in about 0.1 s. It keeps its images in `dir` over restarts. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RegistryServer> {
  const { name = 'registry', host = '127.0.0.1' } = options;
  const dir = options.dir ?? scratchFolder(name);
  mkdirSync(dir, { recursive: true });
  const port = await claimPort(options.port);
  const address = `${host}:${port}`;
  const url = `${options.tls ? 'https' : 'http'}://${address}`;

  const configuration = join(dir, 'registry.json');
  writeFileSync(configuration, JSON.stringify(configure(options, dir, address), undefined, 2)); // JSON is YAML
  const server = await launch({
    name,
    command: options.command ?? (await toolPath('registry')),
    args: ['serve', configuration],
    env: { OTEL_TRACES_EXPORTER: 'none' }, // or it looks for a trace collector
    logFile: join(dir, 'registry.log'),
    ready: async () => [200, 401].includes((await ask(`${url}/v2/`, { caFile: options.tls?.certificateFile })).status),
  });
  return { ...server, address, port, dir, url };
}

/** @see https://distribution.github.io/distribution/about/configuration/ */
function configure({ htpasswd, tls, deletion, indexes, accessLog }: RegistryOptions, dir: string, address: string): object {
  return {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: accessLog === undefined } },
    storage: {
      filesystem: { rootdirectory: join(dir, 'images') },
      delete: { enabled: deletion !== 'refused' },
      maintenance: { uploadpurging: { enabled: false } },
    },
    ...(indexes === 'sparse' && { validation: { manifests: { indexes: { platforms: 'none' } } } }),
    http: { addr: address, ...(tls && { tls: { certificate: tls.certificateFile, key: tls.keyFile } }) },
    ...(htpasswd && { auth: { htpasswd: { realm: 'kuik', path: passwordFile(htpasswd, dir) } } }),
  };
}

function passwordFile(passwords: Readonly<Record<string, string>>, dir: string): string {
  const file = join(dir, 'htpasswd');
  writeFileSync(file, Object.entries(passwords).map(([user, password]) => `${user}:${hashSync(password, 5)}\n`).join(''), { mode: 0o600 });
  return file;
}
