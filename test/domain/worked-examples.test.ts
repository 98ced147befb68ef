/** The worked examples of the documentation, as tables: rules, what answers, and what becomes of a container. */
import { describe, expect, test } from '@jest/globals';
import type { AvailabilityState } from '../../src/domain/availability.js';
import { canonicalText } from '../../src/domain/image-ref.js';
import { passOver } from '../../src/domain/pass-over.js';
import { route } from '../../src/domain/route.js';
import { ruleText, type Rule } from '../../src/domain/rule.js';
import type { Pod, PullPolicy } from '../../src/domain/usage.js';
import { originOf } from '../../src/domain/v1-proxy.js';
import { aCopy, aMirrorRule, aPod, aReplicaRule, candidatesFor, knowingPlaces } from '../support/builders.js';

interface Situation {
  readonly pod?: Pod;
  readonly pullPolicy?: PullPolicy;
  readonly states?: Readonly<Record<string, AvailabilityState>>;
}

const v1Port = 7439;

/** Everything a Pod's container goes through, without network: candidates, then the decision. */
function decided(written: string, rules: readonly Rule[], { pod = aPod(), pullPolicy, states = {} }: Situation = {}): { candidates: string[]; outcome: string; rule?: string } {
  const origin = originOf({ key: 'web', field: 'containers', written }, pod, v1Port);
  if (origin === undefined) throw new Error(`not a reference: ${written}`);
  const found = candidatesFor(canonicalText(origin.ref), rules, { pod, pullPolicy });
  const decision = route(found, knowingPlaces(states), { isV1: origin.isV1 });
  const candidates = found.map(({ text }) => text);
  if (decision.verdict === 'ask') return { candidates, outcome: `ask ${decision.about.map(({ text }) => text).join(' ')}` };
  if (decision.verdict === 'keep') return { candidates, outcome: `keep ${decision.reason}` };
  return { candidates, outcome: `${decision.reason} ${decision.to.text}`, rule: decision.to.rule && ruleText(decision.to.rule) };
}

describe("the migration page's global mirror", () => {
  const rule = aMirrorRule({
    name: 'global-mirror',
    priority: -1,
    images: { include: [/.*/], exclude: [/localhost[^/]*\/.+/] },
    mirrors: [{ registry: 'my-registry.company.com', path: '/my-project', credentialSecret: { namespace: 'kuik-system', name: 'my-registry-secret' } }],
  });
  const nginx = 'docker.io/library/nginx:1.27';
  const copy = 'my-registry.company.com/my-project/library/nginx:1.27';

  test.each<[string, string, Situation, string]>([
    ['the first Pod keeps its image: the copy is still missing', 'nginx:1.27', { states: { [copy]: 'NotFound', [nginx]: 'Available' } }, 'keep PreferredUnavailable'],
    ['the second Pod is rewritten', 'nginx:1.27', { states: { [copy]: 'Available' } }, `PlacePreferred ${copy}`],
    ['with Always the origin ranks first', 'nginx:1.27', { pullPolicy: 'Always', states: { [nginx]: 'Available' } }, 'keep OriginAvailable'],
    ['with Always the mirror helps when Docker Hub throttles', 'nginx:1.27', { pullPolicy: 'Always', states: { [nginx]: 'QuotaExceeded', [copy]: 'Available' } }, `OriginUnavailable ${copy}`],
    ["a name of v1's proxy is read as what it stands for", 'localhost:7439/nginx:1.27', { states: { [copy]: 'Available' } }, `PlacePreferred ${copy}`],
    ["a name of v1's proxy gets its own text when the mirror fails", 'localhost:7439/nginx:1.27', { states: { [copy]: 'NotFound', [nginx]: 'Available' } }, `V1Reference ${nginx}`],
    ['an excluded image stays alone', 'localhost:5000/foo:1', {}, 'keep OnlyOrigin'],
    ['a Pod that names the mirror itself is kept, and asks nothing', copy, {}, 'keep OnlyOrigin'],
  ])('%s', (_event, image, situation, outcome) => {
    expect(decided(image, [rule], situation).outcome).toBe(outcome);
  });

  test('the mirror ranks first, and the rule is named', () => {
    expect(decided('nginx:1.27', [rule], { states: { [copy]: 'Available' } })).toMatchObject({ candidates: [copy, nginx], rule: 'ClusterImageSetMirror/global-mirror' });
  });
});

