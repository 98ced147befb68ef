import { getExternalWorkflowHandle, isCancellation, log } from '@temporalio/workflow';
import { acceptAnswered } from '../domain/keeper-messages.js';
import type { Consent } from '../domain/task.js';
import { signals } from '../temporal/contract.js';
import type { Keeper } from './keep-image.js';

/** Tells a deletion whether it may go on, whoever started it. One that has gone meanwhile did not get consent. */
export async function answer(keeper: Keeper, consent: Consent): Promise<void> {
  keeper.state = acceptAnswered(keeper.state);
  try {
    await getExternalWorkflowHandle(keeper.state.taskId).signal(signals.proceed, consent);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.info('the deletion that asked is gone', { runId: consent.runId });
  }
}
