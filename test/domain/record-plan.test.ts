import { describe, expect, test } from '@jest/globals';
import { imageName, knownImageRef } from '../../src/domain/image-ref.js';
import { planMirrors } from '../../src/domain/mirror.js';
import { planRecords, type RecordPlan } from '../../src/domain/record-plan.js';
import type { ImageRecord, PlaceRecord } from '../../src/domain/record.js';
import type { Rule } from '../../src/domain/rule.js';
import { aCopy, aMirrorRule, aMonitorRule, aPod, aRecord, aReplicaRule } from '../support/builders.js';

const now = Date.parse('2026-11-20T12:00:00Z');
const hour = 3_600_000;
const copy = 'registry.example.com/mirror/library/nginx:1.27';
const cleaning = aMirrorRule({ mirrors: [{ cleanup: { enabled: true, retentionMs: 7 * 24 * hour } }] });

const suspended = aMirrorRule({ suspended: true, mirrors: [{ cleanup: { enabled: true } }] });

interface Situation {
  readonly used?: readonly string[];
  readonly rules?: readonly Rule[];
  readonly records?: readonly ImageRecord[];
  /** Pods that pull from the copy */
  readonly pulling?: number;
  /** a template names the copy */
  readonly isNamed?: boolean;
  readonly isConnected?: boolean;
}

function plan({ used = [], rules = [], records = [], pulling = 0, isNamed = false, isConnected }: Situation): RecordPlan {
  const uses = used.map((image) => ({ ref: knownImageRef(image), users: [aPod()], pods: 1, original: false }));
  const mirrors = planMirrors({ used: uses, rules, records, podsPulling: () => pulling, isNamed: () => isNamed, pulled: [], orphans: new Set(), settings: { platforms: [{ architecture: 'amd64' }], retentionMs: hour, isConnected } });
  return planRecords({ used: uses, plan: mirrors, rules, records, retentionMs: hour, isConnected, now });
}

