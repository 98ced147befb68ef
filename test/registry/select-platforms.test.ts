import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Platform } from '../../src/domain/platform.js';
import type { Descriptor } from '../../src/registry/registry.js';
import { rewriteIndex } from '../../src/registry/rewrite.js';
import { selectAll, selectPlatforms } from '../../src/registry/select-platforms.js';
import { anImage, anIndex, blobOf, digestOf } from '../support/images.js';
import { ociIndex, ociManifest } from '../../src/registry/media-types.js';

function child(text: string, more: Partial<Descriptor> = {}): Descriptor {
  return { ...anImage(text, { platform: text }).descriptor, ...more };
}
function wanted(text: string): Platform {
  const [os, architecture = '', variant] = text.split('/');
  return { ...(os === '*' ? {} : { os }), architecture, ...(variant === undefined ? {} : { variant }) };
}
const plain = (name: string, more: Partial<Descriptor> = {}): Descriptor => ({ ...blobOf(ociManifest, Buffer.from(name)).descriptor, ...more });

describe('platforms', () => {
  test.each([
    ['one of two', ['linux/amd64', 'linux/arm64'], ['linux/arm64'], [1], []],
    ['in the order of the index', ['linux/amd64', 'linux/arm64'], ['linux/arm64', 'linux/amd64'], [0, 1], []],
    ['any system', ['linux/amd64', 'windows/amd64'], ['*/amd64'], [0, 1], []],
    ['arm64 is arm64/v8', ['linux/arm64/v8'], ['linux/arm64'], [0], []],
    ['arm64/v8 is arm64', ['linux/arm64'], ['linux/arm64/v8'], [0], []],
    ['arm is arm/v7', ['linux/arm/v6', 'linux/arm/v7'], ['linux/arm/v7'], [1], []],
    ['arm without variant takes every variant', ['linux/arm/v6', 'linux/arm/v7'], ['linux/arm'], [0, 1], []],
    ['one met, one not', ['linux/amd64'], ['linux/amd64', 'linux/s390x'], [0], ['linux/s390x']],
    ['none met', ['linux/amd64'], ['linux/s390x'], [], ['linux/s390x']],
  ])('%s', (_sentence, children, platforms, kept, missing) => {
    expect(selectPlatforms(children.map((text) => child(text)), platforms.map(wanted))).toMatchObject({ kept, missing, existing: children });
  });

  test.each([
    ['with an artifact type', plain('artifact', { artifactType: 'application/vnd.example.sbom' }), true],
    ['with an annotation that says what it is', plain('marked', { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }), true],
    ['with nothing that says what it is', plain('nameless'), false],
    ['that attests an image which is left out', plain('attests', { platform: { os: 'unknown', architecture: 'unknown' }, annotations: { 'vnd.docker.reference.digest': child('linux/arm64').digest } }), false],
    ['that attests a wanted image', plain('attests', { platform: { os: 'unknown', architecture: 'unknown' }, annotations: { 'vnd.docker.reference.digest': child('linux/amd64').digest } }), true],
    ['of platform unknown/unknown', plain('unknown', { platform: { os: 'unknown', architecture: 'unknown' } }), false],
  ])('a child %s is kept: %#', (_sentence, extra, isKept) => {
    const { kept } = selectPlatforms([child('linux/amd64'), child('linux/arm64'), extra], [wanted('linux/amd64')]);
    expect(kept.includes(2)).toBe(isKept);
  });

  test('everything is kept by all, and what even that lacks is told', () => {
    expect(selectAll([child('linux/amd64'), plain('nameless')], [wanted('linux/arm64')])).toEqual({ kept: [0, 1], platforms: ['linux/amd64'], missing: ['linux/arm64'], existing: ['linux/amd64'] });
  });

  test('what is missing is exactly what no child meets, whatever is wanted', () => {
    const platform = fc.constantFrom('linux/amd64', 'linux/arm64', 'linux/arm64/v8', 'linux/arm/v6', 'linux/arm/v7', 'windows/amd64');
    fc.assert(
      fc.property(fc.array(platform, { maxLength: 6 }), fc.array(platform, { minLength: 1, maxLength: 4 }), (present, asked) => {
        const { kept, missing, platforms } = selectPlatforms(present.map((text) => child(text)), asked.map(wanted));
        return (kept.length === 0) === (platforms.length === 0) && (missing.length < new Set(asked).size) === kept.length > 0;
      }),
    );
  });
});

describe('rewriting', () => {
  const index = (text: string): { bytes: Uint8Array; mediaType: string } => ({ bytes: Buffer.from(text), mediaType: ociIndex });
  const three = anIndex(['linux/amd64', 'linux/arm64', 'linux/s390x'].map((platform) => anImage(platform, { platform })), { annotations: { b: '2', a: '1' } });

  test('drops elements and nothing else: order and unknown fields survive, white space goes', () => {
    const text = '{ "schemaVersion": 2,\n "x-unknown": {"z": [1, null], "a": "\\u00e9 \\"quoted: [\\" "},\n "manifests": [ {"digest": "a", "odd": true}, {"digest": "b"} ] }';
    const rewritten = rewriteIndex(index(text), [0]);

    expect(Buffer.from(rewritten!.bytes).toString()).toBe('{"schemaVersion":2,"x-unknown":{"z":[1,null],"a":"é \\"quoted: [\\" "},"manifests":[{"digest":"a","odd":true}]}');
    expect(rewritten!.digest).toBe(digestOf(rewritten!.bytes));
    expect(rewritten!.mediaType).toBe(ociIndex);
  });

  test('the same input gives the same digest, and rewriting again changes nothing', () => {
    fc.assert(
      fc.property(fc.subarray([0, 1, 2]), (kept) => {
        const once = rewriteIndex(three.root, kept)!;
        const again = rewriteIndex(three.root, kept)!;
        const twice = rewriteIndex(once, kept.map((_, position) => position))!;
        return once.digest === again.digest && twice.digest === once.digest;
      }),
    );
  });

  test('how the original was spaced does not matter', () => {
    const parsed: unknown = JSON.parse(Buffer.from(three.root.bytes).toString());
    fc.assert(fc.property(fc.nat({ max: 8 }), (spaces) => rewriteIndex(index(JSON.stringify(parsed, undefined, spaces)), [1])!.digest === rewriteIndex(three.root, [1])!.digest));
  });

  test.each([
    ['an integer beyond 2^53', '{"manifests":[],"annotations":{"n":9007199254740993}}'],
    ['a number written in another way', '{"manifests":[],"n":1.0}'],
    ['a key twice', '{"manifests":[],"a":1,"a":2}'],
    ['a key twice, deep down', '{"manifests":[{"platform":{"os":"linux","os":"windows"}}]}'],
  ])('a document with %s is not rewritten', (_sentence, text) => {
    expect(rewriteIndex(index(text), [0])).toBeUndefined();
  });

  test('escapes, empty keys and colons in strings do not matter', () => {
    expect(rewriteIndex(index('{"manifests":[],"a:b":"c:d","":{"":"\\u0026"}}'), [])).toBeDefined();
  });
});
