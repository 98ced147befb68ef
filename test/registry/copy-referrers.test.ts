/** What describes an image follows it: from and to registries that list referrers, and such that do not. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import { copyImage, createCopyEngine } from '../../src/registry/copy.js';
import type { CopyPlan, EngineCall, ResolveRequest } from '../../src/registry/copy-engine.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import { cosignTags, fallbackTag } from '../../src/registry/referrer-tags.js';
import { startFaultRegistry, type FaultRegistry, type FaultRegistryOptions } from '../support/fault-registry.js';
import { aCall, aMultiPlatformImage, anImage, anIndex, aReferrer, pushImage, pushReferrer, single, type AGraph, type AnImage } from '../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, nameAt, refAt } from '../support/registry-client.js';
import { walk } from '../support/walk.js';

closeAfterEach();

const call: EngineCall = { signal: new AbortController().signal, purpose: 'copy' };
const two = aMultiPlatformImage('two', 'linux/amd64', 'linux/arm64');
const [amdImage, armImage] = two.images as [AnImage, AnImage];
const amd64 = { os: 'linux', architecture: 'amd64' };

interface Scene {
  readonly from: FaultRegistry;
  readonly to: FaultRegistry;
  readonly request: (more?: Partial<ResolveRequest>) => ResolveRequest;
}

async function aScene(graph: AGraph, options: { readonly from?: FaultRegistryOptions; readonly to?: FaultRegistryOptions } = {}): Promise<Scene> {
  const [from, to] = [await aRegistryServer(options.from), await aRegistryServer(options.to)];
  await pushImage(aClient().registry, `${from.host}/app:1`, graph);
  return {
    from,
    to,
    request: (more) => ({ sources: [{ image: nameAt(from, 'app:1'), as: [] }], destination: { image: nameAt(to, 'mirror/app:1'), as: [] }, platforms: [], copy: 'all', pinned: false, referrers: 'auto', ...more }),
  };
}

const describeAt = (from: FaultRegistry, referrer: AnImage): Promise<unknown> => pushReferrer(aClient().registry, `${from.host}/app`, referrer);
const has = ({ to }: Scene, { manifest }: AnImage): boolean => to.store.find('mirror/app')?.manifests.has(manifest.digest) === true;

describe('an image and what describes it', () => {
  test.each([
    ['a registry with a list', 'one with a list', {}, {}],
    ['a registry with a list', 'one without', {}, { referrers: false }],
    ['a registry without a list', 'one with a list', { referrers: false }, {}],
    ['a registry without a list', 'one without', { referrers: false }, { referrers: false }],
    ['distribution 2.8', 'zot', { dialect: 'distribution-2.8' }, { dialect: 'zot' }],
    ['crane', 'distribution 3', { dialect: 'crane' }, { dialect: 'distribution-3' }],
  ] as const)('from %s to %s: a client of its own finds the same at both', async (_from, _to, from, to) => {
    const scene = await aScene(two, { from, to });
    const signature = aReferrer('signature', two.root, { annotations: { by: 'ann' } });
    await describeAt(scene.from, signature);
    await describeAt(scene.from, aReferrer('sbom', amdImage.manifest));
    await describeAt(scene.from, aReferrer('signature of the signature', signature.manifest));
    await pushImage(aClient().registry, `${scene.from.host}/app:${cosignTags(armImage.manifest.digest)[0]}`, single(anImage('cosign')));

    const { published } = await copyImage(createCopyEngine(aClient().registry), scene.request(), call);

    expect(published.warnings).toBeUndefined();
    const copied = await walk(`${scene.to.host}/mirror/app`, '1');
    expect(copied).toEqual(await walk(`${scene.from.host}/app`, '1'));
    expect(copied.filter((line) => line.includes('described by') || line.includes('->'))).toHaveLength(4);
  });

  test('a single image has a signature too', async () => {
    const image = anImage('one');
    const scene = await aScene(single(image));
    await describeAt(scene.from, aReferrer('signature', image.manifest));

    await copyImage(createCopyEngine(aClient().registry), scene.request(), call);

    expect(await walk(`${scene.to.host}/mirror/app`, '1')).toEqual(await walk(`${scene.from.host}/app`, '1'));
  });

  test('referrers: none leaves all of it behind, and does not even ask', async () => {
    const scene = await aScene(two);
    await describeAt(scene.from, aReferrer('signature', two.root));
    scene.from.calm();

    await copyImage(createCopyEngine(aClient().registry), scene.request({ referrers: 'none' }), call);

    expect(has(scene, aReferrer('signature', two.root))).toBe(false);
    expect(scene.from.requests.some(({ path }) => path.includes('referrers') || path.includes('.sig'))).toBe(false);
  });

  test('only what describes a platform that is copied comes along', async () => {
    const scene = await aScene(two, { to: { acceptsSparse: true } });
    await describeAt(scene.from, aReferrer('of amd64', amdImage.manifest));
    await describeAt(scene.from, aReferrer('of arm64', armImage.manifest));

    await copyImage(createCopyEngine(aClient().registry), scene.request({ copy: 'auto', platforms: [amd64] }), call);

    expect([has(scene, aReferrer('of amd64', amdImage.manifest)), has(scene, aReferrer('of arm64', armImage.manifest))]).toEqual([true, false]);
  });

  test('a referrer of a referrer is followed four levels deep', async () => {
    const scene = await aScene(two);
    const tower = [aReferrer('level 1', two.root)];
    for (let level = 2; level <= 6; level++) tower.push(aReferrer(`level ${level}`, tower.at(-1)!.manifest));
    for (const each of tower) await describeAt(scene.from, each);

    await copyImage(createCopyEngine(aClient().registry), scene.request(), call);

    expect(tower.map((each) => has(scene, each))).toEqual([true, true, true, true, false, false]);
  });

  test('bundles among the referrers spare the look for cosign’s tags', async () => {
    const scene = await aScene(single(amdImage));
    await describeAt(scene.from, aReferrer('bundle', amdImage.manifest, { artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }));
    scene.from.calm();

    await copyImage(createCopyEngine(aClient().registry), scene.request(), call);

    expect(scene.from.requests.filter(({ path }) => /\.(sig|att|sbom)/.test(path))).toEqual([]);
  });

  test('an attestation that the index lists and that names its image as subject is copied once', async () => {
    const attestation = aReferrer('attestation', amdImage.manifest);
    const listed: AnImage = { ...attestation, descriptor: { ...attestation.descriptor, platform: { os: 'unknown', architecture: 'unknown' }, annotations: { 'vnd.docker.reference.digest': amdImage.manifest.digest } } };
    const scene = await aScene(anIndex([amdImage, listed]), { to: { referrers: false } });

    await copyImage(createCopyEngine(aClient().registry), scene.request(), call);

    expect(has(scene, attestation)).toBe(true);
    expect(scene.to.store.find('mirror/app')!.tags.has(fallbackTag(amdImage.manifest.digest))).toBe(true);
  });

  test('people see it as a part of the copy, with its size', async () => {
    const scene = await aScene(two);
    await describeAt(scene.from, aReferrer('signature', two.root));

    const resolved = await createCopyEngine(aClient().registry).resolve(scene.request(), call);

    expect((resolved as { plan: CopyPlan }).plan.parts.at(-1)).toEqual({ kind: 'referrers', digest: two.root.digest, label: 'referrers', blobs: 1, bytes: aReferrer('signature', two.root).manifest.bytes.length });
  });

  test('what is there already is not sent again', async () => {
    const scene = await aScene(two);
    await describeAt(scene.from, aReferrer('signature', two.root));
    await copyImage(createCopyEngine(aClient().registry), scene.request(), call);
    const { tags } = scene.to.store.find('mirror/app')!;
    tags.clear();
    tags.set('before', two.root.digest);
    const { registry } = aClient();
    await registry.head(refAt(scene.to, 'mirror/app:before'), [], aCall({ side: 'destination' })); // so it is no new repository
    scene.to.calm();

    await copyImage(createCopyEngine(registry), scene.request(), call);

    expect(scene.to.requests.filter(({ route, bodyBytes }) => route === 'upload' && bodyBytes > 0)).toEqual([]);
  });
});

describe('an image whose description cannot be copied', () => {
  test.each([
    ['the source does not say what refers to it', 'from', { route: 'other', path: '/referrers/' }, { status: 500 }],
    ['a blob of the signature is damaged', 'from', { route: 'blob', path: aReferrer('signature', two.root).blobs[1]!.descriptor.digest }, { spoil: true }],
    ['the destination takes no such manifest', 'to', { method: 'PUT', path: aReferrer('signature', two.root).manifest.digest }, { status: 400 }],
  ] as const)('is copied all the same, with a warning: %s', async (_sentence, where, on, does) => {
    const scene = await aScene(two);
    await describeAt(scene.from, aReferrer('signature', two.root));
    scene[where].fault({ on: on.path === '/referrers/' ? { path: on.path } : on, times: 99, does });

    const { published } = await copyImage(createCopyEngine(aClient().registry), scene.request(), call);

    expect(published.digest).toBe(two.root.digest);
    expect(published.warnings).toContainEqual(expect.stringContaining(two.root.digest));
    expect(scene.to.store.find('mirror/app')!.tags.get('1')).toBe(two.root.digest);
  });

  test('is copied all the same when somebody else uses the fallback tag', async () => {
    const scene = await aScene(two, { to: { referrers: false } });
    await describeAt(scene.from, aReferrer('signature', two.root));
    await pushImage(aClient().registry, `${scene.to.host}/mirror/app:${fallbackTag(two.root.digest)}`, single(anImage('stranger')));

    const { published } = await copyImage(createCopyEngine(aClient().registry), scene.request(), call);

    expect(published.warnings).toEqual([expect.stringMatching(/is no index, and not touched/)]);
  });

  test('has at most eight warnings, short ones', async () => {
    const scene = await aScene(two);
    for (let index = 0; index < 12; index++) await describeAt(scene.from, aReferrer(`signature-${index}`, two.root));
    scene.from.fault({ on: { method: 'GET', path: '/manifests/' }, from: 4, times: 999, does: { status: 404 } });

    const { published } = await copyImage(createCopyEngine(aClient().registry), scene.request(), call);

    expect(published.warnings!.length).toBeLessThanOrEqual(8);
    expect(published.warnings!.every(({ length }) => length <= 256)).toBe(true);
  });

  test('an abort is no warning', async () => {
    const scene = await aScene(two);
    const stop = new AbortController();
    const { registry } = aClient({ observer: () => scene.from.requests.some(({ path }) => path.includes('/referrers/')) && stop.abort(new Error('worker stops')) });

    await expect(copyImage(createCopyEngine(registry), scene.request(), { ...call, signal: stop.signal })).rejects.toThrow('worker stops');
  });
});

describe('an index that is reduced', () => {
  test.each([
    ['by choice', 'rewrite'],
    ['because the destination takes no sparse index', 'auto'],
  ] as const)('%s says once that its signatures cannot verify, and no more when it is current', async (_sentence, copy) => {
    const scene = await aScene(two);
    await describeAt(scene.from, aReferrer('signature', two.root));
    const engine = createCopyEngine(aClient().registry);

    const { published } = await copyImage(engine, scene.request({ copy, platforms: [amd64] }), call);
    const again = await engine.resolve(scene.request({ copy, platforms: [amd64] }), call);
    const remembered = await engine.resolve(scene.request({ copy, platforms: [amd64], recorded: published }), call);

    expect(published).toMatchObject({ strategy: 'rewrite', warnings: [expect.stringMatching(/signatures of index .* cannot verify/)] });
    expect(again).toMatchObject({ verdict: 'current', published: { strategy: 'rewrite' } });
    expect((again as { published: object }).published).not.toHaveProperty('warnings');
    expect(remembered).toMatchObject({ verdict: 'current', published: { warnings: published.warnings } });
  });

  test('without signatures says nothing', async () => {
    const scene = await aScene(two);
    expect((await copyImage(createCopyEngine(aClient().registry), scene.request({ copy: 'rewrite', platforms: [amd64] }), call)).published.warnings).toBeUndefined();
  });

  test('once it is known to be reduced, what cannot verify is not sent', async () => {
    const scene = await aScene(two);
    await describeAt(scene.from, aReferrer('signature', two.root));

    await copyImage(createCopyEngine(aClient().registry), scene.request({ copy: 'rewrite', platforms: [amd64] }), call);

    expect(has(scene, aReferrer('signature', two.root))).toBe(false);
  });
});

describe('any image', () => {
  const platforms = ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'windows/amd64'] as const;
  const shape = fc.record({
    platforms: fc.subarray([...platforms], { minLength: 1 }),
    nested: fc.boolean(),
    // which manifest each description is about: images by position, earlier descriptions after them
    about: fc.array(fc.nat({ max: 7 }), { maxLength: 5 }),
    cosign: fc.subarray(['sig', 'att', 'sbom']),
    lists: fc.tuple(fc.boolean(), fc.boolean()),
  });

  test('copied whole is at the destination what it was at the source, for a client of its own', async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ({ platforms: chosen, nested, about, cosign, lists }) => {
        const [from, to] = await Promise.all(lists.map((referrers) => startFaultRegistry({ referrers })));
        const { registry } = aClient();
        try {
          const images = aMultiPlatformImage('any', ...chosen);
          const inner = images.root;
          const root = nested ? anIndex([...images.images, { manifest: inner, blobs: [], descriptor: { mediaType: inner.mediaType, digest: inner.digest, size: inner.bytes.length } }]) : images;
          await pushImage(registry, `${from!.host}/app:1`, root);
          const subjects = [root.root, ...images.images.map(({ manifest }) => manifest)];
          for (const [index, which] of about.entries()) {
            const referrer = aReferrer(`description ${index}`, subjects[which % subjects.length]!);
            await pushReferrer(registry, `${from!.host}/app`, referrer);
            if (index < 2) subjects.push(referrer.manifest);
          }
          for (const suffix of cosign) await pushImage(registry, `${from!.host}/app:${root.root.digest.replace(':', '-')}.${suffix}`, single(anImage(`cosign ${suffix}`)));

          await copyImage(createCopyEngine(registry), { sources: [{ image: nameAt(from!, 'app:1'), as: [] }], destination: { image: nameAt(to!, 'app:1'), as: [] }, platforms: [], copy: 'all', pinned: false, referrers: 'auto' }, call);

          expect(await walk(`${to!.host}/app`, '1')).toEqual(await walk(`${from!.host}/app`, '1'));
        } finally {
          await Promise.all([from!.close(), to!.close()]);
        }
      }),
      { numRuns: 15 },
    );
  });
});

test('the twin lists what it holds', async () => {
  const registry = new MemoryRegistry('source.test', 'mirror.test');
  await pushImage(registry, 'source.test/app:1', two);
  await pushReferrer(registry, 'source.test/app', aReferrer('signature', two.root));
  const request: ResolveRequest = { sources: [{ image: 'source.test/app:1' as ImageName, as: [] }], destination: { image: 'mirror.test/app:1' as ImageName, as: [] }, platforms: [], copy: 'all', pinned: false, referrers: 'auto' };

  await copyImage(createCopyEngine(registry), request, call);

  const { host, path } = knownImageRef('mirror.test/app');
  expect(await registry.referrers({ host, path, digest: two.root.digest }, [], aCall())).toEqual([aReferrer('signature', two.root).descriptor]);
});
