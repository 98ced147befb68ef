import { describe, expect, test } from '@jest/globals';
import { holdOf, leftToDo, placesOf, type HoldFacts } from '../../src/domain/hold.js';
import type { MirrorRule } from '../../src/domain/rule.js';
import { aCopy, aMirrorRule, aRecord } from '../support/builders.js';

const copy = 'registry.example.com/mirror/library/nginx:1.27';
const cleaning = { mirrors: [{ cleanup: { enabled: true } }] };
const deleted = { deletedAt: '2026-11-20T12:00:00Z' };
const facts = { isHeld: false, skips: false, left: [], overdueAt: 100, now: 0 } satisfies HoldFacts;

describe('the finalizer of a mirror rule', () => {
  test.each<[string, MirrorRule, Partial<HoldFacts>, string]>([
    ['is set where it cleans up', aMirrorRule(cleaning), {}, 'hold CleansUp'],
    ['is set once', aMirrorRule(cleaning), { isHeld: true }, 'leave Held'],
    ['is not needed without clean-up', aMirrorRule(), {}, 'leave NotHeld'],
    ['goes when clean-up is turned off', aMirrorRule(), { isHeld: true }, 'release NoCleanup'],
    ['is set where a purge is asked for, clean-up or not', aMirrorRule({ purge: true }), {}, 'hold CleansUp'],
    ['stays on a rule that rests', aMirrorRule({ ...cleaning, suspended: true }), { isHeld: true }, 'leave Held'],
    ['is not added to what is deleted: that would be refused', aMirrorRule({ ...cleaning, ...deleted }), {}, 'leave NotHeld'],
    ['holds a deleted rule while work is left', aMirrorRule(deleted), { isHeld: true, left: ['a claim'] }, 'hold WorkLeft'],
    ['goes when nothing is left', aMirrorRule(deleted), { isHeld: true }, 'release Settled'],
    ['goes at once when somebody says so', aMirrorRule(deleted), { isHeld: true, left: ['a claim'], skips: true }, 'release Skipped'],
    ['goes when its time is over', aMirrorRule(deleted), { isHeld: true, left: ['a claim'], now: 100 }, 'release Overdue'],
  ])('%s', (_sentence, rule, some, expected) => {
    const { verdict, reason } = holdOf(rule, { ...facts, ...some });

    expect(`${verdict} ${reason}`).toBe(expected);
  });
});

describe('what a deleted rule still has to do', () => {
  const secret = { namespace: 'kuik-system', name: 'push' };
  const rule = aMirrorRule({ ...deleted, mirrors: [{ credentialSecret: secret, cleanup: { enabled: true } }] });
  const left = (rest: Parameters<typeof aCopy>[1], owed: boolean, purges = false): string[] =>
    leftToDo(placesOf(rule, [aRecord({ places: [aCopy(copy, rest), aCopy('other.example.com/nginx:1.27')] })]), () => owed, () => purges);

  test.each<[string, Parameters<typeof aCopy>[1], boolean, boolean, string[]]>([
    ['nothing when its claims are released and the Secret is on the record', { retention: '1h', secret }, false, false, []],
    ['to release its claims', { retention: '1h', secret }, true, false, [`the claim on ${copy} is not released`]],
    ['to leave its Secret on the record', { retention: '1h' }, false, false, [`the record of ${copy} does not know its Secret`]],
    ['no Secret where the copy stays for ever', {}, false, false, []],
    ['to see its copies deleted, when that was asked for', { retention: '0s', secret }, false, true, [`the copy at ${copy} is not deleted`]],
  ])('%s', (_sentence, rest, owed, purges, expected) => {
    expect(left(rest, owed, purges)).toEqual(expected);
  });
});