describe('Docker Hub and a second registry', () => {
  const rule = aReplicaRule({
    name: 'thanos',
    upstreams: [
      { registry: 'docker.io', path: '/thanosio/thanos', images: { include: [/\/thanosio\/thanos:.+/] } },
      { registry: 'quay.io', path: '/thanos/thanos/', images: { include: [/\/thanos\/thanos:.+/] } },
    ],
  });
  const hub = 'docker.io/thanosio/thanos:v0.36';
  const quay = 'quay.io/thanos/thanos:v0.36';

  test.each<[string, string, Situation['states'], readonly string[], string]>([
    ['Docker Hub answers', 'thanosio/thanos:v0.36', { [hub]: 'Available' }, [hub, quay], 'keep OriginAvailable'],
    ['Docker Hub throttles', 'thanosio/thanos:v0.36', { [hub]: 'QuotaExceeded', [quay]: 'Available' }, [hub, quay], `OriginUnavailable ${quay}`],
    ['both fail', 'thanosio/thanos:v0.36', { [hub]: 'Unreachable', [quay]: 'Unreachable' }, [hub, quay], 'keep NoPlaceAvailable'],
    ['Quay is down', quay, { [quay]: 'Unreachable', [hub]: 'Available' }, [quay, hub], `OriginUnavailable ${hub}`],
    ['no upstream matches an untagged name', 'thanosio/thanos', {}, ['docker.io/thanosio/thanos'], 'keep OnlyOrigin'],
  ])('%s', (_situation, image, states, candidates, outcome) => {
    expect(decided(image, [rule], { states })).toMatchObject({ candidates, outcome });
  });

  test('what is offered to a Pod needs no Secret', () => {
    expect(candidatesFor(hub, [rule]).map(({ secret }) => secret)).toEqual([undefined, undefined]);
  });
});

describe('priority -1 and ranks inside a rule', () => {
  const rule = aMirrorRule({
    name: 'near-and-far',
    priority: -1,
    images: { include: [/ghcr\.io\/acme\/.+/] },
    pods: { exclude: { namespaces: [/ci-.*/] } },
    mirrors: [
      { registry: 'far.example.com', path: '/m', priority: 5 },
      { registry: 'near.example.com:5000', path: '/m', priority: 1 },
    ],
  });
  const image = 'ghcr.io/acme/api:v4';
  const near = 'near.example.com:5000/m/acme/api:v4';
  const far = 'far.example.com/m/acme/api:v4';
  const prod = aPod({ namespace: 'prod' });

  test.each<[string, Pod, Situation['states'], readonly string[], string]>([
    ['the near mirror is unreachable, the far one has the copy', prod, { [near]: 'Unreachable', [far]: 'Available' }, [near, far, image], `PlacePreferred ${far}`],
    ['neither mirror has the copy', prod, { [near]: 'NotFound', [far]: 'NotFound', [image]: 'Available' }, [near, far, image], 'keep PreferredUnavailable'],
    ['the Pod is out of scope', aPod({ namespace: 'ci-42' }), {}, [image], 'keep OnlyOrigin'],
  ])('%s', (_situation, pod, states, candidates, outcome) => {
    expect(decided(image, [rule], { pod, states })).toMatchObject({ candidates, outcome });
  });

  test('upstreams of a replica rule come after the origin, and priority -1 puts far before near', () => {
    const swapped = { ...rule, mirrors: rule.mirrors.map((mirror, index) => (index === 0 ? { ...mirror, priority: -1 } : mirror)) };
    const replicas = aReplicaRule({ upstreams: [{ registry: 'ghcr.io' }, { registry: 'replica.example.com' }] });

    expect(decided(image, [replicas, swapped], { pod: prod }).candidates).toEqual([far, near, image, 'replica.example.com/acme/api:v4']);
  });

  test('a pinned image keeps its digest', () => {
    const digest = `sha256:${'ab'.repeat(32)}`;

    expect(decided(`${image}@${digest}`, [rule], { pod: prod, states: { [`${near}@${digest}`]: 'Available' } }).outcome).toBe(`PlacePreferred ${near}@${digest}`);
  });
});

