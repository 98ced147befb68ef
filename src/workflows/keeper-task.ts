/**
 * Runs one operation, a copy or a deletion, and learns how it ended. A child's end is not always delivered: after a
 * Reset, or a start by hand, only the signal `observed` comes. So the keeper waits for whichever is first: the signal,
 * the child's end, or until it is time to ask the server, by trying to start the run again: after an hour where the
 * run is our child, sooner and then ever more seldom where it is not, for such a run may be terminated without a word.
 */
import { condition, isCancellation, patched } from '@temporalio/workflow';
import { nameRun } from '../domain/keeper-messages.js';
import type { KeeperState } from '../domain/keeper-state.js';
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
  readonly passOn: (keeper: Keeper) => Promise<PassedOn>;
}

/** `gone`: there is no such run any more, and another may be started. */
export type PassedOn = 'done' | 'gone';

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
    else if (operation.isAddressed(keeper.state)) child = (await passOn(keeper, operation, child)) ?? child;
    else if (!isOver(keeper, child)) child = (await start(keeper, operation)) ?? child;
    else if (child?.ending !== undefined) keeper.state = operation.accept(keeper.state, child.ending, Date.now());
    patienceMs = child === undefined ? Math.min(busyMs, 2 * patienceMs) : busyMs;
  }
  // its last step comes before its end, and a new run is refused until then
  if (child !== undefined && child.ending === undefined) await condition(() => child?.ending !== undefined, settleMs, { summary: 'until the run has closed' });
}

function isOver<Outcome>({ state }: Keeper, child: Child<Outcome> | undefined): boolean {
  return state.running === undefined || child?.ending !== undefined;
}

/** Somebody may have terminated a run whose end nobody tells us: what was asked of it is done by another. */
async function passOn<Outcome>(keeper: Keeper, operation: Operation<Outcome>, child: Child<Outcome> | undefined): Promise<Child<Outcome> | undefined> {
  const isGone = (await operation.passOn(keeper)) === 'gone';
  return isGone && !isOver(keeper, child) && patched('replace-gone') ? start(keeper, operation) : undefined;
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

/** A run that cannot be told has gone. */
export async function orGone(send: () => Promise<void>): Promise<PassedOn> {
  try {
    await send();
    return 'done';
  } catch (error) {
    if (isCancellation(error)) throw error;
    return 'gone';
  }
}
