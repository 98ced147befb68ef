/**
 * `make image`: the image of kuik as an OCI layout, without a container engine. The bottom layer is made of Debian
 * packages, the next is Node as npm brought it, the last kuik with its packages.
 *
 *     crane push .kuik/image registry.example.com/kube-image-keeper:dev
 */
import { relative, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { projectRoot } from '../programs.js';
import { writeApp } from './app.js';
import { programsLayer, writeImage } from './assemble.js';
import { baseLayer, user } from './debian.js';
import type { Compression } from './layer.js';
import { readBuild } from '../../src/commands/version.js';
import { stampOf } from './stamp.js';

/** @returns digest of the image */
export async function writeProductImage(dir: string, name: string, compression?: Compression): Promise<string> {
  const stamp = await stampOf(projectRoot());
  return writeImage(dir, {
    name,
    compression,
    layers: [baseLayer(user), programsLayer({ node: process.execPath }), (root) => writeApp(projectRoot(), root, stamp)],
    config: {
      Entrypoint: ['/usr/local/bin/kuik'],
      Cmd: ['run'],
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'],
      User: `${user.id}:${user.id}`,
      WorkingDir: '/app',
      Labels: {
        'org.opencontainers.image.title': 'kube-image-keeper',
        'org.opencontainers.image.version': readBuild().version,
        'org.opencontainers.image.licenses': 'MIT',
        ...(stamp.revision === '' ? {} : { 'org.opencontainers.image.revision': stamp.revision }),
        ...(stamp.built === '' ? {} : { 'org.opencontainers.image.created': stamp.built }),
      },
    },
  });
}

if (process.argv[1]?.endsWith('release/image.js') === true) {
  const usual = { output: '.kuik/image', name: `kube-image-keeper:${readBuild().version}` };
  const { values } = parseArgs({ options: { output: { type: 'string', default: usual.output }, name: { type: 'string', default: usual.name } } });
  const dir = resolve(values.output);
  const digest = await writeProductImage(dir, values.name);
  const shown = relative(process.cwd(), dir);
  process.stdout.write(`${values.name}@${digest}\nan OCI layout: crane push ${shown} HOST/${values.name}\n`);
}