describe('discardAlternative', () => {
  const rule = aReplicaRule({
    name: 'bitnami',
    upstreams: [
      { registry: 'docker.io', path: '/bitnami', discarded: true, images: { include: [/\/bitnami\/.*/] } },
      { registry: 'registry.bitnami.com', path: '/bitnami', images: { include: [/\/bitnami\/.*/] } },
    ],
  });
  const live = 'registry.bitnami.com/bitnami/nginx:1.29';

  test.each<[string, string, Situation['states'], string]>([
    ['the dead registry is not contacted', 'bitnami/nginx:1.29', {}, `ask ${live}`],
    ['the live one has the image', 'bitnami/nginx:1.29', { [live]: 'Available' }, `OriginDiscarded ${live}`],
    ['the live one does not have it', 'bitnami/nginx:1.29', { [live]: 'NotFound' }, 'keep NoPlaceAvailable'],
    ['the live registry has no other place', live, {}, 'keep OnlyOrigin'],
  ])('%s', (_situation, image, states, outcome) => {
    expect(decided(image, [rule], { states })).toMatchObject({ candidates: [live], outcome });
  });
});

describe("a tenant's own mirror", () => {
  const rule = aMirrorRule({
    name: 'team-cache',
    namespace: 'team-a',
    priority: -10,
    images: { include: [/quay\.io\/acme\/.+/] },
    pods: { include: { labels: ['tier=backend'] } },
    mirrors: [{ registry: 'harbor.example.com', path: '/team-a', layout: 'host', credentialSecret: { namespace: 'team-a', name: 'harbor-push' }, pullSecret: { namespace: 'team-a', name: 'harbor-pull' } }],
  });
  const image = 'quay.io/acme/api:v4';
  const copy = 'harbor.example.com/team-a/quay.io/acme/api:v4';
  const backend = aPod({ namespace: 'team-a', labels: { tier: 'backend' } });

  test('Pods of the tenant prefer its mirror, and pull with its pull Secret', () => {
    expect(decided(image, [rule], { pod: backend }).candidates).toEqual([copy, image]);
    expect(candidatesFor(image, [rule], { pod: backend })[0]?.secret).toEqual({ namespace: 'team-a', name: 'harbor-pull' });
  });

  test.each([
    ['Pods of another tenant', aPod({ namespace: 'team-b', labels: { tier: 'backend' } })],
    ['Pods without the label', aPod({ namespace: 'team-a' })],
  ])('%s are unaffected', (_sentence, pod) => {
    expect(decided(image, [rule], { pod })).toMatchObject({ candidates: [image], outcome: 'keep OnlyOrigin' });
  });

  test('a Pod for arm64 passes over a copy that lacks it', () => {
    const [first] = candidatesFor(image, [rule], { pod: backend });
    const record = aCopy(copy, { platforms: ['linux/amd64'], missingPlatforms: ['linux/arm64'] });
    const { platform } = aPod({ nodeSelector: { 'kubernetes.io/arch': 'arm64' } });

    expect(first && passOver(first, { record, platform })).toBe('PlatformMissing');
  });

  test('a cluster rule that selects everything does not mirror its copies again', () => {
    const everything = aMirrorRule({ name: 'everything' });

    expect(decided(copy, [rule, everything]).candidates).toEqual([copy]);
  });
});
