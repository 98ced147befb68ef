import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { translateRule, type Translatable } from '../../src/api/translate.js';
import { kinds } from '../../src/api/v1alpha1/kinds.js';
import { podInScope, selectsImage } from '../../src/domain/filter.js';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { isInForce, isValid, ruleKinds, type MirrorRule, type MonitorRule, type ReplicaRule, type Rule, type RuleKind } from '../../src/domain/rule.js';
import { v2Resources } from './worked-examples.js';

const settings = { installNamespace: 'kuik-system' };
const hour = 3_600_000;

function aResource(kind: RuleKind, spec: unknown, more: Partial<Translatable> = {}): Translatable {
  const namespace = kind.startsWith('Cluster') ? {} : { namespace: 'team-a' };
  return { kind, ...namespace, name: 'main', uid: 'uid-1', generation: 3, spec, ...more };
}

const translate = (kind: RuleKind, spec: unknown, more?: Partial<Translatable>): Rule => translateRule(aResource(kind, spec, more), settings);
const mirrorRule = (spec: unknown): MirrorRule => translate('ClusterImageSetMirror', spec) as MirrorRule;
const tenantRule = (spec: unknown): MirrorRule => translate('ImageSetMirror', spec) as MirrorRule;
const replicaRule = (spec: unknown): ReplicaRule => translate('ClusterReplicatedImageSet', spec) as ReplicaRule;
const monitorRule = (spec: unknown): MonitorRule => translate('ClusterImageSetAvailability', spec) as MonitorRule;

describe('what every rule has', () => {
  test('an empty spec is valid, and in force with nothing to do', () => {
    for (const kind of ruleKinds) {
      const rule = translate(kind, undefined);

      expect(rule).toMatchObject({ id: { kind, name: 'main', uid: 'uid-1' }, generation: 3, priority: 0, suspended: false, problems: [] });
      expect(isInForce(rule)).toBe(true);
    }
  });

  test('priority, suspension, namespace and deletion are carried over', () => {
    const rule = translate('ImageSetMirror', { priority: -7, suspend: true }, { deletionTimestamp: '2026-11-20T10:50:14Z' });

    expect(rule).toMatchObject({ id: { namespace: 'team-a' }, priority: -7, suspended: true, deletedAt: '2026-11-20T10:50:14Z' });
    expect(isInForce(rule)).toBe(false);
    expect(isValid(rule)).toBe(true);
  });

  test.each([
    [2 ** 63, Number.MAX_SAFE_INTEGER],
    [-(2 ** 63), Number.MIN_SAFE_INTEGER],
  ])('a priority of %d saturates, and nothing is reported', (written, read) => {
    expect(mirrorRule({ priority: written, mirrors: [{ registry: 'r.example.com', priority: written }] })).toMatchObject({ priority: read, mirrors: [{ priority: read }], problems: [] });
  });
});

