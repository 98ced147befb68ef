import { isCancellation } from '@temporalio/workflow';
import type { Block, DeleteTask, KnownCluster } from '../domain/task.js';
import type { Confirmation, ConfirmInput } from '../temporal/activities.js';
import { failureOf } from '../temporal/failures.js';
import type { DeleteActivities } from './delete-activities.js';

/** What all clusters together say. */
export interface Unused {
  /** one whose rules or records hold the copy: it deletes */
  readonly executing: KnownCluster;
  readonly sharing: 'unshared' | 'shared';
  /** those that hold it: each draws from its own budgets */
  readonly held: readonly Said[];
}

/** Why it stays; who did not answer, if that is why: nobody waits for it once more; and who keeps it by its own word. */
export interface Kept {
  readonly block: Block;
  readonly silent?: string;
  readonly by?: readonly string[];
}

type Said = Extract<Confirmation, { verdict: 'unused' }> & { readonly by: KnownCluster };

/**
 * Asks every known cluster. One that does not answer, or cannot read its own lists, blocks; only a cluster that has
 * been silent for the whole retention may stay silent. What one says against it counts, lost or not.
 */
export async function confirmUnused({ clusters }: DeleteTask, { confirmUnused: ask }: DeleteActivities, minds: ConfirmInput['minds']): Promise<Unused | Kept> {
  const answers = await Promise.allSettled(clusters.map((cluster) => ask(cluster, minds)));
  const said: Said[] = [];
  const against: Kept[] = [];
  const by: string[] = [];
  for (const [index, answer] of answers.entries()) {
    const cluster = clusters[index];
    if (cluster === undefined) continue;
    if (answer.status === 'rejected') {
      if (isCancellation(answer.reason)) throw answer.reason;
      if (cluster.isLost !== true) against.push({ block: silence(cluster, answer.reason), silent: cluster.cluster });
    } else if (answer.value.verdict === 'blocked') {
      against.push({ block: told(cluster, answer.value.block) });
      by.push(cluster.cluster);
    } else said.push({ ...answer.value, by: cluster });
  }
  const [first] = against;
  return first === undefined ? together(said) : { ...first, by };
}

function silence({ cluster }: KnownCluster, error: unknown): Block {
  return { reason: 'incomplete-inventory', message: `${cluster} does not say whether it uses the copy: ${failureOf(error, cluster).message}`.slice(0, 256) };
}

function told({ cluster }: KnownCluster, block: Block): Block {
  return { ...block, message: `${cluster}: ${block.message}`.slice(0, 256) };
}

function together(said: readonly Said[]): Unused | Kept {
  const held = said.filter(({ isHeld }) => isHeld);
  const [first] = held;
  if (first === undefined) return { block: { reason: 'no-credential', message: 'no rule or record of any cluster holds the copy any more' } };
  return { executing: first.by, sharing: said.some(({ sharing }) => sharing === 'shared') ? 'shared' : 'unshared', held };
}

/** Each cluster that holds the copy lets it go from its own budgets. */
export async function drawBudgets({ v, destination }: DeleteTask, { held }: Unused, { drawBudget }: DeleteActivities): Promise<Block | undefined> {
  for (const { by, rule, ruleCopies } of held) {
    const drawn = await drawBudget(by.cluster, { v, destination, rule, ruleCopies });
    if (drawn !== 'drawn') return told(by, drawn);
  }
  return undefined;
}
