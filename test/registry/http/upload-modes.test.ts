import { describe, expect, test } from '@jest/globals';
import type { HostSettings } from '../../../src/registry/http/settings.js';
import type { FaultRegistry, Fault } from '../../support/fault-registry.js';
import { aBlob, aCall, aLargeBlob, piecesOf, type Blob } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt, type ClientUnderTest } from '../../support/registry-client.js';

closeAfterEach();
const mebibyte = 1024 * 1024;
const hour = 60 * 60_000;
const call = aCall({ side: 'destination' });
const tiny = aBlob('tiny', 1000);
const large = aLargeBlob('large', 24);

function put({ registry }: ClientUnderTest, server: FaultRegistry, blob: Blob, path = 'app'): Promise<string> {
  return registry.putBlob(refAt(server, path), blob.descriptor, piecesOf(blob.bytes), [], call);
}

function holds(server: FaultRegistry, blob: Blob, path = 'app'): boolean {
  return server.store.find(path)?.blobs.get(blob.descriptor.digest)?.equals(Buffer.from(blob.bytes)) === true;
}

/** Bodies of PATCHes and PUTs, in order. */
function bodies(server: FaultRegistry): readonly string[] {
  return server.requests.filter(({ method }) => method === 'PATCH' || method === 'PUT').map(({ method, bodyBytes, headers }) => `${method} ${bodyBytes / mebibyte} ${String(headers['content-range'] ?? '-')}`);
}

describe('upload modes', () => {
  test.each<[string, HostSettings, readonly string[]]>([
    ['auto sends a blob in one PUT', {}, ['PUT 24 -']],
    ['monolithic sends a blob in one PUT', { uploadMode: 'monolithic' }, ['PUT 24 -']],
    ['stream sends it in one PATCH, which an empty PUT completes', { uploadMode: 'stream' }, ['PATCH 24 -', 'PUT 0 -']],
    ['chunked sends it in PATCHes with their ranges', { uploadMode: 'chunked', chunkBytes: 10 * mebibyte }, ['PATCH 10 0-10485759', 'PATCH 10 10485760-20971519', 'PATCH 4 20971520-25165823', 'PUT 0 -']],
    ['chunks are of 16 MiB unless told', { uploadMode: 'chunked' }, ['PATCH 16 0-16777215', 'PATCH 8 16777216-25165823', 'PUT 0 -']],
  ])('%s', async (_sentence, settings, expected) => {
    const server = await aRegistryServer();
    let opened = 0;
    const source = { open: (offset: number) => (opened++, piecesOf(large.bytes).open(offset, call.signal)) };

    await aClient({ settings: () => settings }).registry.putBlob(refAt(server, 'app'), large.descriptor, source, [], call);

    expect(bodies(server)).toEqual(expected);
    expect(opened).toBe(1);
    expect(holds(server, large)).toBe(true);
  });

  const refusals: readonly (readonly [number, string])[] = [[405, ''], [501, ''], [415, ''], [400, '{"errors":[{"code":"UNSUPPORTED"}]}']];

  test.each(refusals)('a registry that takes bytes only in PATCHes, and says %d %s to others, gets them so; the next blob at once', async (status, body) => {
    const server = await aRegistryServer();
    const client = aClient();
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { status, body } });

    expect(await put(client, server, large)).toBe('uploaded');
    expect(bodies(server)).toEqual(['PUT 24 -', 'PATCH 24 -', 'PUT 0 -']);
    expect(holds(server, large)).toBe(true);
    server.calm();

    const next = aLargeBlob('next', 2);
    expect(await put(client, server, next)).toBe('uploaded');
    expect(bodies(server)).toEqual(['PATCH 2 -', 'PUT 0 -']);
  });

  test('a registry that ignores the bytes of a PUT, and misses them then, gets them in a PATCH', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' } });

    expect(await put(aClient(), server, large)).toBe('uploaded');

    expect(bodies(server)).toEqual(['PUT 24 -', 'PATCH 24 -', 'PUT 0 -']);
  });

  test.each(['auto', 'monolithic'] as const)('a registry that takes bytes only in PUTs gets them so after a cut, in mode %s', async (uploadMode) => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { cutRequestAfter: 10 * mebibyte } });
    server.fault({ on: { route: 'upload', method: 'PATCH' }, times: Infinity, does: { status: 405 } });

    expect(await put(aClient({ settings: () => ({ uploadMode }) }), server, large)).toBe('uploaded');

    expect(holds(server, large)).toBe(true);
    expect(server.store.find('app')?.uploads.size).toBe(0);
  });

  test('a registry that takes bytes neither way is unsupported, and asked once for each', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, times: Infinity, does: { status: 405 } });
    server.fault({ on: { route: 'upload', method: 'PATCH' }, times: Infinity, does: { status: 405 } });

    await expect(put(aClient(), server, large)).rejects.toMatchObject({ code: 'unsupported', side: 'destination' });

    expect(server.log().filter((line) => line === 'PUT upload' || line === 'PATCH upload')).toEqual(['PUT upload', 'PATCH upload']);
  });

  test('a mode that the settings name is not changed by a refusal', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, times: Infinity, does: { status: 405 } });

    await expect(put(aClient({ settings: () => ({ uploadMode: 'monolithic' }) }), server, large)).rejects.toMatchObject({ code: 'unsupported' });

    expect(server.log()).not.toContain('PATCH upload');
  });

  test('a registry that wants larger chunks gets them', async () => {
    const server = await aRegistryServer({ minChunk: 12 * mebibyte });
    await put(aClient({ settings: () => ({ uploadMode: 'chunked', chunkBytes: 5 * mebibyte }) }), server, large);

    expect(bodies(server)).toEqual(['PATCH 12 0-12582911', 'PATCH 12 12582912-25165823', 'PUT 0 -']);
  });

  test.each(['ecr', 'distribution-2.8', 'distribution-3', 'crane'] as const)('chunks arrive at %s', async (dialect) => {
    const server = await aRegistryServer({ dialect, createsRepositories: true });
    await put(aClient({ settings: () => ({ uploadMode: 'chunked', chunkBytes: 5 * mebibyte }) }), server, large);

    expect(holds(server, large)).toBe(true);
    expect(server.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(5);
  });

  test('each PATCH goes to the location that the one before it gave', async () => {
    const server = await aRegistryServer();
    await put(aClient({ settings: () => ({ uploadMode: 'chunked', chunkBytes: 10 * mebibyte }) }), server, large);

    const paths = server.requests.filter(({ method }) => method === 'PATCH').map(({ path }) => path.replace(/\?.*$/, ''));
    expect(paths).toEqual(['/v2/app/blobs/uploads/upload-1', '/v2/app/blobs/uploads/upload-1.10485760', '/v2/app/blobs/uploads/upload-1.20971520']);
  });

  test('a PATCH of which the registry holds another part than was sent begins the blob again', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PATCH' }, does: { headers: { range: '0-4095' } } });

    expect(await put(aClient({ settings: () => ({ uploadMode: 'chunked' }) }), server, large)).toBe('uploaded');
    expect(holds(server, large)).toBe(true);
    expect(server.log().filter((line) => line === 'POST upload')).toHaveLength(2);
  });
});

