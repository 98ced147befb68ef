/** `kuik copy`: the copy engine as a tool. */
import { keepYoungGenerationSmall } from './young-generation.js';

/** @returns 0 copied or already there, 1 failed, 2 copied without some of the platforms asked for, 130 interrupted */
export async function copy(args: readonly string[]): Promise<number> {
  keepYoungGenerationSmall(); // before loading the rest has made it grow
  const { runCopy } = await import('./copy/run.js');
  return runCopy(args);
}
