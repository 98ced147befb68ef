/** Reads what Temporal knows of one destination: its keeper, its copies and deletions. Asks, and changes nothing. */
import { Client, Connection, defaultGrpcRetryOptions, isGrpcServiceError, makeGrpcRetryInterceptor, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { Failure, type FailureCode } from '../domain/failure.js';
import type { PlaceId } from '../domain/image-ref.js';
import type { KeeperStatus } from '../domain/keeper-story.js';
import { connectionOptions, type Endpoint } from './connection.js';
import { queries } from './contract.js';
import { decoded, failureText, storyOf, type Run, type StoryLine } from './story.js';
import { workflowIds } from './workflow-ids.js';

export interface Histories {
  /**
   * What happened there, in order of time.
   *
   * @param runs how many of its last copies and deletions are told
   * @throws Failure side `cluster`: Temporal does not answer, or refuses
   */
  story(destination: PlaceId, runs: number): Promise<readonly StoryLine[]>;
  /** How far a copy under way is; undefined when none is, or nothing is known yet. */
  progress(destination: PlaceId): Promise<CopyProgress | undefined>;
  /** Who claims it, as its keeper knows; undefined when there is none, or no worker answers for it in time. */
  claims(destination: PlaceId): Promise<KeeperStatus['claims'] | undefined>;
  close(): Promise<void>;
}

export interface CopyProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** what its steps wait for: `copyPlatform: attempt 3, after throttled: ...` */
  readonly retries: readonly string[];
}

const deadlineMs = 15_000;
const storyDeadlineMs = 60_000; // long histories come in pages; a line that has gone dead says nothing, and would for ever
const mostAttempts = 5; // two seconds of a person's time; the usual ten are twenty

/** @throws Failure side `cluster`, when nobody answers there */
export async function openHistories(endpoint: Endpoint): Promise<Histories> {
  const connection = await connect(endpoint);
  const client = new Client({ connection, namespace: endpoint.namespace });
  return {
    story: (destination, runs) => client.withDeadline(Date.now() + storyDeadlineMs, () => storyThere(client, destination, runs)).catch(rethrown),
    progress: (destination) => client.withDeadline(Date.now() + deadlineMs, () => progressOf(client, workflowIds(destination).task)),
    claims: async (destination) => {
      const keeper = client.workflow.getHandle(workflowIds(destination).keeper);
      const status = await client.withDeadline(Date.now() + deadlineMs, () => keeper.query<KeeperStatus>(queries.status)).catch(() => undefined);
      return status?.claims;
    },
    close: () => connection.close(),
  };
}

function connect(endpoint: Endpoint): Promise<Connection> {
  const interceptors = [makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: mostAttempts }))];
  return Connection.connect({ ...connectionOptions(endpoint), connectTimeout: deadlineMs, interceptors }).catch((error: unknown) => {
    throw failureFor('unreachable', error);
  });
}

/** What is no answer of Temporal is our own mistake, and stays what it is. */
function rethrown(error: unknown): never {
  const cause = error instanceof ServiceError ? error.cause : error;
  throw isGrpcServiceError(cause) ? failureFor(codes[cause.code] ?? 'unreachable', cause) : error;
}

function failureFor(code: FailureCode, error: unknown): Failure {
  const words = code === 'denied' || code === 'unauthorized' ? 'Temporal refuses to answer' : 'Temporal does not answer';
  return new Failure({ code, side: 'cluster', message: `${words} (${error instanceof Error ? error.message : String(error)})` }, { cause: error });
}

/** @see https://grpc.io/docs/guides/status-codes */
const codes: Readonly<Record<number, FailureCode>> = { 3: 'invalid', 4: 'timeout', 5: 'missing', 7: 'denied', 8: 'throttled', 12: 'unsupported', 16: 'unauthorized' };

async function storyThere(client: Client, destination: PlaceId, runs: number): Promise<readonly StoryLine[]> {
  const { keeper, task } = workflowIds(destination);
  const told = [...(await runsOf(client, keeper, 1)), ...(await runsOf(client, task, runs))];
  const lines = await Promise.all(told.map((run) => storyOfRun(client, run)));
  const pending = await pendingOf(client, task);
  return [...lines.flat().sort((one, other) => (one.at < other.at ? -1 : 1)), ...pending];
}

async function storyOfRun({ workflow }: Client, run: Run): Promise<readonly StoryLine[]> {
  const history = await workflow.getHandle(run.workflowId, run.runId).fetchHistory().catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return undefined; // its time was over just now
    throw error;
  });
  return history === undefined ? [] : storyOf(run, history);
}

/** The newest runs of an ID. */
async function runsOf({ workflow }: Client, workflowId: string, most: number): Promise<readonly Run[]> {
  const found: Run[] = [];
  for await (const { runId } of workflow.list({ query: `WorkflowId = ${JSON.stringify(workflowId)}` })) {
    found.push({ workflowId, runId });
    if (found.length === most) break;
  }
  return found;
}

interface Pending {
  readonly name: string;
  readonly attempt: number;
  readonly failure?: string;
  readonly beat?: Partial<Record<'bytesDone' | 'bytesTotal', number>>;
}

/** A history tells of an attempt once it is over: what is tried right now, the server knows. */
async function pendingOf(client: Client, workflowId: string): Promise<readonly StoryLine[]> {
  const found = await pendingActivities(client, workflowId);
  return found.list.map(({ name, attempt, failure }) => ({ at: new Date().toISOString(), workflowId, runId: found.runId, what: `${name}: under way, attempt ${attempt}${failure === undefined ? '' : `, after ${failure}`}` }));
}

async function progressOf(client: Client, workflowId: string): Promise<CopyProgress | undefined> {
  const { list } = await pendingActivities(client, workflowId);
  const beats = list.flatMap(({ beat }) => beat ?? []);
  const sum = (field: 'bytesDone' | 'bytesTotal'): number => beats.reduce((total, beat) => total + (beat[field] ?? 0), 0);
  if (list.length === 0) return undefined;
  return { bytesDone: sum('bytesDone'), bytesTotal: sum('bytesTotal'), retries: list.flatMap(({ name, attempt, failure }) => (failure === undefined ? [] : [`${name}: attempt ${attempt}, after ${failure}`])) };
}

async function pendingActivities({ workflow }: Client, workflowId: string): Promise<{ readonly runId: string; readonly list: readonly Pending[] }> {
  try {
    const { raw, runId } = await workflow.getHandle(workflowId).describe();
    const list = (raw.pendingActivities ?? []).map(({ activityType, attempt, lastFailure, heartbeatDetails }) => ({
      name: activityType?.name ?? 'a step',
      attempt: attempt ?? 1,
      ...(lastFailure ? { failure: failureText(lastFailure) } : {}),
      ...(heartbeatDetails?.payloads?.[0] ? { beat: decoded(heartbeatDetails.payloads[0]) as Pending['beat'] } : {}),
    }));
    return { runId, list };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { runId: '', list: [] };
    throw error;
  }
}
