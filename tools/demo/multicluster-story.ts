/**
 * Two clusters, one registry, told step by step on real servers. `make demo-multicluster` prints it;
 * `test/e2e/multicluster-story.test.ts` runs the same steps as tests.
 */
import { Client, Connection } from '@temporalio/client';
import { join } from 'node:path';
import type { KeeperStatus } from '../../src/domain/keeper-story.js';
import { signals, workflowQueue, workflowTypes } from '../../src/temporal/contract.js';
import { writeImageLayout } from '../image.js';
import { Stage } from './stage.js';
import { expectEqual, indent, podManifest, until } from './story.js';

/** The clusters, by what people call them. */
export interface Clusters {
  readonly berlin: Stage;
  readonly paris: Stage;
}

export interface MulticlusterStep {
  readonly title: string;
  /** what happened, told in lines; throws when it did not */
  play(clusters: Clusters, say: (line: string) => void): Promise<void>;
}

/** Two API servers, two managers; one Temporal, one registry. */
export async function openClusters(dir: string, onStart: (what: string) => void = () => undefined): Promise<Clusters> {
  const configuration = 'retention:\n  tombstone: 1m\n';
  const berlin = await Stage.open({ dir: join(dir, 'berlin'), clusterId: 'berlin', ui: true, configuration, onStart });
  const paris = await Stage.open({ dir: join(dir, 'paris'), clusterId: 'paris', beside: berlin, configuration, onStart });
  return { berlin, paris };
}

export async function closeClusters({ berlin, paris }: Clusters): Promise<void> {
  await paris.close();
  await berlin.close();
}

type Say = (line: string) => void;

export const multiclusterStory: readonly MulticlusterStep[] = [
  { title: 'both clusters ask for a mirror of every image, in the same registry', play: applyMirrors },
  { title: 'push an image to "source", and use it in berlin: berlin copies it', play: useInBerlin },
  { title: 'use it in paris too: no second copy, but a second claim', play: useInParis },
  { title: 'berlin stops using it: the copy stays, because paris claims it', play: stopInBerlin },
  { title: 'paris stops using it too: a tombstone, during which nobody is routed there, and it is gone', play: stopInParis },
];

async function applyMirrors({ berlin, paris }: Clusters, say: Say): Promise<void> {
  const mirrors = [{ registry: berlin.mirror.address, path: '/kept', platforms: [{ architecture: 'amd64' }, { architecture: 'arm64' }] }];
  const spec = { filter: { include: [{ image: '.+' }] }, cleanup: { enabled: true, retention: '0s' }, mirrors };
  for (const cluster of [berlin, paris]) {
    await cluster.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'everything' }, spec }));
    await until('the rule to be Ready', async () => (await cluster.kubectl('get', 'cism', 'everything', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'True');
  }
  say(`ClusterImageSetMirror "everything" in berlin and in paris: copies to ${berlin.mirror.address}/kept, with clean-up`);
  say('Clusters that mean it would say `shared: true` as well, which keeps an unused copy for two days at least: too long for a demo.');
}

async function useInBerlin({ berlin }: Clusters, say: Say): Promise<void> {
  const layout = join(berlin.dir, 'image');
  await writeImageLayout(layout, { name: 'web', platforms: ['linux/amd64', 'linux/arm64'], layers: [{ seed: 'base-{platform}', size: 8 << 20 }] });
  await berlin.crane('push', layout, berlin.image());
  await bearFastKeeper(berlin);
  say(`its keeper is started with a fast clock: what takes ${1 / pace} minutes elsewhere takes one here`);
  await use(berlin);
  say(indent(await berlin.kubectl('get', 'ia')));
  await sayClaims(berlin, say, ['berlin live']);
}

async function useInParis({ berlin, paris }: Clusters, say: Say): Promise<void> {
  await use(paris);
  say(indent(await paris.kubectl('get', 'ia')));
  await sayClaims(berlin, say, ['berlin live', 'paris live']);
  expectEqual('the number of copies', String(await runsOf(berlin, 'copyImage')), '1');
  say(`the workflow task/${berlin.copyOf()} ran once; paris was told what is there`);
}

