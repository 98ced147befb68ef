/** The copy engine on the wire: which requests it makes, and what stays behind when it is killed between them. */
import { describe, expect, test } from '@jest/globals';
import { copyImage, createCopyEngine } from '../../src/registry/copy.js';
import type { EngineCall, ResolveRequest } from '../../src/registry/copy-engine.js';
import type { FaultRegistry } from '../support/fault-registry.js';
import { aBlob, aCall, aMultiPlatformImage, anImage, pushImage, single, sourceOf, type AGraph } from '../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, nameAt, refAt } from '../support/registry-client.js';

closeAfterEach();
const call: EngineCall = { signal: new AbortController().signal, purpose: 'copy' };

interface Scene {
  readonly from: FaultRegistry;
  readonly to: FaultRegistry;
}

async function aScene(graph: AGraph): Promise<Scene> {
  // as distribution: small blobs do not come with the POST
  const [from, to] = [await aRegistryServer(), await aRegistryServer({ singlePost: false })];
  await pushImage(aClient().registry, `${from.host}/app:1`, graph);
  from.calm();
  return { from, to };
}

function requestFor({ from, to }: Scene, tag = '1'): ResolveRequest {
  return {
    sources: [{ image: nameAt(from, `app:${tag}`), as: [] }],
    destination: { image: nameAt(to, `mirror/app:${tag}`), as: [] },
    platforms: [{ os: 'linux', architecture: 'amd64' }],
    copy: 'all',
    pinned: false,
  };
}

function count(log: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of log) counts[line] = (counts[line] ?? 0) + 1;
  return counts;
}

describe('requests, counted', () => {
  const layers = Array.from({ length: 10 }, (_, index) => `layer-${index}`);

  test('an unchanged image: one at each side', async () => {
    const scene = await aScene(single(anImage('app')));
    await copyImage(createCopyEngine(aClient().registry), requestFor(scene), call);
    scene.from.calm();
    scene.to.calm();

    const again = await copyImage(createCopyEngine(aClient().registry), requestFor(scene), call);

    expect(again.verdict).toBe('current');
    expect(scene.from.log()).toEqual(['HEAD manifest']);
    expect(scene.to.log()).toEqual(['HEAD manifest']);
  });

  const largeLayers = layers.map((seed) => aBlob(seed, 64 * 1024 + 1));

  test('a new image of which nothing is known: 3 per blob, its manifests and 2 there; 1 per blob, its manifests and 1 at the source', async () => {
    const scene = await aScene(single(anImage('app', { layers: largeLayers })));

    await copyImage(createCopyEngine(aClient().registry), requestFor(scene), call);

    expect(count(scene.from.log())).toEqual({ 'HEAD manifest': 1, 'GET manifest': 1, 'GET blob': 11 });
    // the config is small, and nobody asks for it where nothing is
    expect(count(scene.to.log())).toEqual({ 'HEAD manifest': 2, 'HEAD blob': 10, 'POST upload': 11, 'PUT upload': 11, 'PUT manifest': 1 });
  });

  test('small blobs of an image that goes to a new repository: 2 each, nobody asks whether they are there', async () => {
    const scene = await aScene(single(anImage('app', { layers: layers.map((seed) => aBlob(seed, 64 * 1024)) })));

    await copyImage(createCopyEngine(aClient().registry), requestFor(scene), call);

    expect(count(scene.from.log())).toEqual({ 'HEAD manifest': 1, 'GET manifest': 1, 'GET blob': 11 });
    expect(count(scene.to.log())).toEqual({ 'HEAD manifest': 2, 'POST upload': 11, 'PUT upload': 11, 'PUT manifest': 1 });
  });

  test('a new image whose layers are known elsewhere: a mount each, and no byte moves', async () => {
    const scene = await aScene(single(anImage('app', { layers })));
    const { registry } = aClient();
    const engine = createCopyEngine(registry);
    await copyImage(engine, requestFor(scene), call);
    scene.to.calm();

    const request = { ...requestFor(scene), destination: { image: nameAt(scene.to, 'other/app:1'), as: [] } };
    const copied = await copyImage(engine, request, call);

    expect(copied.bytes).toBe(0);
    expect(count(scene.to.log())).toEqual({ 'HEAD manifest': 2, 'POST mount': 11, 'PUT manifest': 1 });
    expect(scene.to.requests.filter(({ route }) => route !== 'manifest').every(({ bodyBytes }) => bodyBytes === 0)).toBe(true);
  });

  test('an index: each manifest is read once and put once, and shared layers move once', async () => {
    const graph = aMultiPlatformImage('multi', 'linux/amd64', 'linux/arm64');
    const scene = await aScene(graph);

    await copyImage(createCopyEngine(aClient().registry), requestFor(scene), call);

    expect(count(scene.from.log())).toEqual({ 'HEAD manifest': 1, 'GET manifest': 3, 'GET blob': 5 });
    expect(count(scene.to.log())).toEqual({ 'HEAD manifest': 2, 'POST upload': 5, 'PUT upload': 5, 'PUT manifest': 3 });
  });

  test('the tag is put last, after everything below it', async () => {
    const scene = await aScene(aMultiPlatformImage('multi', 'linux/amd64', 'linux/arm64'));
    await copyImage(createCopyEngine(aClient().registry), requestFor(scene), call);

    const writes = scene.to.requests.filter(({ method }) => method === 'PUT');

    expect(writes.at(-1)?.path).toBe('/v2/mirror/app/manifests/1');
    expect(writes.findIndex(({ path }) => path.endsWith('/manifests/1'))).toBe(writes.length - 1);
    expect(scene.to.requests.at(-1)).toMatchObject({ method: 'HEAD', path: '/v2/mirror/app/manifests/1' });
  });
});

