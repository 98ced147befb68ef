/** How long somebody waits for the command line to say anything: whole processes, from `bin/kuik` to their end. Nothing but this machine takes part. */
import { join } from 'node:path';
import { projectRoot } from '../tools/programs.js';
import type { Bench, Case, OpenBench } from './support/bench.js';
import { chosenCases } from './support/cases.js';
import { clientCpu, peakRss, wall } from './support/quantities.js';

const ours = 'kuik';

export const startBench: Bench = { name: 'start', open: ({ cases }) => Promise.resolve(openStartBench(cases)) };

const commandLines: Readonly<Record<string, { readonly title: string; readonly args: readonly string[]; readonly says: string; readonly goal?: string }>> = {
  version: { title: 'kuik version', args: ['version'], says: 'kuik ', goal: 'U10' },
  help: { title: 'kuik --help', args: ['--help'], says: 'Usage: kuik', goal: 'U10' },
  'command-help': { title: 'kuik explain --help', args: ['explain', '--help'], says: 'Usage: kuik explain' },
  completion: { title: 'kuik __complete images --', args: ['__complete', 'images', '--'], says: '--unmirrored' },
};

function openStartBench(chosen: readonly string[] | undefined): OpenBench {
  const cases = Object.fromEntries(Object.keys(commandLines).map((name) => [name, () => Promise.resolve(startCase(name))]));
  return { cases: chosenCases(cases, chosen), versions: { node: process.version }, leftOut: [], close: async () => undefined };
}

function startCase(name: string): Case {
  const { title, args, says, goal } = commandLines[name]!;
  let output = '';
  return {
    name,
    title,
    contenders: [
      {
        name: ours,
        prepare: () =>
          Promise.resolve({
            run: async (launcher) => void (output = await launcher.run(join(projectRoot(), 'bin', 'kuik'), args)),
            traffic: () => ({}),
            check: async () => {
              if (!output.includes(says)) throw new Error(`${title} did not say ${JSON.stringify(says)}`);
            },
            clean: async () => undefined,
          }),
      },
    ],
    figures: [
      { as: 'amount', quantity: wall, contender: ours, ...(goal === undefined ? {} : { goal, atMost: 300 }) },
      { as: 'amount', quantity: clientCpu, contender: ours },
      { as: 'amount', quantity: peakRss, contender: ours },
    ],
    conditions: { command: title },
  };
}
