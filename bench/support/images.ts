/**
 * The images benches copy: random bytes, so that nothing compresses, the same on every machine. They are pushed straight to the
 * registry by an independent client, before anything is measured.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { writeImageLayout, type ImageSpec } from '../../tools/image.js';
import { scratchFolder, toolOutput, type RegistryServer } from '../../tools/servers.js';

/** An image as it stands in a registry of the bench. */
export interface BenchImage {
  /** `path:tag`, to stand behind the host of a registry or a relay */
  readonly name: string;
  /** what a copy of it must answer with */
  readonly digest: string;
}

const kib = 1024;
const mib = 1024 * kib;
const ownLayers = ['a', 'b', 'c', 'd'];
const sharedLayers = ['1', '2', '3', '4', '5', '6'];

/** Images of ten layers of 10 KiB, six of them the same in all: what a team's services look like to a registry. */
export function smallImages(count: number): readonly ImageSpec[] {
  return Array.from({ length: count }, (_, at) => ({
    name: `small/app-${String(at).padStart(3, '0')}:1.0`,
    platforms: ['linux/amd64'],
    layers: [
      ...sharedLayers.map((layer) => ({ seed: `shared ${layer}`, size: 10 * kib })),
      ...ownLayers.map((layer) => ({ seed: `app ${at} ${layer}`, size: 10 * kib })),
    ],
  }));
}

/** One image of eight layers of 64 MiB. */
export function largeImage(): ImageSpec {
  return {
    name: 'large/model:1.0',
    platforms: ['linux/amd64'],
    layers: Array.from({ length: 8 }, (_, at) => ({ seed: `large ${at}`, size: 64 * mib })),
  };
}

/** Makes the images and pushes them; `name` of a specification is `path:tag`. */
export async function pushImages(registry: RegistryServer, specs: readonly ImageSpec[], caFile?: string): Promise<readonly BenchImage[]> {
  const pushed: BenchImage[] = [];
  const dir = scratchFolder('layouts');
  for (const spec of specs) {
    const layout = join(dir, String(pushed.length));
    const digest = await writeImageLayout(layout, spec);
    await toolOutput('crane', ['push', layout, `${registry.address}/${spec.name}`], { timeoutMs: 600_000, env: caFile === undefined ? {} : { SSL_CERT_FILE: caFile } });
    await rm(layout, { recursive: true });
    pushed.push({ name: spec.name, digest });
  }
  await rm(dir, { recursive: true });
  return pushed;
}

/**
 * Makes sure that a registry holds exactly these images: a contender that leaves something out is not fast.
 *
 * @throws Error that names the first image that differs
 */
export async function expectImages(registry: RegistryServer, images: readonly BenchImage[], caFile?: string): Promise<void> {
  const dispatcher = new Agent(caFile === undefined ? {} : { connect: { ca: await readFile(caFile) } });
  for (const { name, digest } of images) {
    const [path, tag] = name.split(':');
    const answer = await digestAt(`${registry.url}/v2/${path}/manifests/${tag}`, dispatcher);
    if (answer !== digest) throw new Error(`${registry.address}/${name} is ${answer ?? 'missing'} instead of ${digest}`);
  }
  await dispatcher.close();
}

async function digestAt(url: string, dispatcher: Agent): Promise<string | undefined> {
  const { headers } = await request(url, { method: 'HEAD', headers: { accept: 'application/vnd.oci.image.manifest.v1+json' }, dispatcher });
  const digest = headers['docker-content-digest'];
  return typeof digest === 'string' ? digest : undefined;
}
