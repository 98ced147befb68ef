/** `kuik copy`, from its arguments to its exit code. */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { readDockerConfig, type DockerConfigFile } from '../../config/docker.js';
import { readEnvironment } from '../../config/environment.js';
import { wantsNoColor } from '../../config/terminal.js';
import { createCopyEngine } from '../../registry/copy.js';
import { createHttpRegistry } from '../../registry/http/client.js';
import type { SettingsOf } from '../../registry/http/settings.js';
import { copyList } from './copy-list.js';
import { askCredentialHelper } from './credential-helper.js';
import { userCredentials } from './credentials.js';
import { openDisplay, type Display } from './display.js';
import { readHosts } from './hosts.js';
import { readList, readPair, type Pair, type Pairs } from './list.js';
import { parseCopyArguments, type CopyOptions } from './options.js';
import { exitCodeOf, interrupted, isCopied, type Outcome } from './outcome.js';
import { ProgressBoard } from './progress.js';
import { complain, report } from './report.js';
import { readBuild, userAgent } from '../version.js';

/** @returns 0 copied or already there, 1 failed, 2 copied without some of the platforms asked for, 130 interrupted */
export async function runCopy(args: readonly string[]): Promise<number> {
  const parsed = parseCopyArguments(args);
  if ('help' in parsed) {
    process.stdout.write(parsed.help);
    return 0;
  }
  if ('problem' in parsed) return fail([parsed.problem]);

  const read = await readPairs(parsed.options);
  if ('problems' in read) return fail(read.problems);

  const hosts = readHosts(parsed.options, Math.min(parsed.options.concurrency, read.pairs.length));
  if ('problems' in hosts) return fail(hosts.problems);

  const docker = readDocker();
  if (typeof docker === 'string') return fail([docker]);

  const outcomes = await copyAll(read.pairs, parsed.options, { settings: hosts.settings, docker: docker.config });
  process.stdout.write(await report(outcomes, parsed.options.output, 'list' in parsed.options.what ? 'list' : 'one'));
  const code = exitCodeOf(outcomes);
  if (code === interrupted) process.stderr.write(`kuik copy: interrupted; ${outcomes.filter(isCopied).length} of ${outcomes.length} images are complete, and the same command goes on with the rest\n`);
  return code;
}

async function readPairs({ what }: CopyOptions): Promise<Pairs> {
  if ('list' in what) {
    const name = what.list === '-' ? 'standard input' : what.list;
    try {
      return readList(what.list === '-' ? await text(process.stdin) : await readFile(what.list, 'utf8'), name);
    } catch (error) {
      return { problems: [`--from-file ${name}: ${error instanceof Error ? error.message : String(error)}`] };
    }
  }
  const pair = readPair([what.source, what.destination]);
  return typeof pair === 'string' ? { problems: [pair] } : { pairs: [pair] };
}

/** @returns why it cannot be read, with the next step, as a text */
function readDocker(): { readonly config: DockerConfigFile | undefined } | string {
  try {
    return { config: readDockerConfig() };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}; make it readable, or set DOCKER_CONFIG to a folder without one`;
  }
}

async function copyAll(pairs: readonly Pair[], options: CopyOptions, { settings, docker }: { readonly settings: SettingsOf; readonly docker: DockerConfigFile | undefined }): Promise<readonly Outcome[]> {
  const registry = createHttpRegistry({
    settings,
    proxy: readEnvironment().proxy,
    clock: Date.now,
    userAgent: userAgent(readBuild().version),
  });
  const board = new ProgressBoard(pairs.map(({ destination }) => destination));
  const display = openDisplay(board, { stream: process.stderr, form: isDrawn(options) ? 'bars' : 'lines' });
  const credentials = userCredentials(docker, { ask: askCredentialHelper, warn: (message) => display.say(`kuik copy: ${message}`) });
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort();
  for (const name of signals) process.once(name, onSignal); // once: the second one ends us at once

  try {
    return await copyList(
      pairs,
      { engine: createCopyEngine(registry), registry, credentials, platforms: options.platforms, strategy: options.strategy, referrers: options.referrers, board },
      { concurrency: options.concurrency, signal: interrupt.signal, onOutcome: (outcome) => sayWhatIsWrong(outcome, display) },
    );
  } finally {
    for (const name of signals) process.off(name, onSignal);
    display.close();
    await registry.close();
  }
}

const signals = ['SIGINT', 'SIGTERM'] as const;

/** Bars are for people at a terminal who did not ask for plain output. */
function isDrawn({ output }: CopyOptions): boolean {
  return process.stderr.isTTY && output === 'table' && !wantsNoColor();
}

function sayWhatIsWrong(outcome: Outcome, display: Display): void {
  if (outcome.verdict === 'failed') display.say(`kuik copy: ${complain(outcome)}`);
  if (isCopied(outcome)) for (const warning of outcome.warnings ?? []) display.say(`kuik copy: warning: ${outcome.destination}: ${warning}`);
}

function fail(problems: readonly string[]): number {
  for (const problem of problems) process.stderr.write(`kuik copy: ${problem}\n`);
  return 1;
}
