import { join } from 'node:path/posix';
import { describe, expect, test } from '@jest/globals';
import { translateRule } from '../../src/api/translate.js';
import { differencesFrom, type V2Setup } from '../../src/commands/migrate/v2.js';
import { planV1, type V1Setup, type V1Target } from '../../src/commands/migrate/v1.js';
import { placeImages, v1StoredName } from '../../src/commands/migrate/v1-places.js';
import type { V1Values } from '../../src/commands/migrate/v1-values.js';
import { loadConfig } from '../../src/config/load-config.js';
import { selectsImage } from '../../src/domain/filter.js';
import { knownImageRef, type ImageName, type PlaceId } from '../../src/domain/image-ref.js';
import { isInForce, type MirrorRule, type Rule } from '../../src/domain/rule.js';
import { aCopy, aMirrorRule, aPod, aRecord, aReplicaRule, brokenFilter, type SomeMirrorRule } from '../support/builders.js';
import { readDocument } from '../support/documents.js';

const target: V1Target = { registry: 'registry.example.com', path: '/kuik', layout: 'path' };
const nothing: V1Setup = { cachedImages: [], repositories: [], values: {}, namespace: 'kuik-system', gone: new Set(), pods: [], heldPods: [], rules: [], records: [] };
const cached = (sourceImage: string, rest = {}) => ({ sourceImage, retain: false, isCached: true, isUpstream: true, ...rest });
const following = (updateFilters: readonly string[], name = 'docker.io/library/postgres', sourceImages: readonly string[] = []): V1Setup => ({ ...nothing, cachedImages: sourceImages.map((text) => cached(text)), repositories: [{ name, isUpdated: true, updateFilters }] });
const withValues = (values: V1Values): V1Setup => ({ ...nothing, values });

/** The rules that are printed, as the manager reads them. */
function rulesOf(setup: V1Setup): readonly MirrorRule[] {
  return planV1(setup, target).resources.map((resource) => {
    const { metadata, spec } = resource as unknown as { metadata: { name: string }; spec: unknown };
    const rule = translateRule({ kind: 'ClusterImageSetMirror', name: metadata.name, uid: metadata.name, generation: 1, annotations: {}, spec }, { installNamespace: 'kuik-system' });
    expect(rule.problems).toEqual([]);
    return rule as MirrorRule;
  });
}

/** Names of the rules that mirror an image. */
const mirroredBy = (setup: V1Setup, image: string): readonly string[] => rulesOf(setup).filter((rule) => isInForce(rule) && selectsImage(rule.images, knownImageRef(image))).map(({ id }) => id.name);

