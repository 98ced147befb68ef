import { describe, expect, test } from '@jest/globals';
import type { RawRun } from '../../bench/support/bench.js';
import { judge, summarize } from '../../bench/support/figures.js';
import { columns } from '../../bench/support/table.js';

const runsOf = (...walls: number[]): readonly RawRun[] => walls.map((wallMs) => ({ wallMs, cpuMs: undefined, peakBytes: undefined, traffic: {} }));

describe('figures of a benchmark', () => {
  test.each([
    ['the middle one of an odd number', [5, 1, 9], 5],
    ['the mean of the middle two of an even number', [4, 1, 9, 2], 3],
    ['the only one', [7], 7],
  ])('the median is %s', (_sentence, walls, median) => {
    expect(summarize(runsOf(...walls), 'wallMs')).toMatchObject({ median, min: Math.min(...walls), max: Math.max(...walls) });
  });

  test('a quantity that some run lacks is not summarised', () => {
    expect(summarize(runsOf(1, 2), 'cpuMs')).toBeUndefined();
  });

  test.each([
    ['a ratio at its goal meets it', [8, 8, 8], [100, 100, 100], 0.08, 'met', false],
    ['a ratio above its goal does not', [9, 9, 9], [100, 100, 100], 0.08, 'not met', false],
    ['without a goal the ratio is only shown', [9, 9, 9], [100, 100, 100], undefined, 'no goal', false],
    ['runs that differ by more than two are called noisy', [9, 9, 9], [60, 100, 130], 0.08, 'not met', true],
    ['a contender that was not played is not measured', [9, 9, 9], [], 0.08, 'not measured', false],
  ] as const)('%s', (_sentence, ours, peer, atMost, verdict, noisy) => {
    const runs = new Map([['kuik', runsOf(...ours)], ['crane', runsOf(...peer)]]);

    const judged = judge({ quantity: 'wallMs', ours: 'kuik', peer: 'crane', atMost }, (name) => runs.get(name) ?? []);

    expect(judged).toMatchObject({ verdict, noisy });
  });

  test('columns are as wide as their widest cell', () => {
    expect(columns([['NAME', 'WALL'], ['kuik x8', '4 s']])).toBe('NAME     WALL\nkuik x8  4 s');
  });
});
