import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { imageName, knownImageRef, type PlaceId } from '../../src/domain/image-ref.js';
import { mergeWishes, planMirrors, type MirrorPicture, type WantedCopy } from '../../src/domain/mirror.js';
import type { PlaceRecord } from '../../src/domain/record.js';
import type { Rule } from '../../src/domain/rule.js';
import type { PodScope } from '../../src/domain/usage.js';
import { aCopy, aMirrorRule, aPlace, aPod, aRecord, aReplicaRule, aTemplate, brokenFilter, type SomePod } from '../support/builders.js';

const settings = { platforms: [{ architecture: 'amd64' }], retentionMs: 1000 };
const hex = 'a'.repeat(64);

interface Used {
  readonly image: string;
  readonly by?: readonly SomePod[];
}

function aPicture(used: readonly Used[], rules: readonly Rule[], more: Partial<MirrorPicture> = {}): MirrorPicture {
  return { used: used.map(({ image, by = [{}] }) => ({ ref: knownImageRef(image), users: by.map(aPod) })), rules, records: [], podsPulling: () => 0, pulled: [], orphans: new Set(), settings, ...more };
}

function wanted(used: readonly Used[], rules: readonly Rule[], more?: Partial<MirrorPicture>): string[] {
  return [...planMirrors(aPicture(used, rules, more)).wanted.keys()];
}

const mirror = 'registry.example.com/mirror';

describe('which copies are wanted', () => {
  test.each<[string, readonly Used[], readonly Rule[], readonly string[]]>([
    ['one per mirror of a rule that selects the image', [{ image: 'nginx:1.27' }], [aMirrorRule({ mirrors: [{}, { registry: 'far.example.com' }] })], [`${mirror}/library/nginx:1.27`, 'far.example.com/mirror/library/nginx:1.27']],
    ['none of an image no rule selects', [{ image: 'nginx:1.27' }], [aMirrorRule({ images: { include: [/quay\.io.*/] } })], []],
    ['none for Pods outside the scope of the rule', [{ image: 'nginx:1.27', by: [{ namespace: 'shop' }] }], [aMirrorRule({ namespace: 'team-a' })], []],
    ['one as soon as a single Pod is in scope', [{ image: 'nginx:1.27', by: [{ namespace: 'shop' }, { namespace: 'team-a' }] }], [aMirrorRule({ namespace: 'team-a' })], [`${mirror}/library/nginx:1.27`]],
    ['none of a copy: mirrors are not mirrored', [{ image: `${mirror}/library/nginx:1.27` }], [aMirrorRule()], []],
    ['none into the prefix of a suspended rule either', [{ image: 'old.example.com/m/nginx:1' }], [aMirrorRule(), aMirrorRule({ name: 'old', suspended: true, mirrors: [{ registry: 'old.example.com', path: 'm' }] })], []],
    ['none by a suspended rule', [{ image: 'nginx:1.27' }], [aMirrorRule({ suspended: true })], []],
    ['none by a rule that is out of force, while others work', [{ image: 'nginx:1.27' }], [aMirrorRule({ problems: [brokenFilter] }), aMirrorRule({ name: 'good', mirrors: [{ path: 'good' }] })], ['registry.example.com/good/library/nginx:1.27']],
    ['none where the destination would be the image itself', [{ image: 'nginx:1.27' }], [aMirrorRule({ mirrors: [{ registry: 'index.docker.io', path: '' }] })], []],
    ['by digest for a pinned image', [{ image: `nginx@sha256:${hex}` }], [aMirrorRule()], [`${mirror}/library/nginx@sha256:${hex}`]],
  ])('%s', (_sentence, used, rules, destinations) => {
    expect(wanted(used, rules)).toEqual(destinations);
  });

  test('a pinned image is published under an anchor tag, so that nothing collects it', () => {
    const { wanted: plan } = planMirrors(aPicture([{ image: `ghcr.io/acme/api:v4@sha256:${hex}` }], [aMirrorRule()]));

    expect([...plan.values()]).toMatchObject([{ destination: `${mirror}/acme/api@sha256:${hex}`, publishAs: `${mirror}/acme/api:kuik-sha256-${hex}` }]);
  });

  test('sources are the origin, then the replicas rules declare, by rank', () => {
    const replicas = aReplicaRule({ upstreams: [{ registry: 'docker.io' }, { registry: 'b.example.com', priority: 5 }, { registry: 'a.example.com', priority: 1 }] });

    const { wanted: plan } = planMirrors(aPicture([{ image: 'nginx:1.27' }], [aMirrorRule(), replicas]));

    expect(plan.get(`${mirror}/library/nginx:1.27` as PlaceId)?.sources).toEqual(['docker.io/library/nginx:1.27', 'a.example.com/library/nginx:1.27', 'b.example.com/library/nginx:1.27']);
  });

});

