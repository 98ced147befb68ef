import { describe, expect, test } from '@jest/globals';
import type { BlobSource } from '../../../src/registry/registry.js';
import type { FaultRegistry, FaultRegistryOptions } from '../../support/fault-registry.js';
import { FakeTime, settle } from '../../support/fake-time.js';
import { aBlob, aCall, aLargeBlob, piecesOf, type Blob } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt, type ClientUnderTest } from '../../support/registry-client.js';

closeAfterEach();
const mebibyte = 1024 * 1024;
const call = aCall({ side: 'destination' });
const layer = aLargeBlob('layer', 64);
const tenths = Array.from({ length: 9 }, (_, index) => index + 1);

/** A source that counts what is read of it. */
function counted(bytes: Uint8Array): BlobSource & { readonly opened: number[]; read: number } {
  const source = {
    opened: [] as number[],
    read: 0,
    async *open(offset: number) {
      source.opened.push(offset);
      for await (const piece of piecesOf(bytes).open(offset, call.signal)) {
        source.read += piece.length;
        yield piece;
      }
    },
  };
  return source;
}

function put({ registry }: ClientUnderTest, server: FaultRegistry, source: BlobSource, blob: Blob = layer): Promise<string> {
  return registry.putBlob(refAt(server, 'app'), blob.descriptor, source, [], call);
}

function holds(server: FaultRegistry, blob: Blob = layer): boolean {
  return server.store.find('app')?.blobs.get(blob.descriptor.digest)?.equals(Buffer.from(blob.bytes)) === true;
}

function received(server: FaultRegistry): number {
  return server.requests.filter(({ route }) => route === 'upload').reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
}

function cutAt(server: FaultRegistry, bytes: number, method = 'PUT'): void {
  server.fault({ on: { route: 'upload', method }, does: { cutRequestAfter: bytes } });
}

