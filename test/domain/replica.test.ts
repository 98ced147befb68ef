import { describe, expect, test } from '@jest/globals';
import { canonicalText, knownImageRef } from '../../src/domain/image-ref.js';
import { misfitOf, replicasOf } from '../../src/domain/replica.js';
import type { Rule } from '../../src/domain/rule.js';
import { aMirrorRule, aPod, aReplicaRule } from '../support/builders.js';

const from = (registry: string): { registry: string } => ({ registry: `${registry}.example.com` });
const hosts = (rules: readonly Rule[], users = [aPod()]): string[] => replicasOf(knownImageRef('nginx:1.27'), users, rules).map((ref) => canonicalText(ref).replace('.example.com/library/nginx:1.27', ''));

describe('where a copy can be made from when the origin fails', () => {
  const hub = { registry: 'docker.io' };

  test.each<[string, readonly Rule[], readonly string[]]>([
    ['nowhere without replica rules', [aMirrorRule()], []],
    ['the other upstreams, by their priority', [aReplicaRule({ upstreams: [hub, { ...from('b'), priority: 2 }, { ...from('a'), priority: 1 }] })], ['a', 'b']],
    ['rules by their priority', [aReplicaRule({ priority: 5, upstreams: [hub, from('b')] }), aReplicaRule({ name: 'x', upstreams: [hub, from('a')] })], ['a', 'b']],
    ['each place once', [aReplicaRule({ upstreams: [hub, from('a')] }), aReplicaRule({ name: 'x', upstreams: [from('a'), hub] })], ['a']],
    ['no upstream with discardAlternative', [aReplicaRule({ upstreams: [hub, { ...from('a'), discarded: true }] })], []],
    ['live upstreams of a discarded origin', [aReplicaRule({ upstreams: [{ ...hub, discarded: true }, from('a')] })], ['a']],
    ['no rule out of force', [aReplicaRule({ suspended: true, upstreams: [hub, from('a')] })], []],
    ['no rule of a namespace where nobody uses the image', [aReplicaRule({ namespace: 'team-a', upstreams: [hub, from('a')] })], []],
  ])('%s', (_sentence, rules, expected) => {
    expect(hosts(rules)).toEqual(expected);
  });

  test('a rule counts when any Pod that uses the image is in its scope', () => {
    const rule = aReplicaRule({ namespace: 'team-a', upstreams: [hub, from('a')] });

    expect(hosts([rule], [aPod(), aPod({ namespace: 'team-a' })])).toEqual(['a']);
  });
});

describe('an image that its upstreams do not fit', () => {
  const upstreams = (...paths: string[]) => aReplicaRule({ upstreams: paths.map((path, index) => ({ registry: index === 0 ? 'docker.io' : 'quay.io', path })) });
  test.each<[string, Parameters<typeof misfitOf>[1], string | undefined]>([
    ['does not begin with registry and path of the one that matches it', upstreams('/thanos', '/thanos/thanos'), 'docker.io/library/nginx:1.27 does not start with registry and path of its upstream, docker.io/thanos'],
    ['would have no name at another one', upstreams('', 'No Path'), 'registry and path join to quay.io/No Path/library/nginx:1.27, which is not an image reference'],
    ['is not one that begins with them', upstreams('/library', '/mirrored'), undefined],
    ['is not one that no upstream matches', aReplicaRule({ upstreams: [{ registry: 'ghcr.io', path: '/thanos' }] }), undefined],
  ])('%s', (_sentence, rule, expected) => {
    expect(misfitOf(knownImageRef('nginx:1.27'), rule)).toBe(expected);
  });

  test('is none where the one it would not fit is no candidate', () => {
    const rule = aReplicaRule({ upstreams: [{ registry: 'docker.io' }, { registry: 'quay.io', path: 'No Path', discarded: true }] });

    expect(misfitOf(knownImageRef('nginx:1.27'), rule)).toBeUndefined();
  });
});
