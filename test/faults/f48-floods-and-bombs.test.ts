import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect } from '@jest/globals';
import { startFaultRegistry, type Damage, type FaultRegistry } from '../support/fault-registry.js';
import { fault } from '../support/fault.js';
import { aBlob, anImage } from '../support/images.js';

const mebibyte = 1024 * 1024;
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const asManifest = { 'content-type': ociManifest };

/** What is asked for, and a registry that answers it with too much; `done` where a part of it may be used. */
const attacks: readonly (readonly [what: 'manifest' | 'tags' | 'blob' | 'referrers', name: string, does: Damage, code: string])[] = [
  ['manifest', 'flood', { status: 200, headers: asManifest, flood }, 'too-large'],
  ['manifest', 'refusal', { status: 403, flood }, 'denied'],
  ['manifest', 'compressed', { status: 200, headers: { ...asManifest, 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(256 * mebibyte)) }, 'corrupt'],
  ['manifest', 'brackets', { status: 200, headers: asManifest, body: '['.repeat(7 * mebibyte) }, 'invalid'],
  ['manifest', 'nested', { status: 200, headers: asManifest, body: `${'{"a":'.repeat(mebibyte)}1${'}'.repeat(mebibyte)}` }, 'invalid'],
  ['manifest', 'crowd', { status: 200, headers: asManifest, body: `[${'{},'.repeat(2 * mebibyte)}{}]` }, 'invalid'],
  ['manifest', 'headers', { headers: { 'x-padding': 'x'.repeat(64 * 1024) } }, 'too-large'],
  ['tags', 'flood', { status: 200, flood }, 'too-large'],
  ['tags', 'brackets', { status: 200, body: '['.repeat(mebibyte - 1) }, 'invalid'],
  ['tags', 'pages', { status: 200, body: '{"tags":["a"]}', headers: { link: '</v2/pages/tags/list?n=1&last=a>; rel="next"' } }, 'too-large'],
  ['blob', 'flood', { status: 200, flood }, 'corrupt'],
  ['blob', 'compressed', { status: 200, headers: { 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(256 * mebibyte)) }, 'corrupt'],
  ['referrers', 'flood', { status: 200, headers: { 'content-type': ociIndex }, flood }, 'too-large'],
];

describe('answers that are too much', () => {
  fault('F48', 'floods and bombs end at their limits, and the process grows by 32 MiB at most', async () => {
    const server = await startFaultRegistry();
    arrange(server);
    const ends: string[] = [];

    for (const [what, name] of attacks) {
      const { code, grownBytes } = await attacked(server, what, name);
      ends.push(`${what} ${name}: ${code}, ${grownBytes <= 32 * mebibyte ? 'within 32 MiB' : `grown by ${grownBytes >> 20} MiB`}`);
    }

    await server.close();
    expect(ends).toEqual(attacks.map(([what, name, , code]) => `${what} ${name}: ${code}, within 32 MiB`));
  });
});

function arrange(server: FaultRegistry): void {
  const image = anImage('honest');
  const repository = server.store.open('honest');
  const blob = aBlob('flood');
  repository.blobs.set(blob.descriptor.digest, Buffer.from(blob.bytes));
  repository.manifests.set(image.manifest.digest, { bytes: Buffer.from(image.manifest.bytes), mediaType: image.manifest.mediaType });
  repository.tags.set('1', image.manifest.digest);
  for (const [what, name, does] of attacks) server.fault({ on: { path: `/v2/${name}/${folders[what]}/` }, times: Infinity, does });
}

const folders = { manifest: 'manifests', tags: 'tags', blob: 'blobs', referrers: 'referrers' } as const;

/** Without an end: it stops when the client does. */
function* flood(): Generator<Uint8Array> {
  for (const piece = Buffer.alloc(64 * 1024, ' '); ; ) yield piece;
}

/** In a process of its own: the memory of this one is that of the registry too. */
async function attacked(server: FaultRegistry, what: string, name: string): Promise<{ readonly code: string; readonly grownBytes: number }> {
  const program = join(import.meta.dirname, '..', '..', 'dist', 'test', 'support', 'flooded-client.js');
  const { stdout } = await promisify(execFile)(process.execPath, [program, server.host, what, name], { env: { ...process.env, NODE_OPTIONS: '' }, timeout: 60_000 });
  return JSON.parse(stdout) as { code: string; grownBytes: number };
}
