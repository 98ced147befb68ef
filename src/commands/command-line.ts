/** How the arguments of a command are read. Only commander is loaded here: `--help` pays for nothing else. */
import { CommanderError, InvalidArgumentError, Option, type Command } from 'commander';
import { helpText } from '../config/terminal.js';
import { formatDuration, parseDuration } from '../domain/duration.js';

/** What was read, or the exit code where that was all: help was printed, or what is wrong. */
export type Arguments<T> = { readonly options: T; readonly args: readonly string[] } | { readonly exit: 0 | 1 };

let inspect: ((command: Command) => void) | undefined;

/** What a command would read, without running it. @returns undefined when it reads no arguments */
export async function commandLineOf(run: () => Promise<number>): Promise<Command | undefined> {
  let found: Command | undefined;
  inspect = (command) => void (found = command);
  try {
    await run();
  } finally {
    inspect = undefined;
  }
  return found;
}

/** Whether somebody only wants to know what the command would read. */
export function isOnlyLookedAt(command: Command): boolean {
  inspect?.(command);
  return inspect !== undefined;
}

export function readArguments<T extends object>(command: Command, args: readonly string[]): Arguments<T> {
  if (isOnlyLookedAt(command)) return { exit: 0 };
  let wrong = '';
  command.helpOption('-h, --help', 'print this').exitOverride().configureOutput({ writeOut: (text) => void process.stdout.write(helpText(text)), writeErr: (text) => void (wrong += text) });
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) process.stderr.write(`${command.name()}: ${withHelp(wrong, error.code, command.name())}\n`);
    return { exit: error.exitCode === 0 ? 0 : 1 };
  }
  const options = command.opts<T>();
  const { namespace } = options as { readonly namespace?: unknown };
  if (typeof namespace === 'string' && !namespaceName.test(namespace)) {
    process.stderr.write(`${command.name()}: -n ${JSON.stringify(namespace)}: no namespace has such a name; kubectl get namespaces lists them\n`);
    return { exit: 1 };
  }
  return { options, args: command.args };
}

/** A label of RFC 1123. @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names */
const namespaceName = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** What a complaint about words does not tell itself: where it stands which there are. */
const helps: Readonly<Record<string, string>> = {
  'commander.unknownOption': 'lists them',
  'commander.excessArguments': 'shows what it takes',
  'commander.missingArgument': 'shows what it takes',
  'commander.optionMissingArgument': 'shows what it takes',
};

/** Complaints start with the name of the program, like every other of it. */
function withHelp(text: string, code: string, name: string): string {
  const said = text.replace(/^error: /, '').trim().replaceAll('\n', ' ');
  const help = helps[code];
  return help === undefined ? said : `${said.replace(/\.$/, '')}; ${name} --help ${help}`;
}

/** Which cluster is asked; as kubectl has it. */
export interface ClusterChoice {
  readonly kubeconfig?: string;
  readonly context?: string;
}

export function withClusterOptions(command: Command): Command {
  return command.option('--kubeconfig <file>', 'which cluster to ask; else KUBECONFIG, ~/.kube/config').option('--context <name>', 'context of that file');
}

/** @param usualMs milliseconds */
export function timeoutOption(description: string, usualMs: number): Option {
  return new Option('--timeout <duration>', description).argParser(readTimeout).default(usualMs, formatDuration(usualMs));
}

function readTimeout(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('Write a duration, as in 90s, 10m or 2h.');
  return ms;
}

/** @param process whose settings decide */
export function configOption(process: 'manager' | 'webhook'): Option {
  return new Option('--config <file>', `kuik's configuration, as the ${process} would read it; else that of the cluster, from its ConfigMap`);
}

export type DryRun = 'none' | 'client' | 'server';

/** `client` asks nobody, `server` has the API server check rights and content; neither changes anything. */
export function dryRunOption(): Option {
  return new Option('--dry-run <where>', 'client: print what would be asked for; server: have the API server check it as well; nothing is changed').choices(['none', 'client', 'server']).default('none');
}

/** @param says what a form shows, where its name does not tell */
export function outputOption(forms: readonly string[], says: Readonly<Record<string, string>> = {}): Option {
  const told = Object.entries(says).map(([form, text]) => `${form}: ${text}`);
  return new Option('-o, --output <form>', ['form of the result', ...told].join('; ')).choices(forms).default('table');
}

/** Version of everything the command line prints as data. */
export const cliVersion = 'cli.kuik.enix.io/v1';

/** @returns exit code 1, after saying why: what is wrong, and what to do about it */
export function complain(command: string, ...problems: readonly string[]): 1 {
  for (const problem of problems) process.stderr.write(`kuik ${command}: ${problem}\n`);
  return 1;
}