describe('a problem disables what it must, and nothing else', () => {
  test.each<[string, Rule, { reason: string; field: string; disables: string; says: RegExp }, boolean]>([
    ['a filter pattern that does not compile puts the rule out of force', mirrorRule({ filter: { include: [{ image: 'ok' }, { image: '[' }] } }), { reason: 'InvalidFilter', field: 'spec.filter.include[1].image', disables: 'rule', says: /missing closing \]/ }, false],
    ['a namespace pattern that does not compile, too', monitorRule({ filter: { exclude: [{ namespace: '*' }] } }), { reason: 'InvalidFilter', field: 'spec.filter.exclude[0].namespace', disables: 'rule', says: /RE2 pattern/ }, false],
    ['a label selector that is none, too', replicaRule({ filter: { include: [{ label: 'app=a b' }] } }), { reason: 'InvalidFilter', field: 'spec.filter.include[0].label', disables: 'rule', says: /selector/ }, false],
    ['an annotation selector that is none, too', tenantRule({ filter: { include: [{ annotation: '-app' }] } }), { reason: 'InvalidFilter', field: 'spec.filter.include[0].annotation', disables: 'rule', says: /selector/ }, false],
    ['a top-level imageFilter pattern that does not compile, too', mirrorRule({ imageFilter: { exclude: ['a)(b'] } }), { reason: 'InvalidFilter', field: 'spec.imageFilter.exclude[0]', disables: 'rule', says: /unexpected \)/ }, false],
    ['a pattern that would swallow our parentheses, too', mirrorRule({ imageFilter: { include: ['\\Qabc'] } }), { reason: 'InvalidFilter', field: 'spec.imageFilter.include[0]', disables: 'rule', says: /does not compile/ }, false],
    ['an item with two keys', mirrorRule({ filter: { include: [{ image: 'a', label: 'b' }] } }), { reason: 'InvalidSpec', field: 'spec.filter.include[0]', disables: 'rule', says: /exactly one of image, label, annotation, namespace/ }, false],
    ['an item without a key', mirrorRule({ filter: { include: [{}] } }), { reason: 'InvalidSpec', field: 'spec.filter.include[0]', disables: 'rule', says: /has no key/ }, false],
    ['a namespace item in a namespaced kind', tenantRule({ filter: { include: [{ namespace: 'a' }] } }), { reason: 'InvalidSpec', field: 'spec.filter.include[0]', disables: 'rule', says: /has namespace/ }, false],
    ['an image item in a replica kind', replicaRule({ filter: { include: [{ image: 'a' }] } }), { reason: 'InvalidSpec', field: 'spec.filter.include[0]', disables: 'rule', says: /has image/ }, false],
    ['both filters', mirrorRule({ filter: { include: [{ image: 'a' }] }, imageFilter: { include: ['b'] } }), { reason: 'InvalidSpec', field: 'spec.imageFilter', disables: 'rule', says: /beside filter/ }, false],
    ['a spec that is no object', mirrorRule('oops'), { reason: 'InvalidSpec', field: 'spec', disables: 'rule', says: /write an object/ }, false],
    ['mirrors that are no list', mirrorRule({ mirrors: 'oops' }), { reason: 'InvalidSpec', field: 'spec.mirrors', disables: 'rule', says: /write a list/ }, false],
    ['a priority that is no number', mirrorRule({ priority: 'high' }), { reason: 'InvalidSpec', field: 'spec.priority', disables: 'rule', says: /whole number/ }, false],
    ['a retention in days turns clean-up off', mirrorRule({ cleanup: { enabled: true, retention: '7d' } }), { reason: 'InvalidSpec', field: 'spec.cleanup.retention', disables: 'cleanup', says: /"7d".*168h/ }, true],
    ['a negative retention, too', mirrorRule({ cleanup: { enabled: true, retention: '-1h' } }), { reason: 'InvalidSpec', field: 'spec.cleanup.retention', disables: 'cleanup', says: /negative.*168h/ }, true],
    ['a retention that is a number, too', mirrorRule({ cleanup: { retention: 5 } }), { reason: 'InvalidSpec', field: 'spec.cleanup.retention', disables: 'cleanup', says: /write a text/ }, true],
    ['an expiry in days counts as none', monitorRule({ unusedImageExpiry: '30d' }), { reason: 'InvalidSpec', field: 'spec.unusedImageExpiry', disables: 'nothing', says: /"30d".*168h/ }, true],
    ['a negative expiry, too', monitorRule({ unusedImageExpiry: '-1h' }), { reason: 'InvalidSpec', field: 'spec.unusedImageExpiry', disables: 'nothing', says: /negative/ }, true],
    ['a mirror with a scheme is left out', mirrorRule({ mirrors: [{ registry: 'https://r.example.com', path: '/m' }] }), { reason: 'InvalidSpec', field: 'spec.mirrors[0]', disables: 'item', says: /registry\.example\.com/ }, true],
    ['a mirror with an upper-case path, too', mirrorRule({ mirrors: [{ registry: 'r.example.com', path: '/Mirror' }] }), { reason: 'InvalidSpec', field: 'spec.mirrors[0]', disables: 'item', says: /Mirror/ }, true],
    ['a mirror that points upwards, too', mirrorRule({ mirrors: [{ registry: 'r.example.com', path: '/a/../b' }] }), { reason: 'InvalidSpec', field: 'spec.mirrors[0]', disables: 'item', says: /"\.\."/ }, true],
    ['a mirror that is nowhere, too: it would be all of Docker Hub', mirrorRule({ mirrors: [{}] }), { reason: 'InvalidSpec', field: 'spec.mirrors[0]', disables: 'item', says: /names neither a registry nor a path.*registry\.example\.com/ }, true],
    ['a mirror of empty texts, too', mirrorRule({ mirrors: [{ registry: '', path: '/' }] }), { reason: 'InvalidSpec', field: 'spec.mirrors[0]', disables: 'item', says: /Docker Hub/ }, true],
    ['an unknown way to copy, too', mirrorRule({ mirrors: [{ registry: 'r.example.com', copy: 'some' }] }), { reason: 'InvalidSpec', field: 'spec.mirrors[0].copy', disables: 'item', says: /all, sparse, rewrite, auto/ }, true],
    ['a platform without architecture, too', mirrorRule({ mirrors: [{ registry: 'r.example.com', platforms: [{ os: 'linux' }] }] }), { reason: 'InvalidSpec', field: 'spec.mirrors[0].platforms[0].architecture', disables: 'item', says: /amd64/ }, true],
    ['a Secret without name counts as none', mirrorRule({ mirrors: [{ registry: 'r.example.com', credentialSecret: {} }] }), { reason: 'InvalidSpec', field: 'spec.mirrors[0].credentialSecret.name', disables: 'nothing', says: /name the Secret/ }, true],
    ['an upstream with a pattern that does not compile is left out', replicaRule({ upstreams: [{ registry: 'quay.io', path: '/a', imageFilter: { include: ['['] } }] }), { reason: 'InvalidUpstream', field: 'spec.upstreams[0].imageFilter.include[0]', disables: 'item', says: /missing closing \]/ }, true],
    ['an upstream that is no place, too', replicaRule({ upstreams: [{ registry: 'https://quay.io', path: '/a' }] }), { reason: 'InvalidUpstream', field: 'spec.upstreams[0]', disables: 'item', says: /no place/ }, true],
    ['an upstream that points upwards, too', replicaRule({ upstreams: [{ registry: 'quay.io', path: '../a' }] }), { reason: 'InvalidUpstream', field: 'spec.upstreams[0]', disables: 'item', says: /"\.\."/ }, true],
  ])('%s', (_sentence, rule, { says, ...problem }, inForce) => {
    expect(rule.problems).toEqual([{ ...problem, message: expect.stringMatching(says) }]);
    expect(rule.problems[0]?.message).toContain(problem.field);
    expect(isInForce(rule)).toBe(inForce);
  });

  test('the neighbours of a wrong mirror work, and keep their positions', () => {
    const rule = mirrorRule({ mirrors: [{ registry: 'a.example.com' }, { registry: 'https://b.example.com' }, 'oops', { registry: 'd.example.com' }] });

    expect(rule.mirrors.map(({ registry, index }) => [registry, index])).toEqual([['a.example.com', 0], ['d.example.com', 3]]);
    expect(rule.problems.map(({ field }) => field)).toEqual(['spec.mirrors[1]', 'spec.mirrors[2]']);
  });

  test('the neighbours of a wrong upstream work', () => {
    const rule = replicaRule({ upstreams: [{ registry: 'a.io', path: '', imageFilter: { include: ['['] } }, { registry: 'b.io', path: '' }] });

    expect(rule.upstreams.map(({ registry }) => registry)).toEqual(['b.io']);
  });

  test('a broken filter leaves the mirrors readable: their prefixes still prevent loops', () => {
    expect(mirrorRule({ filter: { include: [{ image: '[' }] }, mirrors: [{ registry: 'r.example.com', path: '/m' }] }).mirrors).toHaveLength(1);
  });
});

