import process from 'node:process';
import type { Cluster } from '../../cluster/cluster.js';
import { wantsNoColor } from '../../config/terminal.js';
import { askCluster } from '../ask-cluster.js';
import { complain } from '../command-line.js';
import { findImages } from '../find-images.js';
import { Outage } from '../outage.js';
import { isData, printDocument } from '../output.js';
import type { RetryOptions } from '../retry.js';
import { watchOrFail } from '../watch-or-fail.js';
import { askAll } from './ask-all.js';
import { chosenBy, failedOf, type Chosen } from './choose.js';
import { openResultsDisplay } from './display.js';
import { Followed } from './followed.js';
import { exitCodeOf, exitCodeOfAsking, resultsDocument, resultsNames, resultsTable, sumText, type Results } from './report.js';
import { whyNotChecked } from './resting.js';

type CommandName = 'retry' | 'mirror';
type Reading = Pick<Cluster, 'record' | 'list'>;

export async function runRetry(name: CommandName, images: readonly string[], options: RetryOptions): Promise<number> {
  return askCluster(name, options, async (cluster, signal) => {
    const chosen = options.failed === true ? await everyFailed(options, cluster) : await namedImages(name, images, cluster);
    if (chosen === undefined) return 1;
    if (chosen.length === 0) process.stderr.write('kuik retry: no copy of an image in use has failed, and no image that is only monitored\n');

    const followed = new Followed();
    await askAll(chosen, followed, { cluster, dryRun: options.dryRun, signal, now: Date.now });
    const isOnlyAsked = options.dryRun !== 'none' || !options.wait;
    if (!isOnlyAsked) await untilOver(name, followed, options, cluster, signal);
    await print(followed.results, options);
    if (isOnlyAsked) return exitCodeOfAsking(followed.results);
    if (followed.isOver || signal.aborted) return exitCodeOf(followed.results);
    return complain(name, notInTime(followed.results));
  });
}

/** Those that nobody can check now are left out, and said. */
async function everyFailed({ registry }: RetryOptions, cluster: Reading): Promise<readonly Chosen[]> {
  const chosen = failedOf(await cluster.list('ImageAvailability'), registry);
  const why = await whyNotChecked(chosen, cluster);
  for (const text of why.values()) complain('retry', `${text}; left out`);
  return chosen.filter(({ record }) => !why.has(record.name));
}

/** @returns undefined after saying what is wrong: nothing is asked for when one of several cannot be */
async function namedImages(name: CommandName, images: readonly string[], cluster: Reading): Promise<readonly Chosen[] | undefined> {
  const { records, problems } = await findImages(images, cluster);
  const found = records.map((record) => chosenBy(name, record));
  const chosen = found.filter((each) => typeof each !== 'string');
  const all = [...problems, ...found.filter((each) => typeof each === 'string'), ...(await whyNotChecked(chosen, cluster)).values()];
  if (all.length === 0) return chosen;
  complain(name, ...all);
  return undefined;
}

/** Watches the records until everything has ended, the time is over, or somebody interrupts. */
async function untilOver(name: CommandName, followed: Followed, { watch, timeout, output }: RetryOptions, cluster: Pick<Cluster, 'watch' | 'watchHealth'>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = watch === true ? undefined : AbortSignal.timeout(timeout);
  const display = openResultsDisplay(process.stderr, process.stderr.isTTY && output === 'table' && !wantsNoColor() ? 'list' : 'lines', () => followed.results);
  const outage = new Outage({ say: (text) => display.say(`kuik ${name}: ${text}`) });
  if (followed.isOver) over.abort();
  try {
    await watchOrFail(
      cluster,
      'ImageAvailability',
      (change) => {
        if (followed.see(change)) display.changed();
        if (followed.isOver) over.abort();
      },
      { outage, signal: AbortSignal.any([over.signal, signal, ...(end === undefined ? [] : [end])]) },
    );
  } finally {
    display.close();
  }
}

function notInTime(results: Results): string {
  const { copies, checks } = results;
  const isLeft = ({ result }: { readonly result: string }): boolean => result === 'asked' || result === 'waiting';
  return [
    `not done in time: ${sumText(results)}`,
    ...(copies.some(isLeft) ? ['the copies go on, look again with kubectl get ia -o wide, or wait longer with --watch'] : []),
    ...(checks.some(isLeft) ? ['a registry that is down or limits us is left alone for a while, and its images are checked when their turn comes: kuik describe IMAGE tells when'] : []),
  ].join('; ');
}

async function print(results: Results, { output, dryRun }: RetryOptions): Promise<void> {
  if (isData(output)) await printDocument(resultsDocument(results), output);
  else if (output === 'name') process.stdout.write(resultsNames(results));
  else process.stdout.write(resultsTable(results, { dryRun, form: output }));
}
