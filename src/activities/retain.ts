/**
 * The registry side of a deletion. Credentials and the mirror it lies in are found at execution, in the rules and
 * records of this cluster: a signal cannot name a tag to delete that none of them holds.
 */
import { Context } from '@temporalio/activity';
import { Failure, isFailure } from '../domain/failure.js';
import { knownImageRef } from '../domain/image-ref.js';
import type { Block } from '../domain/task.js';
import type { DeletionEngine } from '../registry/deletion-engine.js';
import type { Identity, Deletion, DeletionGuard } from '../registry/registry.js';
import type { Deleted, DeletePlan, DeleteTagInput, PlanDeleteInput, RetainActivities } from '../temporal/activities.js';
import type { Credentials } from './credentials.js';

export interface RetainDeps {
  readonly engine: DeletionEngine;
  readonly credentials: Pick<Credentials, 'destination' | 'prefix'>;
  /** counts what became of deletions */
  readonly observe?: (destination: string, outcome: 'deleted' | 'absent' | 'failed') => void;
}

/** Of the attempt to delete: nothing new begins when the server may have given it up. 5 s less than its timeout. */
const deadlineMs = 25_000;

export function createRetainActivities({ engine, credentials, observe = () => undefined }: RetainDeps): RetainActivities {
  return {
    async planDelete(input: PlanDeleteInput): Promise<DeletePlan> {
      const access = await accessTo(input);
      if ('reason' in access) return { v: 1, verdict: 'blocked', block: access };
      const look = await engine.look(input.publishAs, input.digest, access.as, { signal: Context.current().cancellationSignal });
      if (look.verdict === 'delete') return { v: 1, verdict: 'delete', beside: look.beside };
      if (look.verdict === 'changed') return { v: 1, verdict: 'blocked', block: { reason: 'digest-changed', message: `${input.publishAs} has ${look.digest}, not ${input.digest} as when it was copied` } };
      observe(input.destination, 'absent');
      return { v: 1, verdict: 'absent' };
    },

    async deleteTag(input: DeleteTagInput): Promise<Deleted> {
      const deadline = AbortSignal.timeout(deadlineMs);
      const signal = AbortSignal.any([Context.current().cancellationSignal, deadline]);
      const access = await accessTo(input);
      if ('reason' in access) return { v: 1, verdict: 'blocked', block: access };
      const guard: DeletionGuard = { prefix: access.prefix, digest: input.digest, inventory: input.sharing, beside: input.beside };
      return answerOf(await counted(input, deadline, () => engine.delete(input.publishAs, guard, access.as, { signal })));
    },
  };

  /** A Secret that is gone is a reason, not a failure: somebody has to bring it back, or delete the copy by hand. */
  async function accessTo(input: PlanDeleteInput): Promise<{ readonly as: Identity; readonly prefix: string } | Block> {
    const prefix = credentials.prefix(input);
    try {
      return { as: await credentials.destination(input), prefix };
    } catch (error) {
      if (isFailure(error) && error.code === 'unauthorized') return { reason: 'no-credential', message: error.message };
      throw error;
    }
  }

  async function counted({ destination }: DeleteTagInput, deadline: AbortSignal, deleteIt: () => Promise<Deletion>): Promise<Deletion> {
    try {
      const deletion = await deleteIt();
      if (deletion.outcome !== 'blocked') observe(destination, deletion.outcome);
      return deletion;
    } catch (error) {
      observe(destination, 'failed');
      if (isFailure(error) || !deadline.aborted) throw error;
      const { host } = knownImageRef(destination);
      throw new Failure({ code: 'timeout', side: 'destination', host, message: `${host} did not delete ${destination} within ${deadlineMs / 1000} s` }, { cause: error });
    }
  }
}

function answerOf(deletion: Deletion): Deleted {
  switch (deletion.outcome) {
    case 'absent':
      return { v: 1, verdict: 'absent' };
    case 'blocked':
      return { v: 1, verdict: 'blocked', block: { reason: deletion.reason, message: deletion.message } };
    case 'deleted':
      return { v: 1, verdict: 'deleted', ...(deletion.restored === undefined ? {} : { restored: deletion.restored.length }) };
  }
}
