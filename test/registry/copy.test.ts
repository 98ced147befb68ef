import { describe, expect, test } from '@jest/globals';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { Platform } from '../../src/domain/platform.js';
import { copyImage, createCopyEngine } from '../../src/registry/copy.js';
import type { CopyEngine, CopyPlan, EngineCall, Progress, ResolveRequest } from '../../src/registry/copy-engine.js';
import type { Published } from '../../src/domain/published.js';
import { Failure } from '../../src/domain/failure.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import { aBlob, aCall, aMultiPlatformImage, anImage, anIndex, pushImage, single, written, type AGraph } from '../support/images.js';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { rewriteIndex } from '../../src/registry/rewrite.js';
import { dockerList } from '../../src/registry/media-types.js';

const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const arm64: Platform = { os: 'linux', architecture: 'arm64' };
const call: EngineCall = { signal: new AbortController().signal, purpose: 'copy' };
const source = 'source.test/team/app:1' as ImageName;
const destination = 'mirror.test/kuik/team/app:1' as ImageName;

interface Scene {
  readonly registry: MemoryRegistry;
  readonly engine: CopyEngine;
  readonly request: (more?: Partial<ResolveRequest>) => ResolveRequest;
}

async function aScene(graph?: AGraph): Promise<Scene> {
  const registry = new MemoryRegistry('source.test', 'mirror.test', 'replica.test');
  if (graph !== undefined) await pushImage(registry, source, graph);
  return {
    registry,
    engine: createCopyEngine(registry),
    request: (more) => ({ sources: [{ image: source, as: [] }], destination: { image: destination, as: [] }, platforms: [amd64], copy: 'auto', pinned: false, ...more }),
  };
}

async function tagOf(registry: MemoryRegistry, name: string = destination): Promise<string> {
  const seen = await registry.head(knownImageRef(name), [], aCall());
  return seen === 'missing' ? 'missing' : seen.digest;
}

const two = aMultiPlatformImage('two', 'linux/amd64', 'linux/arm64');
const [amdImage, armImage] = two.images as [AGraph['images'][number], AGraph['images'][number]];

