import { copyOne, type CopyTools } from './copy-one.js';
import type { Pair } from './list.js';
import type { Outcome } from './outcome.js';

export interface CopyListOptions {
  /** images at once */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** told of each outcome as it is known */
  readonly onOutcome: (outcome: Outcome) => void;
}

/** Copies all pairs, so many at once, each whatever becomes of the others. @returns outcomes in the order of the list */
export async function copyList(pairs: readonly Pair[], tools: CopyTools, { concurrency, signal, onOutcome }: CopyListOptions): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const left = pairs.entries(); // shared: each worker takes the next one
  const work = async (): Promise<void> => {
    for (const [at, pair] of left) {
      const outcome = await copyOne(pair, tools, signal);
      outcomes[at] = outcome;
      onOutcome(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, pairs.length) }, work));
  return outcomes;
}
