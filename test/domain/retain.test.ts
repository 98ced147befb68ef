import { describe, expect, test } from '@jest/globals';
import { cleanupState, mirrorPolicy } from '../../src/domain/copy-policy.js';
import { fateOf, pinEnd, type CopyFacts } from '../../src/domain/retain.js';
import { days, hours, t0 } from '../support/keeper.js';

const over = { cleanup: true, dueAt: t0 - days };

describe('a copy', () => {
  test.each<[string, CopyFacts, object]>([
    ['goes when nothing keeps it and its retention is over', { expiry: over }, { fate: 'goes', at: t0 - days }],
    ['goes later while its retention runs', { expiry: { cleanup: true, dueAt: t0 + days } }, { fate: 'goes', at: t0 + days }],
    ['stays while a Pod pulls from it, whatever else is known', { isPulledFrom: true, expiry: over }, { fate: 'stays', by: 'in-use' }],
    ['stays while it is claimed', { isClaimed: true, expiry: over }, { fate: 'stays', by: 'claimed' }],
    ['stays for ever when it is pinned for ever', { keepUntil: 'forever', expiry: over }, { fate: 'stays', by: 'pinned' }],
    ['stays until its pin ends', { keepUntil: new Date(t0 + hours).toISOString(), expiry: over }, { fate: 'stays', by: 'pinned', until: t0 + hours }],
    ['goes once its pin has ended', { keepUntil: new Date(t0 - hours).toISOString(), expiry: over }, { fate: 'goes', at: t0 - days }],
    ['stays when its pin cannot be read: somebody meant to keep it', { keepUntil: 'next christmas', expiry: over }, { fate: 'stays', by: 'pinned' }],
    ['stays when nobody wants it deleted', { expiry: { ...over, cleanup: false } }, { fate: 'stays', by: 'no-cleanup' }],
    ['stays when nothing is known of its end', {}, { fate: 'stays', by: 'no-cleanup' }],
  ])('%s', (_sentence, facts, fate) => {
    expect(fateOf(facts, t0)).toEqual(fate);
  });
});

test.each([
  [undefined, 0],
  ['', 0],
  ['forever', Infinity],
  ['2026-09-01T12:00:00Z', t0],
])('a pin of %s ends at %s', (text, end) => {
  expect(pinEnd(text)).toBe(end);
});

test.each([
  ['off', { enabled: false }, false, true],
  ['on', { enabled: true }, false, false],
  ['on', { enabled: true }, true, true],
  ['not-connected', { enabled: true }, true, false],
] as const)('clean-up is %s where it is %j, the mirror shared: %s, and clusters meet: %s', (state, cleanup, shared, isConnected) => {
  expect(cleanupState({ cleanup, shared }, isConnected)).toBe(state);
});

test.each([
  ['its own', { cleanup: { enabled: true, retentionMs: days }, shared: false }, true, { enabled: true, retentionMs: days }],
  ['the usual one when it says nothing', { cleanup: { enabled: true }, shared: false }, true, { enabled: true }],
  ['48 hours at least when it is shared', { cleanup: { enabled: true, retentionMs: 0 }, shared: true }, true, { enabled: true, retentionMs: 48 * hours }],
  ['none when it is shared and its clusters do not meet', { cleanup: { enabled: true, retentionMs: 0 }, shared: true }, false, { enabled: false, retentionMs: 0 }],
])('the policy of a mirror is %s', (_sentence, mirror, isConnected, policy) => {
  expect(mirrorPolicy(mirror, isConnected)).toEqual(policy);
});