describe('a cut on the way to the destination', () => {
  test.each(tenths)('at %d tenths of 64 MiB: the registry is asked how far it got, and no byte goes there twice', async (tenth) => {
    const server = await aRegistryServer();
    cutAt(server, Math.floor((layer.bytes.length * tenth) / 10));
    const source = counted(layer.bytes);

    expect(await put(aClient(), server, source)).toBe('uploaded');

    expect(holds(server)).toBe(true);
    expect(server.log()).toEqual(['HEAD blob', 'POST upload', 'PUT upload', 'GET upload', 'PATCH upload', 'PUT upload']);
    expect(received(server)).toBe(layer.bytes.length);
    // what sockets hold is read again, and at most 1 MiB before it
    expect(source.read).toBeLessThan(layer.bytes.length + 16 * mebibyte);
    expect(source.opened).toHaveLength(2);
  });

  test.each(tenths)('at %d tenths, of a registry that loses the session: the blob begins again', async (tenth) => {
    const server = await aRegistryServer({ dialect: 'distribution-2.8' });
    cutAt(server, Math.floor((layer.bytes.length * tenth) / 10));
    const source = counted(layer.bytes);

    expect(await put(aClient(), server, source)).toBe('uploaded');

    expect(holds(server)).toBe(true);
    expect(source.opened).toEqual([0, 0]);
  });

  test.each([
    ['has no status', { uploadStatus: [400, 'NAME_INVALID'] }],
    ['answers with nothing usable', { uploadStatus: [204, ''] }],
  ] satisfies [string, FaultRegistryOptions][])('a registry that %s gets the blob again', async (_sentence, options) => {
    const server = await aRegistryServer(options);
    cutAt(server, 20 * mebibyte);

    expect(await put(aClient(), server, counted(layer.bytes))).toBe('uploaded');
    expect(holds(server)).toBe(true);
  });

  test('a registry that claims to hold more than was sent is not believed', async () => {
    const server = await aRegistryServer();
    cutAt(server, 10 * mebibyte);
    server.fault({ on: { route: 'upload', method: 'GET' }, does: { headers: { range: `0-${63 * mebibyte}` } } });

    expect(await put(aClient(), server, counted(layer.bytes))).toBe('uploaded');

    expect(holds(server)).toBe(true);
    expect(server.log()).not.toContain('PATCH upload');
  });

  test('a registry that claims to hold less gets the bytes again, from a snapshot of the hash', async () => {
    const server = await aRegistryServer({ gap: 'appended' });
    cutAt(server, 40 * mebibyte);
    const source = counted(layer.bytes);
    server.fault({ on: { route: 'upload', method: 'GET' }, does: { headers: { range: `0-${30 * mebibyte + 4095}` } } });

    expect(await put(aClient(), server, source)).toBe('uploaded');

    // it held more than it said, so the digest differed, and the blob began again
    expect(source.opened).toEqual([0, 30 * mebibyte, 0]);
    expect(holds(server)).toBe(true);
  });

  test('several cuts are several resumes', async () => {
    const server = await aRegistryServer();
    cutAt(server, 10 * mebibyte);
    server.fault({ on: { route: 'upload', method: 'PATCH' }, times: 4, does: { cutRequestAfter: 10 * mebibyte } });
    const { registry, events } = aClient();

    expect(await registry.putBlob(refAt(server, 'app'), layer.descriptor, counted(layer.bytes), [], call)).toBe('uploaded');

    expect(received(server)).toBe(layer.bytes.length);
    expect(events.filter((event) => event.type === 'blob').map((event) => event.how)).toEqual([...Array.from({ length: 5 }, () => 'resumed'), 'uploaded']);
  });

  test('a line that never holds is given up, and the session is closed', async () => {
    const server = await aRegistryServer();
    cutAt(server, 1000);
    server.fault({ on: { route: 'upload', method: 'PATCH' }, times: 99, does: { cutRequestAfter: 1000 } });

    await expect(put(aClient(), server, counted(layer.bytes))).rejects.toMatchObject({ code: 'unreachable', side: 'destination' });
    while (!server.log().includes('DELETE upload')) await settle();

    expect(server.store.find('app')?.blobs.size).toBe(0);
    expect(server.log().filter((line) => line === 'PATCH upload').length).toBeLessThan(20);
  });

  test('in chunks, a chunk that was cut is never sent again as it was', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PATCH' }, from: 2, does: { cutRequestAfter: 5 * mebibyte } });

    await put(aClient({ settings: () => ({ uploadMode: 'chunked', chunkBytes: 20 * mebibyte }) }), server, counted(layer.bytes));

    expect(holds(server)).toBe(true);
    const ranges = server.requests.filter(({ method }) => method === 'PATCH').map(({ headers }) => String(headers['content-range']));
    expect(ranges[2]).toBe(`${25 * mebibyte}-${45 * mebibyte - 1}`);
    expect(new Set(ranges).size).toBe(ranges.length);
  });

  test('an answer that got lost after the commit is found out by one HEAD', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { silent: true } });

    expect(await put(aClient(), server, counted(layer.bytes))).toBe('uploaded');

    expect(server.log()).toEqual(['HEAD blob', 'POST upload', 'PUT upload', 'GET upload', 'HEAD blob']);
  });

  test.each([502, 503, 504])('a %d in the middle is a cut', async (status) => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { answersAfter: 1000, status } });

    expect(await put(aClient(), server, counted(layer.bytes))).toBe('uploaded');
    expect(holds(server)).toBe(true);
  });

  test('damage on the way is met once more, and then it is said', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, times: 9, does: { status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' } });

    await expect(put(aClient(), server, counted(layer.bytes))).rejects.toMatchObject({ code: 'corrupt', side: 'destination' });
    expect(server.log().filter((line) => line === 'PUT upload')).toHaveLength(2);
  });

  test('a digest in the answer that is not ours is corrupt', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, times: 9, does: { headers: { 'docker-content-digest': aBlob('other').descriptor.digest } } });

    await expect(put(aClient(), server, counted(layer.bytes))).rejects.toMatchObject({ code: 'corrupt', side: 'destination' });
  });
});

describe('tokens', () => {
  const ann = { id: 'aaaaaaaaaaaa', username: 'ann', password: 'secret' };

  test('one that ends in the middle of a blob is renewed, and the blob goes on', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts: { ann: 'secret' } } });
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { answersAfter: 10 * mebibyte, status: 401, headers: { 'www-authenticate': `Bearer realm="http://${server.host}/token",service="test-registry"` } } });

    expect(await aClient().registry.putBlob(refAt(server, 'app'), layer.descriptor, counted(layer.bytes), [ann], call)).toBe('uploaded');
    expect(holds(server)).toBe(true);
  });

  test('one that ends between POST and PUT is renewed before anything is lost', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts: { ann: 'secret' } } });
    const source: BlobSource = {
      async *open(offset, signal) {
        server.door.revokeAll();
        yield* piecesOf(layer.bytes).open(offset, signal);
      },
    };

    expect(await aClient().registry.putBlob(refAt(server, 'app'), layer.descriptor, source, [ann], call)).toBe('uploaded');
    expect(holds(server)).toBe(true);
  });
});