describe('the record of an image in use', () => {
  test('names its origin, its mirrors and its replicas', () => {
    const { apply } = plan({ used: ['nginx:1.27'], rules: [aMirrorRule(), aReplicaRule()] });

    expect(apply[0]).toMatchObject({
      image: 'docker.io/library/nginx:1.27',
      pods: 1,
      mirrors: '0/1',
      places: [
        { reference: 'docker.io/library/nginx:1.27', role: 'origin' },
        { reference: copy, role: 'mirror', rule: 'ClusterImageSetMirror/main' },
        { reference: 'replica.example.com/library/nginx:1.27', role: 'replica' },
      ],
    });
  });

  test.each<[string, ImageRecord, string, string]>([
    ['says 0/1 and Pending before there is a copy', aRecord(), '0/1', 'False'],
    ['says 1/1 and Mirrored when the copy is verified', aRecord({ places: [aCopy(copy)] }), '1/1', 'True'],
    ['does not count a copy somewhere else', aRecord({ places: [aCopy('other.example.com/nginx:1.27')] }), '0/1', 'False'],
  ])('%s', (_sentence, record, mirrors, status) => {
    const [usage] = plan({ used: ['nginx:1.27'], rules: [aMirrorRule()], records: [record] }).apply;

    expect(usage?.mirrors).toBe(mirrors);
    expect(usage?.conditions.find(({ type }) => type === 'Mirrored')?.status).toBe(status);
  });

  const second = 'second.example.com/mirror/library/nginx:1.27';
  test.each<[string, readonly PlaceRecord[], string | undefined, string | undefined]>([
    ['names no platform before there is a copy', [], undefined, undefined],
    ['names none of a copy nobody has looked into', [aCopy(copy)], undefined, undefined],
    ['names the platforms of its copy', [aCopy(copy, { platforms: ['linux/arm64', 'linux/amd64'], missingPlatforms: [] })], 'linux/amd64,linux/arm64', undefined],
    ['names those of all copies, and what one of them lacks', [aCopy(copy, { platforms: ['linux/amd64'], missingPlatforms: ['linux/arm64'] }), aCopy(second, { platforms: ['linux/amd64', 'linux/arm64'] })], 'linux/amd64,linux/arm64', 'linux/arm64'],
    ['says nothing of a copy that is none of its places', [aCopy('other.example.com/nginx:1.27', { platforms: ['linux/386'] })], undefined, undefined],
    ['cuts a list that is too long for a column', [aCopy(copy, { platforms: Array.from({ length: 99 }, (_, index) => `linux/${index}`) })], expect.stringMatching(/^linux\/0,.{247}…$/) as never, undefined],
  ])('%s', (_sentence, places, platforms, missing) => {
    const [usage] = plan({ used: ['nginx:1.27'], rules: [aMirrorRule({ mirrors: [{}, { registry: 'second.example.com' }] })], records: [aRecord({ places })] }).apply;

    expect([usage?.platforms, usage?.missing]).toEqual([platforms, missing]);
  });

  test('shows the copy under every name of its digest', () => {
    const hex = 'd'.repeat(64);
    const at = `registry.example.com/mirror/library/nginx@sha256:${hex}`;
    const names = [`nginx@sha256:${hex}`, `nginx:1.27@sha256:${hex}`];

    const { apply } = plan({ used: names, rules: [aMirrorRule()], records: [aRecord({ image: names[0] ?? '', places: [aCopy(at)] }), aRecord({ image: names[1] ?? '' })] });

    expect(apply.map(({ mirrors }) => mirrors)).toEqual(['1/1', '1/1']);
  });

  describe('that is refused, since its destination belongs to another', () => {
    const both = ['nginx:1.27', 'quay.io/library/nginx:1.27'];
    const refused = (rules: readonly Rule[], records: readonly ImageRecord[] = []): RecordPlan['apply'][number] | undefined => plan({ used: both, rules, records }).apply.find(({ image }) => image.startsWith('quay.io'));
    const message = `${copy} belongs to docker.io/library/nginx:1.27; layout: host keeps them apart`;

    test('says so, and not that nobody wants a copy', () => {
      expect(refused([aMirrorRule()])).toMatchObject({ mirrors: '0/1', places: [{ role: 'origin' }], conditions: [{}, { type: 'Mirrored', status: 'False', reason: 'Collision', message }] });
    });

    test('also where it has a copy elsewhere', () => {
      const elsewhere = aMirrorRule({ mirrors: [{}, { registry: 'second.example.com', layout: 'host' }] });
      const record = aRecord({ image: 'quay.io/library/nginx:1.27', places: [aCopy('second.example.com/mirror/quay.io/library/nginx:1.27')] });

      expect(refused([elsewhere], [record])).toMatchObject({ mirrors: '1/2', conditions: [{}, { status: 'False', reason: 'Collision', message }] });
    });

    test('and nothing of it once it has a destination of its own', () => {
      expect(refused([aMirrorRule({ mirrors: [{ layout: 'host' }] })])).toMatchObject({ mirrors: '0/1', conditions: [{}, { reason: 'Pending' }] });
    });
  });

  test('has no clock: it is in use', () => {
    const [usage] = plan({ used: ['nginx:1.27'], rules: [cleaning], records: [aRecord({ unusedSince: '2026-11-01T00:00:00Z', expiresAt: '2026-11-08T00:00:00Z' })] }).apply;

    expect(usage).not.toHaveProperty('unusedSince');
    expect(usage).not.toHaveProperty('expiresAt');
  });

  test('keeps the time of a condition that has not changed', () => {
    const since = '2026-11-01T00:00:00Z';
    const record = aRecord({ places: [aCopy(copy)], conditions: [{ type: 'Mirrored', status: 'True', reason: 'Mirrored', message: '', lastTransitionTime: since }] });

    const [usage] = plan({ used: ['nginx:1.27'], rules: [aMirrorRule()], records: [record] }).apply;

    expect(usage?.conditions.find(({ type }) => type === 'Mirrored')?.lastTransitionTime).toBe(since);
    expect(usage?.conditions.find(({ type }) => type === 'Available')?.lastTransitionTime).toBe(new Date(now).toISOString());
  });
});

