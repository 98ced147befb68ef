/** A folder as one layer of an image. Same content, same digest: names are sorted, times and owners dropped. */
import { spawn } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { mediaTypes, type Descriptor, type OciLayout } from '../oci-layout.js';

export interface Layer {
  readonly descriptor: Descriptor;
  /** of what it unpacks to: OCI image specification 1.1, config.md, "Layer DiffID" */
  readonly diffId: string;
}

const reproducible = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];

/** `small` is for images that are pulled, `fast` for those that never leave this machine. */
export type Compression = 'small' | 'fast';

/** @param scratch a folder on the same file system as the layout */
export async function writeLayer(layout: OciLayout, folder: string, scratch: string, compression: Compression = 'small'): Promise<Layer> {
  const file = join(scratch, 'layer.tar.gz');
  const [plain, packed] = [createHash('sha256'), createHash('sha256')];
  const tar = spawn('tar', [...reproducible, '-C', folder, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => tar.once('error', reject).once('close', resolve));
  await pipeline(tar.stdout, hashing(plain), createGzip({ level: compression === 'small' ? 6 : 1 }), hashing(packed), createWriteStream(file));
  const code = await ended;
  if (code !== 0) throw new Error(`tar of ${folder} ended with ${code ?? 'a signal'}`);
  return { descriptor: await layout.adopt(mediaTypes.layer, digest(packed), file), diffId: digest(plain) };
}

function hashing(hash: Hash): PassThrough {
  const through = new PassThrough();
  through.on('data', (chunk: Buffer) => hash.update(chunk));
  return through;
}

function digest(hash: Hash): string {
  return `sha256:${hash.digest('hex')}`;
}