describe('an image that somebody paused', () => {
  test.each<[string, readonly PlaceRecord[]]>([
    ['has none', []],
    ['has some', [aCopy(`${mirror}/library/nginx:1.27`)]],
  ])('%s of its copies: all that rules want is claimed, and nothing is made', (_sentence, places) => {
    const records = [aRecord({ paused: true, places })];
    const both = [aMirrorRule({ mirrors: [{}, { registry: 'far.example.com' }] })];

    expect([...planMirrors(aPicture([{ image: 'nginx:1.27' }, { image: 'redis:7' }], both, { records })).wanted].map(([at, { rests }]) => [at, rests])).toEqual([
      [`${mirror}/library/nginx:1.27`, true],
      ['far.example.com/mirror/library/nginx:1.27', true],
      [`${mirror}/library/redis:7`, undefined],
      ['far.example.com/mirror/library/redis:7', undefined],
    ]);
  });
});

describe('a copy no rule in force wants is kept as it is', () => {
  const destination = `${mirror}/library/nginx:1.27` as PlaceId;
  const cleaning = { cleanup: { enabled: true, retentionMs: 3_600_000 } };
  const record = (rest: Partial<PlaceRecord> = {}) => aRecord({ places: [aCopy(destination, { rule: 'ClusterImageSetMirror/main', ...rest })] });
  const pulling: Partial<MirrorPicture> = { podsPulling: (place) => (place === destination ? 2 : 0) };
  const held = (rules: readonly Rule[], more: Partial<MirrorPicture>): WantedCopy | undefined => planMirrors(aPicture([], rules, more)).wanted.get(destination);

  test.each<[string, readonly Rule[], Partial<MirrorPicture>, object | undefined]>([
    ['while Pods pull from it', [], { ...pulling, records: [record()] }, { rests: true, rules: [], cleanup: false, pulledBy: 2, image: 'docker.io/library/nginx:1.27' }],
    ['then as long as its rule says', [aMirrorRule({ images: { include: [/none/] }, mirrors: [cleaning] })], { ...pulling, records: [record()] }, { cleanup: true, retentionMs: 3_600_000 }],
    ['or said last, once it is gone', [], { ...pulling, records: [record({ retention: '2h' })] }, { cleanup: true, retentionMs: 7_200_000 }],
    ['for ever when its rule has no clean-up by now', [aMirrorRule({ images: { include: [/none/] } })], { ...pulling, records: [record({ retention: '2h' })] }, { cleanup: false }],
    ['when only the Pods know of it', [], { ...pulling, pulled: [{ place: knownImageRef(destination), pods: 1, sent: { image: imageName(knownImageRef('nginx:1.27')), rule: 'ImageSetMirror/shop/gone' } }] }, { rests: true, cleanup: false, rule: 'ImageSetMirror/shop/gone', pulledBy: 1 }],
    ['when a user wrote its name: nobody knows what it is a copy of, so it has no source', [], { ...pulling, pulled: [{ place: knownImageRef(destination), pods: 2 }] }, { rests: true, sources: [], pulledBy: 2 }],
    ['while its rule is suspended', [aMirrorRule({ suspended: true, mirrors: [cleaning] })], { records: [record()] }, { rests: true, rules: [{ name: 'main' }], cleanup: true, pulledBy: 0 }],
    ['and no shorter than others that keep copies there say', [aMirrorRule({ suspended: true, mirrors: [cleaning] }), aMirrorRule({ name: 'other', priority: 1 })], { records: [record()] }, { rests: true, rules: [{ name: 'main' }], cleanup: false }],
    ['while somebody paused its image, though nobody uses it', [aMirrorRule({ mirrors: [cleaning] })], { records: [{ ...record(), paused: true }] }, { rests: true, cleanup: true }],
    ['while the filter of its rule cannot be read', [aMirrorRule({ images: { include: [] }, problems: [brokenFilter] })], { records: [record()] }, { rests: true }],
    ['also where another rule is named for it', [aMirrorRule({ name: 'other', suspended: true })], { records: [record()] }, { rests: true, rule: 'ClusterImageSetMirror/main' }],
    ['while its rule is suspended, though its filter was narrowed before', [aMirrorRule({ suspended: true, images: { include: [/quay.*/] }, mirrors: [cleaning] })], { records: [record({ retention: '1h' })] }, { rests: true, rules: [{ name: 'main' }], cleanup: true }],
    ['but not by a suspended rule that never selected it', [aMirrorRule({ name: 'other', suspended: true, images: { include: [/quay.*/] } })], { records: [record()] }, undefined],
    ['nor by a suspended rule that is being deleted', [aMirrorRule({ suspended: true, deletedAt: '2026-11-20T12:00:00Z' })], { records: [record()] }, undefined],
    ['nor when nobody pulls from it', [], { records: [record()] }, undefined],
  ])('%s', (_sentence, rules, more, expected) => {
    if (expected === undefined) expect(held(rules, more)).toBeUndefined();
    else expect(held(rules, more)).toMatchObject(expected);
  });

  describe('while nobody keeps it, so that it gets a retention clock', () => {
    const arm = { platforms: [{ architecture: 'arm64' }], copy: 'all' as const };
    const seen = { digest: `sha256:${hex}` as PlaceRecord['digest'], platforms: ['linux/arm64'], retention: '2h' };
    const orphans = { orphans: new Set([destination]) };

    test.each<[string, readonly Rule[], Partial<MirrorPicture>, object | undefined]>([
      ['a copy that no keeper of ours has seen', [aMirrorRule({ mirrors: [{ ...cleaning, ...arm }] })], { records: [record({ digest: undefined })] }, { ...arm, rules: [{ name: 'main' }], cleanup: true }],
      ['one whose keeper is lost', [aMirrorRule({ mirrors: [{ ...cleaning, ...arm }] })], { ...orphans, records: [record(seen)] }, { ...arm, cleanup: true }],
      ['also after its rule, with the platforms it has', [], { ...orphans, records: [record(seen)] }, { rules: [], platforms: [{ os: 'linux', architecture: 'arm64' }], cleanup: true, retentionMs: 7_200_000 }],
      ['but none that stays for ever', [aMirrorRule()], { ...orphans, records: [record()] }, undefined],
      ['and none that was looked for in vain', [aMirrorRule({ mirrors: [cleaning] })], { records: [record({ digest: undefined, failure: { code: 'missing', message: 'gone', since: '2026-11-20T12:00:00Z', attempts: 1 } })] }, undefined],
    ])('%s', (_sentence, rules, more, expected) => {
      if (expected === undefined) expect(held(rules, more)).toBeUndefined();
      else expect(held(rules, more)).toMatchObject(expected);
      expect(held(rules, more)?.rests).toBeUndefined();
    });
  });

  test.each<[string, readonly Rule[], object]>([
    ['while the template of a workload names it', [aMirrorRule({ images: { include: [/none/] }, mirrors: [cleaning] })], { rests: true, cleanup: true, pulledBy: 0, isNamed: true }],
    ['and while its rule rests besides', [aMirrorRule({ suspended: true })], { rests: true, pulledBy: 0, isNamed: true }],
  ])('%s', (_sentence, rules, expected) => {
    expect(held(rules, { isNamed: (place) => place === destination, records: [record()] })).toMatchObject(expected);
  });

  test('a rule in force comes before: it says how the copy is made', () => {
    const plan = planMirrors(aPicture([{ image: 'nginx:1.27' }], [aMirrorRule(), aMirrorRule({ name: 'resting', suspended: true })], { ...pulling, records: [record()] }));

    expect(plan.wanted.get(destination)).not.toHaveProperty('rests');
  });
});