describe('a repository that seems new', () => {
  const before = anImage('before', { layers: ['shared-1', 'shared-2', 'own'] });
  const after = anImage('after', { layers: ['shared-1', 'shared-2', 'changed'] });

  async function copied(scene: Scene, engine = createCopyEngine(aClient().registry)): Promise<Record<string, number>> {
    scene.to.calm();
    expect((await copyImage(engine, requestFor(scene), call)).verdict).toBe('copy');
    return count(scene.to.log());
  }

  test('and is not, after a restart: what is there is sent again, once and whole', async () => {
    const scene = await aScene(single(after));
    await pushImage(aClient().registry, `${scene.to.host}/mirror/app:0`, single(before));

    expect(await copied(scene)).toEqual({ 'HEAD manifest': 2, 'POST upload': 4, 'PUT upload': 4, 'PUT manifest': 1 });
    expect(scene.to.requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)).toBeLessThan(10_000);
  });

  test('holds what we brought: of the next image only the rest is sent', async () => {
    const scene = await aScene(single(before));
    const engine = createCopyEngine(aClient().registry);
    await copied(scene, engine);
    await pushImage(aClient().registry, `${scene.from.host}/app:1`, single(after));
    scene.from.calm();

    expect(await copied(scene, engine)).toEqual({ 'HEAD manifest': 2, 'POST upload': 2, 'PUT upload': 2, 'PUT manifest': 1 });
  });

  test('does not count as new once a tag was seen there', async () => {
    const scene = await aScene(single(before));
    const engine = createCopyEngine(aClient().registry);
    await pushImage(aClient().registry, `${scene.to.host}/mirror/app:1`, single(after));

    expect(await copied(scene, engine)).toEqual({ 'HEAD manifest': 2, 'HEAD blob': 4, 'POST upload': 2, 'PUT upload': 2, 'PUT manifest': 1 });
  });

  test('does not count as new once a blob was found there', async () => {
    const large = aBlob('large', 64 * 1024 + 1);
    const scene = await aScene(single(anImage('app', { layers: [large] })));
    const { registry } = aClient();
    await registry.putBlob(refAt(scene.to, 'mirror/app'), large.descriptor, sourceOf(large.bytes), [], aCall({ side: 'destination' }));
    const engine = createCopyEngine(aClient().registry);
    await copied(scene, engine);
    await pushImage(aClient().registry, `${scene.from.host}/app:1`, single(before));

    expect(await copied(scene, engine)).toMatchObject({ 'HEAD blob': 4, 'PUT upload': 4 });
  });

  test('is not published from what a source merely promised: what the source lost, and the destination has, is found', async () => {
    const scene = await aScene(single(after));
    await pushImage(aClient().registry, `${scene.to.host}/mirror/app:0`, single(before));
    scene.from.store.find('app')?.blobs.delete(after.blobs[1]!.descriptor.digest);

    expect(await copied(scene)).toMatchObject({ 'HEAD blob': 1, 'PUT upload': 3, 'PUT manifest': 1 });
  });

  test('is asked, and sent nothing, when it is only to be known whether a blob is there', async () => {
    const scene = await aScene(single(before));
    const { registry } = aClient();
    const engine = createCopyEngine(registry);
    const resolved = await engine.resolve(requestFor(scene), call);
    if (resolved.verdict !== 'copy') throw new Error('expected a plan');
    // another process copied
    await pushImage(aClient().registry, `${scene.to.host}/mirror/app:0`, single(before));
    scene.to.calm();

    await engine.publish(resolved.plan, { source: [], destination: [] }, call);

    expect(count(scene.to.log())).toEqual({ 'HEAD blob': 4, 'PUT manifest': 1, 'HEAD manifest': 1 });
  });
});

