/**
 * Talks to keepers. Every call has a deadline, since the SDK sets none; transient errors are repeated by the SDK
 * within it and by whoever keeps the claim after it, never by a second loop here.
 */
import { Client, Connection, isGrpcServiceError, WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy, type SearchAttributePair } from '@temporalio/common';
import { isNameless, type Claim } from '../domain/claim.js';
import { Failure } from '../domain/failure.js';
import type { PlaceId } from '../domain/image-ref.js';
import type { KeeperBirth } from '../domain/keeper-state.js';
import { copySummary, whereIs, type KeeperStatus } from '../domain/keeper-story.js';
import { ruleText } from '../domain/rule.js';
import type { Outcome, Release } from '../domain/task.js';
import { connectionOptions, type Endpoint } from './connection.js';
import { monitorClient, type MonitorClient } from './monitor-client.js';
import { queries, signals, updates, workflowQueue, workflowTypes, type searchAttributes } from './contract.js';
import { workflowIds } from './workflow-ids.js';

export interface KeeperClient {
  /** Starts the keeper when there is none, unless the claim is nameless: `absent`, nobody heard it. */
  claim(claim: Claim): Promise<'sent' | 'absent'>;
  /** `absent`: nobody keeps this destination, so there is nothing to release. */
  release(destination: PlaceId, release: Release): Promise<'sent' | 'absent'>;
  /** Copy now. `absent`: nobody keeps this destination. */
  retry(destination: PlaceId): Promise<'sent' | 'absent'>;
  /** Look at the registry again. */
  resync(destination: PlaceId): Promise<'sent' | 'absent'>;
  /** Copies now and waits for the outcome, which needs a live worker. @throws Failure `invalid` when the keeper refuses */
  retryNow(destination: PlaceId, signal: AbortSignal): Promise<Outcome | 'absent'>;
  /** Whether somebody keeps a destination at all; needs no worker. */
  isKept(destination: PlaceId): Promise<boolean>;
  /** What the keeper knows; needs a live worker. */
  status(destination: PlaceId): Promise<KeeperStatus | 'absent'>;
  /** The namespace, with the mark of a cluster; `absent`: there is none of this name. */
  namespace(cluster: string): Promise<NamespaceSeen | 'absent'>;
  /** Leaves the mark of a cluster in the namespace, in place of the one before. `refused`: we may not change the namespace. */
  leaveMark(cluster: string, mark: string): Promise<'left' | 'refused'>;
  /**
   * Has every keeper that knows a cluster forget it.
   *
   * @param pause between two signals
   * @returns how many keepers were told
   */
  forgetCluster(cluster: string, pause: () => Promise<void>): Promise<number>;
  /** The monitors of a cluster, one per registry. */
  monitors(cluster: string): MonitorClient;
  /** Whether the last call was answered; `unknown` before the first. */
  connection(): 'connected' | 'away' | 'unknown';
  close(): Promise<void>;
}

export interface NamespaceSeen {
  /** tells it from another of the same name: a new database has new ones */
  readonly id: string;
  /** the text that was left there last, if the database remembers it */
  readonly mark?: string;
}

export interface KeeperClientOptions {
  readonly endpoint: Endpoint;
  /** whether the namespace has our search attributes, as `prepareNamespace` told; until then no claim is sent, since a keeper keeps what it was born with */
  readonly searchable: () => boolean | undefined;
  /** milliseconds; 15 s unless told */
  readonly deadlineMs?: number;
  /** scale of every delay of the keepers this client starts: tests only */
  readonly pace?: number;
}

const usualDeadlineMs = 15_000; // nobody waits for these calls, and a server that takes 5 s for each still takes every claim

