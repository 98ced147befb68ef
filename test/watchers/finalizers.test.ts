import { beforeEach, describe, expect, test } from '@jest/globals';
import { translateRule } from '../../src/api/translate.js';
import type { Resource } from '../../src/cluster/cluster.js';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { Failure } from '../../src/domain/failure.js';
import type { Phase } from '../../src/domain/keeper.js';
import type { KeeperStatus } from '../../src/domain/keeper-story.js';
import { planMirrors } from '../../src/domain/mirror.js';
import type { PlaceId } from '../../src/domain/image-ref.js';
import type { ImageRecord } from '../../src/domain/record.js';
import { secretCopyName } from '../../src/domain/secret-copy.js';
import { holdRules } from '../../src/watchers/finalizers.js';
import { aCopy, aRecord } from '../support/builders.js';
import { copied, digestOf } from '../support/keeper.js';

const ours = 'kuik.enix.io/mirror-cleanup';
const v2s = 'kuik.enix.io/secret-cleanup';
const copy = 'registry.example.com/mirror/library/nginx:1.27';
const deletedAt = '2026-11-20T12:00:00Z';
const secret = { namespace: 'kuik-system', name: 'push' };
const spec = { filter: { include: [{ image: '.*' }] }, cleanup: { enabled: true }, mirrors: [{ registry: 'registry.example.com', path: '/mirror', credentialSecret: secret }] };

let cluster: MemoryCluster;
let owes: boolean;
let held: number;
let now: number;
let orphans: ReadonlySet<PlaceId>;
let namespaces: readonly string[];
let keeper: () => Promise<KeeperStatus | 'absent'>;
beforeEach(() => {
  cluster = new MemoryCluster();
  cluster.put('Namespace', { name: 'shop', labels: {} });
  owes = false;
  held = 0;
  now = Date.parse(deletedAt) + 1_000;
  orphans = new Set();
  namespaces = ['shop'];
  keeper = () => Promise.resolve('absent');
});

function aResource(rest: Partial<Resource> = {}): Resource {
  return { key: 'main', kind: 'ClusterImageSetMirror', name: 'main', uid: 'u', generation: 1, labels: {}, annotations: {}, finalizers: [], spec, status: {}, ...rest };
}

/** One look at one rule. @returns the finalizers afterwards; `gone` when the object went with its last one */
async function look(resource: Resource, records: readonly ImageRecord[] = []): Promise<readonly string[] | 'gone'> {
  cluster.put('ClusterImageSetMirror', resource);
  const rules = [translateRule(resource, { installNamespace: 'kuik-system' })];
  const plan = planMirrors({ used: [], rules, records, podsPulling: () => 0, pulled: [], orphans, settings: { platforms: [], retentionMs: 1_000 } });
  const picture = { used: [], rules, records, plan, tracked: [], now };
  await holdRules(picture, { cluster, resource: () => resource, owes: () => owes, keeper: () => keeper(), namespaces: () => namespaces, deadlineMs: 300_000, tombstoneMs: 600_000, onHeld: () => void held++ });
  const [left] = await cluster.list('ClusterImageSetMirror');
  return left?.finalizers ?? 'gone';
}

describe('the finalizer', () => {
  const records = [aRecord({ places: [aCopy(copy, { secret, retention: '1h' })] })];
  const deleted = { deletionTimestamp: deletedAt, finalizers: [ours] };

  test('is set on a rule that cleans up, beside those of others', async () => {
    expect(await look(aResource({ finalizers: ['example.com/theirs'] }))).toEqual(['example.com/theirs', ours]);
  });

  test('holds a deleted rule until Temporal has taken the release of its claims, and then lets it go', async () => {
    owes = true;
    expect(await look(aResource(deleted), records)).toEqual([ours]);
    expect(held).toBe(1);

    owes = false;
    expect(await look(aResource(deleted), records)).toBe('gone');
    expect(cluster.events).toEqual([]);
  });

  test.each<[string, Partial<Resource>, number]>([
    ['at once with an annotation', { annotations: { 'kuik.enix.io/skip-cleanup': 'true' } }, 1_000],
    ['when the deadline is over', {}, 300_000],
    ['on an invalid object as well', { spec: { ...spec, filter: { include: [{ image: '(' }] } } }, 300_000],
  ])('has an exit: %s, and an event says what is left', async (_sentence, rest, afterMs) => {
    owes = true;
    now = Date.parse(deletedAt) + afterMs;

    expect(await look(aResource({ ...deleted, ...rest }), records)).toBe('gone');
    expect(cluster.events.map(({ event }) => [event.action, event.reason, event.note])).toEqual([['Retain', 'CleanupSkipped', `the rule goes although the claim on ${copy} is not released`]]);
  });

  test('holds a rule that is purged until its copies are gone, and gives a deletion that has begun its time', async () => {
    const purging = { ...deleted, annotations: { 'kuik.enix.io/purge': 'true' } };
    const going = (rest: object): ImageRecord[] => [aRecord({ places: [aCopy(copy, { secret, retention: '0s', ...rest })] })];

    expect(await look(aResource(purging), going({}))).toEqual([ours]);
    now = Date.parse(deletedAt) + 301_000;
    expect(await look(aResource(purging), going({ retiringSince: deletedAt }))).toEqual([ours]);
    expect(await look(aResource(purging), [aRecord()])).toBe('gone');
  });
});

