import { describe, expect, test } from '@jest/globals';
import { canonicalText, knownImageRef } from '../../src/domain/image-ref.js';
import { replicasOf } from '../../src/domain/replica.js';
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