describe('a mirror that was removed from its rule', () => {
  const record = (rest: Partial<PlaceRecord> = {}): ImageRecord => aRecord({ places: [aCopy(copy, { rule: 'ClusterImageSetMirror/main', ...rest })] });
  const elsewhere = aMirrorRule({ mirrors: [{ registry: 'other.example.com', cleanup: { enabled: true } }] });

  test('is released at once, and its copy kept for its retention, beside the mirrors that stay', () => {
    const { apply, released } = plan({ used: ['nginx:1.27'], rules: [elsewhere], records: [record({ retention: '48h' })] });

    expect(released).toEqual([copy]);
    expect(apply[0]).toMatchObject({ mirrors: '0/1', places: [{ role: 'origin' }, { reference: 'other.example.com/mirror/library/nginx:1.27' }, { reference: copy, retention: '48h' }] });
  });

  test('leaves the record when it had no clean-up', () => {
    const { released, forgotten } = plan({ used: ['nginx:1.27'], rules: [elsewhere], records: [record()] });

    expect(released).toEqual([copy]);
    expect(forgotten).toEqual([{ image: 'docker.io/library/nginx:1.27', reference: copy }]);
  });
});

describe('a rule that is deleted with a purge', () => {
  const secret = { namespace: 'kuik-system', name: 'push' };
  const going = aMirrorRule({ deletedAt: '2026-11-20T11:59:00Z', purge: true, mirrors: [{ credentialSecret: secret }] });
  const record = aRecord({ places: [aCopy(copy, { rule: 'ClusterImageSetMirror/main' })] });

  test('has its copies deleted without waiting, clean-up or not, and leaves its Secret on the record', () => {
    const { released, purged, apply } = plan({ used: ['nginx:1.27'], rules: [going], records: [record] });

    expect([released, [...purged]]).toEqual([[copy], [copy]]);
    expect(apply[0]?.places).toMatchObject([{ role: 'origin' }, { reference: copy, role: 'mirror', secret, retention: '0s' }]);
  });

  test('stays known where it keeps copies, until it goes: one of which no record tells may be under way', () => {
    const unheardOf = aRecord({ places: [{ reference: copy, role: 'mirror', rule: 'ClusterImageSetMirror/main' }] });
    const { apply, released, forgotten } = plan({ used: ['nginx:1.27'], rules: [going], records: [unheardOf] });

    expect([released, forgotten]).toEqual([[copy], []]);
    expect(apply[0]?.places).toMatchObject([{ role: 'origin' }, { reference: copy, role: 'mirror', secret, retention: '0s' }]);
  });

  test('purges nothing in a shared mirror whose clusters do not meet', () => {
    const shared = aMirrorRule({ deletedAt: '2026-11-20T11:59:00Z', purge: true, mirrors: [{ shared: true }] });
    const retention = (isConnected: boolean): string | undefined => plan({ rules: [shared], records: [record], isConnected }).apply[0]?.places.find(({ role }) => role === 'mirror')?.retention;

    expect([retention(false), retention(true)]).toEqual([undefined, '0s']);
  });

  test('does not take a copy along that another rule wants, or keeps there', () => {
    const other = aMirrorRule({ name: 'other', mirrors: [{ cleanup: { enabled: true } }] });

    expect(plan({ used: ['nginx:1.27'], rules: [going, other], records: [record] }).released).toEqual([]);
    expect([...plan({ rules: [going, other], records: [record] }).purged]).toEqual([]);
  });
});

