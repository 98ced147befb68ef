import { getExternalWorkflowHandle } from '@temporalio/workflow';
import { consentTo } from '../domain/keeper-deletion.js';
import { acceptAnswered } from '../domain/keeper-messages.js';
import { signals } from '../temporal/contract.js';
import type { Keeper } from './keep-image.js';
import { orGone } from './keeper-task.js';

/** Tells a deletion whether it may go on, whoever started it, after one more look at the claims. One that has gone meanwhile did not get consent. */
export async function answer(keeper: Keeper): Promise<void> {
  const { asking, taskId } = keeper.state;
  if (asking === undefined) return;
  const consent = consentTo(asking, keeper.state, Date.now());
  keeper.state = acceptAnswered(keeper.state);
  await orGone(() => getExternalWorkflowHandle(taskId).signal(signals.proceed, consent));
}
