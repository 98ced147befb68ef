import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { knownImageRef, placeIdentity } from '../../src/domain/image-ref.js';
import { mirrorPlace } from '../../src/domain/join.js';
import { insideAnyMirror, mirrorPrefixes } from '../../src/domain/mirror-prefix.js';
import type { Rule } from '../../src/domain/rule.js';
import { aMirrorRule, aReplicaRule, brokenFilter } from '../support/builders.js';

const isInside = (image: string, rules: readonly Rule[], namespace?: string): boolean => insideAnyMirror(knownImageRef(image), mirrorPrefixes(rules), { namespace });

describe('an image inside a mirror', () => {
  test.each([
    ['registry.example.com', '/mirror', 'registry.example.com/mirror/library/nginx:1', true],
    ['registry.example.com', '/mirror', 'registry.example.com/mirror:1', true],
    ['registry.example.com', '/mirror', 'registry.example.com/mirror-b/library/nginx:1', false],
    ['registry.example.com', '/mirror/a', 'registry.example.com/mirror/nginx:1', false],
    ['registry.example.com', '', 'registry.example.com/a:1', true],
    ['registry.example.com', '', 'registry.example.com:5000/a:1', false],
    ['registry.example.com:5000', '', 'registry.example.com:5000/a:1', true],
    ['Registry.Example.com', '/mirror', 'registry.example.com/mirror/a:1', true],
    ['registry.example.com', '/mirror', 'Registry.EXAMPLE.com/mirror/a:1', true],
    ['index.docker.io', 'acme', 'acme/api:1', true],
    ['index.docker.io', 'acme', 'acmecorp/api:1', false],
    ['', 'registry.example.com/mirror', 'registry.example.com/mirror/a:1', true],
    ['', 'acme', 'acme/api:1', true],
    ['', '', 'nginx:1', true],
    ['registry.example.com', '/a/../mirror', 'registry.example.com/mirror/a:1', false],
  ])('%j, %j holds %s: %s', (registry, path, image, isHeld) => {
    expect(isInside(image, [aMirrorRule({ mirrors: [{ registry, path }] })])).toBe(isHeld);
  });

  const copy = 'registry.example.com/mirror/library/nginx:1';

  test.each<[string, Rule, string | undefined, boolean]>([
    ['a cluster rule counts for cluster rules', aMirrorRule(), undefined, true],
    ['a cluster rule counts for rules of a namespace', aMirrorRule(), 'team-a', true],
    ['a rule of a namespace counts for cluster rules', aMirrorRule({ namespace: 'team-a' }), undefined, true],
    ['a rule of a namespace counts for its neighbours', aMirrorRule({ namespace: 'team-a' }), 'team-a', true],
    ['a rule of a namespace does not count in another', aMirrorRule({ namespace: 'team-a' }), 'team-b', false],
    ['a suspended rule counts', aMirrorRule({ suspended: true }), undefined, true],
    ['an invalid rule counts', aMirrorRule({ problems: [brokenFilter] }), undefined, true],
    ['a replica rule does not count', aReplicaRule({ upstreams: [{ registry: 'registry.example.com' }] }), undefined, false],
  ])('%s', (_sentence, rule, namespace, isHeld) => {
    expect(isInside(copy, [rule], namespace)).toBe(isHeld);
  });

  test('the second mirror of a rule counts too', () => {
    const rule = aMirrorRule({ mirrors: [{ registry: 'a.example.com' }, {}] });

    expect(isInside(copy, [rule])).toBe(true);
  });

  test('every copy is inside the mirror it was made for', () => {
    const registry = fc.constantFrom('registry.example.com', 'EXAMPLE.com:5000', 'index.docker.io', '');
    const path = fc.constantFrom('', 'm', '/m/', 'a//b');
    const image = fc.constantFrom('nginx', 'quay.io/a/b:1', '[::1]/x:1', 'localhost:5000/y');
    fc.assert(
      fc.property(registry, path, fc.constantFrom('path' as const, 'host' as const), image, (someRegistry, somePath, layout, text) => {
        const mirror = { registry: someRegistry, path: somePath, layout };
        const place = mirrorPlace(mirror, knownImageRef(text));
        fc.pre(place === undefined || placeIdentity(place) !== placeIdentity(knownImageRef(text))); // the image itself is no copy

        expect(place && insideAnyMirror(place, mirrorPrefixes([aMirrorRule({ mirrors: [mirror] })]), {})).toBe(true);
      }),
    );
  });
});
