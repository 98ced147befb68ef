import { condition, defineSignal, getExternalWorkflowHandle, isCancellation, setHandler, workflowInfo } from '@temporalio/workflow';
import type { Block, Consent, DeleteTask, Question } from '../domain/task.js';
import { isConsent } from '../domain/keeper-door.js';
import { signals } from '../temporal/contract.js';
import { policiesAt } from './policies.js';

/** Asks the keeper whether the deletion may go on. @returns why it may not */
export type AskConsent = () => Promise<Block | undefined>;

/** Only a word for this very run counts: a Reset replays the signals of the run before it. */
export function installConsent({ keeper, digest, pace = 1 }: DeleteTask): AskConsent {
  const { runId } = workflowInfo();
  let consent: Consent | undefined;
  setHandler(
    defineSignal<[unknown]>(signals.proceed),
    (payload) => {
      if (isConsent(payload) && payload.runId === runId) consent = payload;
    },
    { description: "The keeper's word to a deletion that asked: go on, or why not. Not for people: a run of your own gets it when its keeper wants the deletion anyway." },
  );

  return async () => {
    if (!(await ask(keeper, { v: 1, runId, kind: 'delete', asking: true, digest }))) return { reason: 'incomplete-inventory', message: 'there is no keeper that knows the claims' };
    const isAnswered = await condition(() => consent !== undefined, policiesAt(pace).consentMs, { summary: 'until the keeper says that it may go' });
    return isAnswered ? consent?.refused : { reason: 'incomplete-inventory', message: 'the keeper does not answer' };
  };
}

async function ask(keeper: string, question: Question): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(keeper).signal(signals.observed, question);
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return false;
  }
}
