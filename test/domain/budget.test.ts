import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dailyLimit, draw, emptyLedger, readLedger, type BudgetLimits, type Draw, type Ledger } from '../../src/domain/budget.js';
import { hours, minutes, t0 } from '../support/keeper.js';

const limits: BudgetLimits = { maxDeletionsPerHour: 3, dailyBudgetPercent: 5 };
const one: Draw = { registry: 'registry.example.com', rule: 'ClusterImageSetMirror/all', ruleCopies: 1000 };

/** Draws one after the other, as often as there is room. */
function drawn(times: readonly number[], some: Partial<Draw> = {}, by = limits): { ledger: Ledger; at: number[] } {
  const at: number[] = [];
  let ledger = emptyLedger;
  for (const now of times) {
    const result = draw(ledger, { ...one, ...some }, by, now);
    if (result.result === 'spent') continue;
    at.push(now);
    ledger = result.ledger;
  }
  return { ledger, at };
}

describe('a budget', () => {
  test('has room again an hour after the first draw, and says when', () => {
    const { ledger } = drawn([t0, t0, t0]);
    const spent = draw(ledger, one, limits, t0 + minutes);

    expect(spent).toMatchObject({ result: 'spent', by: 'registry', limit: 3 });
    if (spent.result !== 'spent') return;
    expect(draw(ledger, one, limits, t0 + minutes + spent.retryAfterMs - 1)).toMatchObject({ result: 'spent' });
    expect(draw(ledger, one, limits, t0 + minutes + spent.retryAfterMs)).toMatchObject({ result: 'drawn' });
  });

  test('of one registry is not that of another', () => {
    expect(draw(drawn([t0, t0, t0]).ledger, { ...one, registry: 'other.example.com' }, limits, t0)).toMatchObject({ result: 'drawn' });
  });

  test('of a rule holds on all its registries', () => {
    const many = { maxDeletionsPerHour: 1000, dailyBudgetPercent: 5 };
    const { ledger, at } = drawn(Array<number>(60).fill(t0), {}, many);

    expect(at).toHaveLength(50);
    expect(draw(ledger, { ...one, registry: 'other.example.com' }, many, t0)).toMatchObject({ result: 'spent', by: 'rule', limit: 50 });
  });

  test('that is spent draws from neither', () => {
    const few = { maxDeletionsPerHour: 0, dailyBudgetPercent: 5 };

    expect(draw(emptyLedger, one, few, t0)).toMatchObject({ result: 'spent', by: 'registry' });
  });

  test.each([
    [0, 10],
    [199, 10],
    [1000, 50],
    [1019, 50],
  ])('of a rule with %i copies is %i a day', (copies, limit) => {
    expect(dailyLimit(copies, limits)).toBe(limit);
  });
});

const moments = fc.array(fc.integer({ min: 0, max: 72 * hours }), { maxLength: 120 }).map((all) => all.map((ms) => t0 + ms).sort((a, b) => a - b));

test('no hour of a registry and no day of a rule ever holds more than its limit', () => {
  fc.assert(
    fc.property(moments, fc.integer({ min: 0, max: 5 }), (times, maxDeletionsPerHour) => {
      const { at } = drawn(times, { ruleCopies: 0 }, { maxDeletionsPerHour, dailyBudgetPercent: 5 });
      const within = (from: number, ms: number): number => at.filter((time) => time >= from && time < from + ms).length;

      for (const from of at) {
        expect(within(from, hours)).toBeLessThanOrEqual(maxDeletionsPerHour);
        expect(within(from, 24 * hours)).toBeLessThanOrEqual(10);
      }
    }),
  );
});

test('the ledger stays small: what has left its window is forgotten', () => {
  const { ledger } = drawn(Array.from({ length: 500 }, (_, index) => t0 + index * 30 * minutes), {}, { maxDeletionsPerHour: 1000, dailyBudgetPercent: 100 });

  expect(JSON.stringify(ledger).length).toBeLessThan(1000);
});

test('a clock that was ahead makes a budget smaller, never larger', () => {
  const { ledger } = drawn([t0 + 5 * hours, t0 + 5 * hours, t0 + 5 * hours]);

  expect(draw(ledger, one, limits, t0)).toMatchObject({ result: 'spent' });
});

test.each([
  ['nothing', undefined, emptyLedger],
  ['an empty text', '', emptyLedger],
  ['what was written', JSON.stringify(drawn([t0]).ledger), drawn([t0]).ledger],
  ['no JSON', '{', undefined],
  ['another version', '{"v":2,"registries":{},"rules":{}}', undefined],
  ['counts that are none', '{"v":1,"registries":{"a":{"1":"x"}},"rules":{}}', undefined],
])('a ledger reads %s', (_sentence, text, ledger) => {
  expect(readLedger(text)).toEqual(ledger);
});
