/** Which platforms a copy has, and what is copied of manifests that are no ordinary images. */
import { describe, expect, test } from '@jest/globals';
import { knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import type { Platform } from '../../src/domain/platform.js';
import { copyImage, createCopyEngine } from '../../src/registry/copy.js';
import type { Published } from '../../src/domain/published.js';
import type { CopyEngine, EngineCall, Resolved, ResolveRequest } from '../../src/registry/copy-engine.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import { ociIndex, ociManifest } from '../../src/registry/media-types.js';
import type { Descriptor } from '../../src/registry/registry.js';
import { aBlob, aCall, aMultiPlatformImage, anImage, anIndex, aReferrer, blobOf, digestOf, pushImage, single, sourceOf, written, type AGraph, type AnImage } from '../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, nameAt } from '../support/registry-client.js';

closeAfterEach();

const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const arm64: Platform = { os: 'linux', architecture: 'arm64' };
const call: EngineCall = { signal: new AbortController().signal, purpose: 'copy' };
const source = 'source.test/team/app:1' as ImageName;
const destination = 'mirror.test/kuik/team/app:1' as ImageName;
const two = aMultiPlatformImage('two', 'linux/amd64', 'linux/arm64');
const [amdImage, armImage] = two.images as [AnImage, AnImage];

interface Scene {
  readonly registry: MemoryRegistry;
  readonly engine: CopyEngine;
  readonly request: (more?: Partial<ResolveRequest>) => ResolveRequest;
}

async function aScene(graph?: AGraph): Promise<Scene> {
  const registry = new MemoryRegistry('source.test', 'mirror.test');
  if (graph !== undefined) await pushImage(registry, source, graph);
  return {
    registry,
    engine: createCopyEngine(registry),
    request: (more) => ({ sources: [{ image: source, as: [] }], destination: { image: destination, as: [] }, platforms: [amd64], copy: 'auto', pinned: false, ...more }),
  };
}

describe('a single image', () => {
  test.each([
    ['its platform, from its config', 'linux/amd64', [amd64], ['linux/amd64'], []],
    ['its variant too', 'linux/arm/v7', [{ os: 'linux', architecture: 'arm' }], ['linux/arm/v7'], []],
    ['what is wanted beside it as missing', 'linux/amd64', [amd64, arm64], ['linux/amd64'], ['linux/arm64']],
  ])('records %s', async (_sentence, platform, platforms, has, missing) => {
    const { engine, request } = await aScene(single(anImage('one', { platform })));
    expect((await copyImage(engine, request({ platforms }), call)).published).toMatchObject({ platforms: has, missingPlatforms: missing });
  });

  test.each(['auto', 'all', 'sparse', 'rewrite'] as const)('for another platform is unsupported with copy: %s, and nothing is published', async (copy) => {
    const { registry, engine, request } = await aScene(single(anImage('one', { platform: 'linux/s390x' })));

    await expect(copyImage(engine, request({ copy }), call)).rejects.toMatchObject({ code: 'unsupported', side: 'source', message: expect.stringMatching(/linux\/amd64.*linux\/s390x/) as unknown });
    expect(await registry.head(knownImageRef(destination), [], aCall())).toBe('missing');
  });

  test('for another platform is copied as it is when its digest is what somebody wrote', async () => {
    const { engine, request } = await aScene(single(anImage('one', { platform: 'linux/s390x' })));
    expect((await copyImage(engine, request({ pinned: true }), call)).published).toMatchObject({ platforms: ['linux/s390x'], missingPlatforms: [] });
  });

  test('that does not say where it runs is copied as it is: a chart, a module', async () => {
    const config = blobOf('application/vnd.cncf.helm.config.v1+json', Buffer.from('{"name":"chart"}'));
    const layer = aBlob('chart');
    const manifest = written({ schemaVersion: 2, mediaType: ociManifest, config: config.descriptor, layers: [layer.descriptor] });
    const chart: AnImage = { manifest, descriptor: { mediaType: ociManifest, digest: manifest.digest, size: manifest.bytes.length }, blobs: [config, layer] };
    const { engine, request } = await aScene(single(chart));

    expect((await copyImage(engine, request(), call)).published).toMatchObject({ digest: manifest.digest, platforms: [], missingPlatforms: [] });
  });

  test('has its config read once, to decide and to copy', async () => {
    const [from, to] = [await aRegistryServer(), await aRegistryServer()];
    const { registry } = aClient();
    const image = anImage('one');
    await pushImage(aClient().registry, `${from.host}/app:1`, single(image));
    from.calm();

    await copyImage(createCopyEngine(registry), { sources: [{ image: nameAt(from, 'app:1'), as: [] }], destination: { image: nameAt(to, 'app:1'), as: [] }, platforms: [amd64], copy: 'auto', pinned: false }, call);

    expect(from.requests.filter(({ path }) => path.includes(image.blobs[0]!.descriptor.digest))).toHaveLength(1);
  });
});

describe('an index without any wanted platform', () => {
  test.each(['auto', 'all', 'sparse', 'rewrite'] as const)('is unsupported with copy: %s', async (copy) => {
    const { engine, request } = await aScene(two);
    await expect(engine.resolve(request({ copy, platforms: [{ os: 'linux', architecture: 's390x' }] }), call)).rejects.toMatchObject({ code: 'unsupported', side: 'source' });
  });

  test('is copied whole when nobody names platforms', async () => {
    const { engine, request } = await aScene(two);
    expect((await copyImage(engine, request({ platforms: [], copy: 'auto' }), call)).published).toMatchObject({ strategy: 'all', platforms: ['linux/amd64', 'linux/arm64'] });
  });
});

describe('an equal digest, after a restart', () => {
  /** A sparse copy of amd64 that another process made. */
  async function sparse(): Promise<Scene & { readonly recorded: Published }> {
    const scene = await aScene(two);
    scene.registry.host('mirror.test').acceptsSparse = true;
    const { published } = await copyImage(scene.engine, scene.request(), call);
    for (const host of ['source.test', 'mirror.test']) scene.registry.host(host).calls.length = 0;
    return { ...scene, engine: createCopyEngine(scene.registry), recorded: published };
  }
  const verdictOf = async ({ engine, request }: Scene, more: Partial<ResolveRequest>): Promise<Resolved['verdict']> => (await engine.resolve(request(more), call)).verdict;

  test('is complete for the platforms that are recorded: one look at each side, and the record stands', async () => {
    const scene = await sparse();

    expect(await scene.engine.resolve(scene.request({ recorded: scene.recorded }), call)).toMatchObject({ verdict: 'current', published: { strategy: 'sparse', platforms: ['linux/amd64'] } });
    expect(['source.test', 'mirror.test'].map((host) => scene.registry.host(host).calls.length)).toEqual([1, 1]);
  });

  test.each<[string, Partial<ResolveRequest>, (recorded: Published) => ResolveRequest['recorded'], Resolved['verdict']]>([
    ['is not enough when another platform is wanted that is not there', { platforms: [amd64, arm64] }, (recorded) => recorded, 'copy'],
    ['is not enough when all of it is wanted', { copy: 'all' }, (recorded) => recorded, 'copy'],
    ['is not enough when nothing is recorded and something is absent', { platforms: [arm64] }, () => 'nothing', 'copy'],
    ['is enough when nothing is recorded and all is there', {}, () => 'nothing', 'current'],
    ['is looked into when another digest is recorded', {}, (recorded) => ({ ...recorded, digest: digestOf(Buffer.from('other')) }), 'current'],
    ['is enough when what is missing was missing at the source', { platforms: [amd64, { os: 'linux', architecture: 's390x' }] }, (recorded) => ({ ...recorded, missingPlatforms: ['linux/s390x'] }), 'current'],
  ])('%s', async (_sentence, more, recordedAs, verdict) => {
    const scene = await sparse();
    expect(await verdictOf(scene, { ...more, recorded: recordedAs(scene.recorded) })).toBe(verdict);
  });

  test('lacks only what is wanted still: a platform nobody asks for any more is not missed', async () => {
    const scene = await sparse();
    const recorded = { ...scene.recorded, missingPlatforms: ['linux/s390x'] };

    expect(await scene.engine.resolve(scene.request({ recorded }), call)).toMatchObject({ verdict: 'current', published: { platforms: ['linux/amd64'], missingPlatforms: [] } });
  });

  test('is looked into at the destination only: the source is asked once, and gives no manifest', async () => {
    const scene = await sparse();
    await verdictOf(scene, { recorded: 'nothing' });
    expect(scene.registry.host('source.test').calls.map(({ verb }) => verb)).toEqual(['head']);
  });

  test('of a whole index at a registry that wants every manifest is told with its platforms', async () => {
    const scene = await aScene(two);
    await pushImage(scene.registry, destination, two);
    expect(await scene.engine.resolve(scene.request({ platforms: [amd64, arm64], recorded: 'nothing' }), call)).toMatchObject({ verdict: 'current', published: { strategy: 'all', platforms: ['linux/amd64', 'linux/arm64'] } });
  });

  test('that may be pushed to but not read is copied again from the source', async () => {
    const [from, to] = [await aRegistryServer(), await aRegistryServer()];
    const { registry } = aClient();
    await pushImage(registry, `${from.host}/app:1`, two);
    await pushImage(registry, `${to.host}/app:1`, two);
    to.fault({ on: { route: 'manifest', method: 'GET' }, times: 99, does: { status: 403 } });

    const request = { sources: [{ image: nameAt(from, 'app:1'), as: [] }], destination: { image: nameAt(to, 'app:1'), as: [] }, platforms: [amd64], copy: 'all', pinned: false, recorded: 'nothing' } as const;
    expect((await createCopyEngine(aClient().registry).resolve(request, call)).verdict).toBe('copy');
  });
});

describe('children that are no images', () => {
  test.each([
    ['a blob', false],
    ['a manifest', true],
  ])('of a type nobody knows are copied: %s', async (_sentence, isManifest) => {
    const { registry, engine, request } = await aScene(single(amdImage));
    const strange = isManifest ? { ...armImage.descriptor, mediaType: 'application/vnd.example.odd' } : aBlob('strange', 500, 'application/vnd.example.odd').descriptor;
    const at = knownImageRef(source);
    if (isManifest) await pushImage(registry, 'source.test/team/app:arm', single(armImage));
    else await registry.putBlob(at, strange, sourceOf(aBlob('strange', 500, 'application/vnd.example.odd').bytes), [], aCall());
    const root = written({ schemaVersion: 2, mediaType: ociIndex, manifests: [amdImage.descriptor, strange] });
    await registry.putManifest({ ...at, digest: amdImage.manifest.digest, tag: undefined }, amdImage.manifest, [], aCall());
    await registry.putManifest(at, root, [], aCall());

    const { published } = await copyImage(engine, request({ copy: 'all' }), call);

    const repository = registry.host('mirror.test').repository('kuik/team/app')!;
    expect(published.digest).toBe(root.digest);
    expect((isManifest ? repository.manifests : repository.blobs).has(strange.digest)).toBe(true);
  });

  test('and are nowhere to be had fail the copy, and the message says what they are', async () => {
    const { registry, engine, request } = await aScene(single(amdImage));
    registry.host('source.test').acceptsSparse = true;
    const absent: Descriptor = { ...aBlob('absent').descriptor, mediaType: 'application/vnd.example.odd' };
    await registry.putManifest(knownImageRef(source), written({ schemaVersion: 2, mediaType: ociIndex, manifests: [amdImage.descriptor, absent] }), [], aCall());

    await expect(copyImage(engine, request({ copy: 'all' }), call)).rejects.toMatchObject({ code: 'missing', side: 'source', message: expect.stringContaining(absent.digest) as unknown });
  });
});

describe('graphs that are too large', () => {
  test.each([
    ['with 10,000 children', written({ schemaVersion: 2, mediaType: ociIndex, manifests: Array.from({ length: 10_000 }, (_, index) => ({ mediaType: ociManifest, digest: digestOf(Buffer.from(String(index))), size: 1 })) })],
  ])('an index %s is refused before any of them is read', async (_sentence, root) => {
    const { registry, engine, request } = await aScene();
    registry.host('source.test').acceptsSparse = true;
    await registry.putManifest(knownImageRef(source), root, [], aCall());
    registry.host('source.test').calls.length = 0;

    await expect(engine.resolve(request(), call)).rejects.toMatchObject({ code: 'too-large', side: 'source' });
    expect(registry.host('source.test').calls.length).toBeLessThan(3);
  });

  test.each([
    [7, 'copied'],
    [8, 'too-large'],
  ] as const)('an image below %d indexes that stand inside one another is %s', async (inside, outcome) => {
    const { registry, engine, request } = await aScene();
    let root = anIndex([amdImage]).root;
    await pushImage(registry, 'source.test/team/app:base', anIndex([amdImage]));
    for (let depth = 0; depth < inside; depth++) {
      root = written({ schemaVersion: 2, mediaType: ociIndex, manifests: [{ mediaType: ociIndex, digest: root.digest, size: root.bytes.length }] });
      await registry.putManifest(knownImageRef(source), root, [], aCall());
    }

    const copying = copyImage(engine, request({ copy: 'all' }), call).then(() => 'copied', (error: { code: string }) => error.code);

    expect(await copying).toBe(outcome);
  });

  test('indexes that call themselves images are counted as deep as they are', async () => {
    const { registry, engine, request } = await aScene();
    await pushImage(registry, 'source.test/team/app:base', anIndex([amdImage]));
    let root = anIndex([amdImage]).root;
    for (let depth = 0; depth < 10; depth++) {
      root = written({ schemaVersion: 2, mediaType: ociIndex, manifests: [{ mediaType: ociManifest, platform: amd64, digest: root.digest, size: root.bytes.length }] });
      await registry.putManifest(knownImageRef(source), root, [], aCall());
    }

    await expect(copyImage(engine, request({ copy: 'all' }), call)).rejects.toMatchObject({ code: 'too-large', side: 'source' });
  });
});

describe('content that a descriptor carries along', () => {
  const empty = blobOf('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  const artifact = aReferrer('artifact', amdImage.manifest);

  test('is used when it is what it says, and not asked for', async () => {
    const [from, to] = [await aRegistryServer(), await aRegistryServer()];
    await pushImage(aClient().registry, `${from.host}/app:1`, single(artifact));
    from.calm();

    await copyImage(createCopyEngine(aClient().registry), { sources: [{ image: nameAt(from, 'app:1'), as: [] }], destination: { image: nameAt(to, 'app:1'), as: [] }, platforms: [amd64], copy: 'all', pinned: false }, call);

    expect(from.requests.some(({ path }) => path.includes(empty.descriptor.digest))).toBe(false);
    expect(to.store.find('app')!.blobs.get(empty.descriptor.digest)?.toString()).toBe('{}');
  });

  test.each([
    ['other bytes', 'W10='],
    ['more bytes', 'e30K'],
    ['no base64', '%%%'],
  ])('that lies is not used: %s', async (_sentence, data) => {
    const document = JSON.parse(Buffer.from(artifact.manifest.bytes).toString()) as { config: object };
    const manifest = written({ ...document, mediaType: ociManifest, config: { ...document.config, data } });
    const { registry, engine, request } = await aScene(single({ ...artifact, manifest }));

    await copyImage(engine, request({ copy: 'all' }), call);

    const copied = registry.host('mirror.test').repository('kuik/team/app')!.blobs.get(empty.descriptor.digest)!;
    expect(Buffer.from(copied).toString()).toBe('{}');
    expect(registry.host('source.test').calls.some(({ verb, on }) => verb === 'blob' && on.includes(empty.descriptor.digest))).toBe(true);
  });
});

describe('layers that lie elsewhere', () => {
  const foreign = aBlob('foreign', 800, 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip');
  const elsewhere = 'http://layers.invalid/foreign';
  const windows = anImage('windows', { platform: 'windows/amd64', layers: ['own', { ...foreign, descriptor: { ...foreign.descriptor, urls: [elsewhere] } }] });
  const wanted = { platforms: [{ os: 'windows', architecture: 'amd64' }] };
  const held: AnImage = { ...windows, blobs: windows.blobs.filter(({ descriptor }) => descriptor.digest !== foreign.descriptor.digest) };

  async function between(image: AnImage, to: Parameters<typeof aRegistryServer>[0] = {}) {
    const [from, there] = [await aRegistryServer(), await aRegistryServer(to)];
    await pushImage(aClient().registry, `${from.host}/app:1`, single(image));
    const request: ResolveRequest = { sources: [{ image: nameAt(from, 'app:1'), as: [] }], destination: { image: nameAt(there, 'app:1'), as: [] }, ...wanted, copy: 'all', pinned: false };
    return { there, copied: copyImage(createCopyEngine(aClient().registry), request, call) };
  }

  test.each([
    ['are copied when the source serves them', windows, true],
    ['stay out when it does not; where they lie is not looked at', held, false],
  ])('%s', async (_sentence, image, isCopied) => {
    const { there, copied } = await between(image);

    expect((await copied).published.digest).toBe(windows.manifest.digest);
    expect(there.store.find('app')!.blobs.has(foreign.descriptor.digest)).toBe(isCopied);
  });

  test('inside an index too', async () => {
    const { registry, engine, request } = await aScene();
    await pushImage(registry, source, { ...anIndex([windows]), images: [held] });

    expect((await copyImage(engine, request({ ...wanted, copy: 'all' }), call)).published.digest).toBe(anIndex([windows]).root.digest);
  });

  test.each(['distribution-3', 'distribution-2.8'] as const)('are refused by %s with a server error: unsupported, naming the layer', async (dialect) => {
    const { there, copied } = await between(windows, { dialect });

    await expect(copied).rejects.toMatchObject({ code: 'unsupported', side: 'destination', message: expect.stringContaining(foreign.descriptor.digest) as unknown });
    expect(there.store.find('app')?.tags.size ?? 0).toBe(0);
  });

  test('are missed by a destination that insists on them: unsupported, naming the layer', async () => {
    const { there, copied } = await between(held);
    there.fault({ on: { method: 'PUT', route: 'manifest' }, times: 9, does: { status: 400, body: '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}' } });

    await expect(copied).rejects.toMatchObject({ code: 'unsupported', side: 'destination', message: expect.stringContaining(foreign.descriptor.digest) as unknown });
  });
});