describe('the template of a workload', () => {
  const near = `${mirror}/library/nginx:1.27`;
  const far = 'far.example.com/mirror/library/nginx:1.27';
  const rules = [aMirrorRule({ mirrors: [{}, { registry: 'far.example.com' }] })];
  const records = [aRecord({ pods: 0, places: [aPlace({ reference: near, role: 'mirror' })] })];
  const template = aTemplate('CronJob', { images: { job: 'nginx:1.27' } });
  const used = (...users: readonly PodScope[]) => ({ used: [{ ref: knownImageRef('nginx:1.27'), users }] });

  test.each<[string, Partial<MirrorPicture>, readonly string[]]>([
    ['keeps what was wanted for a Pod, and brings in nothing', { ...used(template), records }, [near]],
    ['brings in nothing where no record knows a copy', used(template), []],
    ['takes nothing from what a Pod brings in', { ...used(template, aPod()), records }, [near, far]],
    ['brings in nothing for a Pod that its rule does not see', { ...used(template, aPod({ namespace: 'other' })), rules: [aMirrorRule({ namespace: 'shop' })] }, []],
    ['keeps nothing outside the scope of the rule', { ...used(template), records, rules: [aMirrorRule({ namespace: 'other' })] }, []],
  ])('%s', (_sentence, picture, destinations) => {
    expect(wanted([], rules, picture)).toEqual(destinations);
  });
});

