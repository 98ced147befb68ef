import { isCancellation, log, proxyActivities } from '@temporalio/workflow';
import type { Wanted } from '../domain/claims.js';
import type { KeeperState, Told } from '../domain/keeper-state.js';
import { whereIs } from '../domain/keeper-story.js';
import type { Sight } from '../domain/task.js';
import type { MirrorActivities, RecordActivities } from '../temporal/activities.js';
import { clusterQueue, registryQueue } from '../temporal/contract.js';
import { failureOf } from '../temporal/failures.js';
import { policiesAt } from './policies.js';

/**
 * Looks at the destination, and at the origin when the policy about drift wants to know.
 *
 * @returns undefined when nothing could be seen
 */
export async function lookAt({ pace }: KeeperState, wanted: Wanted): Promise<Sight | undefined> {
  const { destination, publishAs, image, rules, cluster, drift } = wanted;
  const { verify } = proxyActivities<MirrorActivities>({
    ...policiesAt(pace).look,
    taskQueue: registryQueue(cluster),
    summary: destination,
    priority: { priorityKey: 3, fairnessKey: whereIs(destination).host.slice(0, 64) },
  });
  try {
    return await verify({ v: 1, destination, publishAs, image, rules, ...(drift === 'keep' ? {} : { origin: image }) });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('could not look at the copy', { destination, ...failureOf(error, cluster) });
    return undefined;
  }
}

/**
 * Writes what the keeper knows into records that do not say it yet. A cluster that does not take it is not waited for.
 *
 * @returns what could not be written
 */
export async function tell({ destination, pace, taskId }: KeeperState, reports: readonly Told[]): Promise<readonly Told[]> {
  const at = new Date(Date.now()).toISOString();
  const written = reports.map(({ cluster, image, report }) =>
    proxyActivities<RecordActivities>({ ...policiesAt(pace).tell, taskQueue: clusterQueue(cluster), summary: `tell ${cluster}` }).recordOutcome({ v: 1, image, destination, workflowId: taskId, report, at }),
  );
  const results = await Promise.allSettled(written);
  for (const result of results) if (result.status === 'rejected' && isCancellation(result.reason)) throw result.reason;
  return reports.filter((_report, index) => results[index]?.status === 'rejected');
}
