import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalText, imageName, knownImageRef, parseImageRef, placeIdentity, type ImageRef } from '../../src/domain/image-ref.js';
import { parseDigest } from '../../src/domain/digest.js';

const hex = '0123456789abcdef'.repeat(4);
const digest = `sha256:${hex}`;

describe('image references', () => {
  test.each([
    ['nginx', 'docker.io/library/nginx'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['library/nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['index.docker.io/nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['registry-1.docker.io/library/nginx:1.27', 'registry-1.docker.io/library/nginx:1.27'],
    ['acme/api', 'docker.io/acme/api'],
    ['my_ns/foo', 'docker.io/my_ns/foo'],
    ['ghcr.io/foo', 'ghcr.io/foo'],
    ['quay.io:443/a:1', 'quay.io:443/a:1'],
    ['localhost', 'docker.io/library/localhost'],
    ['localhost:5000', 'docker.io/library/localhost:5000'],
    ['localhost:5000/foo:1', 'localhost:5000/foo:1'],
    ['localhost/foo:1', 'localhost/foo:1'],
    ['registry/foo', 'docker.io/registry/foo'],
    ['registry:5000/foo', 'registry:5000/foo'],
    ['Registry/foo:1', 'Registry/foo:1'],
    ['EXAMPLE.com/foo:1', 'EXAMPLE.com/foo:1'],
    ['example.com', 'docker.io/library/example.com'],
    ['10.0.0.5:5000/a/b:1', '10.0.0.5:5000/a/b:1'],
    ['[2001:db8::1]:5000/foo:1', '[2001:db8::1]:5000/foo:1'],
    ['[2001:db8::1]/foo', '[2001:db8::1]/foo'],
    ['nginx:RC1', 'docker.io/library/nginx:RC1'],
    [`nginx:1.27@${digest}`, `docker.io/library/nginx:1.27@${digest}`],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    [`nginx@sha512:${hex}${hex}`, `docker.io/library/nginx@sha512:${hex}${hex}`],
    [`${hex}:1`, `docker.io/library/${hex}:1`],
    ['quay.io/a_b/c__d/e--f:1', 'quay.io/a_b/c__d/e--f:1'],
    ['foo_bar.com/x:1', 'foo_bar.com/x:1'],
    [`quay.io/${'a'.repeat(255)}:1`, `quay.io/${'a'.repeat(255)}:1`],
    [`nginx:${'1'.repeat(128)}`, `docker.io/library/nginx:${'1'.repeat(128)}`],
  ])('%s is read as %s', (written, canonical) => {
    expect(canonicalText(knownImageRef(written))).toBe(canonical);
  });

  test.each([
    ['upper case in the path', ['Nginx', 'example.com/Foo:1', 'quay.io/a/Bc']],
    ['an image ID', [hex]],
    ['its tag', ['nginx:', 'nginx:-1', 'quay.io/a/b:v1.0+build', 'quay.io/a/b:1:2', 'nginx:.1', `nginx:${'1'.repeat(129)}`]],
    ['its digest', ['nginx@sha256:abc', `nginx@sha256:${hex.toUpperCase()}`, 'nginx@', `nginx@md5:${hex}`, `nginx@sha512:${hex}`, `nginx@${digest}@${digest}`, `nginx@${digest}:1`]],
    ['its path', ['quay.io/a___b:1', 'quay.io/a..b:1', 'a//b:1', '/nginx', 'nginx/', 'quay.io/', 'a/-b', 'a/b-', 'a._b', 'quay.io/a/../b']],
    ['its length', [`quay.io/${'a'.repeat(256)}`, 'a'.repeat(250), `quay.io/${'a/'.repeat(128)}a`]],
    ['its host', ['foo_bar.com:5000/x', '-a.com/x', 'a.com:port/x', 'a..com/x', '[2001:db8::1/x', 'a.com:/x', '[::g]/x']],
    ['blanks or a scheme', [' nginx', 'nginx:1.27 ', 'nginx\n', 'https://quay.io/a/b', '']],
  ])('a text is refused for %s', (_reason, texts) => {
    expect(texts.filter((text) => parseImageRef(text) !== undefined)).toEqual([]);
  });

  test.each([
    ['nginx', 'docker.io/library/nginx:latest', 'docker.io/library/nginx:latest'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27', 'docker.io/library/nginx:1.27'],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    [`nginx:1.27@${digest}`, `docker.io/library/nginx:1.27@${digest}`, `docker.io/library/nginx@${digest}`],
  ])('%s is the image %s at the place %s', (written, name, place) => {
    expect(imageName(knownImageRef(written))).toBe(name);
    expect(placeIdentity(knownImageRef(written))).toBe(place);
  });

  test('a text of ours that is no reference is a bug and says so', () => {
    expect(() => knownImageRef('not a reference')).toThrow('not an image reference: "not a reference"');
  });

  test('what is written canonically is read back', () => {
    fc.assert(
      fc.property(someRef, (ref) => {
        expect(parseImageRef(canonicalText(ref))).toEqual(ref);
      }),
    );
  });

  test('an image name and a place identity name themselves', () => {
    fc.assert(
      fc.property(someRef, (ref) => {
        expect(imageName(knownImageRef(imageName(ref)))).toBe(imageName(ref));
        expect(placeIdentity(knownImageRef(placeIdentity(ref)))).toBe(placeIdentity(ref));
        expect(placeIdentity(knownImageRef(imageName(ref)))).toBe(placeIdentity(ref));
      }),
    );
  });

  test('any text is read or refused, and reading is idempotent', () => {
    const confusing = fc.string({ unit: fc.constantFrom(...'aA0.:/@_-[]'.split('')) });
    fc.assert(
      fc.property(fc.oneof(fc.string(), confusing), (text) => {
        const ref = parseImageRef(text);
        if (ref !== undefined) expect(parseImageRef(canonicalText(ref))).toEqual(ref);
      }),
      { numRuns: 2000 },
    );
  });
});

const segment = fc.stringMatching(/^[a-z0-9]{1,5}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,3}){0,2}$/);
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}$/);

/** References in canonical form: on Docker Hub a path has two segments or more. */
const someRef: fc.Arbitrary<ImageRef> = fc
  .record({
    host: fc.constantFrom('docker.io', 'quay.io', 'localhost:5000', 'Registry', '[2001:db8::1]:5000', 'a_b.c'),
    path: fc.array(segment, { minLength: 2, maxLength: 4 }).map((segments) => segments.join('/')),
    tag: fc.option(tag, { nil: undefined }),
    digest: fc.constantFrom(undefined, parseDigest(digest)),
  })
  .map(({ host, path, ...rest }) => ({
    host,
    path,
    ...(rest.tag === undefined ? {} : { tag: rest.tag }),
    ...(rest.digest === undefined ? {} : { digest: rest.digest }),
  }));
