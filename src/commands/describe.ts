/** `kuik describe`: all that is known of one image. */
import { Command } from 'commander';
import { complain, outputOption, readArguments, withClusterOptions, type ClusterChoice } from './command-line.js';

export interface DescribeOptions extends ClusterChoice {
  /** where kuik is installed */
  readonly namespace?: string;
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'name';
}

/** @returns 0 all is well, 1 failed, 2 something is wrong with an image in use, 130 interrupted */
export async function describe(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik describe'))
    .usage('IMAGE... [options]')
    .description('All that is known of an image: which Pods use it and how, where it can be pulled from, its copies and why the last one failed, which clusters claim them, the next check of its origin, when it goes, and its Events. Reads the Kubernetes API; where several clusters share copies it also asks Temporal, where it may be reached (right: create pods/portforward), which of them claims which copy. kuik logs and kuik ui show the histories of its workflows.')
    .argument('[images...]', 'as in a Pod (nginx:1.27), or a record (ia/NAME)')
    .option('-n, --namespace <name>', 'where kuik is installed; else POD_NAMESPACE, kuik-system')
    .addOption(outputOption(['table', 'wide', 'json', 'yaml', 'name'], { wide: 'every Pod, and whole digests' }))
    .addHelpText('after', '\nExamples:\n  kuik describe nginx:1.27\n  kuik describe ia/docker.io-library-nginx-1.27-6965a10c -o yaml\n\nExit status: 0 all is well, 1 failed, 2 something is wrong with an image in use, 130 interrupted');
  const read = readArguments<DescribeOptions>(command, args);
  if ('exit' in read) return read.exit;
  if (read.args.length === 0) return complain('describe', 'name an image, as in kuik describe nginx:1.27; kuik images lists them');
  const { runDescribe } = await import('./describe/run.js');
  return runDescribe(read.args, read.options);
}
