import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Rule } from '../../src/domain/rule.js';
import { aMirrorRule, anImageFilter, aPod, aReplicaRule, brokenFilter, candidatesFor, type SomeUpstream } from '../support/builders.js';

const texts = (...args: Parameters<typeof candidatesFor>): string[] => candidatesFor(...args).map(({ text }) => text);

const origin = 'docker.io/library/nginx:1.27';
const mirrored = 'registry.example.com/mirror/library/nginx:1.27';
const replica = 'replica.example.com/library/nginx:1.27';
const hub: SomeUpstream = { registry: 'docker.io' };
const other: SomeUpstream = { registry: 'replica.example.com' };

describe('which places are candidates', () => {
  test.each<[string, readonly Rule[], readonly string[]]>([
    ['only the origin without rules', [], [origin]],
    ['a mirror of the origin', [aMirrorRule()], [origin, mirrored]],
    ['every mirror of a rule', [aMirrorRule({ mirrors: [{}, { path: '/b' }] })], [origin, mirrored, 'registry.example.com/b/library/nginx:1.27']],
    ['no mirror of an image that the rule does not select', [aMirrorRule({ images: { include: [/quay\.io.*/] } })], [origin]],
    ['no mirror that is the origin itself, in whichever rank', [aMirrorRule({ priority: -1, mirrors: [{ registry: 'index.docker.io', path: '' }] }), aReplicaRule()], [origin, replica]],
    ['no mirror that is not a place', [aMirrorRule({ mirrors: [{ path: '/Upper' }, { path: '../x' }] })], [origin]],
    ['the other upstreams of a match', [aReplicaRule()], [origin, replica]],
    ['no upstream without a match', [aReplicaRule({ upstreams: [{ registry: 'quay.io' }, other] })], [origin]],
    ['no upstream with discardAlternative', [aReplicaRule({ upstreams: [hub, { ...other, discarded: true }] })], [origin]],
    ['no origin when its match has discardAlternative', [aReplicaRule({ upstreams: [{ ...hub, discarded: true }, other] })], [replica]],
    ['nothing when the discarded origin has no replica', [aReplicaRule({ upstreams: [{ ...hub, discarded: true }] })], []],
    [
      'no discarded origin, whoever else offers it',
      [aReplicaRule({ upstreams: [{ ...hub, discarded: true }, other] }), aReplicaRule({ name: 'second', priority: -1 })],
      [replica],
    ],
    ['mirrors of a discarded origin', [aReplicaRule({ upstreams: [{ ...hub, discarded: true }] }), aMirrorRule()], [mirrored]],
    [
      'mirrors of replicas that the rule selects',
      [aReplicaRule(), aMirrorRule({ images: { include: [/replica\.example\.com\/.*/] }, mirrors: [{ layout: 'host' }] })],
      [origin, 'registry.example.com/mirror/replica.example.com/library/nginx:1.27', replica],
    ],
    ['no mirror of a mirror', [aMirrorRule({ mirrors: [{}, { registry: 'second.example.com' }] }), aMirrorRule({ name: 'second', mirrors: [{ registry: 'third.example.com' }] })], [
      origin,
      mirrored,
      'third.example.com/mirror/library/nginx:1.27',
      'second.example.com/mirror/library/nginx:1.27',
    ]],
    ['nothing of a rule that is suspended, invalid or being deleted', [aMirrorRule({ suspended: true }), aMirrorRule({ problems: [brokenFilter] }), aMirrorRule({ deletedAt: '2026-11-20T10:00:00Z' })], [origin]],
    ['nothing of a rule that does not see the Pod', [aMirrorRule({ namespace: 'team-a' }), aReplicaRule({ pods: { exclude: { namespaces: [/shop/] } } })], [origin]],
  ])('%s', (_sentence, rules, expected) => {
    expect(texts(origin, rules)).toEqual(expected);
  });

  test.each([
    ['a suspended rule', aMirrorRule({ suspended: true })],
    ['an invalid rule', aMirrorRule({ problems: [brokenFilter] })],
    ['a rule of another namespace', aMirrorRule({ namespace: 'team-a' })],
  ])('a copy in a mirror of %s is not mirrored again by a cluster rule', (_sentence, rule) => {
    const elsewhere = aMirrorRule({ name: 'elsewhere', mirrors: [{ registry: 'elsewhere.example.com' }] });

    expect(texts(mirrored, [rule, elsewhere])).toEqual([mirrored]);
  });

  test('a replica inside a mirror is no reason to mirror it again', () => {
    const rules = [aReplicaRule({ upstreams: [hub, { registry: 'registry.example.com', path: '/mirror' }] }), aMirrorRule({ images: { include: [/registry\.example\.com\/.*/] }, mirrors: [{ layout: 'host' }] })];

    expect(texts(origin, rules)).toEqual([origin, mirrored]);
  });

  test('a pinned image keeps tag and digest wherever it is offered', () => {
    const pinned = `nginx:1.27@sha256:${'ab'.repeat(32)}`;

    expect(texts(pinned, [aMirrorRule(), aReplicaRule()])).toEqual([`docker.io/library/${pinned}`, `registry.example.com/mirror/library/${pinned}`, `replica.example.com/library/${pinned}`]);
  });
});

