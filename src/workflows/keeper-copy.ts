import { getExternalWorkflowHandle, startChild, workflowInfo } from '@temporalio/workflow';
import { acceptEnding, beginCopy, passRetryOn } from '../domain/keeper-messages.js';
import { copySummary } from '../domain/keeper-story.js';
import type { CopyOutcome, CopyTask, Outcome } from '../domain/task.js';
import { signals, workflowTypes } from '../temporal/contract.js';
import { failureOf } from '../temporal/failures.js';
import type { Keeper } from './keep-image.js';
import { orGone, runOperation, type PassedOn } from './keeper-task.js';

export async function runCopy(keeper: Keeper, wanted: Omit<CopyTask, 'keeper'>, publish: () => void): Promise<void> {
  const task: CopyTask = { ...wanted, keeper: workflowInfo().workflowId };
  keeper.state = beginCopy(keeper.state, task, Date.now());
  publish();
  await runOperation<Outcome>(keeper, {
    start: () => startCopy(keeper, task),
    endingOf: (error) => ({ v: 1, result: 'failed', failure: failureOf(error, task.cluster) }),
    accept: acceptEnding,
    isAddressed: ({ asked }) => asked,
    passOn: passRetry,
  });
}

function startCopy({ state }: Keeper, task: CopyTask) {
  return startChild<(input: CopyTask) => Promise<CopyOutcome>>(workflowTypes.copyImage, {
    workflowId: state.taskId,
    args: [task],
    parentClosePolicy: 'ABANDON',
    cancellationType: 'ABANDON', // who cancels the keeper does not want a half-made copy
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: copySummary(task.image, task.destination),
    staticDetails: detailsOf(task),
    memo: { image: task.image, destination: task.destination },
  });
}

function detailsOf({ image, destination, sources, cluster, keeper }: CopyTask): string {
  return [
    `Copies \`${image}\` to \`${destination}\`, from ${sources.map((source) => `\`${source}\``).join(', then ')}, by cluster ${cluster}.`,
    `Kept by the workflow \`${keeper}\`. To try again: its signal \`retry\`, or *Reset* here, or *Start Workflow Like This One*; it learns of each.`,
  ].join('\n\n');
}

/** A running copy drops its back-off. */
async function passRetry(keeper: Keeper): Promise<PassedOn> {
  keeper.state = passRetryOn(keeper.state);
  return orGone(() => getExternalWorkflowHandle(keeper.state.taskId).signal(signals.retry));
}
