/** `kuik ui`: Temporal's UI on this machine, at the history somebody asks for. */
import { Command, InvalidArgumentError } from 'commander';
import { complain, readArguments, withClusterOptions, type ClusterChoice } from './command-line.js';

export interface UiOptions extends ClusterChoice {
  /** where kuik is installed */
  readonly namespace?: string;
  readonly port: number;
  /** false: only print the address */
  readonly open: boolean;
}

/** @returns 0 after Ctrl-C, 1 failed */
export async function ui(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik ui'))
    .usage('[IMAGE | KIND/NAME] [options]')
    .description("Brings Temporal's UI to this machine, through the API server (right: create pods/portforward where kuik is installed), prints its address at the history of an image's copy, or at the list of all copies of a rule, and opens a browser there. Ctrl-C ends it.")
    .argument('[what...]', 'an image as in a Pod (nginx:1.27), a record (ia/NAME), or a mirror rule (cism/NAME, ism/NAMESPACE/NAME)')
    .option('-n, --namespace <name>', 'where kuik is installed; else POD_NAMESPACE, kuik-system')
    .option('--port <number>', 'port on this machine; any free one unless told', readPort, 0)
    .option('--no-open', 'open no browser')
    .addHelpText('after', '\nExamples:\n  kuik ui\n  kuik ui nginx:1.27\n  kuik ui cism/everything --port 8080\n\nExit status: 0 ended with Ctrl-C, 1 failed');
  const read = readArguments<UiOptions>(command, args);
  if ('exit' in read) return read.exit;
  if (read.args.length > 1) return complain('ui', 'name one image or one rule, or nothing');
  const { runUi } = await import('./ui/run.js');
  return runUi(read.args[0], read.options);
}

function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('Write a port, 0 to 65535.');
  return port;
}
