import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { Failure, type FailureCode } from '../../src/domain/failure.js';
import type { ImageRecord, PlaceFailure } from '../../src/domain/record.js';
import type { Rule } from '../../src/domain/rule.js';
import { SecretChanges } from '../../src/watchers/secret-changes.js';
import { aMirrorRule, aPlace, aPod, aRecord, aReplicaRule } from '../support/builders.js';

const reference = 'registry.example.com/mirror/library/nginx:1.27';
const push = { namespace: 'kuik-system', name: 'push' };
const pull = { namespace: 'shop', name: 'pull' };
const upstream = { namespace: 'kuik-system', name: 'upstream' };
const fallback = { namespace: 'kuik-system', name: 'fallback' };
const everywhere = [push, pull, upstream, fallback];

let cluster: MemoryCluster;
let now: number;
let changes: SecretChanges;
const rules: readonly Rule[] = [aReplicaRule({ upstreams: [{ registry: 'replica.example.com', credentialSecret: upstream }] })];

beforeEach(() => {
  cluster = new MemoryCluster();
  now = 0;
  for (const ref of everywhere) rotate(ref);
  changes = new SecretChanges({ read: (ref) => cluster.secret(ref), podsUsing: () => [aPod({ pullSecrets: ['pull'] })], fallback: () => fallback, now: () => now });
});

function rotate(ref: typeof push): void {
  cluster.putSecret({ ...ref, data: {} });
}

function failing(code: FailureCode, side?: PlaceFailure['side']): ImageRecord {
  return { ...aRecord(), places: [aPlace({ reference, role: 'mirror', secret: push, failure: { code, side, message: 'no', since: '2026-11-20T10:00:00Z', attempts: 1 } })] };
}

async function look(record: ImageRecord, passedMs = 20_000, present = rules): Promise<readonly string[]> {
  now += passedMs;
  const told: string[] = [];
  await changes.carryOut([record], present, async (destination) => void told.push(destination));
  return told;
}

test.each([
  ['the Secret of the mirror', push, failing('unauthorized', 'destination'), true],
  ['the Secret of the mirror, where the source failed', push, failing('unauthorized', 'source'), false],
  ['a pull Secret of a Pod', pull, failing('denied', 'source'), true],
  ['a pull Secret of a Pod, where the destination failed', pull, failing('denied', 'destination'), false],
  ['the Secret of an upstream', upstream, failing('missing', 'source'), true],
  ['the Secret configured for the host', fallback, failing('unauthorized', 'source'), true],
  ['any of them, where the record does not say which side failed', push, failing('unauthorized'), true],
  ['a Secret, where no Secret would help', push, failing('too-large', 'destination'), false],
])('a copy is tried again after a change of %s: %s', async (_what, secret, record, expected) => {
  expect(await look(record)).toEqual([]);
  rotate(secret);

  expect(await look(record)).toEqual(expected ? [reference] : []);
  expect(await look(record)).toEqual([]); // once
});

describe('nothing is tried on behalf of', () => {
  const record = failing('unauthorized', 'destination');
  const named: ImageRecord = { ...record, places: record.places.map((place) => ({ ...place, rule: 'ClusterImageSetMirror/main' })) };
  const brokenFilter = { reason: 'InvalidFilter', field: 'spec.filter', message: 'no', disables: 'rule' } as const;

  test.each<[string, ImageRecord, Rule]>([
    ['a rule that is suspended', named, aMirrorRule({ suspended: true })],
    ['a rule that cannot be read', named, aMirrorRule({ problems: [brokenFilter] })],
    ['an image that somebody paused', { ...named, paused: true }, aMirrorRule()],
  ])('%s, and what changed meanwhile counts afterwards', async (_what, resting, rule) => {
    expect(await look(resting, 20_000, [rule])).toEqual([]);
    rotate(push);
    expect(await look(resting, 20_000, [rule])).toEqual([]);
    expect(await look(resting, 20_000, [rule])).toEqual([]);

    expect(await look(named, 20_000, [aMirrorRule()])).toEqual([reference]);
    expect(await look(named, 20_000, [aMirrorRule()])).toEqual([]);
  });
});

test('a Secret that appears is a change, and so is one that goes', async () => {
  cluster.removeSecret(push);
  const record = failing('unauthorized', 'destination');
  await look(record);
  rotate(push);
  expect(await look(record)).toEqual([reference]);

  cluster.removeSecret(push);
  expect(await look(record)).toEqual([reference]);
});

test('a keeper that cannot be reached is told later, unless the copy has healed meanwhile', async () => {
  const record = failing('unauthorized', 'destination');
  await look(record);
  rotate(push);
  now += 20_000;
  const away = new Failure({ code: 'unreachable', side: 'cluster', message: 'temporal away' });
  await expect(changes.carryOut([record], rules, () => Promise.reject(away))).rejects.toBe(away);

  expect(await look(record, 0)).toEqual([reference]);
  expect(await look(record, 0)).toEqual([]);
});

test('a Secret that cannot be read just now has not changed', async () => {
  const record = failing('unauthorized', 'destination');
  await look(record);
  cluster.outage(new Failure({ code: 'unreachable', side: 'cluster', message: 'away' }));
  expect(await look(record)).toEqual([]);
  cluster.outage(undefined);

  expect(await look(record)).toEqual([]);
});

test('a Secret is read every 20 s, and only while a failure depends on it', async () => {
  let reads = 0;
  changes = new SecretChanges({ read: async (ref) => ((reads += 1), cluster.secret(ref)), podsUsing: () => [], fallback: () => undefined, now: () => now });
  const record = failing('unauthorized', 'destination');
  await look(record);
  await look(record, 19_000);
  expect(reads).toBe(1);
  await look(record, 1_000);
  expect(reads).toBe(2);

  await look(aRecord());
  expect(reads).toBe(2);
});