/** Makes a client that connects with its first call, and again whenever it must. @throws never; its calls throw Failure `unreachable` or `timeout`, side `cluster` */
export function createKeeperClient(options: KeeperClientOptions): KeeperClient {
  const { endpoint, deadlineMs = usualDeadlineMs } = options;
  const connection = Connection.lazy(connectionOptions(endpoint));
  const client = new Client({ connection, namespace: endpoint.namespace });
  let state: ReturnType<KeeperClient['connection']> = 'unknown';

  const observed = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      const result = await call();
      state = 'connected';
      return result;
    } catch (error) {
      const failure = failureOfCall(error, endpoint.address);
      state = failure.code === 'unreachable' || failure.code === 'timeout' ? 'away' : 'connected';
      throw failure;
    }
  };
  const within = <T>(call: () => Promise<T>): Promise<T> => observed(() => client.withDeadline(Date.now() + deadlineMs, call));
  const keeper = (destination: PlaceId): WorkflowHandle => client.workflow.getHandle(workflowIds(destination).keeper);
  const signal = (destination: PlaceId, name: string, ...args: unknown[]): Promise<'sent' | 'absent'> =>
    within(() => orAbsent(async () => (await keeper(destination).signal(name, ...args), 'sent' as const)));

  const searchability = (): boolean => {
    const searchable = options.searchable();
    if (searchable === undefined) throw new Failure({ code: 'unreachable', side: 'cluster', host: endpoint.address, message: `the namespace at ${endpoint.address} is not prepared yet` });
    return searchable;
  };

  return {
    async claim(claim) {
      const searchable = searchability();
      // whose name nobody knows may be anybody's: only an existing keeper has something to keep there
      if (isNameless(claim)) return signal(claim.destination, signals.claim, claim);
      await within(() => client.workflow.signalWithStart(workflowTypes.keepImage, startOptions(claim, { searchable, pace: options.pace })));
      return 'sent';
    },
    release: (destination, release) => signal(destination, signals.release, release),
    retry: (destination) => signal(destination, signals.retry),
    resync: (destination) => signal(destination, signals.resync),
    retryNow: (destination, abort) => observed(() => client.withAbortSignal(abort, () => orAbsent(() => keeper(destination).executeUpdate<Outcome, []>(updates.retryNow)))),
    isKept: async (destination) => {
      const found = await within(() => orAbsent(() => keeper(destination).describe()));
      return found !== 'absent' && found.status.name === 'RUNNING';
    },
    status: (destination) => within(() => orAbsent(() => keeper(destination).query<KeeperStatus>(queries.status))),
    namespace: (cluster) => within(() => namespaceAt(connection, endpoint.namespace, cluster)),
    leaveMark: (cluster, mark) => within(() => leaveMark(connection, endpoint.namespace, { [markOf(cluster)]: mark })),
    forgetCluster: async (cluster, pause) => {
      let told = 0;
      for (const id of await within(() => keepersOf(client, cluster, options.searchable() === true))) {
        const answer = await within(() => orAbsent(async () => (await client.workflow.getHandle(id).signal(signals.release, { v: 1, cluster, generation: 0, forget: true } satisfies Release), 'sent' as const)));
        told += Number(answer === 'sent');
        await pause();
      }
      return told;
    },
    monitors: (cluster) => monitorClient({ client, cluster, birth: () => ({ searchable: searchability(), ...(options.pace === undefined ? {} : { pace: options.pace }) }), within, orAbsent }),
    connection: () => state,
    close: () => connection.close(),
  };
}

/** Where the server cannot search for clusters, every keeper is told: those that know nothing of this one change nothing. */
async function keepersOf({ workflow }: Client, cluster: string, searchable: boolean): Promise<readonly string[]> {
  const query = [`WorkflowType="${workflowTypes.keepImage}"`, 'ExecutionStatus="Running"', ...(searchable ? [`KuikClusters="${cluster}"`] : [])].join(' AND ');
  const found: string[] = [];
  for await (const { workflowId } of workflow.list({ query })) found.push(workflowId);
  return found;
}

function startOptions(claim: Claim, { searchable, pace }: Pick<KeeperBirth, 'searchable' | 'pace'>) {
  const { destination, image } = claim;
  const ids = workflowIds(destination);
  const birth: KeeperBirth = { v: 1, destination, taskId: ids.task, searchable, ...(pace === undefined ? {} : { pace }) };
  return {
    workflowId: ids.keeper,
    taskQueue: workflowQueue,
    args: [birth] as [KeeperBirth],
    signal: signals.claim,
    signalArgs: [claim] as [Claim],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    staticSummary: copySummary(image, destination),
    staticDetails: detailsOf(claim),
    memo: { image, destination },
    ...(birth.searchable ? { typedSearchAttributes: attributesOf(claim) } : {}),
  };
}

