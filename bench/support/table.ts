import type { RawRun } from './bench.js';
import type { Traffic } from './delay-relay.js';
import { summarize, type Judged } from './figures.js';
import { clientCpu, peakRss, wall, type Quantity } from './quantities.js';
import type { CaseRuns } from './round.js';

type Cell = string;

/** One line per contender: what it took and what it sent. */
export function contenderTable({ counted, discarded }: CaseRuns): string {
  const header = ['CONTENDER', 'WALL', 'MIN', 'MAX', 'CPU', 'PEAK RSS', 'REQUESTS', 'CONNECTIONS', 'MOVED'];
  return columns([header, ...[...counted].map(([name, runs]) => contenderRow(name, runs, discarded.get(name)))]);
}

function contenderRow(name: string, runs: readonly RawRun[], warmUp: RawRun | undefined): Cell[] {
  const time = summarize(runs, wall);
  return [
    name,
    amountText(time?.median, 'ms'),
    amountText(time?.min, 'ms'),
    amountText(time?.max, 'ms'),
    amountText(summarize(runs, clientCpu)?.median, 'ms'),
    amountText(summarize(runs, peakRss)?.median, 'bytes'),
    ...trafficCells(countedTraffic(runs, warmUp)),
  ];
}

/** Counts are the same in every run but for retries; where only the first round went through relays, they are its counts. */
function countedTraffic(runs: readonly RawRun[], warmUp: RawRun | undefined): readonly Traffic[] {
  const last = Object.values(runs.at(-1)?.traffic ?? {});
  return last.length > 0 ? last : Object.values(warmUp?.traffic ?? {});
}

function trafficCells(lines: readonly Traffic[]): readonly [requests: Cell, connections: Cell, moved: Cell] {
  if (lines.length === 0) return ['-', '-', '-'];
  const total = { requests: 0, connections: 0, moved: 0 };
  for (const { requests, connections, bytesUp, bytesDown } of lines) {
    total.requests += requests;
    total.connections += connections;
    total.moved += bytesUp + bytesDown;
  }
  return [amountText(total.requests, 'count'), amountText(total.connections, 'count'), amountText(total.moved, 'bytes')];
}

/** One line per figure. */
export function figureTable(figures: readonly Judged[]): string {
  const rows = figures.map((figure) => [
    figure.goal ?? '-',
    subjectOf(figure),
    valueText(figure, figure.value),
    figure.atMost === undefined ? '-' : `<= ${wantedText(figure, figure.atMost)}`,
    figure.noisy ? `${figure.verdict}, noisy` : figure.verdict,
  ]);
  return columns([['GOAL', 'FIGURE', 'IS', 'WANTED', 'VERDICT'], ...rows]);
}

function subjectOf(figure: Judged): Cell {
  const { quantity, contender } = figure;
  switch (figure.as) {
    case 'ratio':
      return `${quantity.name}, ${contender} / ${figure.peer}`;
    case 'excess':
      return `${quantity.name}, ${contender} - ${figure.peer}`;
    case 'share':
      return `${quantity.name}, ${contender} / ${figure.whole.name}`;
    case 'amount':
      return `${quantity.name}, ${contender}`;
  }
}

function valueText(figure: Judged, value: number | undefined): Cell {
  if (isPure(figure)) return value === undefined ? '-' : value.toFixed(value < 0.1 ? 3 : 2);
  return amountText(value, figure.quantity.unit);
}

/** A goal is shown as it is set, without digits nobody wrote. */
function wantedText(figure: Judged, atMost: number): Cell {
  return isPure(figure) || figure.quantity.unit === 'count' ? String(atMost) : amountText(atMost, figure.quantity.unit);
}

/** A number without a unit. */
function isPure({ as }: Judged): boolean {
  return as === 'ratio' || as === 'share';
}

function amountText(amount: number | undefined, unit: Quantity['unit']): Cell {
  if (amount === undefined) return '-';
  switch (unit) {
    case 'ms':
      return Math.abs(amount) < 1000 ? `${amount.toFixed(Math.abs(amount) < 10 && amount !== 0 ? 2 : 0)} ms` : `${(amount / 1000).toFixed(2)} s`;
    case 'bytes':
      return bytesText(amount);
    case 'count':
      return String(amount);
  }
}

function bytesText(bytes: number): Cell {
  if (Math.abs(bytes) < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return Math.abs(kib) < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}

/** Columns as wide as their widest cell, two blanks between. */
export function columns(rows: readonly (readonly Cell[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ').trimEnd()).join('\n');
}
