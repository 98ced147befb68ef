/** `kuik retry` and `kuik mirror`: copy now, or check now. The request is an annotation on the record, which the manager carries out. */
import { Command } from 'commander';
import { complain, dryRunOption, outputOption, readArguments, timeoutOption, withClusterOptions, type ClusterChoice, type DryRun } from './command-line.js';
import { registryHost } from './registry-host.js';

export interface RetryOptions extends ClusterChoice {
  readonly failed?: boolean;
  readonly registry?: string;
  /** false: ask, and go */
  readonly wait: boolean;
  /** wait as long as it takes */
  readonly watch?: boolean;
  /** milliseconds */
  readonly timeout: number;
  readonly dryRun: DryRun;
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'name';
}

const usualTimeoutMs = 10 * 60 * 1000;

/** @returns 0 every copy is there and every checked image can be pulled, 1 failed or not done in time, 2 a copy failed again or an image cannot be pulled, 130 interrupted */
export async function retry(args: readonly string[]): Promise<number> {
  const command = commandLine('retry', 'Tries the copies of images again, at once and before all others, and tells how each ended. An image that is only monitored, by a ClusterImageSetAvailability, is checked before its turn instead.')
    .usage('IMAGE... [options]\n       kuik retry --failed [--registry HOST] [options]')
    .option('--failed', 'every image in use with a copy that failed, or that is only monitored and could not be pulled')
    .option('--registry <host>', 'with --failed: only those from or to this registry, host[:port]')
    .addHelpText('after', examplesOf('retry', ['--failed', '--failed --registry docker.io', 'nginx:1.27 --no-wait'], '0 every copy is there, and what was checked can be pulled, 1 could not ask or not done in time, 2 a copy failed, or an image cannot be pulled, 130 interrupted'));
  const read = readArguments<RetryOptions>(command, args);
  if ('exit' in read) return read.exit;
  const { options, args: images } = read;
  if ((images.length > 0) === (options.failed === true)) return complain('retry', 'name images, or all that failed with --failed, and not both; kuik retry --help shows examples');
  if (options.registry !== undefined && options.failed !== true) return complain('retry', '--registry: chooses among what failed, add --failed');
  if (options.registry !== undefined && registryHost(options.registry) === undefined) return complain('retry', `--registry ${JSON.stringify(options.registry)}: no registry; write its host[:port] as images do, such as docker.io`);
  const { runRetry } = await import('./retry/run.js');
  return runRetry('retry', images, options);
}

/** @returns as `retry` */
export async function mirror(args: readonly string[]): Promise<number> {
  const command = commandLine('mirror', 'Copies images to their mirrors now, before all others, and tells how each copy ended. What is there already is only compared.')
    .usage('IMAGE... [options]')
    .addHelpText('after', examplesOf('mirror', ['nginx:1.27', 'ghcr.io/acme/api:v4 --watch'], '0 every copy is there, 1 could not ask or not done in time, 2 a copy failed, 130 interrupted'));
  const read = readArguments<RetryOptions>(command, args);
  if ('exit' in read) return read.exit;
  if (read.args.length === 0) return complain('mirror', 'name an image, as in kuik mirror nginx:1.27');
  const { runRetry } = await import('./retry/run.js');
  return runRetry('mirror', read.args, read.options);
}

function commandLine(name: string, description: string): Command {
  return withClusterOptions(new Command(`kuik ${name}`).description(description).argument('[images...]', 'as in a Pod (nginx:1.27), or a record (ia/NAME)'))
    .option('--no-wait', 'ask, and do not wait for the outcome')
    .option('-w, --watch', 'wait as long as it takes')
    .addOption(timeoutOption('how long to wait', usualTimeoutMs))
    .addOption(dryRunOption())
    .addOption(outputOption(['table', 'wide', 'json', 'yaml', 'name']));
}

function examplesOf(name: string, lines: readonly string[], codes: string): string {
  return `
Examples:
${lines.map((line) => `  kuik ${name} ${line}`).join('\n')}

Exit status: ${codes}`;
}