describe('what a copy publishes', () => {
  test('a single image is copied as it is', async () => {
    const graph = single(anImage('one'));
    const { registry, engine, request } = await aScene(graph);

    const copied = await copyImage(engine, request(), call);

    expect(copied).toMatchObject({ verdict: 'copy', published: { digest: graph.root.digest, sourceDigest: graph.root.digest, strategy: 'all' } });
    expect(await tagOf(registry)).toBe(graph.root.digest);
  });

  test.each([
    ['all', false, false, 'all', 2],
    ['auto', false, false, 'rewrite', 1],
    ['auto', false, true, 'sparse', 1],
    ['rewrite', false, true, 'rewrite', 1],
    ['sparse', false, true, 'sparse', 1],
    ['auto', true, false, 'all', 2],
    ['auto', true, true, 'sparse', 1],
    ['rewrite', true, false, 'all', 2],
  ] as const)('copy: %s, pinned: %s, a destination that takes sparse indexes: %s, gives %s', async (copy, pinned, acceptsSparse, strategy, children) => {
    const { registry, engine, request } = await aScene(two);
    registry.host('mirror.test').acceptsSparse = acceptsSparse;

    const { published } = await copyImage(engine, request({ copy, pinned }), call);

    const index = await registry.manifest(knownImageRef(destination), [], aCall());
    expect(published).toMatchObject({ strategy, sourceDigest: two.root.digest, digest: index.digest });
    expect(index.digest === two.root.digest).toBe(strategy !== 'rewrite');
    const present = await Promise.all(two.images.map(({ manifest }) => tagOf(registry, `mirror.test/kuik/team/app@${manifest.digest}`)));
    expect(present.filter((digest) => digest !== 'missing')).toHaveLength(children);
  });

  test('a destination that refuses copy: sparse is unsupported, and nothing is published', async () => {
    const { registry, engine, request } = await aScene(two);

    await expect(copyImage(engine, request({ copy: 'sparse' }), call)).rejects.toMatchObject({ code: 'unsupported', side: 'destination' });
    expect(await tagOf(registry)).toBe('missing');
  });

  test('when nothing would be left out, auto keeps the digest', async () => {
    const { engine, request } = await aScene(two);
    expect((await copyImage(engine, request({ platforms: [amd64, arm64] }), call)).published).toMatchObject({ strategy: 'all', digest: two.root.digest, platforms: ['linux/amd64', 'linux/arm64'], missingPlatforms: [] });
  });

  test('wanted platforms that are not there are reported, and the others are copied', async () => {
    const { engine, request } = await aScene(two);
    const { published } = await copyImage(engine, request({ platforms: [amd64, { os: 'linux', architecture: 's390x' }] }), call);

    expect(published).toMatchObject({ platforms: ['linux/amd64'], missingPlatforms: ['linux/s390x'] });
  });

  test('none of the wanted platforms is unsupported, and the message names both lists', async () => {
    const { engine, request } = await aScene(two);

    await expect(engine.resolve(request({ platforms: [{ os: 'linux', architecture: 's390x' }] }), call)).rejects.toMatchObject({
      code: 'unsupported',
      side: 'source',
      message: expect.stringMatching(/linux\/s390x.*linux\/amd64, linux\/arm64/) as unknown,
    });
  });

  test('attestations follow the image they describe', async () => {
    const about = (image: AGraph['images'][number]): AGraph['images'][number] =>
      anImage(`attestation of ${image.descriptor.digest}`, { platform: 'unknown/unknown', annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': image.descriptor.digest } });
    const graph = anIndex([amdImage, armImage, about(amdImage), about(armImage)]);
    const { registry, engine, request } = await aScene(graph);

    await copyImage(engine, request(), call);

    const index = await registry.manifest(knownImageRef(destination), [], aCall());
    expect(index.manifests.map(({ digest }) => digest)).toEqual([amdImage.descriptor.digest, graph.images[2]?.descriptor.digest]);
  });

  test('an index inside an index is copied whole when it holds a wanted image', async () => {
    const inner = anIndex([amdImage, armImage]);
    const outer = written({ schemaVersion: 2, mediaType: dockerList, manifests: [{ mediaType: inner.root.mediaType, digest: inner.root.digest, size: inner.root.bytes.length }, anImage('other', { platform: 'linux/ppc64le' }).descriptor] });
    const { registry, engine, request } = await aScene();
    await pushImage(registry, 'source.test/team/app:inner', inner);
    await pushImage(registry, 'source.test/team/app:other', single(anImage('other', { platform: 'linux/ppc64le' })));
    await registry.putManifest(knownImageRef(source), outer, [], aCall());

    const { published } = await copyImage(engine, request(), call);

    expect(published).toMatchObject({ strategy: 'rewrite', platforms: ['linux/amd64', 'linux/arm64'] });
    expect(await tagOf(registry, `mirror.test/kuik/team/app@${armImage.manifest.digest}`)).toBe(armImage.manifest.digest);
  });

  test('an index that lists itself through another ends', async () => {
    const { registry, engine, request } = await aScene();
    // no honest hash makes a cycle, but deep towers can be built
    let root = anIndex([amdImage]).root;
    await pushImage(registry, 'source.test/team/app:base', anIndex([amdImage]));
    for (let depth = 0; depth < 9; depth++) {
      root = written({ schemaVersion: 2, mediaType: root.mediaType, manifests: [{ mediaType: root.mediaType, digest: root.digest, size: root.bytes.length }] });
      await registry.putManifest(knownImageRef(source), root, [], aCall());
    }

    await expect(engine.resolve(request(), call)).rejects.toMatchObject({ code: 'too-large', side: 'source' });
  });
});

describe('what is already there', () => {
  test('an equal digest is current: one look at each side, nothing else', async () => {
    const { registry, engine, request } = await aScene(two);
    await pushImage(registry, destination, two);
    registry.host('source.test').calls.length = 0;
    registry.host('mirror.test').calls.length = 0;

    const resolved = await engine.resolve(request(), call);

    expect(resolved).toMatchObject({ verdict: 'current', published: { digest: two.root.digest, sourceDigest: two.root.digest } });
    expect(registry.host('source.test').calls.map(({ verb }) => verb)).toEqual(['head']);
    expect(registry.host('mirror.test').calls.map(({ verb }) => verb)).toEqual(['head']);
  });

  test('what rewriting would give is current', async () => {
    const { engine, request } = await aScene(two);
    const first = await copyImage(engine, request(), call);

    expect(await engine.resolve(request(), call)).toMatchObject({ verdict: 'current', published: { digest: first.published.digest, sourceDigest: two.root.digest, strategy: 'rewrite', platforms: ['linux/amd64'] } });
  });

  test('an index whose manifests are all the source’s and meet the wanted platforms is adopted as rewrite', async () => {
    const { registry, engine, request } = await aScene(two);
    const byV2 = anIndex([amdImage], { annotations: { made: 'by v2' } });
    await pushImage(registry, destination, byV2);

    expect(await engine.resolve(request(), call)).toMatchObject({ verdict: 'current', published: { digest: byV2.root.digest, sourceDigest: two.root.digest, strategy: 'rewrite' } });
  });

  test.each([
    ['an index that lacks a wanted platform', anIndex([armImage])],
    ['an index with a manifest of its own', anIndex([amdImage, anImage('stranger')])],
    ['another image', single(anImage('stranger'))],
  ])('%s is replaced', async (_sentence, standing) => {
    const { registry, engine, request } = await aScene(two);
    await pushImage(registry, destination, standing);

    expect(await engine.resolve(request(), call)).toMatchObject({ verdict: 'copy' });
  });

  test('platforms that are wanted later are added, and the index is replaced', async () => {
    const { registry, engine, request } = await aScene(two);
    await copyImage(engine, request(), call);

    const { published } = await copyImage(engine, request({ platforms: [amd64, arm64] }), call);

    expect(published).toMatchObject({ strategy: 'all', digest: two.root.digest });
    expect(await tagOf(registry)).toBe(two.root.digest);
  });

  test('a destination that holds something nobody can compare is adopted when the source is gone', async () => {
    const { registry, engine, request } = await aScene(two);
    const prepared = single(anImage('prepared'));
    await pushImage(registry, destination, prepared);
    registry.host('source.test').fails('unreachable');

    const resolved = await engine.resolve(request(), call);

    expect(resolved).toEqual({ verdict: 'adopted', published: { digest: prepared.root.digest, strategy: 'adopted', platforms: [], missingPlatforms: [] } });
  });

  test('a source that only asks us to wait is waited for', async () => {
    const { registry, engine, request } = await aScene(two);
    await pushImage(registry, destination, single(anImage('prepared')));
    registry.host('source.test').fails('throttled', { retryAfterMs: 60_000 });

    await expect(engine.resolve(request(), call)).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 60_000 });
  });

  test('of ours leaves out what is wanted no more, where the index was rewritten; one that nobody recorded stays as it is', async () => {
    const three = aMultiPlatformImage('three', 'linux/amd64', 'linux/arm64', 'linux/s390x');
    const { registry, engine, request } = await aScene(three);
    const { published: recorded } = await copyImage(engine, request({ platforms: [amd64, arm64], copy: 'rewrite' }), call);
    const { digest: onlyAmd64 } = rewriteIndex(await registry.manifest({ ...knownImageRef(source), tag: undefined, digest: three.root.digest }, [], aCall()), [0])!;

    expect(await engine.resolve(request({ copy: 'rewrite', recorded: 'nothing' }), call)).toMatchObject({ verdict: 'current', published: { digest: recorded.digest } });
    const { verdict, published, bytes } = await copyImage(engine, request({ copy: 'rewrite', recorded, sourceDigest: recorded.sourceDigest }), call);

    expect({ verdict, digest: published.digest, platforms: published.platforms, bytes }).toEqual({ verdict: 'copy', digest: onlyAmd64, platforms: ['linux/amd64'], bytes: 0 });
    expect(await tagOf(registry)).toBe(onlyAmd64);
  });

  describe('of ours, once more is wanted', () => {
    const old = aMultiPlatformImage('old', 'linux/amd64', 'linux/arm64');
    const both = [amd64, arm64];

    /** One platform of `old` was copied; the tag at the source points to `two` by now. */
    async function aCopyOfOld(): Promise<Scene & { readonly recorded: Published }> {
      const scene = await aScene(old);
      const { published } = await copyImage(scene.engine, scene.request(), call);
      await pushImage(scene.registry, source, two);
      return { ...scene, recorded: published };
    }

    test('is copied from the digest it was made of, wherever the tag points by now', async () => {
      const { engine, request, recorded } = await aCopyOfOld();

      const { published } = await copyImage(engine, request({ platforms: both, recorded, sourceDigest: recorded.sourceDigest }), call);

      expect(published).toMatchObject({ digest: old.root.digest, sourceDigest: old.root.digest, platforms: ['linux/amd64', 'linux/arm64'] });
    });

    test('stays with the gap when that digest is gone at the source', async () => {
      const { registry, engine, request, recorded } = await aCopyOfOld();
      await registry.deleteManifest({ ...knownImageRef(source), tag: undefined, digest: old.root.digest }, [], aCall());

      const resolved = await engine.resolve(request({ platforms: both, recorded, sourceDigest: recorded.sourceDigest }), call);

      expect(resolved).toEqual({ verdict: 'adopted', published: { ...recorded, missingPlatforms: ['linux/arm64'] } });
    });

    test('fails while no source answers: what is missing is not forgotten', async () => {
      const { registry, engine, request, recorded } = await aCopyOfOld();
      registry.host('source.test').fails('unreachable');

      await expect(engine.resolve(request({ platforms: both, recorded }), call)).rejects.toMatchObject({ code: 'unreachable', side: 'source' });
      expect(await engine.resolve(request({ recorded }), call)).toEqual({ verdict: 'adopted', published: recorded }); // all that is wanted is there
    });

    test('is copied from the tag when it is gone at both ends', async () => {
      const { registry, engine, request, recorded } = await aCopyOfOld();
      await registry.deleteManifest({ ...knownImageRef(source), tag: undefined, digest: old.root.digest }, [], aCall());
      await registry.deleteManifest(knownImageRef(destination), [], aCall());

      expect(await engine.resolve(request({ recorded, sourceDigest: recorded.sourceDigest }), call)).toMatchObject({ verdict: 'copy', plan: { digest: two.root.digest } });
    });

    test('waits beside what somebody else wrote in its place, though it could be copied', async () => {
      const { registry, engine, request, recorded } = await aCopyOfOld();
      const foreign = single(anImage('foreign'));
      await pushImage(registry, destination, foreign);

      expect(await engine.resolve(request({ platforms: both, recorded, sourceDigest: recorded.sourceDigest }), call)).toEqual({ verdict: 'adopted', published: { ...recorded, missingPlatforms: ['linux/arm64'] } });
      expect(await engine.resolve(request({ platforms: both, recorded }), call)).toMatchObject({ verdict: 'copy' }); // somebody asks
    });

    test('is never another image, whether a source answers or not', async () => {
      const { registry, engine, request } = await aCopyOfOld();

      expect(await engine.resolve(request({ recorded: 'foreign' }), call)).toMatchObject({ verdict: 'copy', plan: { digest: two.root.digest } });
      registry.host('source.test').fails('unreachable');
      await expect(engine.resolve(request({ recorded: 'foreign' }), call)).rejects.toMatchObject({ code: 'unreachable' });
    });

    test('is never what somebody else put in its place', async () => {
      const { registry, engine, request, recorded } = await aCopyOfOld();
      await pushImage(registry, destination, single(anImage('foreign')));
      registry.host('source.test').fails('unreachable');

      await expect(engine.resolve(request({ recorded }), call)).rejects.toMatchObject({ code: 'unreachable', side: 'source' });
    });
  });

  test('a pinned image is current only with its own digest', async () => {
    const { engine, request } = await aScene(two);
    await copyImage(engine, request(), call);

    expect(await engine.resolve(request({ pinned: true }), call)).toMatchObject({ verdict: 'copy', plan: { pinned: true } });
  });

  test('where sparse indexes are taken, an equal digest is not enough', async () => {
    const { registry, engine, request } = await aScene(two);
    registry.host('mirror.test').acceptsSparse = true;
    await copyImage(engine, request(), call);

    expect(await engine.resolve(request(), call)).toMatchObject({ verdict: 'current', published: { strategy: 'sparse', platforms: ['linux/amd64'] } });
    expect(await engine.resolve(request({ platforms: [amd64, arm64] }), call)).toMatchObject({ verdict: 'copy' });
  });
});

