import { createHash } from 'node:crypto';
import { test } from '@jest/globals';

/** Every random choice of a fault test, drawn from one seed. */
export interface Chance {
  /** at least 0, below 1 */
  next(): number;
  /** a whole number, both ends included */
  between(least: number, most: number): number;
}

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

/** Hashes of a counter: the same everywhere for the same seed. */
export function chanceOf(seed: string): Chance {
  let drawn = 0;
  const next = (): number => createHash('sha256').update(`${seed} ${(drawn += 1)}`).digest().readUInt32BE() / 2 ** 32;
  return { next, between: (least, most) => least + Math.floor(next() * (most - least + 1)) };
}
