/**
 * A Temporal server with keepers on it, and a small world they work in: registries that can die, workers that can
 * stop, records that can be read. Everything between is the real code.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, type WorkflowExecutionStatusName, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { createMirrorActivities } from '../../src/activities/mirror.js';
import { createRecordActivities } from '../../src/activities/record.js';
import { createRetainActivities } from '../../src/activities/retain.js';
import type { Claim } from '../../src/domain/claim.js';
import { Failure } from '../../src/domain/failure.js';
import type { ImageName, PlaceId } from '../../src/domain/image-ref.js';
import type { KeeperStatus } from '../../src/domain/keeper-story.js';
import type { PlaceRecord } from '../../src/domain/record.js';
import type { Block } from '../../src/domain/task.js';
import type { CopyEngine, CopyPlan } from '../../src/registry/copy-engine.js';
import type { DeletionEngine } from '../../src/registry/deletion-engine.js';
import type { GuardActivities, MonitorActivities, SweepClusterActivities, SweepRegistryActivities } from '../../src/temporal/activities.js';
import { createKeeperClient, type KeeperClient } from '../../src/temporal/client.js';
import type { Endpoint } from '../../src/temporal/connection.js';
import type { TemporalLog } from '../../src/temporal/logger.js';
import { endRuntime, installRuntime } from '../../src/temporal/runtime.js';
import { startWorkers, type Workers } from '../../src/temporal/worker.js';
import { workflowIds } from '../../src/temporal/workflow-ids.js';
import { startTemporal, type TemporalServer } from '../../tools/servers.js';
import { aClaim, digestOf, nginx } from './keeper.js';

/** 15 minutes last 0.9 s. */
export const usualPace = 0.001;

export const quiet: TemporalLog = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** The registries and records of a test, as the engine and the cluster port show them. */
export class World {
  /** thrown by whatever reads the source, while set */
  sourceFails: (() => Error) | undefined;
  /** copies wait here while set */
  gate: Promise<void> | undefined;
  /** what the source holds */
  sourceDigest = digestOf('a');
  readonly tags = new Map<string, string>();
  /** `<cluster> <reference>` */
  readonly records = new Map<string, PlaceRecord>();
  readonly copiesStarted: string[] = [];
  onCopy: (started: string) => void = () => undefined;
  onPublish: (destination: string) => void = () => undefined;
  /** why a cluster does not let a copy go: `<cluster>` or `<cluster> <destination>` */
  readonly keeps = new Map<string, Block>();
  /** `<cluster> <destination>`: who was asked, in order */
  readonly asked: string[] = [];
  /** DELETEs that a registry got, in order */
  readonly deletions: string[] = [];
  /** called by the registry at each DELETE, before it is done; may throw, or last */
  onDelete: (at: string) => void | Promise<void> = () => undefined;
  /** called by the registry when a deletion looks at the tag; may last */
  onLook: (at: string) => void | Promise<void> = () => undefined;
  #open: () => void = () => undefined;

