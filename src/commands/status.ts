/** `kuik status`: the whole installation on one screen. */
import { Command } from 'commander';
import { outputOption, readArguments, withClusterOptions, type ClusterChoice } from './command-line.js';

export interface StatusOptions extends ClusterChoice {
  /** where kuik is installed */
  readonly namespace?: string;
  readonly watch?: boolean;
  readonly output: 'table' | 'wide' | 'json' | 'yaml';
}

/** @returns 0 all is well, 1 failed, 2 something is wrong, 130 interrupted */
export async function status(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik status'))
    .description('The whole installation on one screen: what is wrong and what to do about it first, then images, copies under way, registries and rules. It reads the Kubernetes API only, so it answers while Temporal is away; with --watch it also asks Temporal, where it may be reached (right: create pods/portforward), how far copies are.')
    .option('-n, --namespace <name>', 'where kuik is installed; else POD_NAMESPACE, kuik-system')
    .option('-w, --watch', 'go on, and show what changes; while the API server is away, say so and look again')
    .addOption(outputOption(['table', 'wide', 'json', 'yaml']))
    .addHelpText('after', '\nExit status: 0 all is well, 1 failed, 2 something is wrong, 130 interrupted');
  const read = readArguments<StatusOptions>(command, args);
  if ('exit' in read) return read.exit;
  const { runStatus } = await import('./status/run.js');
  return runStatus(read.options);
}