function detailsOf({ image, destination, rules }: Claim): string {
  return [
    `Keeps the copy of \`${image}\` at \`${destination}\`: copies it, looks after it, and owns its retention clock.`,
    `First claimed for ${rules.map(ruleText).join(', ') || 'a Pod that runs from it'}.`,
    'To copy now send the signal `retry`; to look again send `resync`; do not use Reset here. The workflow `task/` of the same name is the copy.',
  ].join('\n\n');
}

/** What lists show before a worker has had its turn. */
function attributesOf({ destination, image, cluster }: Claim): SearchAttributePair[] {
  const { host, repository } = whereIs(destination);
  const keyword = (name: keyof typeof searchAttributes, value: string): SearchAttributePair => ({ key: { name, type: 'KEYWORD' }, value: value.slice(0, 255) });
  return [
    keyword('KuikPhase', 'Pending'),
    keyword('KuikRegistry', host),
    keyword('KuikRepository', repository),
    keyword('KuikSourceRegistry', whereIs(image).host),
    { key: { name: 'KuikClusters', type: 'KEYWORD_LIST' }, value: [cluster] },
  ];
}

/** Key among the data of the namespace: clusters share it. */
function markOf(cluster: string): string {
  return `kuik.${cluster}`;
}

async function namespaceAt({ workflowService }: Connection, namespace: string, cluster: string): Promise<NamespaceSeen | 'absent'> {
  try {
    const { namespaceInfo } = await workflowService.describeNamespace({ namespace });
    return { id: namespaceInfo?.id ?? '', mark: namespaceInfo?.data?.[markOf(cluster)] };
  } catch (error) {
    if (grpcStatus(error) === grpcNotFound) return 'absent';
    throw error;
  }
}

/** The server adds what is new to what others have left there. */
async function leaveMark({ workflowService }: Connection, namespace: string, data: Readonly<Record<string, string>>): Promise<'left' | 'refused'> {
  try {
    await workflowService.updateNamespace({ namespace, updateInfo: { data } });
    return 'left';
  } catch (error) {
    const status = grpcStatus(error);
    if (status === grpcPermissionDenied || status === grpcUnimplemented) return 'refused';
    throw error;
  }
}

async function orAbsent<T>(call: () => Promise<T>): Promise<T | 'absent'> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'absent';
    throw error;
  }
}

const grpcDeadlineExceeded = 4;
const grpcNotFound = 5;
const grpcPermissionDenied = 7;
const grpcUnimplemented = 12;
const grpcUnavailable = 14;

/** A door: what the SDK throws becomes a failure of ours; the server's own words stay in its cause. */
function failureOfCall(error: unknown, address: string): Failure {
  const about = { side: 'cluster', host: address } as const;
  const grpc = grpcStatus(error);
  if (grpc === grpcDeadlineExceeded) return new Failure({ ...about, code: 'timeout', message: `temporal at ${address} did not answer in time` }, { cause: error });
  if (grpc === grpcUnavailable || grpc === undefined) return new Failure({ ...about, code: grpc === undefined ? 'invalid' : 'unreachable', message: messageOf(error, grpc, address) }, { cause: error });
  return new Failure({ ...about, code: 'invalid', message: `temporal at ${address} refuses with status ${grpc}` }, { cause: error });
}

function messageOf(error: unknown, grpc: number | undefined, address: string): string {
  if (grpc !== undefined) return `no connection to temporal at ${address}`;
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? cause.message : `the call to temporal at ${address} failed`;
}

/** The gRPC status of an error or of what caused it. */
function grpcStatus(error: unknown): number | undefined {
  for (let each: unknown = error; each instanceof Error; each = each.cause) if (isGrpcServiceError(each)) return each.code;
  return undefined;
}
