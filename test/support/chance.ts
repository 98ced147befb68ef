import { createHash } from 'node:crypto';

/** Every random choice of a fault test, drawn from one seed. */
export interface Chance {
  /** at least 0, below 1 */
  next(): number;
  /** a whole number, both ends included */
  between(least: number, most: number): number;
}

const drawsPerHash = 8;

/** Hashes of a counter: the same everywhere for the same seed. */
export function chanceOf(seed: string): Chance {
  let drawn = 0;
  let hash = Buffer.alloc(0);
  const next = (): number => {
    const at = drawn % drawsPerHash;
    if (at === 0) hash = createHash('sha256').update(`${seed} ${drawn / drawsPerHash}`).digest();
    drawn += 1;
    return hash.readUInt32BE(4 * at) / 2 ** 32;
  };
  return { next, between: (least, most) => least + Math.floor(next() * (most - least + 1)) };
}