describe('the record of an image nobody uses any more', () => {
  const unused = (unusedSince?: string, rest: Partial<ImageRecord> = {}): ImageRecord => aRecord({ pods: 0, unusedSince, places: [aCopy(copy, { rule: 'ClusterImageSetMirror/main' })], ...rest });

  test('stamps the time once', () => {
    expect(plan({ rules: [cleaning], records: [unused()] }).apply[0]?.unusedSince).toBe(new Date(now).toISOString());
    expect(plan({ rules: [cleaning], records: [unused('2026-11-19T00:00:00.000Z')] }).apply[0]?.unusedSince).toBe('2026-11-19T00:00:00.000Z');
  });

  test('reads a time before 1970, the mark v2 leaves, as unused since now', () => {
    expect(plan({ rules: [cleaning], records: [unused('1969-01-01T00:00:00Z')] }).apply[0]?.unusedSince).toBe(new Date(now).toISOString());
  });

  test('announces when its copy goes: last use plus the retention of the mirror', () => {
    expect(plan({ rules: [cleaning], records: [unused('2026-11-19T00:00:00.000Z')] }).apply[0]?.expiresAt).toBe('2026-11-26T00:00:00.000Z');
  });

  test('announces nothing while it is pinned for ever', () => {
    expect(plan({ rules: [cleaning], records: [unused('2026-11-19T00:00:00.000Z', { keepUntil: 'forever' })] }).apply[0]).not.toHaveProperty('expiresAt');
  });

  test('announces nothing while its pin cannot be read', () => {
    expect(plan({ rules: [cleaning], records: [unused('2026-11-19T00:00:00.000Z', { keepUntil: 'christmas' })] }).apply[0]).not.toHaveProperty('expiresAt');
  });

  test('announces no end on a shared mirror whose clusters do not meet', () => {
    const shared = aMirrorRule({ mirrors: [{ shared: true, cleanup: { enabled: true, retentionMs: 0 } }] });
    const records = [unused('2026-11-19T00:00:00.000Z')];

    expect(plan({ rules: [shared], records })).toMatchObject({ apply: [], remove: [imageName(knownImageRef('nginx:1.27'))] });
    expect(plan({ rules: [shared], records, isConnected: true }).apply[0]?.expiresAt).toBe('2026-11-21T00:00:00.000Z');
  });

  test('forgets a copy no rule cleans up: it stays in the registry and leaves the record', () => {
    const [usage] = plan({ rules: [aMirrorRule()], records: [unused('2026-11-20T11:30:00.000Z')] }).apply;

    expect(usage?.places.map(({ reference }) => reference)).toEqual(['docker.io/library/nginx:1.27']);
  });

  test.each([
    ['stays for an hour', '2026-11-20T11:30:00.000Z', []],
    ['goes after an hour', '2026-11-20T10:30:00.000Z', [imageName(knownImageRef('nginx:1.27'))]],
  ])('%s when nothing retains it', (_sentence, unusedSince, removed) => {
    expect(plan({ rules: [], records: [unused(unusedSince)] }).remove).toEqual(removed);
  });

  test.each([
    ['for ever', 'forever', []],
    ['until later', '2026-12-01T00:00:00Z', []],
    ['until a time that is over', '2026-11-20T11:00:00Z', [imageName(knownImageRef('nginx:1.27'))]],
  ])('keeps the record of an image that is pinned %s, although nothing retains it', (_sentence, keepUntil, removed) => {
    expect(plan({ rules: [], records: [unused('2026-11-20T10:30:00.000Z', { keepUntil })] }).remove).toEqual(removed);
  });

  test.each<[string, Situation, object]>([
    ['has no clock while the template of a workload names its copy, and no Pod to count', { rules: [cleaning], isNamed: true, records: [unused('2026-11-19T00:00:00.000Z')] }, { pods: 0, mirrors: '1/1', places: [{ role: 'origin' }, { reference: copy, retention: '168h' }] }],
    ['has no clock while Pods pull from its copy by name', { rules: [cleaning], pulling: 3, records: [unused('2026-11-19T00:00:00.000Z')] }, { pods: 3, mirrors: '1/1', places: [{ role: 'origin' }, { reference: copy, retention: '168h' }] }],
    ['is kept, but announces nothing, while its rule is suspended', { rules: [suspended], records: [unused('2026-11-19T00:00:00.000Z')] }, { pods: 0, unusedSince: '2026-11-19T00:00:00.000Z', places: [{ role: 'origin' }, { reference: copy, role: 'mirror' }] }],
  ])('%s', (_sentence, situation, expected) => {
    const { apply, remove, released } = plan(situation);

    expect(apply).toMatchObject([expected]);
    expect(apply[0]).not.toHaveProperty('expiresAt');
    expect([...remove, ...released]).toEqual([]);
  });

  test('keeps the copy of a rule that is gone for as long as that rule said last, with its Secret', () => {
    const secret = { namespace: 'kuik-system', name: 'push' };
    const record = aRecord({ pods: 0, unusedSince: '2026-11-19T00:00:00.000Z', places: [aCopy(copy, { rule: 'ClusterImageSetMirror/gone', secret, retention: '48h' })] });

    const { apply, released } = plan({ records: [record] });

    expect(apply).toMatchObject([{ expiresAt: '2026-11-21T00:00:00.000Z', places: [{ role: 'origin' }, { reference: copy, role: 'mirror', rule: 'ClusterImageSetMirror/gone', secret, retention: '48h' }] }]);
    expect(released).toEqual([copy]);
  });

  test('follows its rule when that changes how long copies are kept', () => {
    const record = aRecord({ pods: 0, unusedSince: '2026-11-19T00:00:00.000Z', places: [aCopy(copy, { rule: 'ClusterImageSetMirror/main', retention: '1h' })] });

    expect(plan({ rules: [cleaning], records: [record] }).apply).toMatchObject([{ expiresAt: '2026-11-26T00:00:00.000Z' }]);
    expect(plan({ rules: [aMirrorRule()], records: [record] }).remove).toEqual([imageName(knownImageRef('nginx:1.27'))]);
  });

  describe('when several rules keep copies at one place, as claims are merged', () => {
    const cleansUp = (retentionMs: number, rest: Parameters<typeof aMirrorRule>[0] = {}): Rule => aMirrorRule({ ...rest, mirrors: [{ cleanup: { enabled: true, retentionMs } }] });
    const other = { name: 'other', priority: 1 };
    const known = (retention?: string): ImageRecord => aRecord({ pods: 0, unusedSince: '2026-11-19T00:00:00.000Z', places: [aCopy(copy, { rule: 'ClusterImageSetMirror/main', ...(retention === undefined ? {} : { retention }) })] });

    test.each<[string, readonly Rule[], ImageRecord, string | undefined]>([
      ['keeps it for ever where one of them never cleans up', [cleansUp(hour), aMirrorRule(other)], known('1h'), undefined],
      ['keeps it as long as the most patient of them says', [cleansUp(hour), cleansUp(48 * hour, other)], known('1h'), '2026-11-21T00:00:00.000Z'],
      ['whichever is named', [cleansUp(48 * hour), cleansUp(hour, other)], known('1h'), '2026-11-21T00:00:00.000Z'],
      ['but none that selects other images', [cleansUp(hour), aMirrorRule({ ...other, images: { include: [/quay.*/] } })], known('1h'), '2026-11-19T01:00:00.000Z'],
      ['and none that keeps them elsewhere', [cleansUp(hour), aMirrorRule({ ...other, mirrors: [{ path: 'elsewhere' }] })], known('1h'), '2026-11-19T01:00:00.000Z'],
      ['follows the others once the named one is gone, and what was said last', [cleansUp(hour, other)], known('48h'), '2026-11-21T00:00:00.000Z'],
      ['keeps it for ever where one that is left never cleans up', [aMirrorRule(other)], known('48h'), undefined],
      ['follows the named one once the others are gone', [cleansUp(hour)], known('48h'), '2026-11-19T01:00:00.000Z'],
      ['asks one that is being deleted for as long as it is there', [cleansUp(hour), cleansUp(48 * hour, { ...other, deletedAt: '2026-11-20T11:59:00Z' })], known('1h'), '2026-11-21T00:00:00.000Z'],
      ['but not one that goes with all it copied', [cleansUp(48 * hour, other), aMirrorRule({ deletedAt: '2026-11-20T11:59:00Z', purge: true })], known('1h'), '2026-11-21T00:00:00.000Z'],
      ['asks every mirror of a rule that leads there', [aMirrorRule({ mirrors: [{ cleanup: { enabled: true, retentionMs: hour } }, { cleanup: { enabled: true, retentionMs: 48 * hour } }] })], known('1h'), '2026-11-21T00:00:00.000Z'],
    ])('%s', (_sentence, rules, record, expiresAt) => {
      const { apply, remove } = plan({ rules, records: [record] });

      if (expiresAt === undefined) expect(remove).toEqual([record.image]);
      else expect(apply).toMatchObject([{ expiresAt, places: [{ role: 'origin' }, { reference: copy, rule: 'ClusterImageSetMirror/main' }] }]);
    });
  });

  test('takes a copy that was finished after its image had gone for that of the rule that keeps it there', () => {
    const record = aRecord({ pods: 0, unusedSince: '2026-11-20T11:00:00.000Z', places: [aCopy(copy, { role: undefined })] });

    expect(plan({ rules: [cleaning], records: [record] }).apply[0]?.places).toMatchObject([{ role: 'origin' }, { reference: copy, role: 'mirror', rule: 'ClusterImageSetMirror/main', retention: '168h' }]);
  });

  test('is not held by a copy that was begun and never ended', () => {
    const begun = aRecord({ pods: 0, unusedSince: '2026-11-20T10:30:00.000Z', places: [{ reference: copy, role: 'mirror', rule: 'ClusterImageSetMirror/main', workflowId: 'task/x' }] });

    expect(plan({ rules: [cleaning], records: [begun] }).remove).toEqual([imageName(knownImageRef('nginx:1.27'))]);
  });

  test('releases the claim of a copy nothing wants', () => {
    expect(plan({ rules: [cleaning], records: [unused()] }).released).toEqual([copy]);
    expect(plan({ used: ['nginx:1.27'], rules: [cleaning], records: [aRecord({ places: [aCopy(copy)] })] }).released).toEqual([]);
  });
});