describe('a purge', () => {
  const deleted = { deletionTimestamp: deletedAt, finalizers: [ours], annotations: { 'kuik.enix.io/purge': 'true' } };
  const unheardOf = [aRecord({ places: [{ reference: copy, role: 'mirror', secret, retention: '0s' }] })];
  const saying = (phase: Phase, some: Partial<KeeperStatus> = {}): KeeperStatus => ({ v: 1, destination: copy as string as PlaceId, phase, next: { step: 'wait', reason: 'Kept' }, claims: [], ...some });

  test.each<[string, () => Promise<KeeperStatus | 'absent'>, readonly string[] | 'gone']>([
    ['waits for a copy that is under way and that no record tells of', async () => saying('Copying'), [ours]],
    ['waits for one that has just come to its end', async () => saying('Expiring', { copy: copied() }), [ours]],
    ['waits while nobody says whether there is one', () => Promise.reject(new Error('Temporal is away')), [ours]],
    ['does not wait where the keeper has nothing', async () => saying('Pending'), 'gone'],
    ['does not wait where nobody ever kept anything', async () => 'absent' as const, 'gone'],
  ])('%s', async (_sentence, says, left) => {
    keeper = says;

    expect(await look(aResource(deleted), unheardOf)).toEqual(left);
  });

  test('waits for a copy that is only claimed to be looked after again', async () => {
    orphans = new Set([copy as string as PlaceId]);

    expect(await look(aResource(deleted), [aRecord({ places: [aCopy(copy, { secret, retention: '0s', digest: digestOf('a') })] })])).toEqual([ours]);
  });
});

describe('what v2 left', () => {
  const name = secretCopyName(secret, 'u');
  const deleted = { deletionTimestamp: deletedAt, finalizers: [v2s] };
  beforeEach(() => {
    cluster.putSecret({ namespace: 'shop', name, data: {}, labels: { 'kuik.enix.io/owner-uid': 'u' } });
  });

  test('its finalizer is not touched while the rule lives', async () => {
    expect(await look(aResource({ finalizers: [v2s, ours] }))).toEqual([v2s, ours]);
  });

  test('a deleted rule first loses its copies of pull Secrets, then the finalizer', async () => {
    expect(await look(aResource(deleted))).toBe('gone');
    expect(await cluster.secret({ namespace: 'shop', name })).toBeUndefined();
  });

  test('a Secret of the same name that is not its copy stays', async () => {
    cluster.putSecret({ namespace: 'shop', name, data: {}, labels: { 'kuik.enix.io/owner-uid': 'somebody else' } });

    expect(await look(aResource(deleted))).toBe('gone');
    expect(await cluster.secret({ namespace: 'shop', name })).toBeDefined();
  });

  test('a namespace nobody lets us look into keeps neither the rule nor its other copies, and an event names it', async () => {
    namespaces = ['closed', 'shop'];
    const read = cluster.secret.bind(cluster);
    cluster.secret = async (ref) => (ref.namespace === 'closed' ? Promise.reject(new Failure({ code: 'denied', side: 'cluster', message: 'not allowed to get secrets' })) : read(ref));

    expect(await look(aResource(deleted))).toBe('gone');
    expect(await cluster.secret({ namespace: 'shop', name })).toBeUndefined();
    expect(cluster.events.map(({ event }) => [event.reason, event.note])).toEqual([['CleanupSkipped', 'the rule goes although nobody lets us look for copies of pull Secrets in namespace closed']]);
  });

  test('a copy that cannot be deleted keeps none of the others', async () => {
    namespaces = ['bank', 'shop'];
    cluster.putSecret({ namespace: 'bank', name, data: {}, labels: { 'kuik.enix.io/owner-uid': 'u' } });
    const away = new Failure({ code: 'unreachable', side: 'cluster', message: 'server error 500' });
    const deleteSecret = cluster.deleteSecret.bind(cluster);
    cluster.deleteSecret = async (ref, version) => (ref.namespace === 'bank' ? Promise.reject(away) : deleteSecret(ref, version));

    await expect(look(aResource(deleted))).rejects.toBe(away);
    expect(await cluster.secret({ namespace: 'shop', name })).toBeUndefined();
  });

  test('copies that cannot be reached hold it for no longer than the deadline', async () => {
    const denied = new Failure({ code: 'denied', side: 'cluster', message: 'not allowed to get secrets' });
    const stuck = { ...deleted, finalizers: [v2s, 'example.com/theirs'] };
    cluster.secret = () => Promise.reject(denied);

    await expect(look(aResource(stuck))).rejects.toBe(denied);
    now = Date.parse(deletedAt) + 300_000;

    expect(await look(aResource(stuck))).toEqual(['example.com/theirs']);
    expect(cluster.events.map(({ event }) => event.reason)).toEqual(['CleanupSkipped']);
  });
});
