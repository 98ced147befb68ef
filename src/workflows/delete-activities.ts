import { proxyActivities } from '@temporalio/workflow';
import { whereIs } from '../domain/keeper-story.js';
import type { DeleteTask, KnownCluster, Report } from '../domain/task.js';
import type { ConfirmInput, DeleteTagInput, DrawInput, GuardActivities, MirrorActivities, PlanDeleteInput, RecordActivities, RetainActivities, Subject } from '../temporal/activities.js';
import { clusterQueue, registryQueue } from '../temporal/contract.js';
import { policiesAt } from './policies.js';

/** The activities of one deletion, each with its policy, queue, priority, and a summary that reads as a line of the story. */
export type DeleteActivities = ReturnType<typeof createDeleteActivities>;

export function createDeleteActivities(task: DeleteTask, workflowId: string) {
  const policies = policiesAt(task.pace ?? 1);
  const { v, destination, publishAs, digest, unusedSince, pace } = task;
  // copies are more urgent; what has been started is finished first
  const priority = (key: number) => ({ priority: { priorityKey: key, fairnessKey: whereIs(destination).host.slice(0, 64) } });
  const confirming = proxyActivities<GuardActivities>({ ...policies.confirmUnused, ...priority(3) });
  const confirmingLost = proxyActivities<GuardActivities>({ ...policies.confirmLost, ...priority(3) });
  const recording = proxyActivities<RecordActivities>({ ...policies.recordOutcome, ...priority(3) });
  const planning = proxyActivities<RetainActivities>({ ...policies.planDelete, ...priority(3) });
  const deleting = proxyActivities<RetainActivities>({ ...policies.deleteTag, ...priority(2) });
  const verifying = proxyActivities<MirrorActivities>({ ...policies.verify, ...priority(2) });

  return {
    confirmUnused: ({ cluster, image, isLost }: KnownCluster, minds: ConfirmInput['minds']) =>
      (isLost === true && minds === 'use' ? confirmingLost : confirming).confirmUnused.executeWithOptions({ taskQueue: clusterQueue(cluster), summary: `does ${cluster} use it?` }, [{ v, destination, publishAs, image, digest, unusedSince, minds, pace }]),
    drawBudget: (cluster: string, input: DrawInput) => confirming.drawBudget.executeWithOptions({ taskQueue: clusterQueue(cluster), summary: 'may one more go today?' }, [input]),
    record: ({ cluster, image }: KnownCluster, report: Report) =>
      recording.recordOutcome.executeWithOptions({ taskQueue: clusterQueue(cluster), summary: `${report.state}, in the record of ${cluster}` }, [
        { v, image, destination, workflowId, report, at: new Date(Date.now()).toISOString() },
      ]),
    planDelete: (cluster: string, input: PlanDeleteInput) => planning.planDelete.executeWithOptions({ taskQueue: registryQueue(cluster), summary: 'is it there, and is it ours?' }, [input]),
    deleteTag: (cluster: string, input: DeleteTagInput) => deleting.deleteTag.executeWithOptions({ taskQueue: registryQueue(cluster), summary: publishAs }, [input]),
    verify: (cluster: string, input: Subject) => verifying.verify.executeWithOptions({ taskQueue: registryQueue(cluster), summary: 'it is gone' }, [input]),
  };
}
