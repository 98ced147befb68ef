import { getExternalWorkflowHandle, log } from '@temporalio/workflow';
import type { Observed } from '../domain/task.js';
import { signals } from '../temporal/contract.js';

/** A keeper that is gone or closed is no error: the next claim starts one, which looks for itself. */
export async function tellKeeper(keeper: string, observed: Observed): Promise<void> {
  try {
    await getExternalWorkflowHandle(keeper).signal(signals.observed, observed);
  } catch {
    log.info('the keeper is gone', { keeper });
  }
}
