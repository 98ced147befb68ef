import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { matchUpstream, podInScope, seesPod, selectsImage } from '../../src/domain/filter.js';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { aMirrorRule, anImageFilter, aPod, aPodFilter, aReplicaRule, type SomeFilter, type SomeUpstream } from '../support/builders.js';

const hex = 'ab'.repeat(32);
const pinned = `nginx:1.27@sha256:${hex}`;

describe('image filters', () => {
  test.each<[string, SomeFilter, string, boolean]>([
    ['no patterns select none', {}, 'nginx:1.27', false],
    ['includes select what they match', { include: [/docker\.io\/library\/nginx:.+/] }, 'nginx:1.27', true],
    ['no tag is added for a pattern that wants one', { include: [/docker\.io\/library\/nginx:.+/] }, 'nginx', false],
    ['a pattern matches the whole text', { include: [/nginx/] }, 'nginx', false],
    ['an alternative matches the whole text too', { include: [/a|docker\.io\/library\/b/] }, 'ab', false],
    ['any include is enough', { include: [/x/, /.*\/nginx:.*/] }, 'nginx:1.27', true],
    ['excludes alone select all but the excluded', { exclude: [/.*\/nginx:.*/] }, 'redis:7', true],
    ['excludes alone reject the excluded', { exclude: [/.*\/nginx:.*/] }, 'nginx:1.27', false],
    ['an exclude wins over an include', { include: [/.*/], exclude: [/.*\/nginx:.*/] }, 'nginx:1.27', false],
    ['a pinned image is matched with its digest', { include: [/.*@sha256:.*/] }, pinned, true],
    ['a pinned image is matched without its digest', { include: [/.*\/nginx:1\.27/] }, pinned, true],
    ['an exclude meets a pinned image without its digest', { include: [/.*/], exclude: [/.*\/nginx:1\.27/] }, pinned, false],
    ['an exclude meets a pinned image with its digest', { include: [/.*/], exclude: [/.*@sha256:.*/] }, pinned, false],
    ['a digest alone is no tag', { include: [/.*\/nginx/] }, `nginx@sha256:${hex}`, false],
  ])('%s', (_sentence, filter, image, isSelected) => {
    expect(selectsImage(anImageFilter(filter), knownImageRef(image))).toBe(isSelected);
  });
});

describe('Pod filters', () => {
  const pod = aPod({ namespace: 'shop', labels: { app: 'web', tier: 'front' }, annotations: { team: 'a' } });

  test.each([
    ['no items accept every Pod', {}, true],
    ['one matching include of a dimension is enough', { include: { labels: ['app=db', 'app=web'] } }, true],
    ['every dimension must accept', { include: { labels: ['app=web'], namespaces: [/other/] } }, false],
    ['dimensions that accept add up', { include: { labels: ['app=web'], annotations: ['team'], namespaces: [/sh.*/] } }, true],
    ['one matching exclude rejects', { include: { labels: ['app=web'] }, exclude: { annotations: ['team'] } }, false],
    ['an exclude of a namespace rejects', { exclude: { namespaces: [/sh.*/] } }, false],
    ['excludes that do not match accept', { exclude: { labels: ['app=db'], namespaces: [/ci-.*/] } }, true],
    ['a namespace pattern matches the whole name', { include: { namespaces: [/sho/] } }, false],
  ])('%s', (_sentence, filter, isInScope) => {
    expect(podInScope(aPodFilter(filter), pod)).toBe(isInScope);
  });

  test.each([
    ['rules of cluster kinds see every namespace', undefined, true],
    ['rules of a namespace see its Pods', 'shop', true],
    ['rules of a namespace see no others', 'team-a', false],
  ])('%s', (_sentence, namespace, isSeen) => {
    expect(seesPod(aMirrorRule({ namespace }), pod)).toBe(isSeen);
  });
});

describe('matching an upstream', () => {
  const matched = (image: string, ...upstreams: SomeUpstream[]): number | undefined => matchUpstream(aReplicaRule({ upstreams }), knownImageRef(image))?.index;

  test.each<[string, SomeUpstream, string, boolean]>([
    ['patterns start behind the registry', { registry: 'docker.io', images: { include: [/\/library\/nginx:.+/] } }, 'nginx:1.27', true],
    ['patterns carry no host', { registry: 'docker.io', images: { include: [/docker\.io\/library\/nginx:.+/] } }, 'nginx:1.27', false],
    ['another registry does not match', { registry: 'quay.io' }, 'nginx:1.27', false],
    ['a registry counts as a whole', { registry: 'docker.io' }, 'docker.io.example.com/a/b:1', false],
    ['a registry with a slash leaves none to the pattern', { registry: 'docker.io/', images: { include: [/library\/nginx:.+/] } }, 'nginx:1.27', true],
    ['a registry may go on into the path', { registry: 'docker.io/library', images: { include: [/\/nginx:.+/] } }, 'nginx:1.27', true],
    ['an empty registry leaves the whole text', { registry: '', images: { include: [/quay\.io\/a\/b:1/] } }, 'quay.io/a/b:1', true],
    ['Docker Hub may be called index.docker.io', { registry: 'index.docker.io', images: { include: [/\/library\/nginx:.+/] } }, 'nginx:1.27', true],
    ['no patterns match nothing', { registry: 'docker.io', images: {} }, 'nginx:1.27', false],
    ['excludes alone match the rest of the registry', { registry: 'docker.io', images: { exclude: [/\/library\/redis:.+/] } }, 'nginx:1.27', true],
    ['an untagged image has no tag to match', { registry: 'docker.io', images: { include: [/\/library\/nginx:.+/] } }, 'nginx', false],
    ['a pinned image matches by its tag', { registry: 'docker.io', images: { include: [/\/library\/nginx:1\.27/] } }, pinned, true],
  ])('%s', (_sentence, upstream, image, isMatch) => {
    expect(matched(image, upstream)).toBe(isMatch ? 0 : undefined);
  });

  test('the first upstream in declaration order wins, whatever its priority', () => {
    expect(matched('nginx:1.27', { registry: 'quay.io' }, { registry: 'docker.io', priority: 9 }, { registry: 'docker.io', priority: -9 })).toBe(1);
  });
});

test('more includes of a dimension never reject, and more excludes never accept', () => {
  const patterns = fc.array(fc.constantFrom(/.*nginx.*/, /.*redis.*/, /quay\.io\/.*/, /docker\.io\/.*/), { minLength: 1 });
  const image = fc.constantFrom('nginx:1', 'redis:7', 'quay.io/a/nginx:1', 'quay.io/a/b:1').map(knownImageRef);
  fc.assert(
    fc.property(patterns, patterns, patterns, image, (include, exclude, more, ref) => {
      const before = selectsImage(anImageFilter({ include, exclude }), ref);

      if (before) expect(selectsImage(anImageFilter({ include: [...include, ...more], exclude }), ref)).toBe(true);
      else expect(selectsImage(anImageFilter({ include, exclude: [...exclude, ...more] }), ref)).toBe(false);
    }),
  );
});
