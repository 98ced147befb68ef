/** `kuik check`: whether an installation is healthy, part by part; before there is one, whether the cluster is fit for it. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { outputOption, readArguments, timeoutOption, withClusterOptions, type ClusterChoice } from './command-line.js';

/** In the order in which one needs the other. */
export const parts = ['definitions', 'webhook', 'certificate', 'manager', 'rights', 'temporal', 'registries', 'credentials'] as const;

export type Part = (typeof parts)[number];

export interface CheckOptions extends ClusterChoice {
  /** where the Pod would be created; where kuik is installed unless told */
  readonly namespace?: string;
  /** before an installation */
  readonly pre?: boolean;
  /** all of them unless told */
  readonly only?: readonly Part[];
  /** milliseconds */
  readonly timeout: number;
  readonly output: 'table' | 'json' | 'yaml';
}

const usualTimeoutMs = 10_000;

/** @returns 0 all is well, 1 failed, 2 something is not, 130 interrupted */
export async function check(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik check'))
    .description(
      'Whether every part of an installation works: the definitions of its kinds, the webhook (a Pod is created as a dry run, which the API server admits like any other and does not store, and has to come back with our mark on it), its certificate, the manager, the rights of both, Temporal, registries, credentials. What you may not see is said to be hidden, and does not count.',
    )
    .option('-n, --namespace <name>', 'where the Pod is tried; else where kuik is installed: POD_NAMESPACE, else kuik-system')
    .option('--pre', 'before an installation: is the cluster fit for it')
    .addOption(new Option('--only <part>', `only this part (${parts.join(', ')}); may be repeated`).argParser(collect))
    .addOption(timeoutOption('how long to wait for what has just been installed', usualTimeoutMs))
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addHelpText('after', '\nExit status: 0 no part is bad, 1 failed, 2 some part is, 130 interrupted');
  const read = readArguments<CheckOptions>(command, args);
  if ('exit' in read) return read.exit;
  const { runCheck } = await import('./check/run.js');
  return runCheck(read.options);
}

function collect(part: string, before: readonly string[] | undefined): readonly string[] {
  if (!parts.some((known) => known === part)) throw new InvalidArgumentError(`Parts are ${parts.join(', ')}.`);
  return [...(before ?? []), part];
}
