/**
 * Runs the workers of one manager: workflows on `kuik`, shared with other clusters, and the activities of this
 * cluster on queues of its own. They share one connection, which is tried for ever: a server that is away
 * is a reason to wait, never to crash.
 */
import { existsSync } from 'node:fs';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { GuardActivities, MirrorActivities, MonitorActivities, RecordActivities, RetainActivities, SweepClusterActivities, SweepRegistryActivities } from './activities.js';
import { workflowsPath } from './bundle.js';
import { connectionOptions, type Endpoint } from './connection.js';
import { clusterQueue, monitorQueue, registryQueue, workflowQueue } from './contract.js';
import { failureInterceptor } from './failure-interceptor.js';
import type { TemporalLog } from './logger.js';

export interface WorkersOptions {
  readonly endpoint: Endpoint;
  readonly cluster: string;
  readonly activities: {
    readonly registry: MirrorActivities & RetainActivities & Partial<SweepRegistryActivities>;
    readonly cluster: RecordActivities & GuardActivities & Partial<SweepClusterActivities>;
    readonly monitor?: MonitorActivities;
  };
  /** file made by `bundle.ts`; where it does not exist, bundled in the process */
  readonly workflowBundle?: string;
  /** false takes this cluster off the shared workflow queue, for upgrades of several clusters; true unless told */
  readonly servesWorkflows?: boolean;
  readonly log: TemporalLog;
  /** at least 0, less than 1 */
  readonly random: () => number;
  /** resolves after so many milliseconds, or when the signal aborts */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** further options of every worker: tests fail a workflow on a bug, instead of retrying its task */
  readonly override?: Pick<WorkerOptions, 'workflowFailureErrorTypes' | 'shutdownGraceTime' | 'shutdownForceTime'>;
}

export interface Workers {
  readonly state: 'connecting' | 'polling' | 'stopped';
  /** workers have run: the manager is ready from then on, whatever happens to Temporal */
  readonly hasPolled: boolean;
  /** resolves when all have shut down, after the signal; never rejects */
  readonly done: Promise<void>;
}

const longestPauseMs = 30_000;

/** Starts them, and again whenever they fail; shuts down gracefully when the signal aborts: running activities get 20 s, checks hand over at once. */
export function startWorkers(options: WorkersOptions, signal: AbortSignal): Workers {
  const workers = { state: 'connecting' as Workers['state'], hasPolled: false };
  const onPolling = (): void => void Object.assign(workers, { state: 'polling', hasPolled: true });
  const done = keepRunning(options, signal, onPolling, () => void (workers.state = 'connecting')).then(() => void (workers.state = 'stopped'));
  return Object.assign(workers, { done });
}

async function keepRunning(options: WorkersOptions, signal: AbortSignal, onPolling: () => void, onAway: () => void): Promise<void> {
  for (let pauseMs = 500; !signal.aborted; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      await runOnce(options, signal, () => {
        pauseMs = 500;
        onPolling();
      });
    } catch (error) {
      options.log.warn({ address: options.endpoint.address, error: error instanceof Error ? error.message : String(error) }, 'the workers of temporal do not run, trying again');
    }
    onAway();
    await options.sleep(signal.aborted ? 0 : pauseMs, signal);
  }
}

async function runOnce(options: WorkersOptions, signal: AbortSignal, onPolling: () => void): Promise<void> {
  const connection = await NativeConnection.connect(connectionOptions(options.endpoint));
  try {
    const workers = await createWorkers(options, connection);
    const stop = (): void => workers.forEach((worker) => worker.getState() === 'RUNNING' && worker.shutdown());
    signal.addEventListener('abort', stop, { once: true });
    // also when the signal came meanwhile: a worker that never ran cannot be shut down, and holds the connection and the process
    const running = workers.map((worker) => worker.run());
    if (signal.aborted) stop();
    else onPolling();
    try {
      await Promise.race(running); // one that ends, ends all
    } finally {
      stop();
      await Promise.allSettled(running);
      signal.removeEventListener('abort', stop);
    }
    await Promise.all(running); // with the reason of the one that failed
  } finally {
    await connection.close();
  }
}

async function createWorkers(options: WorkersOptions, connection: NativeConnection): Promise<Worker[]> {
  const { cluster, activities, servesWorkflows = true } = options;
  const all = [
    ...(servesWorkflows ? [{ taskQueue: workflowQueue, ...workflowSide(options) }] : []),
    { taskQueue: registryQueue(cluster), ...activitySide(options, activities.registry, registrySlots) },
    { taskQueue: clusterQueue(cluster), ...activitySide(options, activities.cluster, clusterSlots) },
    ...(activities.monitor === undefined ? [] : [{ taskQueue: monitorQueue(cluster), ...activitySide(options, activities.monitor, monitorSlots), ...monitorSide }]),
  ];
  const workers: Worker[] = [];
  for (const worker of all) workers.push(await Worker.create({ ...shared(options, connection), ...worker }));
  return workers;
}

/** A go that is called off, or whose worker shuts down, tells what it did and hands over. */
const monitorSide = { shutdownGraceTime: 0, maxHeartbeatThrottleInterval: '5s' } as const;

const registrySlots = 8; // twice the transfers that go on at once at a registry, so that publishing finds room
const clusterSlots = 20;
const monitorSlots = 200; // a fast registry holds one all the time, and mostly waits for its turn: more than any cluster has of these
const workflowSlots = 20;
const cachedKeepers = 100; // about 1.5 MB each

function shared({ endpoint, override }: WorkersOptions, connection: NativeConnection) {
  return {
    connection,
    namespace: endpoint.namespace,
    shutdownGraceTime: '20s', // the default is 0: an upload would be cut off at once
    shutdownForceTime: '30s',
    ...override,
  } satisfies Partial<WorkerOptions>;
}

function workflowSide({ workflowBundle }: WorkersOptions) {
  const isBundled = workflowBundle !== undefined && existsSync(workflowBundle);
  return {
    ...(isBundled ? { workflowBundle: { codePath: workflowBundle } } : { workflowsPath }),
    maxCachedWorkflows: cachedKeepers,
    maxConcurrentWorkflowTaskExecutions: workflowSlots,
    maxEagerActivityReservationsPerWorkflowTask: 0, // nothing passes by the slots below
    workflowTaskPollerBehavior: pollers,
  } satisfies Partial<WorkerOptions>;
}

function activitySide({ log, random }: WorkersOptions, activities: object, slots: number) {
  const onUnexpected = (error: unknown, activity: object): void => log.error({ ...activity, err: error }, 'unexpected error in an activity');
  return {
    activities,
    maxConcurrentActivityTaskExecutions: slots,
    activityTaskPollerBehavior: pollers,
    maxHeartbeatThrottleInterval: '10s', // cancellation arrives only with heartbeats
    interceptors: { activity: [failureInterceptor({ random, onUnexpected })] },
  } satisfies Partial<WorkerOptions>;
}

const pollers = { type: 'autoscaling', minimum: 1, maximum: 5 } as const;
