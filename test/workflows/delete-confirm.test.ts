import { describe, expect, test } from '@jest/globals';
import type { BlockReason, DeleteTask, KnownCluster } from '../../src/domain/task.js';
import type { Confirmation } from '../../src/temporal/activities.js';
import type { DeleteActivities } from '../../src/workflows/delete-activities.js';
import { confirmUnused } from '../../src/workflows/delete-confirm.js';
import { digestOf, nginx, place } from '../support/keeper.js';

type Answer = Confirmation | 'silent';

const unused = { v: 1, verdict: 'unused', sharing: 'unshared', isHeld: true, ruleCopies: 1 } as const;
const elsewhere = { ...unused, isHeld: false } as const;
const keeps = (reason: BlockReason): Confirmation => ({ v: 1, verdict: 'blocked', block: { reason, message: 'pod shop/web pulls from it' } });

/** What clusters with these answers say together. @param lost nobody waits for these */
async function together(answers: Readonly<Record<string, Answer>>, lost: readonly string[] = []): Promise<object> {
  const clusters = Object.keys(answers).map((cluster): KnownCluster => ({ cluster, image: nginx, rules: [], ...(lost.includes(cluster) ? { isLost: true } : {}) }));
  const task: DeleteTask = { v: 1, destination: place, publishAs: nginx, image: nginx, digest: digestOf('a'), clusters, tombstoneMs: 0, keeper: 'keep', searchable: false };
  const ask = async ({ cluster }: KnownCluster): Promise<Confirmation> => {
    const answer = answers[cluster];
    if (answer === undefined || answer === 'silent') throw new Error('nobody took it');
    return answer;
  };
  return confirmUnused(task, { confirmUnused: ask } as Pick<DeleteActivities, 'confirmUnused'> as DeleteActivities, 'use');
}

describe('what all clusters together say of a copy', () => {
  test.each<[string, Readonly<Record<string, Answer>>, readonly string[], object]>([
    ['it may go when each says so, and the first that holds it deletes', { berlin: elsewhere, paris: unused }, [], { executing: { cluster: 'paris' } }],
    ['it stays when one does not answer', { berlin: unused, paris: 'silent' }, [], { block: { reason: 'incomplete-inventory' }, silent: 'paris' }],
    ['one that is lost is not waited for', { berlin: unused, paris: 'silent' }, ['paris'], { executing: { cluster: 'berlin' } }],
    ['but what it says against it counts', { berlin: unused, paris: keeps('in-use') }, ['paris'], { block: { reason: 'in-use' }, by: ['paris'] }],
    ['the first word against it is the reason, and each cluster that keeps it is named', { berlin: keeps('pinned'), paris: unused, rome: keeps('in-use') }, [], { block: { reason: 'pinned', message: 'berlin: pod shop/web pulls from it' }, by: ['berlin', 'rome'] }],
    ['also when another one is silent', { berlin: 'silent', paris: keeps('in-use') }, [], { silent: 'berlin', by: ['paris'] }],
    ['it stays when nobody holds it', { berlin: elsewhere }, [], { block: { reason: 'no-credential' } }],
  ])('%s', async (_sentence, answers, lost, expected) => {
    expect(await together(answers, lost)).toMatchObject(expected);
  });
});
