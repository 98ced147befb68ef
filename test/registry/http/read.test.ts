import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { Descriptor, Purpose } from '../../../src/registry/registry.js';
import type { Fault } from '../../support/fault-registry.js';
import { aBlob, aCall, aMultiPlatformImage, anImage, pushImage, single, sourceOf, type Blob } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, closeLater, refAt } from '../../support/registry-client.js';

closeAfterEach();

async function anImageServer(options: Parameters<typeof aRegistryServer>[0] = {}): Promise<Awaited<ReturnType<typeof aRegistryServer>>> {
  const server = await aRegistryServer(options);
  await pushImage(aClient().registry, `${server.host}/app:1`, single(image));
  server.calm();
  return server;
}
const image = anImage('app');

/** Answers every request with these bytes, whatever they are. */
async function aRawServer(answer: Uint8Array): Promise<{ readonly host: string }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('data', () => socket.write(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeLater({ close: () => new Promise<void>((resolve) => (open.forEach((socket) => socket.destroy()), server.close(() => resolve()))) });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('a check reads a digest again, however often it was read: the question is whether it is still there', async () => {
  const server = await anImageServer();
  const { registry } = aClient();
  const at = { ...refAt(server, 'app:1'), tag: undefined, digest: image.manifest.digest };
  for (const purpose of ['copy', 'copy', 'check', 'check'] as const) await registry.manifest(at, [], aCall({ purpose }));

  expect(server.log()).toEqual(['GET manifest', 'GET manifest', 'GET manifest']);
});

describe('looking at a manifest', () => {
  test('is one HEAD that accepts every type, on one connection, however often', async () => {
    const server = await anImageServer();
    const { registry } = aClient();

    for (let time = 0; time < 100; time++) await registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'check' }));

    expect(server.requests).toHaveLength(100);
    expect(new Set(server.requests.map(({ connection }) => connection)).size).toBe(1);
    expect(server.requests[0]).toMatchObject({ method: 'HEAD', headers: { 'accept-encoding': 'identity', 'user-agent': 'kube-image-keeper/test', accept: expect.stringContaining('application/vnd.oci.image.index.v1+json') as unknown } });
  });

  test.each([
    ['has no digest', { headers: { 'docker-content-digest': undefined } }],
    ['has a digest that is none', { headers: { 'docker-content-digest': 'sha256:abc' } }],
    ['has no type', { headers: { 'content-type': undefined } }],
    ['has no length', { headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' } }],
    ['is refused with 405', { status: 405 }],
    ['is refused with 501', { status: 501 }],
  ])('a HEAD that %s is followed by a GET, and not tried again for a while', async (_sentence, does) => {
    const server = await anImageServer();
    server.fault({ on: { method: 'HEAD' }, times: 10, does });
    const { registry } = aClient();

    const first = await registry.head(refAt(server, 'app:1'), [], aCall());
    const second = await registry.head(refAt(server, 'app:1'), [], aCall());

    expect(first).toEqual({ digest: image.manifest.digest, mediaType: image.manifest.mediaType, size: image.manifest.bytes.length, identity: 'anonymous' });
    expect(second).toEqual(first);
    expect(server.log()).toEqual(['HEAD manifest', 'GET manifest', 'GET manifest']);
  });

  test('a HEAD that comes with a body is believed, and what follows on its connection is not', async () => {
    const { manifest } = image;
    const body = Buffer.from('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
    const head = `HTTP/1.1 200 OK\r\ncontent-type: ${manifest.mediaType}\r\ndocker-content-digest: ${manifest.digest}\r\ncontent-length: ${body.length}\r\n\r\n`;
    const server = await aRawServer(Buffer.concat([Buffer.from(head), body]));
    const { registry } = aClient();

    for (let time = 0; time < 3; time++) expect(await registry.head(refAt(server, 'app:1'), [], aCall())).toMatchObject({ digest: manifest.digest });
  });

  test.each(['text/html', 'application/json', 'application/vnd.example+json'])('a HEAD of type %s leaves the word to the body, for this manifest only', async (type) => {
    const server = await anImageServer();
    server.fault({ on: { method: 'HEAD' }, does: { headers: { 'content-type': type } } });
    const { registry } = aClient();

    expect(await registry.head(refAt(server, 'app:1'), [], aCall())).toMatchObject({ mediaType: image.manifest.mediaType });
    await registry.head(refAt(server, 'app:1'), [], aCall());

    expect(server.log()).toEqual(['HEAD manifest', 'GET manifest', 'HEAD manifest']);
  });

  test('a HEAD of a type that is no image is what the body says: unsupported', async () => {
    const server = await anImageServer();
    server.fault({ on: { route: 'manifest' }, times: 9, does: { headers: { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' } } });

    await expect(aClient().registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'check' }))).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('a HEAD by digest that names another digest is not believed', async () => {
    const server = await anImageServer();
    server.fault({ on: { method: 'HEAD' }, does: { headers: { 'docker-content-digest': anImage('other').manifest.digest } } });

    const seen = await aClient().registry.head(refAt(server, `app@${image.manifest.digest}`), [], aCall());

    expect(seen).toMatchObject({ digest: image.manifest.digest });
  });

  test('the last request of a quota is throttled for a check, and served to a copy', async () => {
    const server = await anImageServer();
    server.fault({ on: {}, times: 10, does: { headers: { 'ratelimit-remaining': '0;w=21600' } } });
    const asking = (purpose: Purpose): Promise<unknown> => aClient().registry.manifest(refAt(server, 'app:1'), [], aCall({ purpose }));

    await expect(asking('check')).rejects.toMatchObject({ code: 'throttled' });
    await expect(asking('probe')).rejects.toMatchObject({ code: 'throttled' });
    expect(await asking('copy')).toMatchObject({ digest: image.manifest.digest });
  });
});

describe('reading a manifest', () => {
  test('no digest is fetched twice by one identity', async () => {
    const server = await anImageServer();
    const { registry } = aClient();

    await registry.manifest(refAt(server, 'app:1'), [], aCall());
    await registry.manifest(refAt(server, `app@${image.manifest.digest}`), [], aCall());

    expect(server.log()).toEqual(['GET manifest']);
  });

  test('another identity reads for itself', async () => {
    const server = await anImageServer();
    const { registry } = aClient();
    const at = refAt(server, `app@${image.manifest.digest}`);

    await registry.manifest(at, [], aCall());
    await registry.manifest(at, [{ id: 'dddddddddddd', username: 'dan', password: 'x' }], aCall());

    expect(server.log()).toEqual(['GET manifest', 'GET manifest']);
  });

  test('other bytes than the digest says are corrupt, after one more try', async () => {
    const server = await anImageServer();
    server.fault({ on: { route: 'manifest' }, times: 2, does: { spoil: true } });
    const at = refAt(server, `app@${image.manifest.digest}`);
    const { registry, events } = aClient();

    await expect(registry.manifest(at, [], aCall())).rejects.toMatchObject({ code: 'corrupt', side: 'source' });

    expect(server.log()).toEqual(['GET manifest', 'GET manifest']);
    expect(events).toContainEqual({ type: 'corrupt', registry: server.host, side: 'source' });
  });

  test('a header that lies about the digest of a tag is counted, and our hash counts', async () => {
    const server = await anImageServer();
    server.fault({ on: { method: 'GET' }, does: { headers: { 'docker-content-digest': anImage('other').manifest.digest } } });
    const { registry, events } = aClient();

    expect(await registry.manifest(refAt(server, 'app:1'), [], aCall())).toMatchObject({ digest: image.manifest.digest });
    expect(events).toContainEqual({ type: 'lied', registry: server.host, about: 'digest' });
  });

  test.each([
    ['encoded', { headers: { 'content-encoding': 'gzip' } }, 'corrupt'],
    ['of 9 MiB', { append: ' '.repeat(9 * 1024 * 1024) }, 'too-large'],
    ['of another type than its header', { headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' } }, 'invalid'],
    ['of schema 1', { headers: { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' } }, 'unsupported'],
    ['of both shapes at once', { body: JSON.stringify({ ...(JSON.parse(Buffer.from(image.manifest.bytes).toString()) as object), manifests: [] }), status: 200, headers: { 'content-type': image.manifest.mediaType } }, 'invalid'],
    ['of schema 1 by its body', { body: '{"schemaVersion":1,"name":"app","fsLayers":[]}', status: 200, headers: { 'content-type': 'application/json' } }, 'unsupported'],
    ['that is no JSON', { append: '}' }, 'invalid'],
  ])('an answer %s is refused', async (_sentence, does, code) => {
    const server = await anImageServer();
    server.fault({ on: { method: 'GET' }, times: 5, does });

    await expect(aClient().registry.manifest(refAt(server, 'app:1'), [], aCall())).rejects.toMatchObject({ code });
  });

  test('a type that says nothing leaves the word to the body', async () => {
    const server = await anImageServer();
    server.fault({ on: { method: 'GET' }, does: { headers: { 'content-type': 'application/json; charset=utf-8' } } });

    expect(await aClient().registry.manifest(refAt(server, 'app:1'), [], aCall())).toMatchObject({ mediaType: image.manifest.mediaType, type: 'image' });
  });

  test('a manifest that is there is never missing for want of an Accept', async () => {
    const server = await aRegistryServer();
    const { registry } = aClient();
    const graph = aMultiPlatformImage('multi', 'linux/amd64', 'linux/arm64');
    await pushImage(registry, `${server.host}/multi:1`, graph);

    for (const { method, headers } of server.requests.filter((request) => request.route === 'manifest' && request.method !== 'PUT')) expect({ method, accept: headers.accept }).toMatchObject({ accept: expect.stringMatching(/list\.v2/) as unknown });
    expect(await registry.head(refAt(server, 'multi:1'), [], aCall())).toMatchObject({ digest: graph.root.digest });
  });
});

describe('reading a blob', () => {
  const blob = aBlob('large', 400_000);

  async function aBlobServer(options: Parameters<typeof aRegistryServer>[0] = {}): Promise<Awaited<ReturnType<typeof aRegistryServer>>> {
    const server = await aRegistryServer(options);
    await aClient().registry.putBlob(refAt(server, 'app'), blob.descriptor, sourceOf(blob.bytes), [], aCall({ side: 'destination' }));
    server.calm();
    return server;
  }

  async function readFrom(server: Awaited<ReturnType<typeof aRegistryServer>>, of: Descriptor = blob.descriptor): Promise<{ read: Buffer; failure: unknown }> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of aClient().registry.blob(refAt(server, 'app'), of, [], aCall())) chunks.push(Buffer.from(chunk));
      return { read: Buffer.concat(chunks), failure: undefined };
    } catch (failure) {
      return { read: Buffer.concat(chunks), failure };
    }
  }
  async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) void chunk;
  }
  const isWhole = (read: Buffer, of: Blob = blob): boolean => read.equals(Buffer.from(of.bytes));

  test('a cut is resumed where it was, and nothing is lost', async () => {
    const server = await aBlobServer();
    server.fault({ on: { route: 'blob' }, times: 3, does: { cutAnswerAfter: 100_000 } });

    const { read, failure } = await readFrom(server);

    expect(failure).toBeUndefined();
    expect(isWhole(read)).toBe(true);
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100000-', 'bytes=200000-', 'bytes=300000-']);
  });

  test.each(Array.from({ length: 9 }, (_, index) => (index + 1) * 10))('cut at %d %% it still arrives whole', async (percent) => {
    const server = await aBlobServer({ blobsAt: 'second' });
    server.fault({ on: { route: 'second' }, does: { cutAnswerAfter: (blob.bytes.length * percent) / 100 } });

    const { read } = await readFrom(server);

    expect(isWhole(read)).toBe(true);
    // a signed URL is never used again: the registry is asked each time
    expect(server.log()).toEqual(['GET blob', 'GET second', 'GET blob', 'GET second']);
  });

  test('a registry without ranges sends again, and what is known is skipped', async () => {
    const server = await aBlobServer({ serves: { ranges: false } });
    server.fault({ on: { route: 'blob' }, does: { cutAnswerAfter: 100_000 } });

    const { read } = await readFrom(server);

    expect(isWhole(read)).toBe(true);
    expect(server.log()).toEqual(['GET blob', 'GET blob']);
  });

  test('a connection that is cut for ever is given up after five resumes', async () => {
    const server = await aBlobServer();
    server.fault({ on: { route: 'blob' }, times: 100, does: { cutAnswerAfter: 1000 } });

    const { failure } = await readFrom(server);

    expect(failure).toMatchObject({ code: 'unreachable', side: 'source' });
    expect(server.requests).toHaveLength(6);
  });

  test.each([
    ['wrong bytes', { spoil: true }],
    ['more bytes', { append: 'and more' }],
    ['more bytes than were announced', { append: 'and more', headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' } }],
    ['an encoding', { headers: { 'content-encoding': 'gzip' } }],
    ['another length', { status: 200, body: 'short' }],
  ] as const)('%s are never handed on whole', async (_sentence, does) => {
    const server = await aBlobServer();
    server.fault({ on: { route: 'blob' }, times: 100, does });

    const { read, failure } = await readFrom(server);

    expect(failure).toMatchObject({ code: 'corrupt', side: 'source' });
    expect(read.length).toBeLessThan(blob.bytes.length);
  });

  test.each<[string, Fault['does']]>([
    ['that drips', { drip: { bytes: 100, everyMs: 20 } }],
    ['that stalls', { drip: { bytes: 1000, everyMs: 60_000 } }],
    ['of which nothing comes', { drip: { bytes: 0, everyMs: 60_000 } }],
  ])('a body %s is broken off and asked for once more, and then it is a timeout', async (_sentence, does) => {
    const server = await aBlobServer();
    server.fault({ on: { route: 'blob' }, times: 100, does });
    const { registry } = aClient({ settings: () => ({ blobConcurrency: 1, stallTimeoutMs: 300, minBytesPerSecond: 100_000 }) });

    await expect(readAll(registry.blob(refAt(server, 'app'), blob.descriptor, [], aCall()))).rejects.toMatchObject({ code: 'timeout', side: 'source' });

    await new Promise((resolve) => setImmediate(resolve));
    expect(server.requests).toHaveLength(2);
    expect(registry.pace().map(({ busy }) => busy.download)).toEqual([0]);
  });

  test('a reader that takes its time is no slow source', async () => {
    const server = await aBlobServer();
    const { registry } = aClient({ settings: () => ({ stallTimeoutMs: 300, minBytesPerSecond: 100_000 }) });
    let read = 0;

    for await (const chunk of registry.blob(refAt(server, 'app'), blob.descriptor, [], aCall())) {
      if (read === 0) await new Promise((resolve) => setTimeout(resolve, 1500));
      read += chunk.length;
    }

    expect(read).toBe(blob.bytes.length);
    expect(server.requests).toHaveLength(1);
  });

  test('a body that is short for ever is given up, and never handed on whole', async () => {
    const server = await aBlobServer();
    server.fault({ on: { route: 'blob' }, times: 100, does: { truncate: 1000, headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' } } });

    const { read, failure } = await readFrom(server);

    expect(failure).toMatchObject({ code: expect.stringMatching(/unreachable|corrupt/) as unknown, side: 'source' });
    expect(read.length).toBeLessThan(blob.bytes.length);
  });

  test('an answer that continues at another place is refused', async () => {
    const server = await aBlobServer();
    server.fault({ on: { route: 'blob' }, does: { cutAnswerAfter: 1000 } });
    server.fault({ on: { route: 'blob' }, from: 2, does: { headers: { 'content-range': 'bytes 999-399999/400000' } } });

    expect((await readFrom(server)).failure).toMatchObject({ code: 'corrupt' });
  });

  test('416 to a resume means: begin again, for whoever passes the bytes on', async () => {
    const server = await aBlobServer();
    server.fault({ on: { route: 'blob' }, does: { cutAnswerAfter: 1000 } });
    server.fault({ on: { route: 'blob' }, from: 2, times: 9, does: { status: 416 } });

    expect((await readFrom(server)).failure).toMatchObject({ code: 'unreachable', message: expect.stringContaining('no ranges') as unknown });
  });

  test('whoever stops reading gives the connection and the place back', async () => {
    const server = await aBlobServer();
    const { registry } = aClient({ settings: () => ({ blobConcurrency: 1 }) });

    for (let time = 0; time < 5; time++) {
      for await (const chunk of registry.blob(refAt(server, 'app'), blob.descriptor, [], aCall())) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
    }

    expect(server.requests).toHaveLength(5);
  });
});