describe('sources', () => {
  test('one that answers, and then does not serve, is followed by the next', async () => {
    const replica = 'replica.test/team/app:1' as ImageName;
    const { registry, engine, request } = await aScene(two);
    await pushImage(registry, replica, two);
    const manifest = registry.manifest.bind(registry);
    registry.manifest = (at, as, of) => (at.host === 'source.test' ? Promise.reject(new Failure({ code: 'throttled', side: 'source', host: at.host, message: 'pulls are counted, looks are not' })) : manifest(at, as, of));

    expect(await engine.resolve(request({ sources: [{ image: source, as: [] }, { image: replica, as: [] }] }), call)).toMatchObject({ verdict: 'copy', plan: { source: replica, sourceIndex: 1 } });
    await expect(engine.resolve(request(), call)).rejects.toMatchObject({ code: 'throttled' });
  });

  const replica = 'replica.test/team/app:1' as ImageName;

  test.each(['unreachable', 'unauthorized', 'throttled'] as const)('a source that is %s is followed by the next', async (code) => {
    const { registry, engine, request } = await aScene(two);
    await pushImage(registry, replica, two);
    registry.host('source.test').fails(code);

    const resolved = await engine.resolve(request({ sources: [{ image: source, as: [] }, { image: replica, as: [] }] }), call);

    expect(resolved).toMatchObject({ verdict: 'copy', plan: { source: replica, sourceIndex: 1 } });
  });

  test('when none serves, the failure that waiting may heal is reported', async () => {
    const { registry, engine, request } = await aScene();
    registry.host('replica.test').fails('unreachable');
    const sources = [source, replica].map((image) => ({ image, as: [] }));

    await expect(engine.resolve(request({ sources }), call)).rejects.toMatchObject({ code: 'unreachable', host: 'replica.test' });
  });

  test('a source without the image is missing', async () => {
    const { engine, request } = await aScene();
    await expect(engine.resolve(request(), call)).rejects.toMatchObject({ code: 'missing', side: 'source', host: 'source.test' });
  });

  test('a tag that moves during the copy changes nothing', async () => {
    const { registry, engine, request } = await aScene(two);
    const resolved = await engine.resolve(request({ copy: 'all' }), call);
    const { plan } = resolved as { plan: CopyPlan };
    await pushImage(registry, source, single(anImage('moved')));

    for (const part of plan.parts) await engine.copyPart(plan, part, { source: [], destination: [] }, call);
    const published = await engine.publish(plan, { source: [], destination: [] }, call);

    expect(published.digest).toBe(two.root.digest);
  });
});

