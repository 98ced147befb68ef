import { getExternalWorkflowHandle, startChild, workflowInfo } from '@temporalio/workflow';
import { beginDeletion, cancelDeletion, isUnwanted } from '../domain/keeper-deletion.js';
import { acceptDeletionEnding, passRetryOn } from '../domain/keeper-messages.js';
import { deletionSummary } from '../domain/keeper-story.js';
import type { DeleteTask, DeletionOutcome, FailedOutcome } from '../domain/task.js';
import { workflowTypes } from '../temporal/contract.js';
import { failureOf } from '../temporal/failures.js';
import type { Keeper } from './keep-image.js';
import { orGone, runOperation, type PassedOn } from './keeper-task.js';

/** As a copy; and whoever claims the destination meanwhile stops it, which it may survive only once its DELETE has begun. */
export async function runDeletion(keeper: Keeper, wanted: Omit<DeleteTask, 'keeper'>, publish: () => void): Promise<void> {
  const task: DeleteTask = { ...wanted, keeper: workflowInfo().workflowId };
  keeper.state = beginDeletion(keeper.state, task, Date.now());
  publish();
  await runOperation<DeletionOutcome | FailedOutcome>(keeper, {
    start: () => startDeletion(keeper, task),
    endingOf: (error) => ({ v: 1, result: 'failed', failure: failureOf(error, task.clusters[0]?.cluster ?? 'unknown') }),
    accept: acceptDeletionEnding,
    isAddressed: (state) => state.asked || isUnwanted(state, Date.now()),
    passOn: stop,
  });
}

function startDeletion({ state }: Keeper, task: DeleteTask) {
  return startChild<(input: DeleteTask) => Promise<DeletionOutcome>>(workflowTypes.deleteImage, {
    workflowId: state.taskId,
    args: [task],
    parentClosePolicy: 'REQUEST_CANCEL', // without its keeper nobody knows the claims
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: deletionSummary(task.destination),
    staticDetails: detailsOf(task),
    memo: { image: task.image, destination: task.destination },
  });
}

function detailsOf({ image, destination, digest, clusters, keeper }: DeleteTask): string {
  return [
    `Deletes the copy of \`${image}\` at \`${destination}\` (${digest}), which nobody claims any more, if ${clusters.map(({ cluster }) => cluster).join(', ')} confirm that they do not use it.`,
    `Ordered by the workflow \`${keeper}\`, which is asked once more before anything is deleted. To keep the copy use it, or \`kuik pin\` it, or *Cancel* here.`,
  ].join('\n\n');
}

/** What somebody asked of a copy under deletion waits until that has ended: then it is copied, or tried again. No other deletion takes its place. */
async function stop(keeper: Keeper): Promise<PassedOn> {
  keeper.state = passRetryOn(keeper.state);
  if (!isUnwanted(keeper.state, Date.now())) return 'done';
  keeper.state = cancelDeletion(keeper.state);
  await orGone(() => getExternalWorkflowHandle(keeper.state.taskId).cancel());
  return 'done';
}
