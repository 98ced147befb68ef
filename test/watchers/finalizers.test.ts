import { beforeEach, describe, expect, test } from '@jest/globals';
import { translateRule } from '../../src/api/translate.js';
import type { Resource } from '../../src/cluster/cluster.js';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { Failure } from '../../src/domain/failure.js';
import type { ImageRecord } from '../../src/domain/record.js';
import { secretCopyName } from '../../src/domain/secret-copy.js';
import { holdRules } from '../../src/watchers/finalizers.js';
import { aCopy, aRecord } from '../support/builders.js';

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
beforeEach(() => {
  cluster = new MemoryCluster();
  cluster.put('Namespace', { name: 'shop', labels: {} });
  owes = false;
  held = 0;
  now = Date.parse(deletedAt) + 1_000;
});

function aResource(rest: Partial<Resource> = {}): Resource {
  return { key: 'main', kind: 'ClusterImageSetMirror', name: 'main', uid: 'u', generation: 1, labels: {}, annotations: {}, finalizers: [], spec, status: {}, ...rest };
}

/** One look at one rule. @returns the finalizers afterwards; `gone` when the object went with its last one */
async function look(resource: Resource, records: readonly ImageRecord[] = []): Promise<readonly string[] | 'gone'> {
  cluster.put('ClusterImageSetMirror', resource);
  const rules = [translateRule(resource, { installNamespace: 'kuik-system' })];
  const picture = { used: [], rules, records, plan: { wanted: new Map(), collisions: [] }, now };
  await holdRules(picture, { cluster, resource: () => resource, owes: () => owes, namespaces: () => ['shop'], deadlineMs: 300_000, tombstoneMs: 600_000, onHeld: () => void held++ });
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