  close(): void {
    this.gate = new Promise((resolve) => (this.#open = resolve));
  }

  open(): void {
    this.gate = undefined;
    this.#open();
  }

  readonly engine: CopyEngine = {
    resolve: async ({ sources, destination }) => {
      if (this.sourceFails !== undefined) throw this.sourceFails();
      const plan = planOf(sources[0]!.image, destination.image, this.sourceDigest);
      if (this.tags.get(destination.image) !== plan.digest) return { verdict: 'copy', plan };
      return { verdict: 'current', plan, published: { digest: plan.digest, sourceDigest: plan.digest, strategy: 'all', platforms: plan.platforms, missingPlatforms: [] } };
    },
    copyPart: async (plan, part, _access, call) => {
      this.copiesStarted.push(`${plan.destination} ${part.label}`);
      this.onCopy(`${plan.destination} ${part.label}`);
      await Promise.race([this.gate, aborted(call.signal)]);
      if (this.sourceFails !== undefined) throw this.sourceFails();
      call.onProgress?.({ v: 1, blobsDone: part.blobs, blobsTotal: part.blobs, bytesDone: part.bytes, bytesTotal: part.bytes });
      return { bytes: part.bytes };
    },
    publish: async (plan) => {
      this.onPublish(plan.destination);
      this.tags.set(plan.destination, plan.digest);
      return { digest: plan.digest, sourceDigest: plan.digest, strategy: 'all', platforms: plan.platforms, missingPlatforms: [] };
    },
    verify: async (at) => (this.tags.get(at) as never) ?? 'missing',
  };

  readonly deletion: DeletionEngine = {
    look: async (at, expected) => {
      await this.onLook(at);
      const digest = this.tags.get(at);
      if (digest === undefined) return { verdict: 'absent' };
      return digest === expected ? { verdict: 'delete', beside: [] } : { verdict: 'changed', digest: digest as never };
    },
    delete: async (at, { digest }) => {
      const found = this.tags.get(at);
      if (found === undefined) return { outcome: 'absent' };
      if (found !== digest) return { outcome: 'blocked', reason: 'digest-changed', message: 'it moved' };
      this.deletions.push(at);
      await this.onDelete(at);
      this.tags.delete(at);
      return { outcome: 'deleted', by: 'tag' };
    },
  };

  guardOf(cluster: string): GuardActivities {
    return {
      confirmUnused: async ({ destination }) => {
        this.asked.push(`${cluster} ${destination}`);
        const block = this.keeps.get(cluster) ?? this.keeps.get(`${cluster} ${destination}`);
        return block === undefined ? { v: 1, verdict: 'unused', sharing: 'unshared', isHeld: true, ruleCopies: 1 } : { v: 1, verdict: 'blocked', block };
      },
      drawBudget: async () => 'drawn',
    };
  }

  activitiesOf(cluster: string) {
    const changePlace = async (_image: ImageName, reference: ImageName, _manager: string, change: (place: PlaceRecord) => PlaceRecord) => {
      const key = `${cluster} ${reference}`;
      this.records.set(key, change(this.records.get(key) ?? { reference }));
      return 'changed' as const;
    };
    const credentials = { source: async () => [], destination: async () => [], prefix: () => 'registry.example.com/mirror', holder: () => 'a rule' };
    return {
      registry: { ...createMirrorActivities({ engine: this.engine, credentials }), ...createRetainActivities({ engine: this.deletion, credentials }) },
      cluster: { ...createRecordActivities({ clusterId: cluster, cluster: { changePlace }, records: { at: () => [] } }), ...this.guardOf(cluster) },
    };
  }
}

function planOf(source: ImageName, destination: ImageName, digest: CopyPlan['digest']): CopyPlan {
  const part = (letter: string, label: string) => ({ digest: digestOf(letter), label, bytes: 4_120_000, blobs: 3 });
  return {
    source,
    sourceIndex: 0,
    destination,
    digest,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    strategy: 'all',
    parts: [part('b', 'linux/amd64'), part('c', 'linux/arm64')],
    platforms: ['linux/amd64', 'linux/arm64'],
    missingPlatforms: [],
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  const abort = (): Error => Object.assign(new Error('aborted'), { name: 'AbortError' });
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(abort());
    else signal.addEventListener('abort', () => reject(abort()), { once: true });
  });
}

export const unreachable = (): Failure => new Failure({ code: 'unreachable', side: 'source', host: 'docker.io', message: 'connection refused by docker.io' });
export const missing = (): Failure => new Failure({ code: 'missing', side: 'source', host: 'docker.io', message: 'manifest missing on source docker.io' });

export interface Lab {
  readonly server: TemporalServer;
  readonly client: Client;
  readonly keepers: KeeperClient;
  /** a client whose keepers run at another pace */
  keepersAt(pace: number, searchable?: boolean): KeeperClient;
  /** runs the workers of one cluster until stopped */
  work(cluster: string, world: World, more?: MoreActivities): Promise<{ stop(): Promise<void> }>;
  handles(destination: PlaceId): { readonly keeper: WorkflowHandle; readonly task: WorkflowHandle };
  status(destination: PlaceId): Promise<KeeperStatus | undefined>;
  stop(): Promise<void>;
}

/** Beside the activities of copies and deletions. */
export interface MoreActivities {
  readonly cluster?: SweepClusterActivities;
  readonly registry?: SweepRegistryActivities;
  readonly monitor?: MonitorActivities;
  /** true unless told */
  readonly servesWorkflows?: boolean;
}

export interface LabOptions {
  /** tests name the bundle that was made for them; the file must exist */
  readonly workflowBundle?: string;
  /** of the server, values as JSON text */
  readonly dynamicConfig?: Readonly<Record<string, string>>;
}

/** Once per process. */
export async function startLab({ workflowBundle = 'dist/workflows.bundle.js', dynamicConfig }: LabOptions = {}): Promise<Lab> {
  installRuntime(quiet);
  const server = await startTemporal({ dynamicConfig });
  const endpoint = { address: server.address, namespace: server.namespace };
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection, namespace: server.namespace });
  const opened: { close(): Promise<unknown> }[] = [connection];
  const working: (() => Promise<void>)[] = [];

  const keepersAt = (pace: number, searchable = true): KeeperClient => {
    const keepers = createKeeperClient({ endpoint, searchable: () => searchable, pace, deadlineMs: 20_000 });
    opened.push(keepers);
    return keepers;
  };
  const keepers = keepersAt(usualPace);

  return {
    server,
    client,
    keepers,
    keepersAt,
    async work(cluster, world, more) {
      const stop = new AbortController();
      const workers = runWorkers(endpoint, cluster, world, workflowBundle, stop.signal, more);
      const end = async (): Promise<void> => {
        stop.abort();
        await workers.done;
      };
      working.push(end);
      await until(async () => workers.state === 'polling');
      return { stop: end };
    },
    handles: (destination) => {
      const ids = workflowIds(destination);
      return { keeper: client.workflow.getHandle(ids.keeper), task: client.workflow.getHandle(ids.task) };
    },
    status: async (destination) => {
      const status = await keepers.status(destination);
      return status === 'absent' ? undefined : status;
    },
    async stop() {
      await Promise.all(working.map((end) => end()));
      await Promise.all(opened.map((each) => each.close()));
      await server.kill();
      await endRuntime(); // where workers ran in other processes only
    },
  };
}

