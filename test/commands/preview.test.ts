import { describe, expect, test } from '@jest/globals';
import { changesOf, problemsOf, type Side } from '../../src/commands/preview/changes.js';
import { fatesOf } from '../../src/commands/preview/fates.js';
import { changesTable, fatesDocument, fatesNames, fatesTable } from '../../src/commands/preview/report.js';
import { rulesIn, withRules } from '../../src/commands/preview/rules-in.js';
import type { ImageRecord } from '../../src/domain/record.js';
import type { Rule } from '../../src/domain/rule.js';
import type { Pod } from '../../src/domain/usage.js';
import { UsageView } from '../../src/views/usage.js';
import { lookAround } from '../../src/watchers/reconcile.js';
import { aCopy, aPod, aRecord } from '../support/builders.js';
import { readDocument } from '../support/documents.js';

const now = Date.parse('2026-11-20T12:00:00Z');
const hour = 3_600_000;
const place = (name: string): string => `registry.example.com/mirror/library/${name}`;
const unusedSince = '2026-11-20T00:00:00.000Z';

const rule = (cleanup: string, more = ''): string => `
apiVersion: kuik.enix.io/v1alpha1
kind: ClusterImageSetMirror
metadata: {name: main}
spec:
  filter: {include: [{image: ".*"}]}
  mirrors: [{registry: registry.example.com, path: /mirror${cleanup}}]
${more}`;
const cleaning = rule(', cleanup: {enabled: true, retention: 24h}');
const keeping = rule('');
const read = (text: string): readonly Rule[] => rulesIn(text, { namespace: 'shop', installNamespace: 'kuik-system' });

function look({ rules, records, pods = [], isConnected = false }: { rules: readonly Rule[]; records: readonly ImageRecord[]; pods?: readonly Pod[]; isConnected?: boolean }): Side {
  const usage = new UsageView({ v1ProxyPort: 0 });
  for (const pod of pods) usage.apply({ type: 'put', key: pod.key, object: pod });
  const settings = { platforms: [{ architecture: 'amd64' }], retentionMs: 30 * 24 * hour, isConnected, skip: { labels: [], annotations: [], namespaces: [] } };
  const picture = lookAround({ usage, rules: { snapshot: () => rules }, records: { snapshot: () => records }, namespaceLabels: () => ({}), settings, now: () => now });
  return { picture, fates: fatesOf({ picture, podsAt: (at) => usage.podsAt(at).length, settings }) };
}

const copied = (image: string, some: Partial<ImageRecord> = {}): ImageRecord => aRecord({ image, pods: 0, unusedSince, places: [aCopy(place(image), { rule: 'ClusterImageSetMirror/main' })], ...some });

describe('what becomes of a copy', () => {
  test.each<[string, string, ImageRecord, Pod[], object]>([
    ['unused, with clean-up, goes when its retention ends', cleaning, copied('nginx:1'), [], { fate: 'goes', at: Date.parse('2026-11-21T00:00:00Z') }],
    ['of an image in use stays', cleaning, copied('nginx:1'), [aPod({ images: { web: 'nginx:1' } })], { fate: 'stays', by: 'claimed' }],
    ['that a Pod pulls from stays', cleaning, copied('nginx:1'), [aPod({ images: { web: place('nginx:1') } })], { fate: 'stays', by: 'in-use' }],
    ['that is pinned stays', cleaning, copied('nginx:1', { keepUntil: 'forever' }), [], { fate: 'stays', by: 'pinned' }],
    ['that is pinned until later stays until then', cleaning, copied('nginx:1', { keepUntil: '2026-12-01T00:00:00Z' }), [], { fate: 'stays', by: 'pinned', until: Date.parse('2026-12-01T00:00:00Z') }],
    ['without clean-up stays', keeping, copied('nginx:1'), [], { fate: 'stays', by: 'no-cleanup' }],
  ])('%s', (_sentence, rules, record, pods, fate) => {
    expect(look({ rules: read(rules), records: [record], pods }).fates.map((each) => each.fate)).toEqual([fate]);
  });

  test.each<[string, boolean, object]>([
    ['goes where all its clusters meet, and never before 48 hours', true, { fate: 'goes', at: Date.parse('2026-11-22T00:00:00Z') }],
    ['stays where they do not: nobody knows what the others use', false, { fate: 'stays', by: 'no-cleanup' }],
  ])('on a shared mirror %s', (_sentence, isConnected, fate) => {
    const shared = read(rule(', shared: true, cleanup: {enabled: true, retention: 24h}'));

    expect(look({ rules: shared, records: [copied('nginx:1')], isConnected }).fates.map((each) => each.fate)).toEqual([fate]);
  });

  test('is printed with the soonest end first, and why the others stay', () => {
    const later = copied('later:1', { unusedSince: '2026-11-20T06:00:00.000Z' });
    const { fates } = look({ rules: read(cleaning), records: [later, copied('nginx:1'), copied('kept:1', { keepUntil: 'forever' })] });

    expect(fatesTable(fates, { all: false })).toBe(
      `IMAGE                       PLACE                                         GOES                       RULE                         WHY
docker.io/library/nginx:1   registry.example.com/mirror/library/nginx:1   2026-11-21T00:00:00.000Z   ClusterImageSetMirror/main   unused, and its retention ends; other clusters can delay it
docker.io/library/later:1   registry.example.com/mirror/library/later:1   2026-11-21T06:00:00.000Z   ClusterImageSetMirror/main   unused, and its retention ends; other clusters can delay it
2 of 3 copies will be deleted; kept: 1 (pinned)
`,
    );
    expect(fatesTable(fates, { all: true })).toContain('stays');
    expect(fatesTable(fates, { all: false, form: 'wide' })).toMatch(/RULE +PODS +RECORD +WHY\n.*nginx:1 .* 0 +docker\.io-library-nginx-1-[0-9a-f]{8} +unused/);
    expect(fatesNames(fates, false)).toMatch(/^imageavailability\.kuik\.enix\.io\/docker\.io-library-nginx-1-[0-9a-f]{8}\nimageavailability\S+later-1-\S+\n$/);
    expect(fatesNames(fates, true)).toContain('kept-1');
    expect(readDocument('CopyFateList', JSON.stringify(fatesDocument(fates)))).toMatchObject({ kind: 'CopyFateList', items: [{ fate: 'goes', at: '2026-11-21T06:00:00.000Z' }, { fate: 'goes' }, { fate: 'stays', by: 'pinned' }] });
  });
});

