/**
 * The word of one cluster on a deletion: it does not use the copy, or why the copy stays. It is given from lists that
 * are fetched for this question, never from views; the views only vouch that this manager has been able to read the
 * cluster at all. Whatever cannot be read throws, and then nobody has said anything: doubt blocks.
 */
import type { Drawn } from '../domain/budget.js';
import { knownImageRef } from '../domain/image-ref.js';
import { budgetNote } from '../domain/names.js';
import { fateOf, type Protection } from '../domain/retain.js';
import type { Block } from '../domain/task.js';
import { useOf, type ClusterPicture, type CopyUse } from '../domain/use.js';
import type { Confirmation, ConfirmInput, DrawInput, GuardActivities } from '../temporal/activities.js';
import type { Budget } from './budget.js';

export interface GuardDeps {
  /** a fresh, complete look at the cluster; throws when anything of it cannot be read */
  readonly look: () => Promise<ClusterPicture>;
  /** why the views cannot be trusted; undefined when all of them have been steady for long enough */
  readonly unsteady: (forMs: number) => string | undefined;
  readonly budget: Budget;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

const steadyMs = 10 * 60 * 1000;

export function createGuardActivities(deps: GuardDeps): GuardActivities {
  return {
    async confirmUnused(input: ConfirmInput): Promise<Confirmation> {
      const doubt = deps.unsteady(steadyMs * (input.pace ?? 1));
      if (doubt !== undefined) return blocked({ reason: 'incomplete-inventory', message: doubt });

      const { host } = knownImageRef(input.destination);
      const spent = input.minds === 'budget' ? spentBlock(await deps.budget.room(host), host, undefined) : undefined;
      if (spent !== undefined) return blocked(spent);

      const use = useOf(input, await deps.look());
      const block = protection(use, deps.now());
      if (block !== undefined) return blocked(block);
      const { sharing, isHeld, rule, ruleCopies } = use;
      return { v: 1, verdict: 'unused', sharing, isHeld, ruleCopies, ...(rule === undefined ? {} : { rule }) };
    },

    async drawBudget({ destination, rule = '', ruleCopies }: DrawInput): Promise<Block | 'drawn'> {
      const { host } = knownImageRef(destination);
      return spentBlock(await deps.budget.draw({ registry: host, rule, ruleCopies }), host, rule) ?? 'drawn';
    },
  };
}

function blocked(block: Block): Confirmation {
  return { v: 1, verdict: 'blocked', block };
}

const mostSkewMs = 60 * 1000; // between the clocks of clusters and of Temporal; the pause before the deletion is longer

/** The keeper has decided that it may go; the cluster knows what it does not. @param now of this cluster's clock */
export function protection(use: CopyUse, now: number): Block | undefined {
  const { isClaimed, keepUntil, expiry = { cleanup: true, dueAt: now } } = use;
  const fate = fateOf({ isPulledFrom: use.pulledBy !== undefined, isClaimed, keepUntil, expiry }, now);
  if (fate.fate === 'stays') return { reason: reasonOf(fate.by), message: messageOf(fate.by, use) };
  return fate.at > now + mostSkewMs ? { reason: 'claimed', message: `it is kept until ${new Date(fate.at).toISOString()} by now` } : undefined;
}

function reasonOf(by: Protection): Block['reason'] {
  return by === 'no-cleanup' ? 'claimed' : by;
}

function messageOf(by: Protection, { pulledBy, keepUntil }: CopyUse): string {
  switch (by) {
    case 'in-use':
      return `${pulledBy} pulls from it`;
    case 'pinned':
      return keepUntil === 'forever' ? 'somebody keeps it: kuik unpin lets it go' : `somebody keeps it until ${keepUntil}`;
    case 'claimed':
      return 'a rule wants it for an image in use';
    case 'no-cleanup':
      return 'clean-up is off for it by now';
  }
}

function spentBlock(drawn: Drawn | 'unreadable', host: string, rule: string | undefined): Block | undefined {
  if (drawn === 'unreadable') return { reason: 'budget', message: `what was deleted before cannot be read; delete the Lease ${budgetNote} to begin anew` };
  if (drawn.result === 'drawn') return undefined;
  const message = drawn.by === 'registry' ? `${drawn.limit} deletions an hour at ${host} are spent` : `${drawn.limit} deletions a day of ${rule || 'copies without a rule'} are spent`;
  return { reason: 'budget', message, retryAfterMs: drawn.retryAfterMs };
}