export function runWorkers(endpoint: Endpoint, cluster: string, world: World, workflowBundle: string, signal: AbortSignal, more?: MoreActivities): Workers {
  const activities = world.activitiesOf(cluster);
  const all = { registry: { ...activities.registry, ...more?.registry }, cluster: { ...activities.cluster, ...more?.cluster }, monitor: more?.monitor };
  return startWorkers({ endpoint, cluster, activities: all, workflowBundle, servesWorkflows: more?.servesWorkflows, log: quiet, random: () => 0.5, sleep: nap, override }, signal);
}

/** A bug fails its workflow here; in production its task is tried again until a good release comes. */
const override = { workflowFailureErrorTypes: { '*': ['Error' as const] }, shutdownGraceTime: 1, shutdownForceTime: 10_000 };

export const nap = async (ms: number, signal: AbortSignal): Promise<void> => {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
};

/** Waits until something is so; the test's own limit ends it. */
export async function until<T>(look: () => Promise<T | false | undefined>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== false && seen !== undefined) return seen;
    await sleep(50);
  }
}

export async function statusOf(handle: WorkflowHandle): Promise<WorkflowExecutionStatusName | 'ABSENT'> {
  return handle.describe().then(
    ({ status }) => status.name,
    () => 'ABSENT' as const,
  );
}

let names = 0;

/** A claim for a destination of its own, so that tests do not meet. */
export function someClaim(name: string, some: Partial<Claim> = {}): Claim {
  const destination = `registry.example.com/mirror/library/${name}-${++names}:1.27`;
  return aClaim({ image: nginx, destination: destination as PlaceId, publishAs: destination as ImageName, ...some });
}

/** All of a run's history as the server has it, to be replayed: payloads stand there in base64. */
export async function historyText(handle: WorkflowHandle): Promise<string> {
  return historyToJSON(await handle.fetchHistory());
}

/** What anybody with access to the namespace reads of a run: its history, payloads decoded. */
export async function readHistory(handle: WorkflowHandle): Promise<string> {
  return (await historyText(handle)).replace(/"data": "([^"]+)"/g, (_all, data: string) => Buffer.from(data, 'base64').toString());
}

