import { describe, expect, test } from '@jest/globals';
import type { Figure, RawRun } from '../../bench/support/bench.js';
import { judge, summarize } from '../../bench/support/figures.js';
import { clientCpu, overLine, reading, wall } from '../../bench/support/quantities.js';

const aRun = (of: Partial<RawRun>): RawRun => ({ wallMs: 1, cpuMs: undefined, peakBytes: undefined, traffic: {}, readings: {}, ...of });
const runsOf = (...walls: number[]): readonly RawRun[] => walls.map((wallMs) => aRun({ wallMs }));

describe('figures of a benchmark', () => {
  test.each([
    ['the middle one of an odd number', [5, 1, 9], 5],
    ['the mean of the middle two of an even number', [4, 1, 9, 2], 3],
    ['the only one', [7], 7],
  ])('the median is %s', (_sentence, walls, median) => {
    expect(summarize(runsOf(...walls), wall)).toMatchObject({ median, min: Math.min(...walls), max: Math.max(...walls) });
  });

  test('a quantity that some run lacks is not summarised', () => {
    expect(summarize(runsOf(1, 2), clientCpu)).toBeUndefined();
  });

  test.each([
    ['a ratio at its goal meets it', [8, 8, 8], [100, 100, 100], 0.08, 'met', false],
    ['a ratio above its goal does not', [9, 9, 9], [100, 100, 100], 0.08, 'not met', false],
    ['without a goal the ratio is only shown', [9, 9, 9], [100, 100, 100], undefined, 'no goal', false],
    ['runs that differ by more than two are called noisy', [9, 9, 9], [60, 100, 130], 0.08, 'not met', true],
    ['a contender that was not played is not measured', [9, 9, 9], [], 0.08, 'not measured', false],
  ] as const)('%s', (_sentence, ours, peer, atMost, verdict, noisy) => {
    const runs = new Map([['kuik', runsOf(...ours)], ['crane', runsOf(...peer)]]);

    const judged = judge({ as: 'ratio', quantity: wall, contender: 'kuik', peer: 'crane', atMost }, (name) => runs.get(name) ?? []);

    expect(judged).toMatchObject({ verdict, noisy });
  });

  const sourceBytes = overLine('source', 'bytesDown', 'bytes from the source');
  const uploads = reading('uploads', 'count');
  const counted: ReadonlyMap<string, readonly RawRun[]> = new Map([
    ['kuik', [aRun({ wallMs: 100, traffic: { source: { connections: 1, requests: 2, bytesUp: 3, bytesDown: 1050 } }, readings: { uploads: 0 } })]],
    ['crane', [aRun({ wallMs: 90, traffic: {}, readings: { uploads: 11 } })]],
  ]);

  test.each<[string, Figure, Partial<ReturnType<typeof judge>>]>([
    ['an excess is the difference of medians', { as: 'excess', quantity: wall, contender: 'kuik', peer: 'crane', atMost: 16 }, { value: 10, verdict: 'met' }],
    ['an excess above what is allowed does not meet it', { as: 'excess', quantity: wall, contender: 'kuik', peer: 'crane', atMost: 9 }, { value: 10, verdict: 'not met' }],
    ['a share is held against a known amount', { as: 'share', quantity: sourceBytes, contender: 'kuik', whole: { name: 'layer', amount: 1000 }, atMost: 1.05 }, { value: 1.05, verdict: 'met' }],
    ['what no relay counted is not measured', { as: 'share', quantity: sourceBytes, contender: 'crane', whole: { name: 'layer', amount: 1000 }, atMost: 1.05 }, { value: undefined, verdict: 'not measured' }],
    ['nothing at all can be the goal', { as: 'amount', quantity: uploads, contender: 'kuik', atMost: 0 }, { value: 0, verdict: 'met' }],
    ['a count above its goal does not meet it', { as: 'amount', quantity: uploads, contender: 'crane', atMost: 0 }, { value: 11, verdict: 'not met' }],
    ['nothing over nothing is no ratio', { as: 'ratio', quantity: uploads, contender: 'crane', peer: 'kuik' }, { value: undefined, verdict: 'not measured' }],
  ])('%s', (_sentence, figure, expected) => {
    expect(judge(figure, (name) => counted.get(name) ?? [])).toMatchObject(expected);
  });
});
