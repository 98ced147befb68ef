/** `kuik check`: a Pod is created as a dry run, through the API server, and has to come back with our annotation. */
import { Command } from 'commander';
import { outputOption, readArguments, timeoutOption, withClusterOptions, type ClusterChoice } from './command-line.js';

export interface CheckOptions extends ClusterChoice {
  /** where the Pod would be created; where kuik is installed unless told */
  readonly namespace?: string;
  /** milliseconds */
  readonly timeout: number;
  readonly output: 'table' | 'json';
}

const usualTimeoutMs = 10_000;

/** @returns 0 it answers, 1 failed, 2 it does not, 130 interrupted */
export async function check(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik check'))
    .description('Creates a Pod as a dry run, which the API server admits like any other and does not store, and looks whether the webhook left its mark on it. It needs the right to create Pods in that namespace, and to read the registration of the webhook.')
    .option('-n, --namespace <name>', 'where; else POD_NAMESPACE, else kuik-system')
    .addOption(timeoutOption('how long to try', usualTimeoutMs))
    .addOption(outputOption(['table', 'json']))
    .addHelpText('after', '\nExit status: 0 the webhook answers, 1 failed, 2 it does not');
  const read = readArguments<CheckOptions>(command, args);
  if ('exit' in read) return read.exit;
  const { runCheck } = await import('./check/run.js');
  return runCheck(read.options);
}
