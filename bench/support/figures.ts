import type { Figure, RawRun } from './bench.js';
import type { Usage } from './measure.js';

/** A spread above this says that something else was running: the ratio is reported as noisy. */
const noisySpread = 2;

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** max / min; 1 is perfectly steady */
  readonly spread: number;
}

export interface Judged extends Figure {
  /** undefined when one side was not measured */
  readonly ratio: number | undefined;
  readonly verdict: 'met' | 'not met' | 'no goal' | 'not measured';
  /** either side varied too much for the ratio to be trusted */
  readonly noisy: boolean;
}

/** Median and extremes of one quantity; undefined when a run lacks it. */
export function summarize(runs: readonly RawRun[], quantity: keyof Usage): Summary | undefined {
  const values = runs.map((run) => run[quantity]).filter((value) => value !== undefined).sort((a, b) => a - b);
  const [min, max] = [values[0], values.at(-1)];
  if (values.length < runs.length || min === undefined || max === undefined) return undefined;
  return { median: median(values), min, max, spread: min === 0 ? 1 : max / min };
}

/** @param sorted ascending, not empty */
function median(sorted: readonly number[]): number {
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
  return (lower + upper) / 2;
}

/** Compares medians, and says how far they can be trusted. */
export function judge(figure: Figure, runsOf: (contender: string) => readonly RawRun[]): Judged {
  const ours = summarize(runsOf(figure.ours), figure.quantity);
  const peer = summarize(runsOf(figure.peer), figure.quantity);
  if (ours === undefined || peer === undefined || peer.median === 0) return { ...figure, ratio: undefined, verdict: 'not measured', noisy: false };
  const ratio = ours.median / peer.median;
  return { ...figure, ratio, verdict: verdictOn(ratio, figure.atMost), noisy: Math.max(ours.spread, peer.spread) > noisySpread };
}

function verdictOn(ratio: number, atMost: number | undefined): Judged['verdict'] {
  if (atMost === undefined) return 'no goal';
  return ratio <= atMost ? 'met' : 'not met';
}
