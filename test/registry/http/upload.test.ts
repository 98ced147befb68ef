import { describe, expect, test } from '@jest/globals';
import type { BlobSource } from '../../../src/registry/registry.js';
import type { FaultRegistryOptions } from '../../support/fault-registry.js';
import { aBlob, aCall, sourceOf } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt } from '../../support/registry-client.js';

closeAfterEach();
const call = aCall({ side: 'destination' });
const small = aBlob('small', 10_000);
const large = aBlob('large', 3_000_000);

/** A source that says how often, and from where, it was opened. */
function watched(bytes: Uint8Array): BlobSource & { readonly opened: number[] } {
  const opened: number[] = [];
  return {
    opened,
    async *open(offset) {
      opened.push(offset);
      for (let at = offset; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
    },
  };
}

describe('bringing a blob', () => {
  test('is HEAD, POST and PUT; then it is known, and nothing is sent', async () => {
    const server = await aRegistryServer();
    const { registry } = aClient();

    expect(await registry.putBlob(refAt(server, 'app'), large.descriptor, sourceOf(large.bytes), [], call)).toBe('uploaded');
    expect(await registry.putBlob(refAt(server, 'app'), large.descriptor, sourceOf(large.bytes), [], call)).toBe('present');

    expect(server.log()).toEqual(['HEAD blob', 'POST upload', 'PUT upload']);
  });

  test('that is there costs one HEAD', async () => {
    const server = await aRegistryServer();
    await aClient().registry.putBlob(refAt(server, 'app'), small.descriptor, sourceOf(small.bytes), [], call);
    server.calm();

    expect(await aClient().registry.putBlob(refAt(server, 'app'), small.descriptor, sourceOf(small.bytes), [], call)).toBe('present');
    expect(server.log()).toEqual(['HEAD blob']);
  });

  test('that another repository holds is one mount: no byte moves', async () => {
    const server = await aRegistryServer();
    const { registry } = aClient();
    await registry.putBlob(refAt(server, 'one'), large.descriptor, sourceOf(large.bytes), [], call);
    server.calm();

    expect(await registry.putBlob(refAt(server, 'two'), large.descriptor, sourceOf(large.bytes), [], call)).toBe('mounted');
    expect(server.log()).toEqual(['POST mount']);
    expect(server.requests[0]?.path).toBe(`/v2/two/blobs/uploads/?mount=${encodeURIComponent(large.descriptor.digest)}&from=one`);
  });

  test('fifty repositories at once: one upload, forty-nine mounts', async () => {
    const server = await aRegistryServer();
    const { registry } = aClient();

    const how = await Promise.all(Array.from({ length: 50 }, (_, index) => registry.putBlob(refAt(server, `app-${index}`), large.descriptor, sourceOf(large.bytes), [], call)));

    expect(how.filter((outcome) => outcome === 'uploaded')).toHaveLength(1);
    expect(server.log().filter((line) => line === 'PUT upload')).toHaveLength(1);
    expect(server.log().filter((line) => line === 'POST mount')).toHaveLength(49);
  });

  test('when the first of several uploads fails, another goes ahead', async () => {
    const server = await aRegistryServer();
    const { registry } = aClient();
    const failing: BlobSource = {
      // eslint-disable-next-line require-yield -- fails at once
      async *open() {
        throw new Error('source lost');
      },
    };

    const first = registry.putBlob(refAt(server, 'one'), large.descriptor, failing, [], call);
    const second = registry.putBlob(refAt(server, 'two'), large.descriptor, sourceOf(large.bytes), [], call);

    await expect(first).rejects.toThrow('source lost');
    expect(await second).toBe('uploaded');
  });

  test('a registry that will not mount gives a session, which is used', async () => {
    const server = await aRegistryServer({ mounts: false });
    const { registry } = aClient();
    await registry.putBlob(refAt(server, 'one'), large.descriptor, sourceOf(large.bytes), [], call);
    server.calm();

    expect(await registry.putBlob(refAt(server, 'two'), large.descriptor, sourceOf(large.bytes), [], call)).toBe('uploaded');
    expect(server.log()).toEqual(['POST mount', 'HEAD blob', 'PUT upload']);
  });

  test.each([400, 404, 500])('a mount refused with %d is an upload', async (status) => {
    const server = await aRegistryServer();
    const { registry } = aClient();
    await registry.putBlob(refAt(server, 'one'), small.descriptor, sourceOf(small.bytes), [], call);
    server.fault({ on: { route: 'mount' }, times: 9, does: { status } });

    expect(await registry.putBlob(refAt(server, 'two'), small.descriptor, sourceOf(small.bytes), [], call)).toBe('uploaded');
  });

  test.each([
    ['relative', 'relative'],
    ['absolute', 'absolute'],
  ] as const)('a %s location keeps its query byte for byte', async (_sentence, locations) => {
    const server = await aRegistryServer({ locations, singlePost: false });
    await aClient().registry.putBlob(refAt(server, 'app'), small.descriptor, sourceOf(small.bytes), [], call);

    expect(server.requests.at(-1)?.path).toMatch(new RegExp(`\\?_state=opaque%2Fstate%3D&digest=${encodeURIComponent(small.descriptor.digest)}$`));
  });

  test('a session without a location is invalid', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'POST' }, does: { headers: { location: undefined } } });

    const putting = aClient().registry.putBlob(refAt(server, 'app'), large.descriptor, sourceOf(large.bytes), [], call);

    await expect(putting).rejects.toMatchObject({ code: 'invalid', side: 'destination' });
  });

  test('a repository that has to be made first is missing at the destination', async () => {
    const server = await aRegistryServer({ createsRepositories: false });
    const putting = aClient().registry.putBlob(refAt(server, 'app'), small.descriptor, sourceOf(small.bytes), [], call);

    await expect(putting).rejects.toMatchObject({ code: 'missing', side: 'destination', message: expect.stringContaining('create it') as unknown });
  });

  test.each([
    [413, 'too-large'],
    [403, 'denied'],
    [429, 'throttled'],
  ] as const)('a PUT refused with %d is %s', async (status, code) => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, times: 9, does: { status } });

    const putting = aClient().registry.putBlob(refAt(server, 'app'), large.descriptor, sourceOf(large.bytes), [], call);

    await expect(putting).rejects.toMatchObject({ code, side: 'destination' });
  });

  test('bytes moved are reported, and taken back when they have to move again', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { cutRequestAfter: 1_000_000 } });
    let moved = 0;

    await aClient().registry.putBlob(refAt(server, 'app'), large.descriptor, sourceOf(large.bytes), [], { ...call, onProgress: (bytes) => (moved += bytes) });

    expect(moved).toBe(large.bytes.length);
  });
});