describe('what replaces a v1 set-up', () => {
  test.each<[string, V1Setup, string, string[]]>([
    ['without values mirrors everything', nothing, 'quay.io/any/thing:1', ['global-mirror']],
    ['leaves out what v1 ignored, wherever the pattern matched', withValues({ controllers: { webhook: { ignoredImages: ['alpine'] } } }), 'alpine:3', []],
    ['leaves out nothing else', withValues({ controllers: { webhook: { ignoredImages: ['alpine'] } } }), 'nginx:1', ['global-mirror']],
    ['leaves out by alternatives as a whole', withValues({ controllers: { webhook: { ignoredImages: ['a:1|b:1'] } } }), 'b:1', []],
    ['takes only what v1 accepted', withValues({ controllers: { webhook: { acceptedImages: ['ghcr\\.io/acme'] } } }), 'ghcr.io/acme/api:v1', ['global-mirror']],
    ['takes nothing v1 did not accept', withValues({ controllers: { webhook: { acceptedImages: ['ghcr\\.io/acme'] } } }), 'nginx:1', []],
    ['takes nothing where what v1 accepted cannot be taken over', withValues({ controllers: { webhook: { acceptedImages: ['ghcr(', 'a'.repeat(200)] } } }), 'nginx:1', []],
    ['nor where there is something that v1 ignored beside', withValues({ controllers: { webhook: { acceptedImages: ['ghcr('], ignoredImages: ['alpine'] } } }), 'nginx:1', []],
    ['takes over a pattern as long as a filter takes, where it begins at the front', withValues({ controllers: { webhook: { ignoredImages: [`^docker\\.io/library/nginx:${'1'.repeat(96)}`] } } }), `nginx:${'1'.repeat(97)}`, []],
    ['does not take an escape at the end for one of what follows', withValues({ controllers: { webhook: { ignoredImages: ['nginx\\'] } } }), 'nginx:1', ['global-mirror']],
    ['ignores before it accepts', withValues({ controllers: { webhook: { acceptedImages: ['ghcr'], ignoredImages: ['acme'] } } }), 'ghcr.io/acme/api:v1', []],
    ['follows the origin where v1 did, by one rule only', following(['latest', '^15']), 'postgres:latest', ['global-mirror-updated']],
    ['follows it for all tags where v1 was not told which', following([]), 'postgres:14', ['global-mirror-updated']],
    ['follows nothing that had no interval', { ...nothing, repositories: [{ name: 'docker.io/library/postgres', isUpdated: false, updateFilters: ['latest'] }] }, 'postgres:latest', ['global-mirror']],
    ['does not follow other tags', following(['latest']), 'postgres:14', ['global-mirror']],
    ['does not follow other repositories', following(['.']), 'postgresql:14', ['global-mirror']],
    ['follows what a filter named as a Pod does', following(['postgres:15']), 'postgres:15-alpine', ['global-mirror-updated']],
    ['follows what a filter named in full', following(['^docker\\.io/library/postgres:15$']), 'postgres:15', ['global-mirror-updated']],
    ['follows only what a filter named to its end', following(['^postgres:15$']), 'postgres:15.1', ['global-mirror']],
    ['follows all tags where a filter named the repository', following(['postgres']), 'postgres:9', ['global-mirror-updated']],
    ['follows the images that a filter chose which cannot be translated', following(['library/postgres:1[45]|x'], undefined, ['library/postgres:14', 'postgres:15']), 'postgres:14', ['global-mirror-updated']],
    ['and none that it did not', following(['library/postgres:1[45]|x'], undefined, ['library/postgres:14', 'postgres:15']), 'postgres:15', ['global-mirror']],
  ])('%s', (_sentence, setup, image, rules) => {
    expect(mirroredBy(setup, image)).toEqual(rules);
  });

  test('keeps unused copies as long as v1 did, for its architectures, before the origin', () => {
    const [rule] = rulesOf(withValues({ cachedImagesExpiryDelay: 7, architectures: ['amd64', 'arm64'] }));

    expect(rule).toMatchObject({ priority: -1, mirrors: [{ registry: 'registry.example.com', path: '/kuik', cleanup: { enabled: true, retentionMs: 7 * 86_400_000 }, platforms: [{ os: 'linux', architecture: 'amd64' }, { os: 'linux', architecture: 'arm64' }] }] });
  });

  test('names the Secret that pushes, and no other', () => {
    const [resource] = planV1(nothing, { ...target, secret: { namespace: 'kuik-system', name: 'push' } }).resources;

    expect(resource).toMatchObject({ spec: { mirrors: [{ credentialSecret: { namespace: 'kuik-system', name: 'push' } }] } });
  });

  test('has values that the configuration takes: namespaces, ports, registries', () => {
    const { values } = planV1(withValues({ insecureRegistries: ['old.example.com:5000'], proxy: { hostPort: 7000 }, controllers: { webhook: { ignoredNamespaces: ['kube-system', 'a.b'] } } }), target);

    const { config } = loadConfig(JSON.stringify(values['configuration']), { readFile: () => '', installNamespace: 'kuik-system' });
    expect(config?.migration.v1ProxyPort).toBe(7000);
    expect(config?.registries.items['old.example.com:5000']).toMatchObject({ insecureSkipVerify: true });
    expect(['kube-system', 'a.b', 'aXb', 'kube-system-2'].filter((name) => config?.skip.namespaces.some((matches) => matches(name)))).toEqual(['kube-system', 'a.b']);
  });

  test('leaves alone what the chart of v1 did, whatever its values: kube-system, and where v1 is', () => {
    expect(planV1({ ...nothing, namespace: 'v1-system' }, target).values).toEqual({ configuration: { skipNamespaces: ['kube-system', 'v1-system'] } });
  });

  test('goes through the proxies that v1 went through', () => {
    const env = [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' }, { name: 'no_proxy', value: '10.0.0.0/8' }];

    expect(planV1(withValues({ controllers: { env: [...env, { name: 'GOMAXPROCS', value: '2' }] } }), target).values).toMatchObject({ manager: { env } });
  });

  test('has no more items in a filter than the API server takes, and says what does not fit', () => {
    const ignoredImages = (count: number): V1Setup => withValues({ controllers: { webhook: { ignoredImages: Array.from({ length: count }, (_, at) => `registry-${at}\\.example\\.com/`) } } });

    expect(mirroredBy(ignoredImages(40), 'registry-39.example.com/x:1')).toEqual([]);
    expect(mirroredBy(ignoredImages(40), 'registry-40.example.com/x:1')).toEqual(['global-mirror']);
    expect(planV1(ignoredImages(40), target).remarks.map(({ what }) => what).join('\n')).not.toMatch(/16 items/);
    expect(planV1(ignoredImages(90), target).remarks.map(({ what }) => what).join('\n')).toMatch(/registry-89\S+ is more than the 16 items a filter takes/);
  });

  test('lists images that exist only in the registry of v1, with their new places', () => {
    const { onlyInV1, cached: count } = planV1({ ...nothing, cachedImages: [cached('nginx:1.25'), cached('ghcr.io/acme/gone:1', { isUpstream: false }), cached('never:1', { isCached: false, isUpstream: false })] }, target);

    expect(onlyInV1).toEqual([{ image: 'ghcr.io/acme/gone:1', destination: 'registry.example.com/kuik/acme/gone:1' }]);
    expect(count).toBe(2);
  });

  test('lists among them what kuik did not find at its origin: v1 may have looked years ago', () => {
    const { onlyInV1 } = planV1({ ...nothing, cachedImages: [cached('nginx:1.25'), cached('nginx:1.26')], gone: new Set(['docker.io/library/nginx:1.26']) }, target);

    expect(onlyInV1.map(({ image }) => image)).toEqual(['docker.io/library/nginx:1.26']);
  });

  test('counts the Pods behind the proxy, and those that opted out', () => {
    const pods = [aPod({ images: { a: 'localhost:7439/nginx:1' } }), aPod({ labels: { 'kube-image-keeper.enix.io/image-caching-policy': 'ignore' } }), aPod()];

    expect(planV1({ ...nothing, pods }, target).pods).toEqual({ rewritten: 1, optedOut: 1 });
  });

  test.each<[string, V1Setup, RegExp]>([
    ['patterns of which none can be taken over', withValues({ controllers: { webhook: { acceptedImages: ['ghcr('] } } }), /acceptedImages: none of .* global-mirror is suspended/],
    ['a pattern that does not compile', withValues({ controllers: { webhook: { ignoredImages: ['a('] } } }), /a\(.* cannot be taken over/],
    ['a pattern that is too long', withValues({ controllers: { webhook: { ignoredImages: ['a'.repeat(130)] } } }), /longer than 128/],
    ['a pattern that starts at the front of what the Pod said', withValues({ controllers: { webhook: { ignoredImages: ['^nginx'] } } }), /\^nginx: v1 matched what the Pod says/],
    ['labels that chose Pods', withValues({ controllers: { webhook: { objectSelector: { matchExpressions: [{}] } } } }), /objectSelector/],
    ['authorities of registries', withValues({ rootCertificateAuthorities: { secretName: 'ca', keys: ['root.pem'] } }), /Secret ca .*\(root\.pem\)/],
    ['containers that always pull, which v1 left alone unless told', nothing, /ignorePullPolicyAlways.*origin is asked first/],
    ['Pods that an old v1 holds', { ...nothing, heldPods: ['shop/web', 'shop/api'] }, /shop\/web, shop\/api: held by a finalizer of v1 before 1\.3/],
    ['a filter of updates that cannot be translated', following(['a/b|c/d']), /Repository docker\.io\/library\/postgres: the filter a\/b\|c\/d/],
    ['two images of one place', { ...nothing, cachedImages: [cached('nginx:1'), cached('quay.io/library/nginx:1')] }, /docker.io\/library\/nginx:1 and quay.io\/library\/nginx:1 both want/],
  ])('remarks on %s', (_sentence, setup, said) => {
    expect(planV1(setup, target).remarks.map(({ what }) => what).join('\n')).toMatch(said);
  });

  test('says nothing of containers that always pull, where v1 did not leave them alone', () => {
    expect(planV1(withValues({ controllers: { webhook: { ignorePullPolicyAlways: false } } }), target).remarks.map(({ what }) => what).join('\n')).not.toMatch(/ignorePullPolicyAlways/);
  });

  test('is data as its schema says', () => {
    readDocument('MigrationPlan', JSON.stringify(planV1({ ...nothing, cachedImages: [cached('nginx:1', { retain: true, isUpstream: false })] }, target)));
  });

  test('writes the layout that was asked for into the rule', () => {
    expect(planV1(nothing, { ...target, layout: 'host' }).resources).toMatchObject([{ spec: { mirrors: [{ layout: 'host' }] } }]);
    expect(JSON.stringify(planV1(nothing, target).resources)).not.toContain('layout');
  });

  test('knows what v1 calls an image in its registry', () => {
    expect(v1StoredName('docker.io/library/nginx:1')).toBe('docker.io/library/nginx:1');
    expect(v1StoredName('old.example.com:5000/a/b:1')).toBe('old.example.com-5000/a/b:1');
  });
});

describe("what exists only in v1's registry goes", () => {
  const onlyInV1 = (...images: string[]) => images.map((image) => cached(image, { isUpstream: false }));
  /** Rules that copy to the registry that was named, unless said. */
  const rule = (mirror: object, rest: SomeMirrorRule = {}) => aMirrorRule({ mirrors: [{ path: '/kuik', ...mirror }], ...rest });
  const twins = onlyInV1('ghcr.io/acme/api:1', 'quay.io/acme/api:1');
  const heldByGhcr = aRecord({ image: 'ghcr.io/acme/api:1', places: [aCopy('registry.example.com/kuik/acme/api:1')] });

  test.each<[string, Partial<V1Setup>, Partial<V1Target>, string[]]>([
    ['where the rule that is printed wants it', { cachedImages: onlyInV1('quay.io/acme/api:1') }, {}, ['acme/api:1']],
    ['there in the layout that was asked for', { cachedImages: twins }, { layout: 'host' }, ['ghcr.io/acme/api:1', 'quay.io/acme/api:1']],
    ['where a rule of the cluster looks, whatever would be printed', { cachedImages: twins, rules: [rule({ layout: 'host' })] }, {}, ['ghcr.io/acme/api:1', 'quay.io/acme/api:1']],
    ['there below the path that it has', { cachedImages: onlyInV1('quay.io/acme/api:1'), rules: [rule({ path: '/edited' })] }, {}, ['../edited/acme/api:1']],
    ['to each mirror of the rule in that registry', { cachedImages: onlyInV1('quay.io/acme/api:1'), rules: [aMirrorRule({ mirrors: [{ path: '/kuik' }, { path: '/kuik/b' }, { registry: 'other.example.com' }] })] }, {}, ['acme/api:1', 'b/acme/api:1']],
    ['where a rule looks that rests', { cachedImages: onlyInV1('quay.io/acme/api:1'), rules: [rule({ layout: 'host' }, { suspended: true })] }, {}, ['quay.io/acme/api:1']],
    ['where a rule of its namespace looks', { cachedImages: onlyInV1('quay.io/acme/api:1'), rules: [rule({ layout: 'host' }, { namespace: 'shop' })], pods: [aPod({ namespace: 'shop', images: { a: 'localhost:7439/quay.io/acme/api:1' } })] }, {}, ['quay.io/acme/api:1']],
    ['and not where a rule of another namespace does', { cachedImages: onlyInV1('quay.io/acme/api:1'), rules: [rule({ layout: 'host' }, { namespace: 'other' })], pods: [aPod({ namespace: 'shop', images: { a: 'localhost:7439/quay.io/acme/api:1' } })] }, {}, ['acme/api:1']],
    ['once, however often v1 has it', { cachedImages: onlyInV1('nginx:1', 'docker.io/library/nginx:1') }, {}, ['library/nginx:1']],
    ['of two that want one place: the first by name', { cachedImages: twins }, {}, ['acme/api:1']],
    ['nowhere when the place is that of an image whose origin answers', { cachedImages: [cached('ghcr.io/acme/api:1'), ...onlyInV1('quay.io/acme/api:1')] }, {}, []],
    ['nowhere when the place is that of an image that a Pod uses, which v1 never had', { cachedImages: onlyInV1('quay.io/acme/api:1'), pods: [aPod({ images: { a: 'ghcr.io/acme/api:1' } })] }, {}, []],
    ['there all the same when that Pod opted out', { cachedImages: onlyInV1('quay.io/acme/api:1'), pods: [aPod({ images: { a: 'ghcr.io/acme/api:1' }, labels: { 'kube-image-keeper.enix.io/image-caching-policy': 'ignore' } })] }, {}, ['acme/api:1']],
    ['once when it is pinned with its tag and without', { cachedImages: onlyInV1(`quay.io/acme/api@sha256:${'a'.repeat(64)}`, `quay.io/acme/api:1@sha256:${'a'.repeat(64)}`) }, {}, [`acme/api:kuik-sha256-${'a'.repeat(64)}`]],
    ['nowhere when a record says that the place holds another image', { cachedImages: onlyInV1('aaa.io/acme/api:1'), records: [heldByGhcr] }, {}, []],
    ['nowhere when its copy is there', { cachedImages: onlyInV1('ghcr.io/acme/api:1'), records: [heldByGhcr] }, {}, []],
    ['there again when its copy was not found any more', { cachedImages: onlyInV1('ghcr.io/acme/api:1'), records: [aRecord({ image: 'ghcr.io/acme/api:1', places: [aCopy('registry.example.com/kuik/acme/api:1', { state: 'NotFound' })] })] }, {}, ['acme/api:1']],
    ['under the tag that keeps a pinned image', { cachedImages: onlyInV1(`quay.io/acme/api@sha256:${'a'.repeat(64)}`) }, {}, [`acme/api:kuik-sha256-${'a'.repeat(64)}`]],
  ])('%s', (_sentence, setup, rest, places) => {
    const { placed } = placeImages({ ...nothing, ...setup }, { ...target, ...rest });

    expect(placed.map(({ destination }) => destination)).toEqual(places.map((place) => `registry.example.com${join('/kuik', place)}`));
  });

  test.each<[string, Partial<V1Setup>, RegExp[]]>([
    ['which image is not copied, since its place is that of another one', { cachedImages: twins }, [/^ghcr\.io\/acme\/api:1 and quay\.io\/acme\/api:1 both want registry\.example\.com\/kuik\/acme\/api:1, which is the first one's: quay\.io\/acme\/api:1, which exists only in v1's registry, is not copied$/]],
    ['the same of a place whose copy a record knows', { cachedImages: onlyInV1('aaa.io/acme/api:1'), records: [heldByGhcr] }, [/^ghcr\.io\/acme\/api:1 and aaa\.io\/acme\/api:1 both want \S+, which is the first one's: aaa\.io/]],
    ['which image has no place', { cachedImages: onlyInV1(`quay.io/${'a'.repeat(252)}:1`) }, [/^quay\.io\/a+:1, which exists only in v1's registry, has no place at registry\.example\.com\/kuik$/]],
    ['which image v1 cannot be asked for', { cachedImages: onlyInV1('Registry/acme/api:1') }, [/^Registry\/acme\/api:1, .* cannot be asked for by a name/]],
    ['that no rule of the cluster looks for it there', { cachedImages: onlyInV1('quay.io/acme/api:1', 'nginx:1'), rules: [rule({}, { images: { include: [/.*nginx.*/] } })] }, [/^quay\.io\/acme\/api:1: no rule of this cluster looks for it at registry\.example\.com$/]],
    ['nothing of images whose places are clear', { cachedImages: onlyInV1('quay.io/acme/api:1'), rules: [rule({})] }, []],
  ])('and it is said %s', (_sentence, setup, said) => {
    const { remarks } = placeImages({ ...nothing, ...setup }, target);

    expect(remarks.map(({ what }) => what)).toEqual(said.map((each) => expect.stringMatching(each)));
  });
});

describe('what is different after v2', () => {
  const { config } = loadConfig(undefined, { readFile: () => '', installNamespace: 'kuik-system' });
  type Picture = V2Setup['picture'];
  const setup = (rules: readonly Rule[], picture: Partial<Picture> = {}, rest: Partial<V2Setup> = {}): V2Setup => ({ picture: { rules, plan: { wanted: new Map(), collisions: [] }, used: [], ...picture }, resources: [], config: config!, ...rest });
  const collision = { destination: 'r.example.com/x/nginx:1' as PlaceId, image: 'quay.io/library/nginx:1' as ImageName, holder: 'docker.io/library/nginx:1' as ImageName };
  const cleaning = { cleanup: { enabled: true } };

  test.each<[string, V2Setup, 'act' | 'know', RegExp]>([
    ['a rule that cannot be read says so on itself', setup([aMirrorRule({ problems: [brokenFilter], mirrors: [] })]), 'act', /does not compile: the rule is out of force/],
    ['the second image of a place is refused', setup([], { plan: { wanted: new Map(), collisions: [collision] } }), 'act', /quay.io\/library\/nginx:1 is refused/],
    ['a registry on a private address needs its plain HTTP configured', setup([aMirrorRule({ mirrors: [{ registry: '192.168.1.5:5000', ...cleaning, cleanup: { enabled: true, retentionMs: 1 } }] })]), 'act', /private addresses/],
    ['clean-up without retention keeps copies for a month', setup([aMirrorRule({ mirrors: [cleaning] })]), 'know', /720h/],
    ['a retention that v2 wrote itself is what it did', setup([aMirrorRule({ mirrors: [{ cleanup: { enabled: true, retentionMs: 0 } }] })]), 'know', /retention is 0s, perhaps written by v2/],
    ['a clean-up that v2 ignored is none any more', setup([], {}, { resources: [{ kind: 'ImageSetMirror', namespace: 'shop', name: 'x', finalizers: [], spec: { cleanup: { retention: '0s' }, mirrors: [{ cleanup: { enabled: true, retention: '0s' } }] }, status: {} }] }), 'act', /mirrors\[\]\.cleanup is enabled, which v2 ignored/],
    ['a rule without clean-up leaves its copies', setup([aMirrorRule()]), 'know', /its copies stay/],
    ['neighbours are told apart by segments', setup([aMirrorRule({ mirrors: [{ ...cleaning, cleanup: { enabled: true, retentionMs: 1 } }, { path: '/mirror-b', cleanup: { enabled: true, retentionMs: 1 } }] })]), 'know', /below registry.example.com\/mirror-b/],
    ['a discarded match takes its origin out', setup([aReplicaRule({ upstreams: [{ registry: 'docker.io', discarded: true }] })]), 'know', /takes the origin out/],
    ['pinned images are mirrored', setup([], { used: [{ ref: knownImageRef(`nginx@sha256:${'a'.repeat(64)}`), users: [], pods: 1, original: true }] }), 'know', /1 pinned images/],
    ['a finalizer of v2 is drained', setup([], {}, { resources: [{ kind: 'ClusterReplicatedImageSet', name: 'x', finalizers: ['kuik.enix.io/secret-cleanup'], spec: {}, status: {} }] }), 'know', /secret-cleanup/],
  ])('%s', (_sentence, from, weight, what) => {
    const items = differencesFrom(from);

    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ weight, what: expect.stringMatching(what) });
  });

  test('is nothing of a registry whose plain HTTP is configured, and of loopback', () => {
    const plain = loadConfig('registries: {items: {"10.0.0.1:5000": {plainHTTP: true}}}', { readFile: () => '', installNamespace: 'k' }).config!;
    const rule = aMirrorRule({ mirrors: ['10.0.0.1:5000', '127.0.0.1:5000', 'registry.example.com'].map((registry) => ({ registry, cleanup: { enabled: true, retentionMs: 1 } })) });

    expect(differencesFrom(setup([rule], {}, { config: plain }))).toEqual([]);
  });

  test('lists what to act on first', () => {
    const items = differencesFrom(setup([aMirrorRule(), aMirrorRule({ name: 'broken', problems: [brokenFilter], mirrors: [] })]));

    expect(items.map(({ weight }) => weight)).toEqual(['act', 'know']);
  });
});