describe('a cut on the way from the source', () => {
  async function scene(options: FaultRegistryOptions = {}): Promise<{ from: FaultRegistry; to: FaultRegistry; client: ClientUnderTest; source: BlobSource }> {
    const [from, to] = [await aRegistryServer(options), await aRegistryServer()];
    from.store.open('app').blobs.set(layer.descriptor.digest, Buffer.from(layer.bytes));
    const client = aClient();
    const source: BlobSource = {
      host: from.host,
      open: (offset, signal) => client.registry.blob(refAt(from, 'app'), layer.descriptor, [], { ...aCall(), signal, isHashedByCaller: true }, offset),
    };
    return { from, to, client, source };
  }

  test.each(tenths)('at %d tenths of 64 MiB: the destination never notices', async (tenth) => {
    const { from, to, client, source } = await scene();
    from.fault({ on: { route: 'blob' }, does: { cutAnswerAfter: Math.floor((layer.bytes.length * tenth) / 10) } });

    expect(await put(client, to, source)).toBe('uploaded');

    expect(holds(to)).toBe(true);
    expect(to.log()).toEqual(['HEAD blob', 'POST upload', 'PUT upload']);
    expect(from.requests.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${Math.floor((layer.bytes.length * tenth) / 10)}-`]);
  });

  test('of a registry without ranges the blob begins again, in a new session', async () => {
    const { from, to, client, source } = await scene({ dialect: 'crane' });
    from.fault({ on: { route: 'blob' }, does: { cutAnswerAfter: 20 * mebibyte } });

    expect(await put(client, to, source)).toBe('uploaded');
    expect(holds(to)).toBe(true);
    expect(to.log().filter((line) => line === 'POST upload')).toHaveLength(2);
  });

  test('both sides may break in the same blob', async () => {
    const { from, to, client, source } = await scene();
    from.fault({ on: { route: 'blob' }, does: { cutAnswerAfter: 20 * mebibyte } });
    cutAt(to, 40 * mebibyte);

    expect(await put(client, to, source)).toBe('uploaded');
    expect(holds(to)).toBe(true);
    expect(received(to)).toBe(layer.bytes.length);
  });

  test('wrong bytes never complete an upload, and name the source', async () => {
    const { from, to, client, source } = await scene();
    from.fault({ on: { route: 'blob' }, times: 9, does: { spoil: true } });

    await expect(put(client, to, source)).rejects.toMatchObject({ code: 'corrupt', side: 'source', host: from.host });
    expect(to.store.find('app')?.blobs.size).toBe(0);
    expect(client.events).toContainEqual({ type: 'corrupt', registry: from.host, side: 'source' });
  });
});

describe('a destination that stalls', () => {
  test('takes no byte for the stall timeout: broken off, tried once more, and then it is a timeout', async () => {
    const server = await aRegistryServer();
    const time = new FakeTime();
    const stuck = new Promise(() => undefined);
    server.fault({ on: { route: 'upload', method: 'PUT' }, times: 9, does: { answersAfter: 1, after: stuck } });
    const putting = put(aClient({ clock: time.now, sleep: time.sleep, settings: () => ({ stallTimeoutMs: 60_000 }) }), server, counted(layer.bytes));
    putting.catch(() => undefined);

    for (let round = 0; round < 2; round++) {
      while (server.log().filter((line) => line === 'PUT upload').length <= round) await time.pass(10);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await time.pass(61_000);
    }

    await expect(putting).rejects.toMatchObject({ code: 'timeout', side: 'destination', message: expect.stringContaining('took no bytes for 60 s') as unknown });
    expect(time.sleeping).toBe(0);
  });

  test('a slow source does not count against it', async () => {
    const server = await aRegistryServer();
    const time = new FakeTime();
    let go = (): void => undefined;
    const pause = new Promise<void>((resolve) => (go = resolve));
    const source: BlobSource = {
      async *open() {
        yield layer.bytes.subarray(0, mebibyte);
        await pause;
        yield layer.bytes.subarray(mebibyte);
      },
    };
    const putting = put(aClient({ clock: time.now, sleep: time.sleep }), server, source);
    while (!server.log().includes('PUT upload')) await settle();
    await new Promise((resolve) => setTimeout(resolve, 200));

    await time.pass(10 * 60_000);
    go();

    expect(await putting).toBe('uploaded');
    expect(server.log().filter((line) => line === 'PUT upload')).toHaveLength(1);
  });
});