describe('killed between requests', () => {
  const graph = aMultiPlatformImage('killed', 'linux/amd64', 'linux/arm64');
  // HEAD tag; 5 POST, 5 PUT; 2 PUT children; PUT tag; HEAD tag
  test.each(Array.from({ length: 15 }, (_, index) => index + 1))('after %d requests the tag is absent or whole, and the next attempt finishes', async (survived) => {
    const scene = await aScene(graph);
    const stop = new AbortController();
    const { registry } = aClient({
      observer: () => {
        if (scene.to.requests.length >= survived) stop.abort(new Error('killed'));
      },
    });

    const killed = await copyImage(createCopyEngine(registry), requestFor(scene), { ...call, signal: stop.signal }).then(
      () => 'finished',
      (error: unknown) => (error as Error).message,
    );
    expect(['finished', 'killed']).toContain(killed);
    expect(isAbsentOrWhole(scene.to)).toBe(true);

    const again = await copyImage(createCopyEngine(aClient().registry), requestFor(scene), call);
    expect(again.published.digest).toBe(graph.root.digest);
    expect(isAbsentOrWhole(scene.to)).toBe(true);
  });

  function isAbsentOrWhole(to: FaultRegistry): boolean {
    const repository = to.store.find('mirror/app');
    if (repository?.tags.get('1') === undefined) return true;
    const hasBlobs = graph.images.every(({ blobs }) => blobs.every(({ descriptor }) => repository.blobs.has(descriptor.digest)));
    return hasBlobs && graph.images.every(({ manifest }) => repository.manifests.has(manifest.digest));
  }
});

describe('a registry that does not do what it says', () => {
  const graph = single(anImage('app'));

  test('a proxy that rewrites manifests is found out, however green the PUT was', async () => {
    const scene = await aScene(graph);
    scene.to.fault({ on: { route: 'manifest', method: 'HEAD' }, from: 2, does: { headers: { 'docker-content-digest': anImage('rewritten').manifest.digest } } });

    await expect(copyImage(createCopyEngine(aClient().registry), requestFor(scene), call)).rejects.toMatchObject({ code: 'corrupt', side: 'destination' });
  });

  test('a blob that was collected behind our back is sent again, once', async () => {
    const multi = aMultiPlatformImage('collected', 'linux/amd64');
    const scene = await aScene(multi);
    const { registry } = aClient();
    const engine = createCopyEngine(registry);
    const resolved = await engine.resolve(requestFor(scene), call);
    if (resolved.verdict !== 'copy') throw new Error('expected a plan');
    const access = { source: [], destination: [] };
    await engine.copyPart(resolved.plan, resolved.plan.parts[0]!, access, call);
    scene.to.store.find('mirror/app')?.blobs.clear();
    scene.to.store.find('mirror/app')?.manifests.clear();

    await engine.copyPart(resolved.plan, resolved.plan.parts[0]!, access, call);

    expect(await engine.publish(resolved.plan, access, call)).toMatchObject({ digest: multi.root.digest });
  });

  test('a source that always sends damaged bytes publishes nothing', async () => {
    const scene = await aScene(graph);
    scene.from.fault({ on: { route: 'blob' }, times: 99, does: { spoil: true } });

    await expect(copyImage(createCopyEngine(aClient().registry), requestFor(scene), call)).rejects.toMatchObject({ code: 'corrupt', side: 'source' });
    expect(scene.to.store.find('mirror/app')?.tags.size ?? 0).toBe(0);
    expect(scene.to.store.find('mirror/app')?.blobs.size ?? 0).toBe(0);
  });

  test('bytes damaged once are fetched again', async () => {
    const scene = await aScene(graph);
    scene.from.fault({ on: { route: 'blob' }, does: { spoil: true } });

    expect((await copyImage(createCopyEngine(aClient().registry), requestFor(scene), call)).published.digest).toBe(graph.root.digest);
  });

  test('403 for a tag that is not there counts as absent', async () => {
    const scene = await aScene(graph);
    scene.to.fault({ on: { route: 'manifest', method: 'HEAD' }, does: { status: 403 } });

    expect((await copyImage(createCopyEngine(aClient().registry), requestFor(scene), call)).verdict).toBe('copy');
  });
});
