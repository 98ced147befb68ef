import { describe, expect, test } from '@jest/globals';
import type { FailureCode } from '../../../src/domain/failure.js';
import { createCopyEngine, copyImage } from '../../../src/registry/copy.js';
import type { ResolveRequest } from '../../../src/registry/copy-engine.js';
import type { FaultRegistry, FaultRegistryOptions } from '../../support/fault-registry.js';
import { aBlob, aCall, aMultiPlatformImage, anImage, pushImage, single, sourceOf, type AGraph } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, nameAt, refAt } from '../../support/registry-client.js';

closeAfterEach();
const toThere = aCall({ side: 'destination' });
const call = { signal: new AbortController().signal, purpose: 'copy' } as const;
const first = anImage('first');
const second = anImage('second');

function refusal(code: string, message = ''): string {
  return JSON.stringify({ errors: [{ code, message }] });
}

describe('a tag that cannot be moved', () => {
  async function standing(options: FaultRegistryOptions = { immutableTags: true }): Promise<FaultRegistry> {
    const server = await aRegistryServer(options);
    await pushImage(aClient().registry, `${server.host}/app:1`, single(first));
    for (const { descriptor, bytes } of second.blobs) await aClient().registry.putBlob(refAt(server, 'app'), descriptor, sourceOf(bytes), [], toThere);
    server.calm();
    return server;
  }

  test('and holds what we bring is no conflict', async () => {
    const server = await standing();
    await expect(aClient().registry.putManifest(refAt(server, 'app:1'), first.manifest, [], toThere)).resolves.toBeUndefined();
  });

  test('and holds something else is one', async () => {
    const server = await standing();
    await expect(aClient().registry.putManifest(refAt(server, 'app:1'), second.manifest, [], toThere)).rejects.toMatchObject({ code: 'conflict', side: 'destination', host: server.host });
  });

  test.each([
    ['ECR', 400, refusal('TAG_INVALID', "The image tag '1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable.")],
    ['Harbor', 412, refusal('PRECONDITION', "Failed to process request due to 'app:1' configured as immutable.")],
    ['one that says 409 and nothing else', 409, ''],
    ['one that says 403 and why', 403, refusal('DENIED', 'tag is immutable')],
  ])('of %s is told apart from other refusals', async (_sentence, status, body) => {
    const server = await standing({});
    server.fault({ on: { route: 'manifest', method: 'PUT' }, times: 2, does: { status, body } });
    const { registry } = aClient();

    await expect(registry.putManifest(refAt(server, 'app:1'), first.manifest, [], toThere)).resolves.toBeUndefined();
    await expect(registry.putManifest(refAt(server, 'app:1'), second.manifest, [], toThere)).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('a manifest that is refused', () => {
  test.each<[string, number, string, FailureCode, string]>([
    ['for a type the registry is too old for', 400, refusal('MANIFEST_INVALID'), 'unsupported', first.manifest.mediaType],
    ['with 415', 415, '', 'unsupported', first.manifest.mediaType],
    ['with 400 and no reason', 400, '', 'unsupported', first.manifest.mediaType],
    ['for a quota with 403', 403, refusal('DENIED', 'quota exceeded for project'), 'denied', 'storage is used up'],
    ['for a quota with 412', 412, refusal('DENIED', 'adding 5 MiB of storage resource, which when updated to current usage will exceed the configured upper limit of 10.0 MiB'), 'denied', 'storage is used up'],
    ['for a quota with 413', 413, refusal('UNKNOWN', 'storage quota reached'), 'denied', 'storage is used up'],
    ['for want of the repository', 404, refusal('NAME_UNKNOWN'), 'missing', 'create it there'],
    ['without a quota with 403', 403, refusal('DENIED', 'push access required'), 'denied', 'push access required'],
  ])('%s says so', async (_sentence, status, body, code, text) => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest', method: 'PUT' }, times: 9, does: { status, body } });

    const putting = aClient().registry.putManifest(refAt(server, 'app:1'), first.manifest, [], toThere);

    await expect(putting).rejects.toMatchObject({ code, side: 'destination', host: server.host, message: expect.stringContaining(text) as unknown });
  });
});

describe('a blob that is refused', () => {
  const blob = aBlob('refused', 2_000_000);

  test.each<[string, string, number, string, FailureCode, string]>([
    ['for a quota, when it is opened', 'POST', 403, refusal('DENIED', 'storage limit reached'), 'denied', 'storage is used up'],
    ['for a quota, when it is sent', 'PUT', 413, refusal('UNKNOWN', 'project quota exceeded'), 'denied', 'storage is used up'],
    ['for a full disk', 'PUT', 507, '', 'denied', 'storage is used up'],
    ['for want of the repository', 'POST', 404, refusal('NAME_UNKNOWN'), 'missing', 'create it there'],
    ['for want of rights', 'POST', 403, refusal('DENIED', 'no push access'), 'denied', 'no push access'],
  ])('%s says so, and is not tried again', async (_sentence, method, status, body, code, text) => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method }, times: 9, does: { status, body } });

    const putting = aClient().registry.putBlob(refAt(server, 'app'), blob.descriptor, sourceOf(blob.bytes), [], toThere);

    await expect(putting).rejects.toMatchObject({ code, side: 'destination', message: expect.stringContaining(text) as unknown });
    expect(server.log().filter((line) => line === `${method} upload`)).toHaveLength(1);
  });
});