describe('the record of a tracked image', () => {
  const day = 24 * hour;
  const monitor = (unusedExpiryMs = 0): Rule => aMonitorRule({ name: 'critical', unusedExpiryMs });
  const checked = { reference: 'nginx:1.27', role: 'origin', state: 'Available', checkedAt: '2026-11-18T00:00:00Z' } as const;
  const since = '2026-11-19T00:00:00.000Z';
  const record = (rest: Partial<ImageRecord> = {}): ImageRecord => aRecord({ pods: 0, unusedSince: since, trackedBy: ['critical'], places: [checked], ...rest });

  test('remembers by whom', () => {
    expect(plan({ used: ['nginx:1.27'], rules: [monitor(), aMonitorRule({ name: 'a' })] }).apply[0]).toMatchObject({ trackedBy: ['a', 'critical'] });
  });

  test.each<[string, Rule[], Partial<ImageRecord>, string | undefined]>([
    ['stays without an end where its rule never forgets', [monitor()], {}, undefined],
    ['announces when its rule forgets it', [monitor(30 * day)], {}, '2026-12-19T00:00:00.000Z'],
    ['announces the later of both, when a copy of it goes, too', [monitor(2 * day), cleaning], { places: [checked as never, aCopy(copy, { rule: 'ClusterImageSetMirror/main', retention: '168h' })] }, '2026-11-26T00:00:00.000Z'],
    ['announces nothing where its copy goes and its rule never forgets', [monitor(), cleaning], { places: [checked as never, aCopy(copy, { rule: 'ClusterImageSetMirror/main', retention: '168h' })] }, undefined],
    ['announces nothing while its rule rests', [aMonitorRule({ name: 'critical', unusedExpiryMs: hour, suspended: true })], {}, undefined],
  ])('%s', (_sentence, rules, some, expiresAt) => {
    const { apply, remove } = plan({ rules, records: [record(some)] });

    expect(apply).toMatchObject([{ trackedBy: ['critical'], unusedSince: since, pods: 0 }]);
    expect(apply[0]?.expiresAt).toBe(expiresAt);
    expect(remove).toEqual([]);
  });

  test('goes when it has expired', () => {
    expect(plan({ rules: [monitor(day)], records: [record()] })).toMatchObject({ apply: [], remove: ['docker.io/library/nginx:1.27'] });
  });
});
