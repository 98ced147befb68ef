/**
 * Runs one copy and learns how it ended. A child's end is not always delivered: after a Reset, or a start by hand,
 * only the signal `observed` comes. So the keeper waits for whichever is first: the signal, the child's end, or an
 * hour, after which it asks the server by trying to start the run again.
 */
import { condition, getExternalWorkflowHandle, isCancellation, startChild, workflowInfo } from '@temporalio/workflow';
import { acceptEnding, beginCopy, nameRun, passRetryOn } from '../domain/keeper-messages.js';
import { copySummary } from '../domain/keeper-story.js';
import type { CopyOutcome, CopyTask, Outcome } from '../domain/task.js';
import { signals, workflowTypes } from '../temporal/contract.js';
import { failureOf } from '../temporal/failures.js';
import type { Keeper } from './keep-image.js';
import { policiesAt } from './policies.js';

/** The child we started; its ending once it is known. */
interface Child {
  ending?: Outcome;
}

export async function runCopy(keeper: Keeper, wanted: Omit<CopyTask, 'keeper'>, publish: () => void): Promise<void> {
  const task: CopyTask = { ...wanted, keeper: workflowInfo().workflowId };
  const { settleMs, busyMs } = policiesAt(keeper.state.pace);
  keeper.state = beginCopy(keeper.state, task, Date.now());
  publish();

  let child = await start(keeper, task);
  let patienceMs = child === undefined ? settleMs : busyMs;
  while (keeper.state.running !== undefined) {
    await condition(() => isOver(keeper, child) || keeper.state.asked, patienceMs, { summary: 'until the copy ends, or to ask whether it still exists' });
    if (keeper.state.asked) await passRetry(keeper);
    else if (!isOver(keeper, child)) child = (await start(keeper, task)) ?? child;
    else if (child?.ending !== undefined) keeper.state = acceptEnding(keeper.state, child.ending, Date.now());
    patienceMs = busyMs;
  }
  // its last step comes before its end, and a new run is refused until then
  if (child !== undefined && child.ending === undefined) await condition(() => child?.ending !== undefined, settleMs, { summary: 'until the run has closed' });
}

function isOver({ state }: Keeper, child: Child | undefined): boolean {
  return state.running === undefined || child?.ending !== undefined;
}

/** @returns undefined when a run with this ID is busy: somebody started or reset one */
async function start(keeper: Keeper, task: CopyTask): Promise<Child | undefined> {
  try {
    const handle = await startChild<(input: CopyTask) => Promise<CopyOutcome>>(workflowTypes.copyImage, {
      workflowId: keeper.state.taskId,
      args: [task],
      parentClosePolicy: 'ABANDON',
      cancellationType: 'ABANDON', // who cancels the keeper does not want a half-made copy
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: copySummary(task.image, task.destination),
      staticDetails: detailsOf(task),
      memo: { image: task.image, destination: task.destination },
    });
    keeper.state = nameRun(keeper.state, handle.firstExecutionRunId);
    const child: Child = {};
    handle.result().then(
      (outcome) => void (child.ending = outcome),
      (error: unknown) => void (child.ending = { v: 1, result: 'failed', failure: failureOf(error, task.cluster) }),
    );
    return child;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') return undefined;
    throw error;
  }
}

function detailsOf({ image, destination, sources, cluster, keeper }: CopyTask): string {
  return [
    `Copies \`${image}\` to \`${destination}\`, from ${sources.map((source) => `\`${source}\``).join(', then ')}, by cluster ${cluster}.`,
    `Kept by the workflow \`${keeper}\`. To try again: its signal \`retry\`, or *Reset* here, or *Start Workflow Like This One*; it learns of each.`,
  ].join('\n\n');
}

/** A running copy drops its back-off; one that has just gone needs no telling. */
async function passRetry(keeper: Keeper): Promise<void> {
  keeper.state = passRetryOn(keeper.state);
  try {
    await getExternalWorkflowHandle(keeper.state.taskId).signal(signals.retry);
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}
