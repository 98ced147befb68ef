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
import { failedOf, whyNothingToCopy } from './choose.js';
import { openCopiesDisplay } from './display.js';
import { Following, type Copy } from './follow.js';
import { copiesDocument, copiesNames, copiesTable, exitCodeOf, sumText } from './report.js';

type Asking = Pick<Cluster, 'annotateRecord'>;

const askedAtOnce = 8;

export async function runRetry(name: 'retry' | 'mirror', images: readonly string[], options: RetryOptions): Promise<number> {
  return askCluster(name, options, async (cluster, signal) => {
    const chosen = options.failed === true ? failedOf(await cluster.list('ImageAvailability'), options.registry) : await namedImages(name, images, cluster);
    if (chosen === undefined) return 1;
    if (chosen.length === 0) process.stderr.write('kuik retry: no copy of an image in use has failed\n');

    const following = new Following();
    for (const record of await askAll(chosen, options, cluster)) following.ask(record);
    const isOnlyAsked = options.dryRun !== 'none' || !options.wait;
    if (!isOnlyAsked) await untilOver(following, options, cluster, signal);
    await print(following.copies, options);
    if (isOnlyAsked || following.isOver || signal.aborted) return isOnlyAsked ? 0 : exitCodeOf(following.copies);
    return complain(name, `not done in time: ${sumText(following.copies)}; the copies go on, look again with kubectl get ia -o wide, or wait longer with --watch`);
  });
}

/** @returns undefined after saying what is wrong: nothing is asked for when one of several cannot be */
async function namedImages(name: string, images: readonly string[], cluster: Pick<Cluster, 'record' | 'list'>): Promise<readonly ImageRecord[] | undefined> {
  const { records, problems } = await findImages(images, cluster);
  const all = [...problems, ...records.flatMap((record) => whyNothingToCopy(record) ?? [])];
  if (all.length === 0) return records;
  complain(name, ...all);
  return undefined;
}

/** @returns each record as the API server answered */
async function askAll(records: readonly ImageRecord[], { dryRun }: RetryOptions, cluster: Asking): Promise<readonly ImageRecord[]> {
  if (dryRun === 'client') return records;
  const asked: ImageRecord[] = [];
  for (let at = 0; at < records.length; at += askedAtOnce) {
    const request = { [annotations.requestedAt]: new Date(Date.now()).toISOString() };
    asked.push(...(await Promise.all(records.slice(at, at + askedAtOnce).map(({ image }) => cluster.annotateRecord(image, request, { dryRun: dryRun === 'server' })))));
  }
  return asked;
}

/** Watches the records until every copy has ended, the time is over, or somebody interrupts. */
async function untilOver(following: Following, { watch, timeout, output }: RetryOptions, cluster: Pick<Cluster, 'watch'>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = watch === true ? undefined : AbortSignal.timeout(timeout);
  const display = openCopiesDisplay(process.stderr, process.stderr.isTTY && output === 'table' && !wantsNoColor() ? 'list' : 'lines');
  display.show(following.copies);
  if (following.isOver) over.abort();
  try {
    await cluster.watch(
      'ImageAvailability',
      (change) => {
        if (following.see(change)) display.show(following.copies);
        if (following.isOver) over.abort();
      },
      AbortSignal.any([over.signal, signal, ...(end === undefined ? [] : [end])]),
    );
  } finally {
    display.close();
  }
}

async function print(copies: readonly Copy[], { output, dryRun }: RetryOptions): Promise<void> {
  if (isData(output)) await printDocument(copiesDocument(copies), output);
  else if (output === 'name') process.stdout.write(copiesNames(copies));
  else if (copies.length > 0) process.stdout.write(copiesTable(copies, dryRun));
}
