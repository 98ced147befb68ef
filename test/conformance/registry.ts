/** What every implementation of the registry port does: run on the twin, on the scripted registry and on real ones. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { anonymous } from '../../src/domain/availability.js';
import { knownImageRef, type ImageRef } from '../../src/domain/image-ref.js';
import type { Identity, Registry } from '../../src/registry/registry.js';
import { aBlob, aCall, aMultiPlatformImage, anImage, anIndex, aReferrer, digestOf, pushImage, pushReferrer, single, someBytes, sourceOf } from '../support/images.js';

/** A registry under test: where it is, and how it is entered. */
export interface RegistryUnderTest {
  readonly registry: Registry;
  /** `host[:port]` of an empty registry */
  readonly host: string;
  /** credentials that open it; empty where nobody is asked */
  readonly as: Identity;
  close(): Promise<void>;
}

export function registryConformance(name: string, start: () => Promise<RegistryUnderTest>): void {
  describe(name, () => {
    let under: RegistryUnderTest;
    beforeAll(async () => {
      under = await start();
    });
    afterAll(() => under.close());

    const ref = (path: string): ImageRef => knownImageRef(`${under.host}/${path}`);
    const push = (path: string, graph: Parameters<typeof pushImage>[2]): ReturnType<typeof pushImage> => pushImage(under.registry, `${under.host}/${path}`, graph, under.as);
    const toThere = aCall({ side: 'destination' });

    describe('looking', () => {
      test('a tag answers with digest, media type and size of its manifest', async () => {
        const image = anImage('seen');
        await push('look/image:1', single(image));

        const seen = await under.registry.head(ref('look/image:1'), under.as, aCall());

        expect(seen).toEqual({ digest: image.manifest.digest, mediaType: image.manifest.mediaType, size: image.manifest.bytes.length, identity: under.as[0]?.id ?? anonymous });
      });

      test.each([
        ['a tag that was never pushed', 'look/image:none'],
        ['a repository that does not exist', 'look/nothing:1'],
        ['a digest that is not there', `look/image@sha256:${'0'.repeat(64)}`],
      ])('%s is missing', async (_sentence, path) => {
        await push('look/image:1', single(anImage('seen')));
        expect(await under.registry.head(ref(path), under.as, aCall())).toBe('missing');
        await expect(under.registry.manifest(ref(path), under.as, aCall())).rejects.toMatchObject({ code: 'missing', side: 'source', host: under.host });
      });

      test('an index is seen as an index, by tag and by digest', async () => {
        const graph = aMultiPlatformImage('multi', 'linux/amd64', 'linux/arm64');
        const digest = await push('look/multi:1', graph);

        const byTag = await under.registry.manifest(ref('look/multi:1'), under.as, aCall());
        const byDigest = await under.registry.manifest(ref(`look/multi@${digest}`), under.as, aCall());

        expect(byTag).toMatchObject({ digest, type: 'index', blobs: [] });
        expect(byTag.manifests.map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64']);
        expect(Buffer.from(byDigest.bytes).equals(Buffer.from(graph.root.bytes))).toBe(true);
      });

      test('an image names its config first, then its layers', async () => {
        const image = anImage('ordered', { layers: ['one', 'two'] });
        await push('look/ordered:1', single(image));

        const read = await under.registry.manifest(ref('look/ordered:1'), under.as, aCall());

        expect(read.type).toBe('image');
        expect(read.blobs.map(({ digest }) => digest)).toEqual(image.blobs.map(({ descriptor }) => descriptor.digest));
      });
    });

    describe('reading blobs', () => {
      test.each([
        ['a small blob', 10],
        ['an empty blob', 0],
        ['a blob of several megabytes', 3_000_001],
      ])('%s comes back as it was pushed', async (sentence, size) => {
        const blob = aBlob(sentence, size);
        await under.registry.putBlob(ref('read/blobs'), blob.descriptor, sourceOf(blob.bytes), under.as, toThere);

        const chunks: Uint8Array[] = [];
        for await (const chunk of under.registry.blob(ref('read/blobs'), blob.descriptor, under.as, aCall())) chunks.push(Buffer.from(chunk));

        expect(Buffer.concat(chunks).equals(Buffer.from(blob.bytes))).toBe(true);
      });

      test('reading goes on from an offset', async () => {
        const blob = aBlob('offset', 100_000);
        await under.registry.putBlob(ref('read/blobs'), blob.descriptor, sourceOf(blob.bytes), under.as, toThere);

        const chunks: Uint8Array[] = [];
        for await (const chunk of under.registry.blob(ref('read/blobs'), blob.descriptor, under.as, aCall(), 99_000)) chunks.push(Buffer.from(chunk));

        expect(Buffer.concat(chunks).equals(Buffer.from(blob.bytes.subarray(99_000)))).toBe(true);
      });

      test('a blob that is not there is missing', async () => {
        const { descriptor } = aBlob('never pushed');
        await expect(drain(under.registry.blob(ref('read/blobs'), descriptor, under.as, aCall()))).rejects.toMatchObject({ code: 'missing' });
      });

      test('a descriptor with another size than the blob is corrupt before anything is handed on', async () => {
        const blob = aBlob('sized', 5000);
        await under.registry.putBlob(ref('read/blobs'), blob.descriptor, sourceOf(blob.bytes), under.as, toThere);

        const reading = drain(under.registry.blob(ref('read/blobs'), { ...blob.descriptor, size: 4999 }, under.as, aCall()));

        await expect(reading).rejects.toMatchObject({ code: 'corrupt', side: 'source' });
      });
    });

    describe('writing blobs', () => {
      test('a new blob is uploaded, the same one is present, and another repository mounts it', async () => {
        const blob = aBlob('written', 20_000);
        const put = (path: string): Promise<unknown> => under.registry.putBlob(ref(path), blob.descriptor, sourceOf(blob.bytes), under.as, toThere);

        expect(await put('write/one')).toBe('uploaded');
        expect(await put('write/one')).toBe('present');
        expect(await put('write/two')).toBe('mounted');
      });

      test('a blob that goes to many repositories at once is uploaded once', async () => {
        const blob = aBlob('shared', 50_000);
        const paths = Array.from({ length: 10 }, (_, index) => `write/shared-${index}`);

        const how = await Promise.all(paths.map((path) => under.registry.putBlob(ref(path), blob.descriptor, sourceOf(blob.bytes), under.as, toThere)));

        expect(how.filter((outcome) => outcome === 'uploaded')).toHaveLength(1);
        expect(how.filter((outcome) => outcome === 'mounted')).toHaveLength(9);
      });

      test.each([
        ['other bytes', someBytes('lie', 2000)],
        ['fewer bytes', someBytes('truth', 1999)],
        ['more bytes', someBytes('truth', 2001)],
      ])('a source that gives %s than the descriptor says is corrupt, and nothing appears', async (_sentence, bytes) => {
        const { descriptor } = aBlob('truth', 2000);
        const writing = under.registry.putBlob(ref('write/lies'), descriptor, sourceOf(bytes), under.as, toThere);

        await expect(writing).rejects.toMatchObject({ code: 'corrupt' });
        await expect(drain(under.registry.blob(ref('write/lies'), descriptor, under.as, aCall()))).rejects.toMatchObject({ code: 'missing' });
      });
    });

    describe('publishing', () => {
      test('a manifest comes back byte for byte, white space and unknown fields included', async () => {
        const image = anImage('verbatim');
        await push('publish/verbatim:1', single(image));
        const document = JSON.parse(Buffer.from(image.manifest.bytes).toString()) as object;
        const bytes = Buffer.from(`${JSON.stringify({ ...document, 'org.example.unknown': [1, { a: null }] }, undefined, 3)}\n`);
        const manifest = { bytes, mediaType: image.manifest.mediaType, digest: digestOf(bytes) };

        await under.registry.putManifest(ref('publish/verbatim:odd'), manifest, under.as, toThere);
        const read = await under.registry.manifest(ref('publish/verbatim:odd'), under.as, aCall());

        expect(Buffer.from(read.bytes).equals(bytes)).toBe(true);
        expect(read.digest).toBe(manifest.digest);
      });

      test('a tag moves to the manifest that is put last', async () => {
        await push('publish/moving:1', single(anImage('first')));
        await push('publish/moving:1', single(anImage('second')));

        const seen = await under.registry.head(ref('publish/moving:1'), under.as, aCall());

        expect(seen).toMatchObject({ digest: anImage('second').manifest.digest });
      });

      test('an image whose layer is absent is refused as missing at the destination', async () => {
        const image = anImage('hollow', { layers: ['hollow-never-pushed'] });
        const putting = under.registry.putManifest(ref('publish/hollow:1'), image.manifest, under.as, toThere);

        await expect(putting).rejects.toMatchObject({ code: 'missing', side: 'destination' });
        expect(await under.registry.head(ref('publish/hollow:1'), under.as, aCall())).toBe('missing');
      });

      test('an index whose children are absent is refused as missing at the destination', async () => {
        const graph = anIndex([anImage('orphan-child')]);
        const putting = under.registry.putManifest(ref('publish/orphans:1'), graph.root, under.as, toThere);

        await expect(putting).rejects.toMatchObject({ code: 'missing', side: 'destination' });
      });
    });

    describe('listing', () => {
      test('all tags of a repository are listed', async () => {
        for (const tag of ['b', 'a', 'c']) await push(`list/tags:${tag}`, single(anImage('listed')));
        expect((await collect(under.registry.tags(ref('list/tags'), under.as, aCall()))).sort()).toEqual(['a', 'b', 'c']);
      });

      test('a repository that does not exist has no tags', async () => {
        expect(await collect(under.registry.tags(ref('list/nothing'), under.as, aCall()))).toEqual([]);
      });
    });

    describe('describing', () => {
      test('what has a subject is found from it, with its type and annotations', async () => {
        const image = anImage('described');
        await push('describe/image:1', single(image));
        const signature = aReferrer('signature', image.manifest, { annotations: { by: 'ann' } });
        const sbom = aReferrer('sbom', image.manifest, { artifactType: 'application/spdx+json' });
        for (const each of [signature, sbom]) await pushReferrer(under.registry, `${under.host}/describe/image`, each, under.as);
        const subject = { ...ref('describe/image'), digest: image.manifest.digest };

        const all = await under.registry.referrers(subject, under.as, aCall());

        expect(all).toHaveLength(2);
        expect(all).toEqual(expect.arrayContaining([{ ...signature.descriptor, annotations: { by: 'ann' } }, sbom.descriptor]));
        expect(await under.registry.referrers(subject, under.as, aCall(), 'application/spdx+json')).toEqual([sbom.descriptor]);
      });

      test('nothing refers to an image that nobody described', async () => {
        const image = anImage('plain');
        await push('describe/plain:1', single(image));
        expect(await under.registry.referrers({ ...ref('describe/plain'), digest: image.manifest.digest }, under.as, aCall())).toEqual([]);
      });
    });

    describe('giving up', () => {
      test('an abort passes through as the abort it is', async () => {
        const reason = new Error('enough');
        const signal = AbortSignal.abort(reason);
        await expect(under.registry.head(ref('look/image:1'), under.as, aCall({ signal }))).rejects.toBe(reason);
      });

      test('an upload that is aborted half-way fails with the abort, and can be done again', async () => {
        const blob = aBlob('aborted', 3_000_000);
        const stop = new AbortController();
        const source = {
          async *open() {
            yield blob.bytes.subarray(0, 2_000_000);
            stop.abort(new Error('enough'));
            stop.signal.throwIfAborted();
          },
        };

        const writing = under.registry.putBlob(ref('abort/blob'), blob.descriptor, source, under.as, aCall({ side: 'destination', signal: stop.signal }));

        await expect(writing).rejects.toThrow('enough');
        expect(await under.registry.putBlob(ref('abort/blob'), blob.descriptor, sourceOf(blob.bytes), under.as, toThere)).toBe('uploaded');
      });
    });
  });
}

async function drain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of bytes) void chunk;
}

async function collect(texts: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const text of texts) all.push(text);
  return all;
}
