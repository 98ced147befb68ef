/**
 * One keeper per destination: its ID is the lock. Handlers only change memory; the loop runs one operation at a
 * time. Every decision is made by the domain (`nextStep`), every message is folded in by it (`accept...`); this
 * shell performs.
 */
import { allHandlersFinished, condition, continueAsNew, patched, workflowInfo } from '@temporalio/workflow';
import { nextStep, type RunFacts, type Step } from '../domain/keeper.js';
import { revive, type KeeperBirth, type KeeperState } from '../domain/keeper-state.js';
import { acceptBlindness, acceptSight, acceptTold, compact, noteDrift, noteUnwritten } from '../domain/keeper-messages.js';
import type { Sight } from '../domain/task.js';
import { answer } from './keeper-answer.js';
import { runCopy } from './keeper-copy.js';
import { lookAt, tell } from './keeper-look.js';
import { installHandlers } from './keeper-handlers.js';
import { createPublisher, type Publisher } from './keeper-publish.js';
import { runDeletion } from './keeper-delete.js';

/** The one mutable thing of a keeper: its state, and whether a message came. */
export interface Keeper {
  state: KeeperState;
  woken: boolean;
}

export async function keepImage(input: KeeperBirth | KeeperState): Promise<void> {
  const keeper: Keeper = { state: begun(revive(input, Date.now())), woken: false };
  installHandlers(keeper, () => nextStep(keeper.state, Date.now(), runFacts()));
  const publish = createPublisher(keeper.state);
  // Signals that came with the start are handled after the first pause of this function: let them in before deciding.
  await Promise.resolve();

  for (;;) {
    keeper.woken = false;
    const step = decide(keeper.state);
    publish(keeper.state, step);
    if (step.kind === 'done') return; // no await since nextStep: a signal that arrives meanwhile makes the server refuse this end
    await perform(keeper, step, publish);
  }
}

/** A run decides from its first step to its last as the release under which it began. */
function begun(state: KeeperState): KeeperState {
  return { ...state, edition: patched('edition-2') ? 2 : undefined };
}

/** A run that began under a release which could not do this or that goes on as it began, until it is to do it for the first time. */
function decide(state: KeeperState): Step {
  let run = runFacts();
  let step = nextStep(state, Date.now(), run);
  if (isDeletion(step) && !patched('deletes')) step = nextStep(state, Date.now(), (run = { ...run, deletes: false }));
  if (isForClusterThatIsBack(step) && !patched('cluster-back')) step = nextStep(state, Date.now(), (run = { ...run, hears: false }));
  if (isForOtherRule(step) && !patched('minds-rules')) step = nextStep(state, Date.now(), { ...run, minds: 'settings' });
  return step;
}

function isDeletion(step: Step): boolean {
  return step.kind === 'task' && step.operation === 'delete';
}

function isForClusterThatIsBack(step: Step): boolean {
  return step.kind === 'task' && step.operation === 'copy' && step.reason === 'ClusterBack';
}

function isForOtherRule(step: Step): boolean {
  return step.kind === 'task' && step.operation === 'copy' && step.reason === 'RuleChanged';
}

async function perform(keeper: Keeper, step: Exclude<Step, { kind: 'done' }>, publish: Publisher): Promise<void> {
  switch (step.kind) {
    case 'answer':
      return answer(keeper);
    case 'task':
      return step.operation === 'copy' ? runCopy(keeper, step.task, () => publish(keeper.state, step)) : runDeletion(keeper, step.task, () => publish(keeper.state, step));
    case 'look':
      return look(keeper, step);
    case 'wait':
      await condition(() => keeper.woken, step.ms, { summary: step.reason });
      return;
    case 'renew':
      await condition(allHandlersFinished);
      return continueAsNew<typeof keepImage>(compact(keeper.state, Date.now()));
  }
}

async function look(keeper: Keeper, step: Extract<Step, { kind: 'look' }>): Promise<void> {
  if (step.what === 'tell') {
    const lost = await tell(keeper.state, step.reports);
    keeper.state = acceptTold(keeper.state, step.reports);
    // a run that began under a release which left those to the sweep goes on like that when it is replayed
    if (lost.length > 0 && patched('tell-again')) keeper.state = noteUnwritten(keeper.state, lost);
    return;
  }
  const sight = await lookAt(keeper.state, step.wanted);
  keeper.state = sight === undefined ? acceptBlindness(keeper.state, Date.now()) : see(keeper.state, sight);
}

/** A run that began under a release which told nobody of drift goes on like that when it is replayed. */
function see(state: KeeperState, sight: Sight): KeeperState {
  const looked = acceptSight(state, sight, Date.now());
  const noted = noteDrift(looked, sight, Date.now());
  return noted === looked || !patched('tell-drift') ? looked : noted;
}

function runFacts(): RunFacts {
  const { runStartTime, historyLength, continueAsNewSuggested } = workflowInfo();
  return { startedAt: runStartTime.getTime(), events: historyLength, isFull: continueAsNewSuggested, deletes: true, hears: true, minds: 'rules' };
}
