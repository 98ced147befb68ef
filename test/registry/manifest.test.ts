import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isProblem, readManifest } from '../../src/registry/manifest.js';
import { dockerList, dockerManifest, ociIndex, ociManifest } from '../../src/registry/media-types.js';
import { anImage, anIndex } from '../support/images.js';

const image = anImage('read');
const index = anIndex([image]);
const bytes = (document: unknown): Uint8Array => Buffer.from(JSON.stringify(document));
const document = JSON.parse(Buffer.from(image.manifest.bytes).toString()) as Record<string, unknown>;
const list = JSON.parse(Buffer.from(index.root.bytes).toString()) as Record<string, unknown>;
const without = ({ ...rest }: Record<string, unknown>, field: string): object => Object.fromEntries(Object.entries(rest).filter(([name]) => name !== field));

describe('the type of a manifest', () => {
  test.each([
    ['an OCI image', document, ociManifest, ociManifest, 'image'],
    ['a Docker image', { ...document, mediaType: dockerManifest }, dockerManifest, dockerManifest, 'image'],
    ['an OCI index', list, ociIndex, ociIndex, 'index'],
    ['a Docker list', { ...list, mediaType: dockerList }, dockerList, dockerList, 'index'],
    ['a header with parameters, in upper case', document, `${ociManifest.toUpperCase()}; charset=utf-8`, ociManifest, 'image'],
    ['no type in the body', without(document, 'mediaType'), ociManifest, ociManifest, 'image'],
    ['no header', document, undefined, ociManifest, 'image'],
    ['a generic header', { ...list, mediaType: dockerList }, 'text/plain', dockerList, 'index'],
    ['neither, but manifests', without(list, 'mediaType'), undefined, ociIndex, 'index'],
    ['neither, but config and layers', without(document, 'mediaType'), 'application/json', ociManifest, 'image'],
  ])('%s', (_sentence, body, header, mediaType, type) => {
    expect(readManifest(bytes(body), header)).toMatchObject({ mediaType, type });
  });

  test.each([
    ['schema 1 by header', document, 'application/vnd.docker.distribution.manifest.v1+prettyjws', 'unsupported'],
    ['schema 1 by version', { schemaVersion: 1, name: 'x', fsLayers: [] }, 'application/json', 'unsupported'],
    ['an unknown type', { ...document, mediaType: 'application/vnd.example' }, 'application/vnd.example', 'unsupported'],
    ['both shapes at once', { ...document, manifests: [] }, ociManifest, 'invalid'],
    ['a header that disagrees with the body', document, dockerManifest, 'invalid'],
    ['an index by name, an image by shape', { ...document, mediaType: ociIndex }, ociIndex, 'invalid'],
    ['an image without layers', without(document, 'layers'), ociManifest, 'invalid'],
    ['nothing known', {}, undefined, 'invalid'],
    ['a list of things', [], undefined, 'invalid'],
  ])('%s is refused', (_sentence, body, header, code) => {
    expect(readManifest(bytes(body), header)).toMatchObject({ code });
  });
});

describe('descriptors', () => {
  const config = document.config as Record<string, unknown>;
  test.each([
    ['a digest of an unknown algorithm', { digest: `md5:${'0'.repeat(32)}` }],
    ['a short digest', { digest: 'sha256:abc' }],
    ['an upper-case digest', { digest: `sha256:${'A'.repeat(64)}` }],
    ['a negative size', { size: -1 }],
    ['a size that is no integer', { size: 1.5 }],
    ['a size beyond what numbers hold', { size: 2 ** 53 }],
    ['a size in words', { size: '12' }],
    ['no type', { mediaType: '' }],
  ])('%s makes the manifest invalid, and the message names the field', (_sentence, change) => {
    expect(readManifest(bytes({ ...document, config: { ...config, ...change } }), ociManifest)).toMatchObject({ code: 'invalid', problem: expect.stringContaining('config') as unknown });
  });

  test('a platform that does not parse is no platform', () => {
    const [child] = list.manifests as Record<string, unknown>[];
    const read = readManifest(bytes({ ...list, manifests: [{ ...child, platform: 'linux/amd64' }] }), ociIndex);
    expect(isProblem(read) ? read : read.manifests[0]?.platform).toBeUndefined();
  });

  test('whatever bytes arrive, reading them is an answer and never an exception', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (body, header) => typeof readManifest(body, header) === 'object'));
    fc.assert(fc.property(fc.json(), (text) => typeof readManifest(Buffer.from(text), ociManifest) === 'object'));
  });
});