describe('what a registry teaches', () => {
  test('413 leads to chunks, smaller until they pass, and the next blob begins with them', async () => {
    const server = await aRegistryServer({ bodyLimit: 10 * mebibyte });
    const client = aClient();

    expect(await put(client, server, large)).toBe('uploaded');
    expect(holds(server, large)).toBe(true);
    server.calm();
    const other = aLargeBlob('other', 20);
    await put(client, server, other);

    expect(holds(server, other)).toBe(true);
    expect(bodies(server).every((line) => !line.startsWith('PUT') || line === 'PUT 0 -')).toBe(true);
    expect(server.requests.some(({ status }) => status === 413)).toBe(false);
  });

  test('a blob that fits into one chunk still goes in one PUT', async () => {
    const server = await aRegistryServer({ bodyLimit: 10 * mebibyte });
    const client = aClient();
    await put(client, server, large);
    server.calm();

    await put(client, server, aLargeBlob('middle', 3));

    expect(bodies(server)).toEqual(['PUT 3 -']);
  });

  test('what was learned is forgotten after a day', async () => {
    const server = await aRegistryServer({ bodyLimit: 10 * mebibyte });
    let now = Date.now();
    const client = aClient({ clock: () => now });
    await put(client, server, large, 'one');

    server.calm();
    now += 23 * hour;
    await put(client, server, aLargeBlob('a', 12), 'two');
    expect(server.requests.some(({ status }) => status === 413)).toBe(false);

    now += 2 * hour;
    server.calm();
    await put(client, server, aLargeBlob('b', 12), 'two');
    expect(server.requests.some(({ status }) => status === 413)).toBe(true);
  });

  test('a registry that takes next to nothing is too-large in the end, and so is one with a mode of its own', async () => {
    const server = await aRegistryServer({ bodyLimit: 1000 });
    await expect(put(aClient(), server, large)).rejects.toMatchObject({ code: 'too-large', side: 'destination' });
    server.calm();
    await expect(put(aClient({ settings: () => ({ uploadMode: 'monolithic' }) }), server, large)).rejects.toMatchObject({ code: 'too-large' });
    expect(server.log().filter((line) => line === 'PUT upload')).toHaveLength(1);
  });

  test('a connection that is broken off early, with nothing kept, leads to chunks', async () => {
    const server = await aRegistryServer({ cutUpload: 'lost' });
    const client = aClient();
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { cutRequestAfter: 1 } });

    expect(await put(client, server, large)).toBe('uploaded');

    expect(server.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(2);
    expect(holds(server, large)).toBe(true);
  });

  test('an answer before the body ends is the answer', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { answersAfter: 100_000, status: 403 } });

    await expect(put(aClient(), server, large)).rejects.toMatchObject({ code: 'denied' });
    expect(server.log().slice(0, 3)).toEqual(['HEAD blob', 'POST upload', 'PUT upload']);
  });
});