describe('mirrors', () => {
  test('have the defaults of the contract', () => {
    expect(mirrorRule({ mirrors: [{ registry: 'r.example.com', path: '/m' }] })).toMatchObject({
      drift: 'keep',
      mirrors: [{ index: 0, registry: 'r.example.com', path: '/m', priority: 0, copy: 'auto', layout: 'path', referrers: 'auto', shared: false, cleanup: { enabled: false } }],
    });
  });

  test('read every field', () => {
    const spec = {
      drift: 'sync',
      mirrors: [
        { registry: 'r.example.com', path: '/m', priority: 4, copy: 'sparse', layout: 'host', referrers: 'none', shared: true, platforms: [{ os: '', architecture: 'arm64', variant: 'v8' }], credentialSecret: { name: 'push', namespace: 'secrets' }, pullSecret: { name: 'pull' } },
      ],
    };

    expect(mirrorRule(spec)).toMatchObject({
      drift: 'sync',
      mirrors: [
        { priority: 4, copy: 'sparse', layout: 'host', referrers: 'none', shared: true, platforms: [{ architecture: 'arm64', variant: 'v8' }], credentialSecret: { name: 'push', namespace: 'secrets' }, pullSecret: { name: 'pull', namespace: 'kuik-system' } },
      ],
    });
  });

  test.each([
    ['a cluster kind reads the namespace that is named', mirrorRule, { name: 's', namespace: 'n' }, { name: 's', namespace: 'n' }],
    ['a cluster kind without one reads ours', mirrorRule, { name: 's' }, { name: 's', namespace: 'kuik-system' }],
    ['a cluster kind with an empty one reads ours', mirrorRule, { name: 's', namespace: '' }, { name: 's', namespace: 'kuik-system' }],
    ['a namespaced kind always reads its own', tenantRule, { name: 's', namespace: 'n' }, { name: 's', namespace: 'team-a' }],
  ])('Secrets: %s', (_sentence, ruleOf, written, read) => {
    expect(ruleOf({ mirrors: [{ registry: 'r.example.com', credentialSecret: written }] }).mirrors[0]?.credentialSecret).toEqual(read);
  });

  test.each([
    ['none at all', undefined, undefined, { enabled: false }],
    ['that of the rule', { enabled: true, retention: '168h' }, undefined, { enabled: true, retentionMs: 168 * hour }],
    ['the retention of the mirror', { enabled: true, retention: '168h' }, { retention: '24h' }, { enabled: true, retentionMs: 24 * hour }],
    ['the switch of the mirror', { enabled: true, retention: '168h' }, { enabled: false }, { enabled: false, retentionMs: 168 * hour }],
    ['only that of the mirror', undefined, { enabled: true, retention: '0s' }, { enabled: true, retentionMs: 0 }],
    ['that of the rule, where v2 wrote 0s into the mirror because nothing stood there', { enabled: true, retention: '168h' }, { enabled: true, retention: '0s' }, { enabled: true, retentionMs: 168 * hour }],
    ['the usual retention, where v2 wrote 0s into both and cleaned nothing up', { retention: '0s' }, { enabled: true, retention: '0s' }, { enabled: true }],
    ['none, where v2 wrote 0s into both and cleaned up at once', { enabled: true, retention: '0s' }, { enabled: true, retention: '0s' }, { enabled: true, retentionMs: 0 }],
    ['an empty retention, which is none', { enabled: true, retention: '' }, {}, { enabled: true }],
    ['a mirror that does not use the broken retention of the rule', { enabled: true, retention: '7d' }, { retention: '24h' }, { enabled: true, retentionMs: 24 * hour }],
    ['a mirror that uses the broken retention of the rule', { enabled: true, retention: '7d' }, { enabled: true }, { enabled: false }],
    ['a broken retention of the mirror', { enabled: true, retention: '168h' }, { retention: '7d' }, { enabled: false }],
  ])('clean-up: %s', (_sentence, ofRule, ofMirror, read) => {
    expect(mirrorRule({ cleanup: ofRule, mirrors: [{ registry: 'r.example.com', cleanup: ofMirror }] }).mirrors[0]?.cleanup).toEqual(read);
  });
});