describe('steps, each repeatable', () => {
  const access = { source: [], destination: [] };

  async function aPlan(scene: Scene, more: Partial<ResolveRequest> = {}): Promise<CopyPlan> {
    const resolved = await scene.engine.resolve(scene.request(more), call);
    if (resolved.verdict !== 'copy') throw new Error(`expected a plan, not ${resolved.verdict}`);
    return resolved.plan;
  }

  test('a plan names its parts by platform, with their sizes, and is small', async () => {
    const plan = await aPlan(await aScene(two), { copy: 'all' });

    expect(plan.parts).toEqual([
      { digest: amdImage.manifest.digest, label: 'linux/amd64', blobs: 3, bytes: bytesOf(amdImage) },
      { digest: armImage.manifest.digest, label: 'linux/arm64', blobs: 3, bytes: bytesOf(armImage) },
    ]);
    expect(JSON.stringify(plan).length).toBeLessThan(1500);
  });

  test('publish refuses while a part is absent, and the tag does not appear', async () => {
    const scene = await aScene(two);
    const plan = await aPlan(scene, { copy: 'all' });
    await scene.engine.copyPart(plan, plan.parts[0]!, access, call);

    await expect(scene.engine.publish(plan, access, call)).rejects.toMatchObject({ code: 'missing', side: 'destination' });
    expect(await tagOf(scene.registry)).toBe('missing');
  });

  test('publish refuses a single image whose blobs are absent', async () => {
    const scene = await aScene(single(anImage('one')));
    const plan = await aPlan(scene);

    await expect(scene.engine.publish(plan, access, call)).rejects.toMatchObject({ code: 'missing', side: 'destination' });
    expect(await tagOf(scene.registry)).toBe('missing');
  });

  test('another process may publish what this one copied', async () => {
    const scene = await aScene(two);
    const plan = await aPlan(scene, { copy: 'all' });
    for (const part of plan.parts) await scene.engine.copyPart(plan, part, access, call);

    const elsewhere = createCopyEngine(scene.registry);

    expect(await elsewhere.publish(JSON.parse(JSON.stringify(plan)) as CopyPlan, access, call)).toMatchObject({ digest: two.root.digest });
  });

  test('copying a part twice sends its bytes once', async () => {
    const scene = await aScene(two);
    const plan = await aPlan(scene);
    const [part] = plan.parts;

    expect(await scene.engine.copyPart(plan, part!, access, call)).toEqual({ bytes: part!.bytes });
    expect(await scene.engine.copyPart(plan, part!, access, call)).toEqual({ bytes: 0 });
  });

  test('progress counts every blob and byte once, and ends at the total', async () => {
    const scene = await aScene(single(anImage('big', { layers: [aBlob('big', 500_000), 'small'] })));
    const plan = await aPlan(scene);
    const seen: Progress[] = [];

    await scene.engine.copyPart(plan, plan.parts[0]!, access, { ...call, onProgress: (progress) => seen.push(progress) });

    const { bytes, blobs } = plan.parts[0]!;
    expect(seen.at(-1)).toEqual({ v: 1, blobsDone: blobs, blobsTotal: blobs, bytesDone: bytes, bytesTotal: bytes });
  });

  test('verify answers with what the tag says now', async () => {
    const scene = await aScene(two);
    expect(await scene.engine.verify(destination, [], { ...call, purpose: 'verify' })).toBe('missing');
    await pushImage(scene.registry, destination, two);
    expect(await scene.engine.verify(destination, [], { ...call, purpose: 'verify' })).toBe(two.root.digest);
  });

  test('an immutable tag that holds something else is a conflict', async () => {
    const scene = await aScene(two);
    await pushImage(scene.registry, destination, single(anImage('standing')));
    scene.registry.host('mirror.test').immutableTags = true;

    await expect(copyImage(scene.engine, scene.request(), call)).rejects.toMatchObject({ code: 'conflict', side: 'destination' });
  });

  test('an abort ends the copy as an abort', async () => {
    const scene = await aScene(two);
    const signal = AbortSignal.abort(new Error('worker stops'));
    await expect(copyImage(scene.engine, scene.request(), { ...call, signal })).rejects.toThrow('worker stops');
  });
});

function bytesOf(image: AGraph['images'][number]): number {
  return image.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
}