describe('small blobs', () => {
  test('come with the POST where the registry takes that', async () => {
    const server = await aRegistryServer();
    await put(aClient(), server, tiny);

    expect(server.log()).toEqual(['HEAD blob', 'POST upload']);
    expect(holds(server, tiny)).toBe(true);
  });

  test('cost nothing more where it does not, and are not tried again', async () => {
    const server = await aRegistryServer({ dialect: 'distribution-3' });
    const client = aClient();
    await put(client, server, tiny);
    await put(client, server, aBlob('second', 1000));

    expect(server.log()).toEqual(['HEAD blob', 'POST upload', 'PUT upload', 'HEAD blob', 'POST upload', 'PUT upload']);
    expect(server.requests.filter(({ method }) => method === 'POST').map(({ bodyBytes }) => bodyBytes)).toEqual([1000, 0]);
  });

  test('are not tried where the settings say that it does not', async () => {
    const server = await aRegistryServer();
    await put(aClient({ settings: () => ({ capabilities: { singlePost: false } }) }), server, tiny);

    expect(server.requests.filter(({ method }) => method === 'POST').map(({ bodyBytes }) => bodyBytes)).toEqual([0]);
  });

  test.each([400, 405, 415, 500])('go the usual way after a %d to the POST', async (status) => {
    const server = await aRegistryServer();
    const refused: Fault = { on: { route: 'upload', method: 'POST', path: 'digest=' }, times: 3, does: { status } };
    server.fault(refused);

    expect(await put(aClient(), server, tiny)).toBe('uploaded');
    expect(holds(server, tiny)).toBe(true);
  });

  test('without any bytes arrive too', async () => {
    const server = await aRegistryServer();
    const empty = aBlob('empty', 0);

    expect(await put(aClient(), server, empty)).toBe('uploaded');
    expect(holds(server, empty)).toBe(true);
  });
});

describe('mounts', () => {
  test('are not tried where the settings say that there are none', async () => {
    const server = await aRegistryServer();
    const client = aClient({ settings: () => ({ capabilities: { mount: false } }) });
    await put(client, server, tiny, 'one');

    expect(await put(client, server, tiny, 'two')).toBe('uploaded');
    expect(server.log()).not.toContain('POST mount');
  });

  test('a refused one is not tried again from there', async () => {
    const server = await aRegistryServer({ mounts: false });
    const client = aClient();
    await put(client, server, tiny, 'one');
    await put(client, server, tiny, 'two');
    server.calm();

    await put(client, server, aBlob('only-in-one', 1000), 'one');
    await put(client, server, aBlob('only-in-one', 1000), 'two');

    expect(server.log()).not.toContain('POST mount');
  });

  test('without them, many repositories upload side by side', async () => {
    const server = await aRegistryServer({ mounts: false });
    const client = aClient();
    const paths = Array.from({ length: 10 }, (_, index) => `app-${index}`);

    const how = await Promise.all(paths.map((path) => put(client, server, tiny, path)));

    expect(new Set(how)).toEqual(new Set(['uploaded']));
    expect(paths.every((path) => holds(server, tiny, path))).toBe(true);
    expect([...paths.map((path) => server.store.find(path)?.uploads.size)]).toEqual(paths.map(() => 0));
  });

  test('when the first upload fails, one of those who wait goes ahead and the others mount', async () => {
    const server = await aRegistryServer();
    const client = aClient();
    server.fault({ on: { route: 'blob', method: 'HEAD', path: 'app-0' }, times: 9, does: { status: 403 } });
    const paths = Array.from({ length: 10 }, (_, index) => `app-${index}`);

    const how = await Promise.allSettled(paths.map((path) => put(client, server, large, path)));

    expect(how.map((each) => (each.status === 'fulfilled' ? each.value : 'failed')).sort()).toEqual(['failed', ...Array.from({ length: 8 }, () => 'mounted'), 'uploaded']);
    expect(server.log().filter((line) => line === 'PUT upload')).toHaveLength(1);
  });
});