describe('upstreams', () => {
  test('read every field', () => {
    const spec = { upstreams: [{ registry: 'quay.io', path: '/a', priority: -1, discardAlternative: true, imageFilter: { include: ['/a/.+'] }, credentialSecret: { name: 's' } }] };

    expect(replicaRule(spec).upstreams).toMatchObject([{ index: 0, registry: 'quay.io', path: '/a', priority: -1, discarded: true, images: { selectsNone: false }, credentialSecret: { name: 's', namespace: 'kuik-system' } }]);
  });
});

describe('monitoring', () => {
  test.each([
    ['720h', 720 * hour],
    ['0', 0],
    ['', 0],
    [undefined, 0],
  ])('an expiry of %p is %d ms', (written, read) => {
    expect(monitorRule({ unusedImageExpiry: written })).toMatchObject({ unusedExpiryMs: read, problems: [] });
  });
});

const nginx = knownImageRef('nginx:1.27');
const latest = knownImageRef('nginx');
const quay = knownImageRef('quay.io/acme/api:v4');
const shop = { namespace: 'shop', labels: { app: 'web' }, annotations: {} };
const sandbox = { namespace: 'sandbox', labels: {}, annotations: {} };

describe('which images and Pods a filter selects', () => {
  const selected = (rule: MirrorRule | MonitorRule): string[] => Object.entries({ nginx, latest, quay }).filter(([, ref]) => selectsImage(rule.images, ref)).map(([name]) => name);
  const inScope = (rule: Rule): string[] => Object.entries({ shop, sandbox }).filter(([, pod]) => podInScope(rule.pods, pod)).map(([name]) => name);

  test.each([
    ['no items, no patterns: none', {}, [], ['shop', 'sandbox']],
    ['empty lists: none', { filter: { include: [], exclude: [] }, imageFilter: { include: [] } }, [], ['shop', 'sandbox']],
    ['includes of imageFilter: all that match one', { imageFilter: { include: ['docker\\.io/.+:.+', 'x'] } }, ['nginx'], ['shop', 'sandbox']],
    ['excludes of imageFilter: all but these', { imageFilter: { exclude: ['docker\\.io/.+:.+'] } }, ['latest', 'quay'], ['shop', 'sandbox']],
    ['both of imageFilter: included minus excluded', { imageFilter: { include: ['.+:.+'], exclude: ['quay\\.io/.+'] } }, ['nginx'], ['shop', 'sandbox']],
    ['only label items: all images of these Pods', { filter: { include: [{ label: 'app=web' }] } }, ['nginx', 'latest', 'quay'], ['shop']],
    ['only namespace items: all images of these Pods', { filter: { exclude: [{ namespace: 'sand.*' }] } }, ['nginx', 'latest', 'quay'], ['shop']],
    ['only excluded images: all but these', { filter: { exclude: [{ image: 'quay\\.io/.+' }] } }, ['nginx', 'latest'], ['shop', 'sandbox']],
    ['included images and other items', { filter: { include: [{ image: '.+:.+' }, { label: 'app' }], exclude: [{ image: 'quay\\.io/.+' }] } }, ['nginx'], ['shop']],
    ['an empty image item: all', { filter: { include: [{ image: '' }] } }, ['nginx', 'latest', 'quay'], ['shop', 'sandbox']],
    ['an empty label item: all', { filter: { include: [{ label: '' }] } }, ['nginx', 'latest', 'quay'], ['shop', 'sandbox']],
    ['an empty item beside others constrains nothing', { filter: { include: [{ image: '' }, { image: 'quay\\.io/.+' }], exclude: [{ label: '' }] } }, ['quay'], ['shop', 'sandbox']],
    ['a blank selector selects every Pod, so excluding it leaves none', { filter: { exclude: [{ label: ' ' }] } }, ['nginx', 'latest', 'quay'], []],
    ['two labels: one match is enough', { filter: { include: [{ label: 'app=x' }, { label: 'app=web' }] } }, ['nginx', 'latest', 'quay'], ['shop']],
    ['label and namespace: both must accept', { filter: { include: [{ label: 'app=web' }, { namespace: 'sandbox' }] } }, ['nginx', 'latest', 'quay'], []],
  ])('%s', (_sentence, spec, images, pods) => {
    for (const rule of [mirrorRule(spec), monitorRule(spec)]) {
      expect(rule.problems).toEqual([]);
      expect(selected(rule)).toEqual(images);
      expect(inScope(rule)).toEqual(pods);
    }
  });

  test.each([
    ['no items: all Pods', {}, ['shop', 'sandbox']],
    ['items: these Pods', { filter: { include: [{ label: 'app' }] } }, ['shop']],
  ])('replica kinds, %s', (_sentence, spec, pods) => {
    expect(inScope(replicaRule(spec))).toEqual(pods);
  });

  test.each([
    ['without patterns matches none', {}, []],
    ['with empty lists matches none', { imageFilter: { include: [], exclude: [] } }, []],
    ['with excludes only matches the rest', { imageFilter: { exclude: ['docker\\.io/.+'] } }, ['quay']],
  ])('an upstream %s', (_sentence, spec, images) => {
    const upstream = replicaRule({ upstreams: [{ registry: '', path: '', ...spec }] }).upstreams[0]!;

    expect(Object.entries({ nginx, quay }).filter(([, ref]) => selectsImage(upstream.images, ref)).map(([name]) => name)).toEqual(images);
  });
});

