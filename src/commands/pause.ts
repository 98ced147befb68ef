/** `kuik pause` and `kuik resume`: nothing is copied and nothing deleted for an image, or on behalf of a rule. */
import { Command } from 'commander';
import { complain, dryRunOption, outputOption, readArguments, withClusterOptions, type ClusterChoice, type DryRun } from './command-line.js';

export interface PauseOptions extends ClusterChoice {
  /** of namespaced rules */
  readonly namespace?: string;
  readonly dryRun: DryRun;
  readonly output: 'table' | 'json' | 'yaml' | 'name';
}

export type Verb = 'pause' | 'resume';

/** @returns 0 done, 1 failed */
export function pause(args: readonly string[]): Promise<number> {
  return run('pause', 'Holds images: their copies stay as they are, none is made and none deleted. Suspends rules, by spec.suspend: they offer nothing, copy nothing, check nothing and delete nothing; what is there stays.', args);
}

/** @returns as `pause` */
export function resume(args: readonly string[]): Promise<number> {
  return run('resume', 'Lets images and rules go on after kuik pause. What is missing of an image is copied at once.', args);
}

async function run(verb: Verb, description: string, args: readonly string[]): Promise<number> {
  const read = readArguments<PauseOptions>(commandLine(verb, description), args);
  if ('exit' in read) return read.exit;
  if (read.args.length === 0) return complain(verb, `name an image or a rule, as in kuik ${verb} nginx:1.27 or kuik ${verb} cism/everything`);
  const { runPause } = await import('./pause/run.js');
  return runPause(verb, read.args, read.options);
}

function commandLine(verb: Verb, description: string): Command {
  return withClusterOptions(new Command(`kuik ${verb}`).description(description).usage('IMAGE | KIND/NAME ... [options]').argument('[what...]', 'images as in a Pod (nginx:1.27), records (ia/NAME), or rules (cism/NAME, ism/[NAMESPACE/]NAME, cris/NAME, ris/[NAMESPACE/]NAME, cisa/NAME)'))
    .option('-n, --namespace <name>', 'of namespaced rules; else that of the context')
    .addOption(dryRunOption())
    .addOption(outputOption(['table', 'json', 'yaml', 'name']))
    .addHelpText('after', `\nExamples:\n  kuik ${verb} nginx:1.27\n  kuik ${verb} cism/everything\n  kuik ${verb} ism/team -n shop\n\nExit status: 0 done, 1 failed`);
}
