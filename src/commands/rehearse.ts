/** `kuik rehearse`: if these registries went away now, which workloads could not restart. */
import { Command } from 'commander';
import { complain, configOption, outputOption, readArguments, withClusterOptions, type ClusterChoice } from './command-line.js';

export interface RehearseOptions extends ClusterChoice {
  /** only workloads of this namespace */
  readonly namespace?: string;
  /** a file of settings; those of the cluster unless told */
  readonly config?: string;
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'name';
}

const help = `
Images that lie on a node already are not counted on: another node may be chosen, or the policy be Always.

Examples:
  kuik rehearse docker.io
  kuik rehearse docker.io quay.io -n shop
  kuik rehearse docker.io -o json
  kuik rehearse docker.io -n shop -o name

Exit status: 0 every workload could restart, 1 failed, 2 some could not, 130 interrupted`;

/** @returns 0 every workload could restart, 1 failed, 2 some could not, 130 interrupted */
export async function rehearse(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik rehearse'))
    .usage('REGISTRY... [options]')
    .description('If these registries went away now: which workloads could not restart, which would be sent elsewhere, and which images have no second place. Decides with the function of the webhook, contacts every registry but these, and changes nothing.')
    .argument('[registries...]', 'host[:port], as images name it')
    .option('-n, --namespace <name>', 'only workloads of this namespace')
    .addOption(configOption('webhook'))
    .addOption(outputOption(['table', 'wide', 'json', 'yaml', 'name'], { wide: 'also those that would not notice', name: 'only those that could not restart' }))
    .addHelpText('after', help);
  const read = readArguments<RehearseOptions>(command, args);
  if ('exit' in read) return read.exit;
  if (read.args.length === 0) return complain('rehearse', 'name a registry, as in kuik rehearse docker.io; kuik images shows where yours come from');
  const { runRehearse } = await import('./rehearse/run.js');
  return runRehearse(read.args, read.options);
}