async function stopInBerlin({ berlin }: Clusters, say: Say): Promise<void> {
  await berlin.kubectl('delete', 'pod', 'web', '--force', '--grace-period=0');
  await sayClaims(berlin, say, ['berlin released', 'paris live']);
  say(`${berlin.copyOf()}  ${(await berlin.crane('digest', berlin.copyOf())).trim()}  is still there`);
}

async function stopInParis({ berlin, paris }: Clusters, say: Say): Promise<void> {
  await paris.kubectl('delete', 'pod', 'web', '--force', '--grace-period=0');
  await sayClaims(berlin, say, ['berlin released', 'paris released']);
  await until('the deletion to begin', async () => (await retiringSince(paris)) !== '');
  say(`retention is 0 s here, so the tombstone begins at once: retiring since ${await retiringSince(paris)}`);
  say(indent(await paris.kubectl('get', 'ia')));
  await until('the copy to be gone', async () => !(await isThere(berlin)), 180_000);
  say(`${berlin.copyOf()}  is gone: both clusters were asked twice whether they use it`);
  expectEqual('the number of deletions', String(await runsOf(berlin, 'deleteImage')), '1');
}

function retiringSince(stage: Stage): Promise<string> {
  return stage.kubectl('get', 'ia', '-o', 'jsonpath={.items[*].status.places[?(@.role=="mirror")].retiringSince}');
}

function isThere(stage: Stage): Promise<boolean> {
  return stage.crane('digest', stage.copyOf()).then(
    () => true,
    () => false,
  );
}

/** Scale of every delay of the keeper: nobody waits ten minutes before a demo deletes something. */
const pace = 0.01;

/** Paused, so that it waits for its first claim. */
async function bearFastKeeper(stage: Stage): Promise<void> {
  const destination = stage.copyOf();
  const birth = { v: 1, destination, taskId: `task/${destination}`, searchable: true, pace };
  const options = { workflowId: `keep/${destination}`, taskQueue: workflowQueue, args: [birth], signal: signals.pause, signalArgs: [] };
  await withClient(stage, (client) => client.workflow.signalWithStart(workflowTypes.keepImage, options));
}

async function use(cluster: Stage): Promise<void> {
  await cluster.apply(podManifest('web', cluster.image()));
  await until('the keeper to hear of it', async () => (await keeperOf(cluster)).claims.length > 0);
  await withClient(cluster, (client) => client.workflow.getHandle(`keep/${cluster.copyOf()}`).signal(signals.resume));
  await until('kubectl get ia to show MIRRORS 1/1', async () => / 1\/1 /.test(await cluster.kubectl('get', 'ia')));
}

/** What the keeper of the copy says of who claims it. */
async function sayClaims(stage: Stage, say: Say, expected: readonly string[]): Promise<void> {
  const claims = async (): Promise<string[]> => (await keeperOf(stage)).claims.map(({ cluster, state }) => `${cluster} ${state}`);
  await until(`the keeper to know ${expected.join(', ')}`, async () => (await claims()).join() === expected.join());
  for (const { cluster, state, expiresAt } of (await keeperOf(stage)).claims) say(`claim of ${cluster}: ${state}${state === 'live' ? `, lease until ${expiresAt}` : ''}`);
  const { uiUrl } = stage.temporal.running;
  if (uiUrl !== undefined) say(`its keeper: ${uiUrl}/namespaces/kuik/workflows/${encodeURIComponent(`keep/${stage.copyOf()}`)}`);
}

async function keeperOf(stage: Stage): Promise<KeeperStatus> {
  return withClient(stage, (client) => client.workflow.getHandle(`keep/${stage.copyOf()}`).query<KeeperStatus>('status'));
}

/** Copies and deletions share one workflow ID: each run of it is an operation. */
async function runsOf(stage: Stage, type: 'copyImage' | 'deleteImage'): Promise<number> {
  return withClient(stage, async (client) => {
    let runs = 0;
    for await (const run of client.workflow.list({ query: `WorkflowId = "task/${stage.copyOf()}"` })) runs += Number(run.type === type);
    return runs;
  });
}

async function withClient<T>(stage: Stage, ask: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: stage.temporalAddress });
  try {
    return await ask(new Client({ connection, namespace: 'kuik' }));
  } finally {
    await connection.close();
  }
}
