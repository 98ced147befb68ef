import type { BenchOptions, OpenBench } from './bench.js';

/**
 * Picks the cases asked for, in the order the benchmark has them.
 *
 * @throws Error that names the cases there are
 */
export function chosenCases(all: Readonly<Record<string, OpenBench['cases'][number]>>, names: BenchOptions['cases']): OpenBench['cases'] {
  const unknown = names?.find((name) => !Object.hasOwn(all, name));
  if (unknown !== undefined) throw new Error(`--case ${unknown}: known are ${Object.keys(all).join(', ')}`);
  return Object.entries(all).filter(([name]) => names?.includes(name) ?? true).map(([, make]) => make);
}
