import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import { readEnvironment } from '../../config/environment.js';
import type { PlaceId } from '../../domain/image-ref.js';
import { mirrorsOf } from '../../domain/image-standing.js';
import type { ImageRecord } from '../../domain/record.js';
import { openHistories, type Histories } from '../../temporal/histories.js';
import { askCluster } from '../ask-cluster.js';
import { cliVersion, complain } from '../command-line.js';
import type { ImageStoryList } from '../documents/logs.js';
import { eventsOfRecord } from '../events.js';
import { findInstallation } from '../find-installation.js';
import { findImages } from '../find-images.js';
import type { LogsOptions } from '../logs.js';
import { documentText, isData, printDocument } from '../output.js';
import { environmentFor } from '../status/read.js';
import { openTemporal } from '../temporal-way.js';
import { linesOfRecord } from './told.js';

type Story = ImageStoryList['items'][number];

/** Whoever tells what happened to the copies of an image. */
type Teller = (record: ImageRecord) => Promise<readonly Story[]>;

export async function runLogs(images: readonly string[], options: LogsOptions): Promise<number> {
  const told = environmentFor(options, readEnvironment());
  return askCluster('logs', options, async (cluster, signal) => {
    const { records, problems } = await findImages(images, cluster);
    if (problems.length > 0) return complain('logs', ...problems);
    const idle = records.filter((record) => mirrorsOf(record).length === 0);
    if (idle.length > 0) return complain('logs', ...idle.map(({ image }) => `${image}: no rule mirrors it, so nothing happened to a copy of it; kuik describe ${image} tells the rest`));

    const environment = await findInstallation(cluster, told);
    if (typeof environment === 'string') return complain('logs', environment);
    return withHistories(cluster, environment, async (histories) => {
      const tell = histories === undefined ? tellerOfRecords(cluster) : tellerOfHistories(histories, options.runs);
      const read = async (): Promise<readonly Story[]> => (await Promise.all(records.map(tell))).flat();
      if (options.watch === true) return follow(read, options, signal);
      if (isData(options.output)) await printDocument(listOf(await read()), options.output);
      else print(await read());
      return 0;
    });
  });
}

/** Works with the histories, or without them after saying why. */
async function withHistories(cluster: KubernetesCluster, environment: Parameters<typeof openTemporal>[1], work: (histories: Histories | undefined) => Promise<number>): Promise<number> {
  const way = await openTemporal(cluster, environment, 'grpc');
  if (typeof way === 'string') {
    complain('logs', `${way}; what follows is from records and Events`);
    return work(undefined);
  }
  try {
    const histories = await openHistories({ address: `127.0.0.1:${way.port}`, namespace: way.namespace }).catch((error: unknown) => {
      complain('logs', `Temporal does not answer (${error instanceof Error ? error.message : String(error)}); what follows is from records and Events`);
      return undefined;
    });
    try {
      return await work(histories);
    } finally {
      await histories?.close();
    }
  } finally {
    await way.close();
  }
}

function tellerOfHistories(histories: Histories, runs: number): Teller {
  return (record) =>
    Promise.all(mirrorsOf(record).map(async ({ reference }) => ({ image: record.image, destination: reference, source: 'temporal' as const, lines: [...(await histories.story(reference as string as PlaceId, runs))] })));
}

function tellerOfRecords(cluster: Pick<KubernetesCluster, 'objects' | 'record'>): Teller {
  return async ({ image, name }) => {
    const [record, events] = await Promise.all([cluster.record(image), eventsOfRecord(name, cluster)]);
    return (record === undefined ? [] : mirrorsOf(record)).map((place) => ({ image, destination: place.reference, source: 'record' as const, lines: [...linesOfRecord(record ?? {}, place, events)] }));
  };
}

function listOf(items: readonly Story[]): ImageStoryList {
  return { apiVersion: cliVersion, kind: 'ImageStoryList', items: [...items] };
}

const lookEveryMs = 2_000;

/** What is under way is told at the time somebody looks: another attempt is news, the same one is not. */
async function follow(read: () => Promise<readonly Story[]>, { output }: LogsOptions, signal: AbortSignal): Promise<number> {
  const told = new Set<string>();
  while (!signal.aborted) {
    const news = (await read()).map((story) => ({ ...story, lines: story.lines.filter((line) => !told.has(keyOf(story, line))) })).filter(({ lines }) => lines.length > 0);
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
