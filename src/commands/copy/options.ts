import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parsePlatform, type Platform } from '../../domain/platform.js';
import type { CopyStrategy } from '../../domain/rule.js';
import { isOnlyLookedAt } from '../command-line.js';

export interface CopyOptions {
  /** one pair as arguments, or the name of a list (`-` is standard input) */
  readonly what: { readonly source: string; readonly destination: string } | { readonly list: string };
  /** empty means all */
  readonly platforms: readonly Platform[];
  readonly strategy: CopyStrategy;
  /** whether signatures, attestations and SBOMs come along */
  readonly referrers: 'auto' | 'none';
  /** images at once */
  readonly concurrency: number;
  /** `host[:port]`, spoken to without TLS */
  readonly plainHttp: readonly string[];
  /** whose authority is trusted where */
  readonly caFiles: readonly CaFile[];
  readonly output: OutputForm;
}

/** A private certificate authority, trusted for one host. */
export interface CaFile {
  /** `host[:port]` */
  readonly host: string;
  /** PEM */
  readonly file: string;
}

export const outputForms = ['table', 'json', 'yaml', 'name'] as const;

export type OutputForm = (typeof outputForms)[number];

const strategies: readonly CopyStrategy[] = ['auto', 'all', 'sparse', 'rewrite'];
const mostAtOnce = 64;

const description = `Copies images from one registry to another, with the engine that fills mirrors: blobs the destination already holds are not sent, content is verified on the way, and the tag appears last.

DESTINATION without a tag takes the tag of SOURCE. Credentials are those of docker login, podman login or crane auth login.`;

const examples = `
Examples:
  kuik copy docker.io/library/nginx:1.27 registry.example.com/mirror/nginx:1.27
  kuik copy --platform linux/amd64 --platform linux/arm64 quay.io/acme/api:v4 registry.example.com/acme/api
  kuik copy --referrers auto ghcr.io/acme/api:v4 registry.example.com/acme/api   # with its signatures
  kuik copy --from-file images.txt --concurrency 8      # a line per copy: SOURCE DESTINATION

Exit status: 0 copied or already there, 1 failed, 2 copied without some of the platforms asked for, 130 interrupted`;

/** What the command line asks for; a text is what to print instead: help (to standard output), or what is wrong. */
export type Parsed = { readonly options: CopyOptions } | { readonly help: string } | { readonly problem: string };

/** Reads the arguments of `kuik copy`. */
export function parseCopyArguments(args: readonly string[]): Parsed {
  const printed = { out: '', err: '' };
  const command = copyCommand().configureOutput({ writeOut: (text) => (printed.out += text), writeErr: (text) => (printed.err += text) });
  if (isOnlyLookedAt(command)) return { help: '' };
  try {
    command.parse(args, { from: 'user' });
    return { options: readOptions(command) };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? { help: printed.out } : { problem: tidy(printed.err) };
  }
}

interface Values {
  readonly fromFile?: string;
  readonly platform: readonly Platform[];
  readonly strategy: CopyStrategy;
  readonly referrers: 'auto' | 'none';
  readonly concurrency: number;
  readonly plainHttp: readonly string[];
  readonly caFile: readonly CaFile[];
  readonly output: OutputForm;
}

function copyCommand(): Command {
  return new Command('kuik copy')
    .usage('SOURCE DESTINATION [options]\n       kuik copy --from-file LIST [options]')
    .description(description)
    .argument('[source]', 'image to copy')
    .argument('[destination]', 'where it goes')
    .option('-f, --from-file <list>', 'copy every line of this file, "SOURCE DESTINATION"; # starts a comment, - is standard input')
    .addOption(new Option('--platform <os/arch[/variant]>', 'only this platform; may be repeated').argParser(collectPlatform).default([], 'all'))
    .addOption(new Option('--strategy <how>', 'how an image is copied when platforms are left out').choices(strategies).default('auto'))
    .addOption(new Option('--referrers <which>', 'whether signatures, attestations and SBOMs are copied where they exist').choices(['auto', 'none']).default('none'))
    .addOption(new Option('-c, --concurrency <n>', 'images at once').argParser(readConcurrency).default(4))
    .addOption(plainHttpOption())
    .addOption(caFileOption())
    .addOption(new Option('-o, --output <form>', 'form of the result').choices(outputForms).default('table'))
    .helpOption('-h, --help', 'print this')
    .addHelpText('after', examples)
    .allowExcessArguments(false)
    .exitOverride();
}

export function plainHttpOption(): Option {
  return new Option('--plain-http <host>', 'speak to this host[:port] without TLS, as to loopback; may be repeated').argParser(collect).default([], 'none');
}

export function caFileOption(): Option {
  return new Option('--ca-file <host=file>', 'trust this authority (PEM) for host[:port], beside those of the system; may be repeated').argParser(collectCaFile).default([], 'none');
}

function readOptions(command: Command): CopyOptions {
  const [source, destination] = command.args;
  const { fromFile, platform: platforms, caFile: caFiles, ...rest } = command.opts<Values>();
  if (fromFile !== undefined && source !== undefined) return command.error(`error: SOURCE and --from-file exclude each other: put ${source} into the list, or leave the list out`);
  if (fromFile !== undefined) return { what: { list: fromFile }, platforms, caFiles, ...rest };
  if (source === undefined || destination === undefined) return command.error('error: name SOURCE and DESTINATION, or a list with --from-file; kuik copy --help shows examples');
  return { what: { source, destination }, platforms, caFiles, ...rest };
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function collectPlatform(value: string, before: readonly Platform[]): readonly Platform[] {
  const platform = parsePlatform(value);
  if (platform === undefined || platform.architecture === '') throw new InvalidArgumentError('Write os/architecture[/variant], as in linux/arm64.');
  return [...before, platform];
}

function collectCaFile(value: string, before: readonly CaFile[]): readonly CaFile[] {
  const equals = value.indexOf('=');
  if (equals < 1 || equals === value.length - 1) throw new InvalidArgumentError('Write host[:port]=file, as in registry.example.com=/etc/ssl/our-ca.pem.');
  return [...before, { host: value.slice(0, equals), file: value.slice(equals + 1) }];
}

function readConcurrency(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > mostAtOnce) throw new InvalidArgumentError(`Write a whole number from 1 to ${mostAtOnce}.`);
  return number;
}

/** Ours start with the name of the program, like every other complaint of it. */
function tidy(text: string): string {
  return text.trim().replace(/^error: /, '');
}
