import { describe, expect, test } from '@jest/globals';
import { appliedPlaces, unite, type ManagedFields } from '../../src/cluster/kubernetes/managed-fields.js';
import { partOf, saysSomething } from '../../src/cluster/ownership.js';
import type { Digest } from '../../src/domain/digest.js';
import { aPlace } from '../support/builders.js';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const everything = { rule: 'ImageSetMirror/shop/m', state: 'Available', checkedAt: 't', identity: 'anonymous', digest, bytes: 1, strategy: 'all' } as const;

describe('what a manager may write of a place', () => {
  test.each([
    ['kuik-usage', 'mirror', ['reference', 'role', 'rule']],
    ['kuik-mirror', 'mirror', ['bytes', 'digest', 'reference', 'strategy']],
    ['kuik-monitor', 'mirror', ['checkedAt', 'identity', 'reference', 'state']],
    ['kuik-mirror', 'origin', ['bytes', 'reference', 'strategy']],
    ['kuik-monitor', 'origin', ['checkedAt', 'digest', 'identity', 'reference', 'state']],
    ['kuik-monitor', 'replica', ['checkedAt', 'digest', 'identity', 'reference', 'state']],
  ] as const)('%s of a place that is %s', (manager, role, fields) => {
    expect(Object.keys(partOf(aPlace({ reference: 'nginx:1.27', role, ...everything }), manager)).sort()).toEqual(fields);
  });

  test('is nothing when it has nothing to say', () => {
    expect(saysSomething(partOf(aPlace({ reference: 'nginx:1.27', state: 'Available' }), 'kuik-mirror'))).toBe(false);
  });
});

describe('managed fields', () => {
  const place = aPlace({ reference: 'registry.example.com/a:1', role: 'mirror', bytes: 42, state: 'Available' });
  const key = `k:{"reference":"${place.reference}"}`;
  const entry = (changes: Partial<ManagedFields>): ManagedFields => ({
    manager: 'kuik-mirror',
    operation: 'Apply',
    subresource: 'status',
    fieldsV1: { 'f:status': { 'f:places': { [key]: { '.': {}, 'f:reference': {}, 'f:bytes': {} } } } },
    ...changes,
  });

  test('say what a manager applied', () => {
    expect(appliedPlaces([entry({})], [place], 'kuik-mirror')).toEqual([{ reference: place.reference, bytes: 42 }]);
  });

  test.each([
    ['another manager', entry({ manager: 'kuik-monitor' }), [place]],
    ['an update, which is no apply', entry({ operation: 'Update' }), [place]],
    ['the object itself', entry({ subresource: undefined }), [place]],
    ['a place that is gone', entry({}), []],
    ['nothing at all', entry({ fieldsV1: undefined }), [place]],
  ])('of %s say nothing', (_what, managed, places) => {
    expect(appliedPlaces([managed], places, 'kuik-mirror')).toEqual([]);
  });

  test('are united field by field', () => {
    expect(unite({ 'f:a': { 'f:b': {} } }, { 'f:a': { 'f:c': {} }, 'f:d': {} })).toEqual({ 'f:a': { 'f:b': {}, 'f:c': {} }, 'f:d': {} });
  });
});