describe('examples', () => {
  const folder = join(import.meta.dirname, '..', '..', 'examples');
  const examples = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml') && !name.endsWith('values.yaml'))
    .flatMap((name) => parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((document) => [name, document.toJS() as unknown] as const));

  test.each([...examples, ...v2Resources.map(([name, text]) => [name, parse(text) as unknown] as const)])('%s is accepted and translated without a problem', (_name, object) => {
    const { kind, metadata, spec } = object as { kind: RuleKind; metadata: { name: string; namespace?: string }; spec: unknown };

    const schema = kinds.find((known) => known.kind === kind)?.spec;
    const rule = translateRule({ kind, ...metadata, uid: 'uid', generation: 1, spec }, settings);

    expect(schema?.safeParse(spec)).toMatchObject({ success: true });
    expect(rule.problems).toEqual([]);
  });
});

describe('whatever stands in a spec', () => {
  const texts = fc.oneof(fc.string(), fc.constantFrom('[', 'a)(b', '7d', '168h', 'app=a b', '..', 'https://x', 'registry.example.com', '/Mirror'));
  const anything = fc.jsonValue({ maxDepth: 4 });
  const value = fc.oneof(texts, anything);
  const list = fc.oneof(value, fc.array(fc.oneof(value, fc.dictionary(fc.constantFrom('image', 'label', 'annotation', 'namespace', 'registry', 'path', 'priority', 'copy', 'cleanup', 'platforms', 'credentialSecret', 'imageFilter', '__proto__'), value)), { maxLength: 4 }));
  const filter = fc.oneof(value, fc.record({ include: list, exclude: list }, { requiredKeys: [] }));
  const spec = fc.oneof(
    anything,
    fc.record({ priority: value, suspend: value, filter, imageFilter: filter, cleanup: fc.oneof(value, fc.record({ enabled: value, retention: value })), mirrors: list, upstreams: list, drift: value, unusedImageExpiry: value }, { requiredKeys: [] }),
  );

  test('translating never throws, names every field below spec, and never offers what is broken', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ruleKinds), spec, (kind, written) => {
        const rule = translate(kind, written);

        for (const { field, message } of rule.problems) {
          expect(field.startsWith('spec')).toBe(true);
          expect(message.startsWith(field)).toBe(true);
        }
        for (const matches of rule.pods.include.namespaces) expect(typeof matches('x')).toBe('boolean');
      }),
      { numRuns: 1000 },
    );
  });

  test('a wrong item never changes what the items beside it become', () => {
    const good = { registry: 'good.example.com', path: '/m' };

    fc.assert(
      fc.property(value, value, (before, after) => {
        const [alone] = mirrorRule({ mirrors: [good] }).mirrors;

        const found = mirrorRule({ mirrors: [before, good, after] }).mirrors.find(({ index }) => index === 1);

        expect(found).toEqual({ ...alone, index: 1 });
      }),
    );
  });
});

test.each([
  ['true', true],
  ['yes', undefined],
])('a rule whose annotation asks for a purge with %s: %s', (value, purge) => {
  const resource = { kind: 'ClusterImageSetMirror', name: 'r', uid: 'u', generation: 1, annotations: { 'kuik.enix.io/purge': value }, spec: {} } as const;

  expect(translateRule(resource, { installNamespace: 'kuik-system' }).purge).toBe(purge);
});
