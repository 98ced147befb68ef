/** What a large layer costs: time, and no memory. `FAULT_SIZE=soak` takes the full figure. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const mebibyte = 1024 * 1024;
const block = createHash('shake256', { outputLength: mebibyte }).update('block').digest();
const largeMebibytes = process.env['FAULT_SIZE'] === 'soak' ? 4096 : 512;

test('a layer of 512 MiB, or of 4 GiB where all is tried, is never in memory as a whole', async () => {
  const small = await grownBy(64);
  const large = await grownBy(largeMebibytes);

  process.stderr.write(`memory: 64 MiB grew by ${small >> 20} MiB, ${largeMebibytes} MiB by ${large >> 20} MiB\n`);
  // garbage that is not collected yet grows with the time it takes, not with the size: 4 GiB had 71 MiB more
  expect(large - small).toBeLessThan(96 * mebibyte);
}, 300_000);

/** In a process of its own, which copies from a registry to itself. */
async function grownBy(mebibytes: number): Promise<number> {
  const server = await serving(mebibytes);
  const hash = createHash('sha256');
  for (let at = 0; at < mebibytes; at++) hash.update(block);
  const program = join(import.meta.dirname, '..', '..', 'dist', 'test', 'support', 'large-copy-client.js');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program, host, `sha256:${hash.digest('hex')}`, String(mebibytes * mebibyte)], { env: { ...process.env, NODE_OPTIONS: '' } });
    return (JSON.parse(stdout) as { grownBytes: number }).grownBytes;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** A registry that gives the same mebibyte over and over, takes whatever comes, and keeps nothing. */
async function serving(mebibytes: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void give(response.writeHead(200, { 'content-length': mebibytes * mebibyte }), mebibytes);
    request.resume().on('end', () => {
      if (request.method === 'HEAD') return response.writeHead(404).end();
      return response.writeHead(request.method === 'POST' ? 202 : 201, { location: '/v2/to/blobs/uploads/1' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function give(response: ServerResponse, mebibytes: number): Promise<void> {
  await pipeline(Readable.from(times(mebibytes)), response).catch(() => undefined); // the client may leave
}

function* times(mebibytes: number): Generator<Uint8Array> {
  for (let at = 0; at < mebibytes; at++) yield block;
}
