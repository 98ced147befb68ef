import { describe, expect, test } from '@jest/globals';
import type { RawRun } from '../../bench/support/bench.js';
import type { Judged } from '../../bench/support/figures.js';
import { peakRss, reading, wall } from '../../bench/support/quantities.js';
import { columns, contenderTable, figureTable } from '../../bench/support/table.js';

const mib = 1024 * 1024;
const aRun = (of: Partial<RawRun> = {}): RawRun => ({ wallMs: 1500, cpuMs: 900, peakBytes: 12 * mib, traffic: {}, readings: {}, ...of });
const aLine = { connections: 2, requests: 7, bytesUp: mib, bytesDown: mib };
const words = (line: string | undefined): readonly string[] => (line ?? '').split(/ {2,}/);

describe('tables of a benchmark', () => {
  test('columns are as wide as their widest cell', () => {
    expect(columns([['NAME', 'WALL'], ['kuik x8', '4 s']])).toBe('NAME     WALL\nkuik x8  4 s');
  });

  test.each([
    ['counts of both lines are added up', aRun({ traffic: { source: aLine, destination: aLine } }), aRun(), ['14', '4', '4.0 MiB']],
    ['where only the first round was counted, it lends its counts', aRun(), aRun({ traffic: { source: aLine } }), ['7', '2', '2.0 MiB']],
    ['what was not counted is no zero', aRun(), aRun(), ['-', '-', '-']],
  ])('%s', (_sentence, counted, discarded, cells) => {
    const table = contenderTable({ counted: new Map([['kuik', [counted]]]), discarded: new Map([['kuik', discarded]]) });

    expect(words(table.split('\n')[1])).toEqual(['kuik', '1.50 s', '1.50 s', '1.50 s', '900 ms', '12.0 MiB', ...cells]);
  });

  const judged = { value: 0.5, verdict: 'met', noisy: false } as const;

  test.each<[string, Judged, readonly string[]]>([
    ['a ratio', { as: 'ratio', quantity: wall, contender: 'kuik', peer: 'crane', goal: 'G1', atMost: 0.08, ...judged, value: 0.0523 }, ['G1', 'wall, kuik / crane', '0.052', '<= 0.08', 'met']],
    ['an excess, in its unit', { as: 'excess', quantity: peakRss, contender: 'large', peer: 'small', atMost: 16 * mib, ...judged, value: -mib }, ['-', 'peak RSS, large - small', '-1.0 MiB', '<= 16.0 MiB', 'met']],
    ['a share', { as: 'share', quantity: peakRss, contender: 'kuik', whole: { name: 'layer', amount: mib }, ...judged, value: 1.5, verdict: 'no goal' }, ['-', 'peak RSS, kuik / layer', '1.50', '-', 'no goal']],
    ['a count', { as: 'amount', quantity: reading('uploads', 'count'), contender: 'kuik', atMost: 14, ...judged, value: 11 }, ['-', 'uploads, kuik', '11', '<= 14', 'met']],
    ['a few bytes, which are not nothing', { as: 'amount', quantity: peakRss, contender: 'kuik', atMost: 0, ...judged, value: 900, verdict: 'not met' }, ['-', 'peak RSS, kuik', '900 B', '<= 0 B', 'not met']],
    ['a short time, to the hundredth', { as: 'amount', quantity: wall, contender: 'kuik', ...judged, value: 1.234 }, ['-', 'wall, kuik', '1.23 ms', '-', 'met']],
    ['a noisy one', { as: 'amount', quantity: wall, contender: 'kuik', ...judged, value: 40, noisy: true }, ['-', 'wall, kuik', '40 ms', '-', 'met, noisy']],
    ['one that is not there', { as: 'amount', quantity: wall, contender: 'kuik', ...judged, value: undefined, verdict: 'not measured' }, ['-', 'wall, kuik', '-', '-', 'not measured']],
  ])('a figure is shown as %s', (_sentence, figure, cells) => {
    expect(words(figureTable([figure]).split('\n')[1])).toEqual(cells);
  });
});