describe('what applying rules would change', () => {
  const pods = [aPod({ images: { web: 'nginx:1' } })];
  const records = [copied('nginx:1', { pods: 1, unusedSince: undefined }), copied('old:1')];
  const changes = (from: string, to: string): object[] => {
    const rules = read(from);
    return changesOf(look({ rules, records, pods }), look({ rules: withRules(rules, read(to)), records, pods })).map(({ action, place: at }) => ({ action, at }));
  };

  test('nothing, when they are there already', () => {
    expect(changes(cleaning, cleaning)).toEqual([]);
  });

  test('a mirror that is added gets the images in use', () => {
    const second = keeping.replace('}]\n', '}, {registry: spare.example.com}]\n');

    expect(changes(keeping, second)).toEqual([{ action: 'copy', at: 'spare.example.com/library/nginx:1' }]);
  });

  test('clean-up that is turned on deletes what nobody uses', () => {
    expect(changes(keeping, cleaning)).toEqual([{ action: 'delete', at: place('old:1') }]);
  });

  test('a filter that selects nothing any more releases copies, and without clean-up they stay', () => {
    expect(changes(keeping, keeping.replace('".*"', '"quay.io/.*"'))).toEqual([{ action: 'release', at: place('nginx:1') }]);
  });

  test('a filter that selects nothing any more deletes them with clean-up', () => {
    expect(changes(cleaning, cleaning.replace('".*"', '"quay.io/.*"'))).toEqual([{ action: 'delete', at: place('nginx:1') }]);
  });

  test('is summed up', () => {
    expect(changesTable([])).toBe('0 to copy, 0 to release, 0 to delete; nothing was changed\n');
  });

  test('rules that cannot be used, and images that collide, are problems that name object and field', () => {
    const twins = [aPod({ name: 'a', images: { web: 'quay.io/library/nginx:1' } }), ...pods];
    const bad = read(keeping.replace('".*"', '"("'));
    const before = look({ rules: [], records: [], pods: twins }).picture;

    expect(problemsOf(bad, before, look({ rules: bad, records: [], pods: twins }).picture)).toEqual([expect.stringMatching(/^ClusterImageSetMirror\/main: spec.filter.include\[0\].image/)]);
    const good = read(keeping);
    expect(problemsOf(good, before, look({ rules: good, records: [], pods: twins }).picture)).toEqual([expect.stringMatching(/both want it, .* layout: host/)]);
  });
});

test('rules are read from lists and from files with other objects; a namespaced one without a namespace gets the given one', () => {
  const text = `kind: Service\n---\nkind: List\nitems:\n  - {apiVersion: kuik.enix.io/v1alpha1, kind: ImageSetMirror, metadata: {name: own}, spec: {}}\n---\n${keeping}`;

  expect(read(text).map(({ id }) => [id.kind, id.namespace, id.name])).toEqual([['ImageSetMirror', 'shop', 'own'], ['ClusterImageSetMirror', undefined, 'main']]);
});