describe('the order of candidates', () => {
  const at = (registry: string): { mirrors: { registry: string }[] } => ({ mirrors: [{ registry }] });
  const upstreams = (registry: string): SomeUpstream[] => [{ registry: 'docker.io', images: { include: [/\/library\/.*/] } }, { registry }];
  const hosts = (rules: readonly Rule[], options?: Parameters<typeof candidatesFor>[2]): string[] => texts(origin, rules, options).map((text) => text.replace(/(?:\.example\.com)?\/.*/, ''));

  test.each<[string, readonly Rule[], readonly string[]]>([
    ['a lower priority comes first', [aMirrorRule({ priority: 2, ...at('b') }), aMirrorRule({ name: 'x', priority: 1, ...at('a') })].map(withHosts), ['docker.io', 'a', 'b']],
    ['a negative priority comes before the origin', [aMirrorRule({ priority: -1, ...at('a') })].map(withHosts), ['a', 'docker.io']],
    [
      'kinds follow each other within a priority',
      [
        aReplicaRule({ namespace: 'shop', upstreams: upstreams('ris.example.com') }),
        aReplicaRule({ upstreams: upstreams('cris.example.com') }),
        withHosts(aMirrorRule({ namespace: 'shop', ...at('ism') })),
        withHosts(aMirrorRule(at('cism'))),
      ],
      ['docker.io', 'cism', 'ism', 'cris', 'ris'],
    ],
    ['the priority in a rule comes before the position', [withHosts(aMirrorRule({ mirrors: [{ registry: 'b', priority: 5 }, { registry: 'a', priority: 1 }] }))], ['docker.io', 'a', 'b']],
    ['a negative priority in a rule stays in the rank of the rule', [withHosts(aMirrorRule({ mirrors: [{ registry: 'b' }, { registry: 'a', priority: -1 }] }))], ['docker.io', 'a', 'b']],
    ['the position in a rule comes before the name of the rule', [withHosts(aMirrorRule({ name: 'a', mirrors: [{ registry: 'a' }, { registry: 'c' }] })), withHosts(aMirrorRule({ name: 'b', mirrors: [{ registry: 'b' }] }))], ['docker.io', 'a', 'b', 'c']],
    ['the name of the rule breaks ties', [aMirrorRule({ name: 'b', ...at('b') }), aMirrorRule({ name: 'a', ...at('a') })].map(withHosts), ['docker.io', 'a', 'b']],
    ['a place counts in its best rank', [aMirrorRule({ priority: 3, ...at('a') }), aMirrorRule({ name: 'x', priority: 1, ...at('b') }), aMirrorRule({ name: 'y', priority: -1, ...at('a') })].map(withHosts), ['a', 'docker.io', 'b']],
    ['a rule may rank the origin itself', [aReplicaRule({ priority: -2, upstreams: upstreams('replica.example.com') }), withHosts(aMirrorRule({ priority: -1, ...at('a') }))], ['docker.io', 'replica', 'a']],
  ])('%s', (_sentence, rules, expected) => {
    expect(hosts(rules)).toEqual(expected);
  });

  test('mirrors of the origin come before mirrors of replicas', () => {
    const mirrors = aMirrorRule({ mirrors: [{ layout: 'host' }, { path: '/second', layout: 'host' }] });

    expect(texts(origin, [aReplicaRule(), mirrors])).toEqual([
      origin,
      'registry.example.com/mirror/docker.io/library/nginx:1.27',
      'registry.example.com/mirror/replica.example.com/library/nginx:1.27',
      'registry.example.com/second/docker.io/library/nginx:1.27',
      'registry.example.com/second/replica.example.com/library/nginx:1.27',
      replica,
    ]);
  });

  test('mirrors of the origin come before mirrors of replicas, whatever rank the origin has among the replicas', () => {
    const rules = [aReplicaRule({ upstreams: [{ ...hub, priority: 9 }, other] }), aMirrorRule({ mirrors: [{ layout: 'host' }] })];

    expect(texts(origin, rules).slice(1, 3)).toEqual(['registry.example.com/mirror/docker.io/library/nginx:1.27', 'registry.example.com/mirror/replica.example.com/library/nginx:1.27']);
  });

  test('mirrors of replicas follow the rank of the replicas', () => {
    const replicas = aReplicaRule({ upstreams: [hub, { registry: 'late.example.com', priority: 2 }, { registry: 'early.example.com', priority: 1 }] });
    const mirrors = aMirrorRule({ images: { include: [/.*\.example\.com\/.*/] }, mirrors: [{ layout: 'host' }] });

    expect(texts(origin, [replicas, mirrors]).slice(1, 3)).toEqual(['registry.example.com/mirror/early.example.com/library/nginx:1.27', 'registry.example.com/mirror/late.example.com/library/nginx:1.27']);
  });

  test.each([
    ['Always', false, ['docker.io', 'a']],
    ['Always', true, ['a', 'docker.io']],
    ['IfNotPresent', false, ['a', 'docker.io']],
    ['Never', false, ['a', 'docker.io']],
  ] as const)('pull policy %s, priorities honoured all the same: %s', (pullPolicy, honorPrioritiesOnAlways, expected) => {
    expect(hosts([withHosts(aMirrorRule({ priority: -1, ...at('a') }))], { pullPolicy, honorPrioritiesOnAlways })).toEqual(expected);
  });

  test('pull policy Always brings no discarded origin back', () => {
    expect(texts(origin, [aReplicaRule({ upstreams: [{ ...hub, discarded: true }, other] })], { pullPolicy: 'Always' })).toEqual([replica]);
  });

  test('the order of rules says nothing, and nothing appears twice', () => {
    fc.assert(
      fc.property(someRules, fc.infiniteStream(fc.nat()), fc.constantFrom('Always' as const, 'IfNotPresent' as const), (rules, order, pullPolicy) => {
        const shuffled = rules.map((rule) => ({ rule, key: order.next().value as number })).sort((a, b) => a.key - b.key).map(({ rule }) => rule);
        const found = texts(origin, rules, { pullPolicy });

        expect(texts(origin, shuffled, { pullPolicy })).toEqual(found);
        expect(new Set(found).size).toBe(found.length);
      }),
    );
  });

  test('ranks never fall along the list', () => {
    fc.assert(
      fc.property(someRules, (rules) => {
        const priorities = candidatesFor(origin, rules).map(({ priority }) => priority);

        expect(priorities).toEqual(priorities.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe('what a candidate says', () => {
  const credentialSecret = { namespace: 'kuik-system', name: 'push' };
  const pullSecret = { namespace: 'kuik-system', name: 'pull' };

  test('a mirror names its rule, the image it copies and the Secret to pull with', () => {
    const rule = aMirrorRule({ priority: 7, mirrors: [{ priority: 3, credentialSecret, pullSecret }] });

    expect(candidatesFor('nginx:1.27', [rule])[1]).toMatchObject({ role: 'mirror', image: origin, rule: rule.id, priority: 7, itemPriority: 3, index: 0, secret: pullSecret });
  });

  test('without a pull Secret the credential of the mirror is given', () => {
    expect(candidatesFor('nginx:1.27', [aMirrorRule({ mirrors: [{ credentialSecret }] })])[1]?.secret).toEqual(credentialSecret);
  });

  test('a mirror of a replica is a copy of the replica', () => {
    const rules = [aReplicaRule(), aMirrorRule({ images: { include: [/replica.*/] } })];

    expect(candidatesFor(origin, rules).find(({ role }) => role === 'mirror')?.image).toBe(replica);
  });

  test('an origin that a rule ranks stays the origin and gets no Secret', () => {
    const rules = [aReplicaRule({ priority: -1, upstreams: [{ ...hub, credentialSecret }, { ...other, credentialSecret }] })];

    expect(candidatesFor(origin, rules)).toMatchObject([
      { text: origin, role: 'origin', secret: undefined },
      { text: replica, role: 'replica', secret: credentialSecret },
    ]);
  });

  test('a selective upstream offers nothing to images it does not match', () => {
    const rule = aReplicaRule({ upstreams: [{ ...hub, images: { include: [/\/library\/redis:.+/] } }, other] });

    expect(texts(origin, [rule])).toEqual([origin]);
    expect(texts('redis:7', [rule])).toEqual(['docker.io/library/redis:7', 'replica.example.com/library/redis:7']);
  });

  test('filters see the Pod', () => {
    const rule = aMirrorRule({ pods: { include: { labels: ['tier=backend'] } } });

    expect(texts(origin, [rule], { pod: aPod({ labels: { tier: 'backend' } }) })).toEqual([origin, mirrored]);
    expect(texts(origin, [rule], { pod: aPod({ labels: { tier: 'frontend' } }) })).toEqual([origin]);
  });
});

/** Short registries of a test become hosts; only images of Docker Hub are mirrored. */
function withHosts(rule: ReturnType<typeof aMirrorRule>): ReturnType<typeof aMirrorRule> {
  return { ...rule, images: anImageFilter({ include: [/docker\.io\/.*/] }), mirrors: rule.mirrors.map((mirror) => ({ ...mirror, registry: `${mirror.registry}.example.com` })) };
}

const small = fc.integer({ min: -1, max: 1 });
const registry = fc.constantFrom('a.example.com', 'b.example.com', 'c.example.com', 'docker.io');
const namespace = fc.constantFrom(undefined, 'shop');
const someRule = fc.oneof(
  fc.record({ priority: small, namespace, mirrors: fc.array(fc.record({ registry, priority: small, layout: fc.constantFrom('path' as const, 'host' as const) }), { maxLength: 3 }) }).map((rule) => (name: string) => aMirrorRule({ ...rule, name })),
  fc.record({ priority: small, namespace, upstreams: fc.array(fc.record({ registry, priority: small, discarded: fc.boolean() }), { maxLength: 3 }) }).map((rule) => (name: string) => aReplicaRule({ ...rule, name })),
);
const someRules: fc.Arbitrary<readonly Rule[]> = fc.array(someRule, { maxLength: 5 }).map((made) => made.map((make, index) => make(`rule-${index}`)));