describe('two images that want one destination', () => {
  const both = [{ image: 'nginx:1.27' }, { image: 'quay.io/library/nginx:1.27' }];
  const destination = `${mirror}/library/nginx:1.27`;

  test('the first by name gets it, the other is reported', () => {
    const plan = planMirrors(aPicture(both, [aMirrorRule()]));

    expect([...plan.wanted.values()].map(({ image }) => image)).toEqual(['docker.io/library/nginx:1.27']);
    expect(plan.collisions).toEqual([{ destination, image: 'quay.io/library/nginx:1.27', holder: 'docker.io/library/nginx:1.27' }]);
  });

  test('the one whose copy is there keeps it', () => {
    const records = [aRecord({ image: 'quay.io/library/nginx:1.27', places: [aCopy(destination)] })];

    expect(planMirrors(aPicture(both, [aMirrorRule()], { records })).wanted.get(destination as PlaceId)?.image).toBe('quay.io/library/nginx:1.27');
  });

  test('names of one place are one image: nginx and nginx:latest', () => {
    expect(planMirrors(aPicture([{ image: 'nginx' }, { image: 'nginx:latest' }], [aMirrorRule()])).collisions).toEqual([]);
  });
});

describe('several rules that want one copy', () => {
  const careless = aMirrorRule({ name: 'careless', priority: 1, drift: 'sync', mirrors: [{ copy: 'rewrite', cleanup: { enabled: true, retentionMs: 10 }, platforms: [{ architecture: 'amd64' }] }] });
  const careful = aMirrorRule({ name: 'careful', priority: 2, drift: 'keep', mirrors: [{ copy: 'all', cleanup: { enabled: false, retentionMs: 99 }, platforms: [{ architecture: 'arm64' }] }] });

  test('add up safely: longest retention, all platforms, clean-up only if all agree', () => {
    const { wanted: plan } = planMirrors(aPicture([{ image: 'nginx:1.27' }], [careless, careful]));

    expect([...plan.values()]).toMatchObject([
      { rule: 'ClusterImageSetMirror/careless', retentionMs: 99, cleanup: false, copy: 'all', drift: 'keep', platforms: [{ architecture: 'amd64' }, { architecture: 'arm64' }] },
    ]);
    expect([...plan.values()][0]?.rules.map(({ name }) => name)).toEqual(['careless', 'careful']);
  });

  test('the order of rules and images changes nothing', () => {
    const rules = [careless, careful, aMirrorRule({ name: 'third', images: { include: [/.*redis.*/] } }), aReplicaRule()];
    const used = [{ image: 'nginx:1.27' }, { image: 'redis:7' }, { image: 'quay.io/library/redis:7' }];
    const expected = plain(planMirrors(aPicture(used, rules)));

    fc.assert(
      fc.property(fc.shuffledSubarray(rules, { minLength: rules.length }), fc.shuffledSubarray(used, { minLength: used.length }), (someRules, someUsed) => {
        expect(plain(planMirrors(aPicture(someUsed, someRules)))).toEqual(expected);
      }),
    );
  });

  test('merging is idempotent', () => {
    const policy = { platforms: [{ architecture: 'arm64' }], copy: 'sparse', referrers: 'none', retentionMs: 5, cleanup: true, drift: 'warn', shared: true } as const;

    expect(mergeWishes(policy, policy)).toEqual(policy);
  });
});

function plain(plan: ReturnType<typeof planMirrors>): object {
  return { wanted: [...plan.wanted].sort(([a], [b]) => (a < b ? -1 : 1)), collisions: plan.collisions };
}
