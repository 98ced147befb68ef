/** `kuik bundle`: what somebody who helps needs to see, in one archive, without secrets. */
import { Command } from 'commander';
import { complain, readArguments, withClusterOptions, type ClusterChoice } from './command-line.js';

export interface BundleOptions extends ClusterChoice {
  /** where kuik is installed */
  readonly namespace?: string;
  /** name of the archive */
  readonly outputFile?: string;
  readonly logs: boolean;
  readonly yes?: boolean;
  readonly dryRun: 'none' | 'client';
}

/** @returns 0 written, 1 failed or not wanted, 130 interrupted */
export async function bundle(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik bundle'))
    .description("Gathers what somebody who helps needs to see into a tar.gz: versions, kuik status, rules, records, Events about both, the objects and logs of the install namespace. Secrets are never read; passwords, tokens, keys and credentials in everything else are taken out. The contents are listed before anything is written.")
    .option('-n, --namespace <name>', 'where kuik is installed; else POD_NAMESPACE, kuik-system')
    .option('--output-file <file>', 'name of the archive; kuik-bundle-TIME.tar.gz unless told')
    .option('--no-logs', 'leave the logs of its Pods out')
    .option('-y, --yes', 'write it without a question')
    .option('--dry-run', 'list the contents, and write nothing', () => 'client', 'none')
    .addHelpText('after', '\nLook into it before you hand it on: names of images, registries, namespaces and Pods stay as they are.\n\nExit status: 0 written, 1 failed or not wanted, 130 interrupted');
  const read = readArguments<BundleOptions>(command, args);
  if ('exit' in read) return read.exit;
  if (read.args.length > 0) return complain('bundle', `${read.args[0]}: takes no name; --output-file names the archive`);
  const { runBundle } = await import('./bundle/run.js');
  return runBundle(read.options);
}