describe('cuts on the way to the destination', () => {
  test.each(Array.from({ length: 9 }, (_, index) => (index + 1) * 10))('cut at %d %% the upload goes on where it was, or begins again where the session is lost', async (percent) => {
    for (const cutUpload of ['received', 'lost'] as const) {
      const server = await aRegistryServer({ cutUpload });
      server.fault({ on: { route: 'upload', method: 'PUT' }, does: { cutRequestAfter: Math.floor((large.bytes.length * percent) / 100) } });
      const source = watched(large.bytes);

      expect(await aClient().registry.putBlob(refAt(server, 'app'), large.descriptor, source, [], call)).toBe('uploaded');
      expect(source.opened).toHaveLength(2);
      expect(server.store.find('app')?.blobs.get(large.descriptor.digest)?.equals(Buffer.from(large.bytes))).toBe(true);
    }
  });

  test('cut for ever it is given up after two restarts', async () => {
    const server = await aRegistryServer({ cutUpload: 'lost' });
    server.fault({ on: { route: 'upload', method: 'PUT' }, times: 99, does: { cutRequestAfter: 1_000_000 } });
    const source = watched(large.bytes);

    await expect(aClient().registry.putBlob(refAt(server, 'app'), large.descriptor, source, [], call)).rejects.toMatchObject({ code: 'unreachable', side: 'destination' });
    expect(source.opened).toEqual([0, 0, 0]);
    expect(server.store.find('app')?.blobs.size).toBe(0);
  });

  test('a blob PUT is never repeated within its session', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { status: 500 } });

    await aClient().registry.putBlob(refAt(server, 'app'), small.descriptor, sourceOf(small.bytes), [], call);

    const puts = server.requests.filter(({ method, route }) => method === 'PUT' && route === 'upload').map(({ path }) => path.split('?')[0]);
    expect(new Set(puts).size).toBe(puts.length);
  });

  test('a token that ends between POST and PUT is renewed by beginning again', async () => {
    const ann = { id: 'aaaaaaaaaaaa', username: 'ann', password: 'secret' };
    const server = await aRegistryServer({ access: { type: 'bearer', accounts: { ann: 'secret' } } });
    const source: BlobSource = {
      async *open() {
        yield large.bytes;
      },
    };
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${server.host}/token",service="test-registry"` } } });

    expect(await aClient().registry.putBlob(refAt(server, 'app'), large.descriptor, source, [ann], call)).toBe('uploaded');
  });

  test.each<[string, FaultRegistryOptions, readonly string[]]>([
    ['by a mount that the registry would rather not do', { mounts: false }, ['one']],
    ['by a POST', {}, []],
  ])('a session that is opened %s after we have left is closed when its answer comes', async (_sentence, options, before) => {
    const server = await aRegistryServer(options);
    const { registry } = aClient();
    for (const path of before) await registry.putBlob(refAt(server, path), large.descriptor, sourceOf(large.bytes), [], call);
    const [stop, opened] = [new AbortController(), Promise.withResolvers<void>()];
    server.fault({ on: { method: 'POST' }, does: { after: opened.promise } });

    const putting = registry.putBlob(refAt(server, 'app'), large.descriptor, sourceOf(large.bytes), [], { ...call, signal: stop.signal });
    while (!server.requests.some(({ method, path }) => method === 'POST' && path.startsWith('/v2/app/'))) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort(new Error('enough'));
    await expect(putting).rejects.toThrow('enough');
    await new Promise((resolve) => setTimeout(resolve, 50)); // who only gave up would be gone by then
    opened.resolve();

    while (!server.log().includes('DELETE upload')) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(server.store.find('app')?.uploads.size).toBe(0);
  });

  test('an upload that is given up is closed', async () => {
    const server = await aRegistryServer();
    const stop = new AbortController();
    const source: BlobSource = {
      async *open() {
        yield large.bytes.subarray(0, 1_500_000);
        stop.abort(new Error('enough'));
        stop.signal.throwIfAborted();
      },
    };

    await expect(aClient().registry.putBlob(refAt(server, 'app'), large.descriptor, source, [], { ...call, signal: stop.signal })).rejects.toThrow('enough');
    while (!server.log().includes('DELETE upload')) await new Promise((resolve) => setTimeout(resolve, 5));

    expect(server.store.find('app')?.uploads.size).toBe(0);
  });
});
