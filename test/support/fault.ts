import { createHash } from 'node:crypto';
import { test } from '@jest/globals';
import { chanceOf, type Chance } from './chance.js';

export { chanceOf, type Chance };

/** What a fault test gets. */
export interface Fault {
  readonly seed: string;
  readonly chance: Chance;
  /** how much is tried: the quick size, or with `FAULT_SIZE=soak` that of the fault table */
  readonly size: (sizes: { readonly quick: number; readonly soak: number }) => number;
}

/**
 * A test that injects a fault. It prints its seed before it starts, and takes one back:
 * `FAULT_SEED=... npm run test:all -- f17`.
 *
 * @param row of the fault table, `F17`
 */
export function fault(row: string, sentence: string, play: (fault: Fault) => Promise<void>, timeoutMs = 120_000): void {
  const seed = process.env['FAULT_SEED'] ?? createHash('sha256').update(`${row} ${process.pid} ${performance.timeOrigin}`).digest('hex').slice(0, 8);
  const isSoak = process.env['FAULT_SIZE'] === 'soak';
  test(
    `${row}: ${sentence}`,
    async () => {
      process.stderr.write(`${row} seed=${seed}\n`);
      try {
        await play({ seed, chance: chanceOf(seed), size: ({ quick, soak }) => (isSoak ? soak : quick) });
      } catch (error) {
        process.stderr.write(`${row} failed with seed=${seed}\n`);
        throw error;
      }
    },
    isSoak ? longestSoakMs : timeoutMs,
  );
}

const longestSoakMs = 2 * 60 * 60 * 1000;
