import process from 'node:process';
import type { Cluster } from '../../cluster/cluster.js';
import { wantsNoColor } from '../../config/terminal.js';
import { annotations } from '../../domain/names.js';
import type { ImageRecord } from '../../domain/record.js';
import { askCluster } from '../ask-cluster.js';
import { complain } from '../command-line.js';
import { findImages } from '../find-images.js';
import { isData, printDocument } from '../output.js';
import type { RetryOptions } from '../retry.js';
import { watchOrFail } from '../watch-or-fail.js';
import { chosenBy, failedOf, type Chosen } from './choose.js';
import { openResultsDisplay } from './display.js';
import { FollowingChecks } from './follow-checks.js';
import { Following } from './follow.js';
import { exitCodeOf, resultsDocument, resultsNames, resultsTable, sumText, type Results } from './report.js';
import { whyNotChecked } from './resting.js';

type CommandName = 'retry' | 'mirror';
type Asking = Pick<Cluster, 'annotateRecord'>;
type Reading = Pick<Cluster, 'record' | 'list'>;

const askedAtOnce = 8;

export async function runRetry(name: CommandName, images: readonly string[], options: RetryOptions): Promise<number> {
  return askCluster(name, options, async (cluster, signal) => {
    const chosen = options.failed === true ? await everyFailed(options, cluster) : await namedImages(name, images, cluster);
    if (chosen === undefined) return 1;
    if (chosen.length === 0) process.stderr.write('kuik retry: no copy of an image in use has failed, and no image that is only monitored\n');

    const followed = new Followed();
    await askAll(chosen, followed, options, cluster);
    const isOnlyAsked = options.dryRun !== 'none' || !options.wait;
    if (!isOnlyAsked) await untilOver(followed, options, cluster, signal);
    await print(followed.results, options);
    if (isOnlyAsked || followed.isOver || signal.aborted) return isOnlyAsked ? 0 : exitCodeOf(followed.results);
    return complain(name, notInTime(followed.results));
  });
}

/** What is followed, by what was asked for. */
class Followed {
  readonly #copies = new Following();
  readonly #checks = new FollowingChecks();

  ask({ record, what }: Chosen): void {
    if (what === 'copies') this.#copies.ask(record);
    else this.#checks.ask(record);
  }

  /** @returns whether anything is different now */
  see(change: Parameters<Following['see']>[0]): boolean {
    return [this.#copies.see(change), this.#checks.see(change)].includes(true);
  }

  get results(): Results {
    return { copies: this.#copies.copies, checks: this.#checks.checks };
  }

  get isOver(): boolean {
    return this.#copies.isOver && this.#checks.isOver;
  }
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

/** Each record is followed from what the API server answered. */
async function askAll(chosen: readonly Chosen[], followed: Followed, { dryRun }: RetryOptions, cluster: Asking): Promise<void> {
  const asked = async ({ image }: ImageRecord, requestedAt: string): Promise<ImageRecord> => cluster.annotateRecord(image, { [annotations.requestedAt]: requestedAt }, { dryRun: dryRun === 'server' });
  for (let at = 0; at < chosen.length; at += askedAtOnce) {
    const now = new Date(Date.now()).toISOString();
    const some = chosen.slice(at, at + askedAtOnce);
    const answers = dryRun === 'client' ? some : await Promise.all(some.map(async ({ record, what }) => ({ record: await asked(record, now), what })));
    for (const answer of answers) followed.ask(answer);
  }
}

/** Watches the records until everything has ended, the time is over, or somebody interrupts. */
async function untilOver(followed: Followed, { watch, timeout, output }: RetryOptions, cluster: Pick<Cluster, 'watch' | 'watchHealth'>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = watch === true ? undefined : AbortSignal.timeout(timeout);
  const display = openResultsDisplay(process.stderr, process.stderr.isTTY && output === 'table' && !wantsNoColor() ? 'list' : 'lines');
  display.show(followed.results);
  if (followed.isOver) over.abort();
  try {
    await watchOrFail(
      cluster,
      'ImageAvailability',
      (change) => {
        if (followed.see(change)) display.show(followed.results);
        if (followed.isOver) over.abort();
      },
      { signal: AbortSignal.any([over.signal, signal, ...(end === undefined ? [] : [end])]) },
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
