/**
 * `make image`: the image of kuik as an OCI layout, without a container engine. The bottom layer is made of Debian
 * packages, the next is Node as npm brought it, the last kuik with its packages.
 *
 *     crane push .kuik/image registry.example.com/kube-image-keeper:dev
 */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { mediaTypes, OciLayout } from '../oci-layout.js';
import { projectRoot } from '../programs.js';
import { writeApp } from './app.js';
import { unpackPackages, user } from './debian.js';
import { writeLayer, type Layer } from './layer.js';
import { readBuild } from '../../src/commands/version.js';

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** @returns digest of the image */
export async function writeProductImage(dir: string, name: string): Promise<string> {
  await rm(dir, { recursive: true, force: true });
  const layout = await OciLayout.create(dir);
  const scratch = await mkdtemp(join(dir, 'layers-'));
  try {
    const layers: Layer[] = [];
    for (const [step, write] of Object.entries(steps)) {
      const root = join(scratch, step);
      await mkdir(root);
      await write(root);
      layers.push(await writeLayer(layout, root, scratch));
      await rm(root, { recursive: true });
    }
    const config = await layout.put(mediaTypes.config, configOf(layers));
    const manifest = await layout.put(mediaTypes.manifest, { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: layers.map(({ descriptor }) => descriptor) });
    // the first is what containerd reads, the second what everybody else does
    await layout.finish(manifest, { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1) });
    return manifest.digest;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** From what changes least to what changes most, so that an upgrade pulls the last one. */
const steps = {
  base: (root: string) => unpackPackages(root),
  node: async (root: string) => {
    await mkdir(join(root, 'usr/local/bin'), { recursive: true });
    await copyFile(process.execPath, join(root, 'usr/local/bin/node'));
  },
  app: (root: string) => writeApp(projectRoot(), root),
} as const;

function configOf(layers: readonly Layer[]): object {
  return {
    os: 'linux',
    architecture: architectures[process.arch],
    config: {
      Entrypoint: ['/usr/local/bin/kuik'],
      Cmd: ['run'],
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'],
      User: `${user.id}:${user.id}`,
      WorkingDir: '/app',
      Labels: { 'org.opencontainers.image.title': 'kube-image-keeper', 'org.opencontainers.image.version': readBuild().version, 'org.opencontainers.image.licenses': 'MIT' },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  };
}

if (process.argv[1]?.endsWith('release/image.js') === true) {
  const usual = { output: '.kuik/image', name: `kube-image-keeper:${readBuild().version}` };
  const { values } = parseArgs({ options: { output: { type: 'string', default: usual.output }, name: { type: 'string', default: usual.name } } });
  const dir = resolve(values.output);
  const digest = await writeProductImage(dir, values.name);
  const shown = relative(process.cwd(), dir);
  process.stdout.write(`${values.name}@${digest}\nan OCI layout: crane push ${shown} HOST/${values.name}\n`);
}