describe('garbage collection during a copy', () => {
  function requestFor(from: FaultRegistry, to: FaultRegistry): ResolveRequest {
    return {
      sources: [{ image: nameAt(from, 'team/app:1'), as: [] }],
      destination: { image: nameAt(to, 'mirror/app:1'), as: [] },
      platforms: [{ os: 'linux', architecture: 'amd64' }, { os: 'linux', architecture: 'arm64' }],
      copy: 'auto',
      pinned: false,
    };
  }

  test.each<[string, AGraph]>([
    ['a single image', single(anImage('app', { layers: ['one', 'two'] }))],
    ['an index', aMultiPlatformImage('app', 'linux/amd64', 'linux/arm64')],
  ])('%s whose parts were collected before the tag is copied again, and then published whole', async (_sentence, graph) => {
    const [from, to] = [await aRegistryServer(), await aRegistryServer()];
    await pushImage(aClient().registry, `${from.host}/team/app:1`, graph);
    const engine = createCopyEngine(aClient().registry);
    const resolved = await engine.resolve(requestFor(from, to), call);
    if (resolved.verdict !== 'copy') throw new Error('expected a plan');
    const access = { source: [], destination: [] };
    for (const part of resolved.plan.parts) await engine.copyPart(resolved.plan, part, access, call);
    to.store.find('mirror/app')?.blobs.clear();
    to.store.find('mirror/app')?.manifests.clear();

    const published = await engine.publish(resolved.plan, access, call);

    expect(published.digest).toBe(graph.root.digest);
    const blobs = graph.images.flatMap((image) => image.blobs.map(({ descriptor }) => descriptor.digest));
    expect(blobs.every((digest) => to.store.find('mirror/app')?.blobs.has(digest))).toBe(true);
  });

  test('a registry that always misses something is believed in the end, and no tag appears', async () => {
    const graph = single(anImage('app'));
    const [from, to] = [await aRegistryServer(), await aRegistryServer()];
    await pushImage(aClient().registry, `${from.host}/team/app:1`, graph);
    to.fault({ on: { route: 'manifest', method: 'PUT' }, times: 99, does: { status: 400, body: refusal('MANIFEST_BLOB_UNKNOWN') } });

    await expect(copyImage(createCopyEngine(aClient().registry), requestFor(from, to), call)).rejects.toMatchObject({ code: 'missing', side: 'destination' });

    expect(to.log().filter((line) => line === 'PUT manifest')).toHaveLength(2);
    expect(to.store.find('mirror/app')?.tags.size ?? 0).toBe(0);
  });
});
