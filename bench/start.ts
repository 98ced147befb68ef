/**
 * How long somebody waits for the command line to say anything: whole processes, from `bin/kuik` to their end. Nothing
 * but this machine takes part, but for `explain`, which reads a real API server and asks a registry on it.
 */
import { join } from 'node:path';
import { projectRoot } from '../tools/programs.js';
import type { Bench, Case, OpenBench } from './support/bench.js';
import { chosenCases } from './support/cases.js';
import { clientCpu, peakRss, wall } from './support/quantities.js';
import { openRulesInCluster, type RulesInCluster } from './support/rules-in-cluster.js';

const ours = 'kuik';

export const startBench: Bench = { name: 'start', open: ({ cases }) => Promise.resolve(openStartBench(cases)) };

interface CommandLine {
  readonly title: string;
  readonly args: readonly string[];
  readonly says: string;
  readonly goal?: string;
  /** milliseconds */
  readonly atMost?: number;
  readonly conditions?: Case['conditions'];
}

const commandLines: Readonly<Record<string, CommandLine>> = {
  version: { title: 'kuik version', args: ['version'], says: 'kuik ', goal: 'U10', atMost: 300 },
  help: { title: 'kuik --help', args: ['--help'], says: 'Usage: kuik', goal: 'U10', atMost: 300 },
  'command-help': { title: 'kuik explain --help', args: ['explain', '--help'], says: 'Usage: kuik explain' },
  completion: { title: 'kuik __complete images --', args: ['__complete', 'images', '--'], says: '--unmirrored' },
};

function openStartBench(chosen: readonly string[] | undefined): OpenBench {
  let cluster: RulesInCluster | undefined;
  const explain = async (): Promise<Case> => startCase('explain', explainLine((cluster = await openRulesInCluster(held))));
  const cases = { ...Object.fromEntries(Object.entries(commandLines).map(([name, line]) => [name, () => Promise.resolve(startCase(name, line))])), explain };
  return { cases: chosenCases(cases, chosen), versions: { node: process.version }, leftOut: [], close: async () => cluster?.close() };
}

const held = { rules: 500, records: 1000 };

/** Of a Pod with two containers: every rule is read and looked at, and its origin is asked. */
function explainLine({ kubeconfig, pod: { name, namespace } }: RulesInCluster): CommandLine {
  return {
    title: `kuik explain pod/${name} with ${held.rules} rules, as many of each kind, and ${held.records} records`,
    args: ['explain', `pod/${name}`, '-n', namespace, '--kubeconfig', kubeconfig],
    says: 'OriginAvailable',
    goal: 'U10',
    atMost: 2000,
    conditions: held,
  };
}

function startCase(name: string, { title, args, says, goal, atMost, conditions = {} }: CommandLine): Case {
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
      { as: 'amount', quantity: wall, contender: ours, ...(goal === undefined ? {} : { goal, atMost }) },
      { as: 'amount', quantity: clientCpu, contender: ours },
      { as: 'amount', quantity: peakRss, contender: ours },
    ],
    conditions: { command: title, ...conditions },
  };
}
