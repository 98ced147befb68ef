/**
 * An image of one layer too large to be made in memory: the layer is written as it is made, by the same cipher over zeros as
 * that of smaller ones, and hashed on the way. The same name and size give the same digest on every machine.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { request } from 'undici';
import type { RegistryServer } from '../../tools/servers.js';
import type { BenchImage } from './images.js';

export interface NoiseImage {
  /** `path:tag` */
  readonly name: string;
  readonly layerBytes: number;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

/** Pushes it to a registry of plain HTTP. No client of blobs looks inside a layer, so it is noise and no archive. */
export async function pushNoise(registry: Pick<RegistryServer, 'url'>, { name, layerBytes }: NoiseImage): Promise<BenchImage> {
  const [path = '', tag = ''] = name.split(':');
  const repository = `${registry.url}/v2/${path}`;
  const layer = await pushBlob(repository, types.layer, noise(name, layerBytes));
  const config = await pushBlob(repository, types.config, [json({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [layer.digest] } })]);
  const manifest = json({ schemaVersion: 2, mediaType: types.manifest, config, layers: [layer] });
  await send('PUT', `${repository}/manifests/${tag}`, manifest, types.manifest);
  return { name, digest: digestOf(createHash('sha256').update(manifest)) };
}

/** POST, one PATCH as long as it takes, PUT: the digest is known only afterwards. @see OCI distribution specification 1.1, "Pushing a blob in chunks" */
async function pushBlob(repository: string, mediaType: string, chunks: Iterable<Buffer>): Promise<Descriptor> {
  const hash = createHash('sha256');
  let size = 0;
  function* hashed(): Iterable<Buffer> {
    for (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }

  const session = await send('POST', `${repository}/blobs/uploads/`);
  const filled = await send('PATCH', session, Readable.from(hashed()));
  const digest = digestOf(hash);
  await send('PUT', `${filled}&digest=${digest}`);
  return { mediaType, digest, size };
}

/** @returns where to go on */
async function send(method: 'POST' | 'PATCH' | 'PUT', url: string, body?: Buffer | Readable, type = 'application/octet-stream'): Promise<string> {
  const { statusCode, headers, body: answer } = await request(url, { method, body, headers: body === undefined ? {} : { 'content-type': type } });
  const text = await answer.text();
  if (statusCode >= 300) throw new Error(`${method} ${url}: status ${statusCode}: ${text}`);
  return new URL(String(headers['location'] ?? ''), url).href;
}

const pieceBytes = 1024 * 1024;

function* noise(seed: string, size: number): Iterable<Buffer> {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  const zeros = Buffer.alloc(pieceBytes);
  for (let left = size; left > 0; left -= pieceBytes) yield cipher.update(zeros.subarray(0, Math.min(left, pieceBytes)));
}

function digestOf(hash: ReturnType<typeof createHash>): string {
  return `sha256:${hash.digest('hex')}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
