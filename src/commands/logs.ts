/** `kuik logs`: the story of the workflows of an image, as lines. */
import { Command, InvalidArgumentError } from 'commander';
import { complain, outputOption, readArguments, withClusterOptions, type ClusterChoice } from './command-line.js';

export interface LogsOptions extends ClusterChoice {
  /** where kuik is installed */
  readonly namespace?: string;
  readonly runs: number;
  readonly watch?: boolean;
  readonly output: 'table' | 'json' | 'yaml';
}

const usualRuns = 3;

/** @returns 0 told, 1 failed, 130 interrupted */
export async function logs(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik logs'))
    .usage('IMAGE... [options]')
    .description("What happened to the copies of images: who claimed them, each copy and deletion with its steps, what failed and when. Told by the histories of their workflows, which are read through the API server (right: create pods/portforward where kuik is installed); without that right, or while Temporal is away, by the image's record and Events.")
    .argument('[images...]', 'as in a Pod (nginx:1.27), or a record (ia/NAME)')
    .option('-n, --namespace <name>', 'where kuik is installed; else POD_NAMESPACE, kuik-system')
    .option('--runs <number>', 'how many of the last copies and deletions are told', readRuns, usualRuns)
    .option('-w, --watch', 'go on, and print what happens; while the API server or Temporal is away, say so and look again')
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addHelpText('after', '\nExamples:\n  kuik logs nginx:1.27\n  kuik logs ghcr.io/acme/api:v4 --runs 20\n  kuik logs nginx:1.27 -w\n\nExit status: 0 told, 1 failed, 130 interrupted');
  const read = readArguments<LogsOptions>(command, args);
  if ('exit' in read) return read.exit;
  if (read.args.length === 0) return complain('logs', 'name an image, as in kuik logs nginx:1.27; kuik images lists them');
  const { runLogs } = await import('./logs/run.js');
  return runLogs(read.args, read.options);
}

function readRuns(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new InvalidArgumentError('Write a number from 1 to 9999.');
  return Number(text);
}
