import type { RawRun } from './bench.js';
import { summarize, type Judged } from './figures.js';

type Cell = string;

/** One line per contender: what it took and what it sent. */
export function contenderTable(runs: ReadonlyMap<string, readonly RawRun[]>): string {
  const header = ['CONTENDER', 'WALL', 'MIN', 'MAX', 'CPU', 'PEAK RSS', 'REQUESTS', 'CONNECTIONS', 'MOVED'];
  return columns([header, ...[...runs].map(([name, all]) => contenderRow(name, all))]);
}

function contenderRow(name: string, runs: readonly RawRun[]): Cell[] {
  const wall = summarize(runs, 'wallMs');
  const traffic = Object.values(runs.at(-1)?.traffic ?? {}); // counts are the same in every run but for retries
  const total = (count: (each: (typeof traffic)[number]) => number): number => {
    let sum = 0;
    for (const each of traffic) sum += count(each);
    return sum;
  };
  return [
    name,
    seconds(wall?.median),
    seconds(wall?.min),
    seconds(wall?.max),
    seconds(summarize(runs, 'cpuMs')?.median),
    mebibytes(summarize(runs, 'peakBytes')?.median),
    String(total(({ requests }) => requests)),
    String(total(({ connections }) => connections)),
    mebibytes(total(({ bytesUp, bytesDown }) => bytesUp + bytesDown)),
  ];
}

const quantities = { wallMs: 'wall', cpuMs: 'client CPU', peakBytes: 'peak RSS' } as const;

/** One line per ratio. */
export function figureTable(figures: readonly Judged[]): string {
  const rows = figures.map(({ goal, quantity, ours, peer, ratio, atMost, verdict, noisy }) => [
    goal ?? '-',
    `${quantities[quantity]}, ${ours} / ${peer}`,
    ratio === undefined ? '-' : ratio.toFixed(2 + (ratio < 0.1 ? 1 : 0)),
    atMost === undefined ? '-' : `<= ${atMost}`,
    noisy ? `${verdict}, noisy` : verdict,
  ]);
  return columns([['GOAL', 'RATIO OF', 'IS', 'WANTED', 'VERDICT'], ...rows]);
}

function seconds(ms: number | undefined): Cell {
  return ms === undefined ? '-' : `${(ms / 1000).toFixed(2)} s`;
}

function mebibytes(bytes: number | undefined): Cell {
  return bytes === undefined ? '-' : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Columns as wide as their widest cell, two blanks between. */
export function columns(rows: readonly (readonly Cell[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ').trimEnd()).join('\n');
}
