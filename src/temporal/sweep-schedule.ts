/**
 * The Schedule of a cluster's sweep. What it does is ours, and is put right at every start; whether it is paused, and
 * why, belongs to people.
 */
import { Client, Connection, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { shareOf } from '../domain/fingerprint.js';
import type { SweepTask } from '../domain/sweep.js';
import { connectionOptions, type Endpoint } from './connection.js';
import { workflowQueue, workflowTypes } from './contract.js';

const dayMs = 24 * 60 * 60 * 1000;
const deadlineMs = 30_000; // of two or three calls, which may take seconds each

export function sweepId(cluster: string): string {
  return `sweep/${cluster}`;
}

/** @throws what the SDK throws while the server is away: the caller tries again */
export async function ensureSweep(endpoint: Endpoint, task: SweepTask): Promise<'created' | 'updated'> {
  const connection = Connection.lazy(connectionOptions(endpoint));
  const { schedule } = new Client({ connection, namespace: endpoint.namespace });
  const options = optionsOf(task);
  try {
    return await connection.withDeadline(Date.now() + deadlineMs, async () => {
      try {
        await schedule.create({ scheduleId: sweepId(task.cluster), ...options });
        return 'created';
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        await schedule.getHandle(sweepId(task.cluster)).update(({ state }) => ({ ...options, state }));
        return 'updated';
      }
    });
  } finally {
    await connection.close();
  }
}

function optionsOf(task: SweepTask) {
  const workflowId = sweepId(task.cluster); // the server adds the time
  return {
    // each cluster at another time of the day: they share the server, and often the registries
    spec: { intervals: [{ every: dayMs, offset: Math.floor(shareOf(task.cluster) * dayMs) }], jitter: '1h' as const },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '10m' as const }, // the usual window is a year
    action: {
      type: 'startWorkflow' as const,
      workflowType: workflowTypes.sweepCluster,
      workflowId,
      taskQueue: workflowQueue,
      args: [task] as [SweepTask],
      staticSummary: `claims, records and orphans of ${task.cluster}`,
    },
  };
}
