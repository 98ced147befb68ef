/** Reads what Temporal knows of one destination: its keeper, its copies and deletions. Asks, and changes nothing. */
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import type { PlaceId } from '../domain/image-ref.js';
import type { KeeperStatus } from '../domain/keeper-story.js';
import { connectionOptions, type Endpoint } from './connection.js';
import { queries } from './contract.js';
import { decoded, failureText, storyOf, type Run, type StoryLine } from './story.js';
import { workflowIds } from './workflow-ids.js';

export interface Histories {
  /** What happened there, in order of time. @param runs how many of its last copies and deletions are told */
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

/** @throws when nobody answers there */
export async function openHistories(endpoint: Endpoint): Promise<Histories> {
  const connection = await Connection.connect({ ...connectionOptions(endpoint), connectTimeout: deadlineMs });
  const client = new Client({ connection, namespace: endpoint.namespace });
  return {
    story: async (destination, runs) => {
      const { keeper, task } = workflowIds(destination);
      const told = [...(await runsOf(client, keeper, 1)), ...(await runsOf(client, task, runs))];
      const lines = await Promise.all(told.map((run) => storyOfRun(client, run)));
      const pending = await pendingOf(client, task);
      return [...lines.flat().sort((one, other) => (one.at < other.at ? -1 : 1)), ...pending];
    },
    progress: (destination) => progressOf(client, workflowIds(destination).task),
    claims: async (destination) => {
      const keeper = client.workflow.getHandle(workflowIds(destination).keeper);
      const status = await client.withDeadline(Date.now() + deadlineMs, () => keeper.query<KeeperStatus>(queries.status)).catch(() => undefined);
      return status?.claims;
    },
    close: () => connection.close(),
  };
}

async function storyOfRun({ workflow }: Client, run: Run): Promise<readonly StoryLine[]> {
  return storyOf(run, await workflow.getHandle(run.workflowId, run.runId).fetchHistory());
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
