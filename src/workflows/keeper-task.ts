/**
 * Runs one operation, a copy or a deletion, and learns how it ended. A child's end is not always delivered: after a
 * Reset, or a start by hand, only the signal `observed` comes. So the keeper waits for whichever is first: the signal,
 * the child's end, or an hour, after which it asks the server by trying to start the run again.
 */
import { condition, isCancellation } from '@temporalio/workflow';
import { nameRun } from '../domain/keeper-messages.js';
import type { KeeperState } from '../domain/keeper.js';
import { answer } from './keeper-answer.js';
import type { Keeper } from './keep-image.js';
import { policiesAt } from './policies.js';

/** What differs between the operations: how a run is started, and what messages mean to it. */
export interface Operation<Outcome> {
  readonly start: () => Promise<{ readonly firstExecutionRunId: string; result(): Promise<Outcome> }>;
  readonly endingOf: (error: unknown) => Outcome;
  /** the run we started ended without telling us before */
  readonly accept: (state: KeeperState, outcome: Outcome, now: number) => KeeperState;
  /** whether something has to be passed on to the run */
  readonly isAddressed: (state: KeeperState) => boolean;
  readonly passOn: (keeper: Keeper) => Promise<void>;
}

/** The child we started; its ending once it is known. */
interface Child<Outcome> {
  ending?: Outcome;
}

export async function runOperation<Outcome>(keeper: Keeper, operation: Operation<Outcome>): Promise<void> {
  const { settleMs, busyMs } = policiesAt(keeper.state.pace);
  let child = await start(keeper, operation);
  let patienceMs = child === undefined ? settleMs : busyMs;
  while (keeper.state.running !== undefined) {
    await condition(() => isOver(keeper, child) || keeper.state.asking !== undefined || operation.isAddressed(keeper.state), patienceMs, { summary: 'until it ends, or to ask whether it still exists' });
    if (keeper.state.asking !== undefined) await answer(keeper);
    else if (operation.isAddressed(keeper.state)) await operation.passOn(keeper);
    else if (!isOver(keeper, child)) child = (await start(keeper, operation)) ?? child;
    else if (child?.ending !== undefined) keeper.state = operation.accept(keeper.state, child.ending, Date.now());
    patienceMs = busyMs;
  }
  // its last step comes before its end, and a new run is refused until then
  if (child !== undefined && child.ending === undefined) await condition(() => child?.ending !== undefined, settleMs, { summary: 'until the run has closed' });
}

function isOver<Outcome>({ state }: Keeper, child: Child<Outcome> | undefined): boolean {
  return state.running === undefined || child?.ending !== undefined;
}

/** @returns undefined when a run with this ID is busy: somebody started or reset one */
async function start<Outcome>(keeper: Keeper, operation: Operation<Outcome>): Promise<Child<Outcome> | undefined> {
  try {
    const handle = await operation.start();
    keeper.state = nameRun(keeper.state, handle.firstExecutionRunId);
    const child: Child<Outcome> = {};
    handle.result().then(
      (outcome) => void (child.ending = outcome),
      (error: unknown) => void (child.ending = operation.endingOf(error)),
    );
    return child;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') return undefined;
    throw error;
  }
}

/** A message to a run that has just gone needs no telling. */
export async function orGone(send: () => Promise<void>): Promise<void> {
  try {
    await send();
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}
