import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalText, knownImageRef, type ImageRef } from '../../src/domain/image-ref.js';
import { encodedHost, joinMirror, joinReplica, locationProblem, mirrorPlace, replicaPlace } from '../../src/domain/join.js';

const hex = 'ab'.repeat(32);
const text = (ref: ImageRef | undefined): string | undefined => ref && canonicalText(ref);

describe('where a mirror keeps its copy', () => {
  test.each<[string, string, string, string | undefined]>([
    ['registry.example.com', '/mirror', 'nginx:1.27', 'registry.example.com/mirror/library/nginx:1.27'],
    ['registry.example.com/', '//mirror//', 'nginx:1.27', 'registry.example.com/mirror/library/nginx:1.27'],
    ['', 'registry.example.com/mirror', 'nginx:1.27', 'registry.example.com/mirror/library/nginx:1.27'],
    ['registry.example.com', 'mirror', 'quay.io/library/nginx:1.27', 'registry.example.com/mirror/library/nginx:1.27'],
    ['registry.example.com', '', 'nginx', 'registry.example.com/library/nginx'],
    ['registry.example.com:5000', '/a/./b', 'ghcr.io/acme/api:v4', 'registry.example.com:5000/a/b/acme/api:v4'],
    ['', 'mirror', 'nginx:1.27', 'docker.io/mirror/library/nginx:1.27'],
    ['index.docker.io', '', 'nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['https://registry.example.com', '/m', 'nginx:1.27', undefined],
    ['registry.example.com', '/Mirror', 'nginx:1.27', undefined],
    ['registry.example.com', '../x', 'nginx:1.27', undefined],
    ['registry.example.com', '/a/../b', 'nginx:1.27', undefined],
    ['registry.example.com', '/mirror', `nginx:1.27@sha256:${hex}`, `registry.example.com/mirror/library/nginx:1.27@sha256:${hex}`],
    ['registry.example.com', '/mirror', `nginx@sha256:${hex}`, `registry.example.com/mirror/library/nginx@sha256:${hex}`],
    ['registry.example.com', '/mirror', `quay.io/${'a'.repeat(250)}:1`, undefined],
  ])('%j and %j join %s to %s', (registry, path, image, place) => {
    expect(text(mirrorPlace({ registry, path, layout: 'path' }, knownImageRef(image)))).toBe(place);
  });

  test.each([
    ['nginx:1.27', 'registry.example.com/mirror/docker.io/library/nginx:1.27'],
    ['quay.io:8443/a/b:1', 'registry.example.com/mirror/quay.io_8443/a/b:1'],
    ['[2001:db8::1]:5000/foo:1', 'registry.example.com/mirror/2001-0db8-0000-0000-0000-0000-0000-0001_5000/foo:1'],
    ['EXAMPLE.com/foo:1', 'registry.example.com/mirror/example.com/foo:1'],
    ['foo_bar.com/x:1', 'registry.example.com/mirror/foo_bar.com/x:1'],
    ['[::::]/x:1', undefined],
  ])('layout host keeps the host of %s: %s', (image, place) => {
    expect(text(mirrorPlace({ registry: 'registry.example.com', path: '/mirror', layout: 'host' }, knownImageRef(image)))).toBe(place);
  });

  test.each([
    ['[::]', '0000-0000-0000-0000-0000-0000-0000-0000'],
    ['[::1]:5000', '0000-0000-0000-0000-0000-0000-0000-0001_5000'],
    ['[FE80::]', 'fe80-0000-0000-0000-0000-0000-0000-0000'],
    ['[1:2:3:4:5:6:7:8]', '0001-0002-0003-0004-0005-0006-0007-0008'],
    ['[1:2:3:4:5:6:7::]', '0001-0002-0003-0004-0005-0006-0007-0000'],
    ['[1:2:3:4:5:6:7]', undefined],
    ['[1:2:3:4:5:6:7:8:9]', undefined],
    ['[1:2:3:4::5:6:7:8]', undefined],
    ['[1::2::3]', undefined],
    ['[:1:2]', undefined],
    ['[12345::]', undefined],
  ])('%s is written as %s in a path', (host, segment) => {
    expect(encodedHost(host)).toBe(segment);
  });
});

describe('where another upstream keeps an image', () => {
  type Location = readonly [registry: string, path: string];
  test.each<[Location, Location, string, string | undefined]>([
    [['docker.io', '/thanosio/thanos'], ['quay.io', '/thanos/thanos/'], 'thanosio/thanos:v0.36', 'quay.io/thanos/thanos:v0.36'],
    [['docker.io', '/library/'], ['gitlab.example.com', '/g/proxy/'], 'nginx:1.27', 'gitlab.example.com/g/proxy/nginx:1.27'],
    [['docker.io', '/library'], ['mirror.gcr.io', '/library'], `nginx@sha256:${hex}`, `mirror.gcr.io/library/nginx@sha256:${hex}`],
    [['docker.io', ''], ['harbor.example.com', '/hub'], 'nginx:1.27', 'harbor.example.com/hub/library/nginx:1.27'],
    [['docker.io', '/bitnami'], ['reg.example.com', '/b'], 'bitnamilegacy/nginx:1', 'reg.example.com/blegacy/nginx:1'],
    [['docker.io', '/thanos'], ['quay.io', '/x'], 'prom/prometheus:v3', undefined],
    [['index.docker.io', ''], ['quay.io', ''], 'nginx:1.27', 'quay.io/library/nginx:1.27'],
    [['docker.io', '/library'], ['docker.io', '/library'], 'nginx:1.27', 'docker.io/library/nginx:1.27'],
    [['docker.io', '/../library'], ['quay.io', ''], 'nginx:1.27', undefined],
    [['docker.io', ''], ['quay.io', '..'], 'nginx:1.27', undefined],
  ])('%j to %j takes %s to %s', ([registry, path], [otherRegistry, otherPath], image, place) => {
    expect(text(replicaPlace({ registry, path }, { registry: otherRegistry, path: otherPath }, knownImageRef(image)))).toBe(place);
  });
});

test.each([
  [joinMirror({ registry: 'r.example.com', path: '/../x', layout: 'path' }, knownImageRef('nginx')), 'registry "r.example.com" and path "/../x" contain a ".." segment'],
  [joinMirror({ registry: 'r.example.com', path: '/M', layout: 'path' }, knownImageRef('nginx')), 'registry and path join to r.example.com/M/library/nginx, which is not an image reference'],
  [joinMirror({ registry: 'r.example.com', path: '', layout: 'host' }, knownImageRef('[::::]/x')), 'the host [::::] of the image cannot be written as a path'],
  [joinReplica({ registry: 'docker.io', path: '/a' }, { registry: 'quay.io', path: '' }, knownImageRef('b/c:1')), 'docker.io/b/c:1 does not start with registry and path of its upstream, docker.io/a'],
])('an image that is left out says why: %j', (join, problem) => {
  expect(join).toEqual({ problem });
});

test.each([
  ['registry.example.com', '/mirror', true],
  ['', '', true],
  ['https://registry.example.com', '', false],
  ['registry.example.com', 'Upper', false],
  ['registry.example.com', '..', false],
  ['registry.example.com', 'a'.repeat(300), false],
])('registry %j and path %j can hold images: %s', (registry, path, canHold) => {
  expect(locationProblem({ registry, path }) === undefined).toBe(canHold);
});

test('a join ends with the path of the image, keeps tag and digest, and does not depend on slashes', () => {
  const segments = fc.array(fc.stringMatching(/^[a-z0-9]{1,6}$/), { maxLength: 3 });
  const slashes = fc.constantFrom('', '/', '//', '/./');
  const image = fc.constantFrom('nginx', 'nginx:1.27', 'quay.io/a/b/c:1', `ghcr.io/a@sha256:${hex}`).map(knownImageRef);
  fc.assert(
    fc.property(segments, slashes, slashes, image, (path, before, after, ref) => {
      const registry = 'registry.example.com:5000';
      const plain = mirrorPlace({ registry, path: path.join('/'), layout: 'path' }, ref);
      const slashed = mirrorPlace({ registry: registry + after, path: before + path.join(`/${before}`) + after, layout: 'path' }, ref);

      expect(plain).toEqual({ ...ref, host: registry, path: [...path, ref.path].join('/') });
      expect(slashed).toEqual(plain);
    }),
  );
});
