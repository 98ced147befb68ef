/** `kuik pin` and `kuik unpin`: an unused copy is kept as long as its record is annotated. */
import { Command } from 'commander';
import { complain, dryRunOption, outputOption, readArguments, withClusterOptions, type ClusterChoice, type DryRun } from './command-line.js';
import { readUntil } from './pin/until.js';

export interface PinOptions extends ClusterChoice {
  readonly until?: string;
  readonly dryRun: DryRun;
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'name';
}

/** @returns 0 pinned, 1 failed, 130 interrupted */
export async function pin(args: readonly string[]): Promise<number> {
  const command = commandLine('pin', 'Keeps the copies of images that nobody uses any more, whatever their retention: the announced end goes away, and nothing is deleted before the time given.')
    .option('--until <time>', 'a time (2027-01-31, 2027-01-31T12:00:00Z) or how long from now (720h); for ever unless told')
    .addHelpText('after', '\nExamples:\n  kuik pin nginx:1.27\n  kuik pin ghcr.io/acme/api:v4 --until 2027-01-31\n  kuik pin ghcr.io/acme/api:v4 --until 720h\n\nExit status: 0 pinned, 1 failed');
  const read = readArguments<PinOptions>(command, args);
  if ('exit' in read) return read.exit;
  if (read.args.length === 0) return complain('pin', 'name an image, as in kuik pin nginx:1.27');
  const until = readUntil(read.options.until, Date.now());
  if ('problem' in until) return complain('pin', until.problem);
  const { runPin } = await import('./pin/run.js');
  return runPin('pin', read.args, read.options, until.value);
}

/** @returns as `pin` */
export async function unpin(args: readonly string[]): Promise<number> {
  const read = readArguments<PinOptions>(commandLine('unpin', 'Lets the copies of images go again: their retention counts from the time they became unused.'), args);
  if ('exit' in read) return read.exit;
  if (read.args.length === 0) return complain('unpin', 'name an image, as in kuik unpin nginx:1.27');
  const { runPin } = await import('./pin/run.js');
  return runPin('unpin', read.args, read.options, undefined);
}

function commandLine(name: string, description: string): Command {
  return withClusterOptions(new Command(`kuik ${name}`).description(description).usage('IMAGE... [options]').argument('[images...]', 'as in a Pod (nginx:1.27), or a record (ia/NAME)'))
    .addOption(dryRunOption())
    .addOption(outputOption(['table', 'wide', 'json', 'yaml', 'name']));
}
