import type { Figure, RawRun } from './bench.js';
import type { Quantity } from './quantities.js';

/** A spread above this says that something else was running: the figure is reported as noisy. */
const noisySpread = 2;

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** max / min; 1 is perfectly steady */
  readonly spread: number;
}

export type Judged = Figure & {
  /** undefined when one side was not measured */
  readonly value: number | undefined;
  readonly verdict: 'met' | 'not met' | 'no goal' | 'not measured';
  /** a side varied too much for the figure to be trusted */
  readonly noisy: boolean;
};

/** Median and extremes of one quantity; undefined when a run lacks it. */
export function summarize(runs: readonly RawRun[], quantity: Quantity): Summary | undefined {
  const values = runs.map((run) => quantity.of(run)).filter((value) => value !== undefined).sort((a, b) => a - b);
  const [min, max] = [values[0], values.at(-1)];
  if (values.length < runs.length || min === undefined || max === undefined) return undefined;
  return { median: median(values), min, max, spread: min === 0 ? 1 : max / min };
}

/** @param sorted ascending, not empty */
export function median(sorted: readonly number[]): number {
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
  return (lower + upper) / 2;
}

/** Works a figure out from the medians, and says how far it can be trusted. */
export function judge(figure: Figure, runsOf: (contender: string) => readonly RawRun[]): Judged {
  const sides = [figure.contender, ...('peer' in figure ? [figure.peer] : [])].map((name) => summarize(runsOf(name), figure.quantity));
  const [ours, peers] = sides;
  const value = ours && valueOf(figure, ours.median, peers?.median);
  if (value === undefined) return { ...figure, value, verdict: 'not measured', noisy: false };
  return { ...figure, value, verdict: verdictOn(value, figure.atMost), noisy: sides.some((side) => side !== undefined && side.spread > noisySpread) };
}

function valueOf(figure: Figure, ours: number, peers: number | undefined): number | undefined {
  switch (figure.as) {
    case 'ratio':
      return peers === undefined || peers === 0 ? undefined : ours / peers;
    case 'excess':
      return peers === undefined ? undefined : ours - peers;
    case 'share':
      return ours / figure.whole.amount;
    case 'amount':
      return ours;
  }
}

function verdictOn(value: number, atMost: number | undefined): Judged['verdict'] {
  if (atMost === undefined) return 'no goal';
  return value <= atMost ? 'met' : 'not met';
}
