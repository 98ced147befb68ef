import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnvironment } from '../../config/environment.js';
import { isFailure } from '../../domain/failure.js';
import { mirrorsOf } from '../../domain/image-standing.js';
import type { ImageRecord } from '../../domain/record.js';
import { askCluster } from '../ask-cluster.js';
import { cliVersion, complain } from '../command-line.js';
import type { ImageStoryList } from '../documents/logs.js';
import { findInstallation } from '../find-installation.js';
import { findImages } from '../find-images.js';
import type { LogsOptions } from '../logs.js';
import { Outage, untilAnswered } from '../outage.js';
import { documentText, isData, printDocument } from '../output.js';
import { environmentFor } from '../status/read.js';
import { TellerOfHistories, tellerOfRecords, type Story, type Teller } from './tellers.js';

export async function runLogs(images: readonly string[], options: LogsOptions): Promise<number> {
  const told = environmentFor(options, readEnvironment());
  return askCluster('logs', options, async (cluster, signal) => {
    const { records, problems } = await findImages(images, cluster);
    if (problems.length > 0) return complain('logs', ...problems);
    const idle = records.filter((record) => mirrorsOf(record).length === 0);
    if (idle.length > 0) return complain('logs', ...idle.map(({ image }) => `${image}: no rule mirrors it, so nothing happened to a copy of it; kuik describe ${image} tells the rest`));

    const environment = await findInstallation(cluster, told);
    if (typeof environment === 'string') return complain('logs', environment);
    const fromTemporal = new TellerOfHistories(cluster, environment, options.runs);
    try {
      const { stories, teller } = await firstTold(records, [fromTemporal, tellerOfRecords(cluster)]);
      if (options.watch === true) return await follow(stories, () => teller.tell(records), options, signal);
      if (isData(options.output)) await printDocument(listOf(stories), options.output);
      else print(stories);
      return 0;
    } finally {
      await fromTemporal.close();
    }
  });
}

/** By the histories, or without them after saying why. */
async function firstTold(records: readonly ImageRecord[], [best, other]: readonly [Teller, Teller]): Promise<{ readonly stories: readonly Story[]; readonly teller: Teller }> {
  try {
    return { stories: await best.tell(records), teller: best };
  } catch (error) {
    if (!isFailure(error)) throw error;
    complain('logs', `${error.message}; what follows is from records and Events`);
    return { stories: await other.tell(records), teller: other };
  }
}

function listOf(items: readonly Story[]): ImageStoryList {
  return { apiVersion: cliVersion, kind: 'ImageStoryList', items: [...items] };
}

const lookEveryMs = 2_000;

/** What is under way is told at the time somebody looks: another attempt is news, the same one is not. */
async function follow(first: readonly Story[], read: () => Promise<readonly Story[]>, { output }: LogsOptions, signal: AbortSignal): Promise<number> {
  const told = new Set<string>();
  const outage = new Outage({ say: (text) => complain('logs', text) });
  for (let stories: readonly Story[] | undefined = first; stories !== undefined; stories = await untilAnswered(read, { outage, signal })) {
    const news = stories.map((story) => ({ ...story, lines: story.lines.filter((line) => !told.has(keyOf(story, line))) })).filter(({ lines }) => lines.length > 0);
    for (const story of news) for (const line of story.lines) told.add(keyOf(story, line));
    if (isData(output)) for (const story of news) process.stdout.write(await documentText(listOf([story]), output, true));
    else print(news);
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
  return 0;
}

function keyOf({ destination }: Story, { at, runId, what }: Story['lines'][number]): string {
  return `${destination} ${runId ?? ''} ${what.includes(': under way, ') ? '' : at} ${what}`;
}

/** A heading per copy, then its lines. */
function print(stories: readonly Story[]): void {
  for (const { image, destination, lines } of stories) {
    process.stdout.write(`# ${image} -> ${destination}\n${lines.map((line) => `${line.at}  ${whoText(line)}${line.what}\n`).join('')}`);
  }
}

/** `keep`, or `task` with the first digits of the run, since several runs have one ID. */
function whoText({ workflowId, runId }: Story['lines'][number]): string {
  if (workflowId === undefined) return '';
  const [kind = ''] = workflowId.split('/');
  return `${(kind === 'task' ? `task ${shortRun(runId)}` : kind).padEnd(12)}  `;
}

/** IDs of runs begin with the time: what tells them apart comes last. */
function shortRun(runId = ''): string {
  return runId.slice(-7);
}
