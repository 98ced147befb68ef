import { describe, expect, test } from '@jest/globals';
import { createBudget } from '../../src/activities/budget.js';
import { createGuardActivities, type GuardDeps } from '../../src/activities/guard.js';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { Failure } from '../../src/domain/failure.js';
import { imagesUsed } from '../../src/domain/original.js';
import type { ImageRecord } from '../../src/domain/record.js';
import type { ClusterPicture } from '../../src/domain/use.js';
import type { ConfirmInput } from '../../src/temporal/activities.js';
import { aCopy, aMirrorRule, aPod, aRecord } from '../support/builders.js';
import { digestOf, nginx, place, t0 } from '../support/keeper.js';

const input: ConfirmInput = { v: 1, destination: place, publishAs: place as never, image: nginx, digest: digestOf('a'), minds: 'budget' };
const limits = { maxDeletionsPerHour: 2, dailyBudgetPercent: 5 };
const minute = 60_000;
const hour = 60 * minute;
const cleaning = aMirrorRule({ mirrors: [{ cleanup: { enabled: true } }] });
const nobody: ClusterPicture = { pods: [], used: [], rules: [cleaning], records: [], settings: { platforms: [], retentionMs: 0 } };

function aGuard(picture: Partial<ClusterPicture> = {}, some: Partial<GuardDeps> = {}, cluster = new MemoryCluster()) {
  const budget = createBudget({ cluster, note: { namespace: 'kuik-system', name: 'budget' }, limits, now: () => t0 });
  return createGuardActivities({ look: async () => ({ ...nobody, ...picture }), unsteady: () => undefined, budget, now: () => t0, ...some });
}

describe('a cluster that is asked', () => {
  test('says that it does not use a copy, whether it holds it, and whose budget it is', async () => {
    expect(await aGuard().confirmUnused(input)).toEqual({ v: 1, verdict: 'unused', sharing: 'unshared', isHeld: true, rule: 'ClusterImageSetMirror/main', ruleCopies: 0 });
  });

  const unused = (since: number): ImageRecord => aRecord({ unusedSince: new Date(since).toISOString(), places: [aCopy(place, { rule: 'ClusterImageSetMirror/main' })] });
  const pulling = aPod({ images: { web: place } });
  test.each<[string, Partial<ClusterPicture>, object]>([
    ['a Pod pulls from it', { pods: [{ pod: pulling, images: imagesUsed(pulling, 0) }] }, { reason: 'in-use', message: 'pod shop/web-1 pulls from it' }],
    ['somebody keeps it', { records: [aRecord({ places: [aCopy(place)], keepUntil: 'forever' })] }, { reason: 'pinned', message: 'somebody keeps it: kuik unpin lets it go' }],
    ['its rule does not clean up any more', { rules: [aMirrorRule()] }, { reason: 'claimed', message: 'clean-up is off for it by now' }],
    ['its rule keeps it longer by now', { settings: { platforms: [], retentionMs: hour }, records: [unused(t0 - 58 * minute)] }, { reason: 'claimed', message: `it is kept until ${new Date(t0 + 2 * minute).toISOString()} by now` }],
  ])('keeps it while %s', async (_sentence, picture, block) => {
    expect(await aGuard(picture).confirmUnused(input)).toEqual({ v: 1, verdict: 'blocked', block });
  });

  test('lets it go when its rule says, by a clock that may be a minute behind', async () => {
    expect(await aGuard({ settings: { platforms: [], retentionMs: hour }, records: [unused(t0 - 59 * minute)] }).confirmUnused(input)).toMatchObject({ verdict: 'unused' });
  });

  test('is not believed before it could read its cluster for long enough, less in tests', async () => {
    const waits: number[] = [];
    const guard = aGuard({}, { unsteady: (forMs) => (waits.push(forMs), 'Pod objects have been read for 3 s only') });

    expect(await guard.confirmUnused({ ...input, pace: 0.001 })).toMatchObject({ block: { reason: 'incomplete-inventory', message: 'Pod objects have been read for 3 s only' } });
    expect(waits).toEqual([600]);
  });

  test('says nothing at all when a list cannot be read', async () => {
    const denied = new Failure({ code: 'denied', side: 'cluster', message: 'not allowed to list pods' });
    const guard = aGuard({}, { look: () => Promise.reject(denied) });

    await expect(guard.confirmUnused(input)).rejects.toBe(denied);
  });
});

describe('budgets', () => {
  const draw = { v: 1, destination: place, rule: 'ClusterImageSetMirror/main', ruleCopies: 3 } as const;

  test('are drawn from, and hold for every replica of the cluster and after each restart', async () => {
    const cluster = new MemoryCluster();
    const answers = [];
    for (let replica = 0; replica < 3; replica++) answers.push(await aGuard({}, {}, cluster).drawBudget(draw));

    expect(answers).toEqual(['drawn', 'drawn', { reason: 'budget', message: '2 deletions an hour at registry.example.com are spent', retryAfterMs: expect.any(Number) }]);
  });

  test('that are spent are an answer before anything is listed', async () => {
    const cluster = new MemoryCluster();
    let looks = 0;
    const guard = aGuard({}, { look: async () => (looks++, nobody) }, cluster);
    for (let times = 0; times < 2; times++) await guard.drawBudget(draw);

    expect(await guard.confirmUnused(input)).toMatchObject({ verdict: 'blocked', block: { reason: 'budget' } });
    expect(looks).toBe(0);
    expect(await guard.confirmUnused({ ...input, minds: 'use' })).toMatchObject({ verdict: 'unused' });
  });

  test('that cannot be read block', async () => {
    const cluster = new MemoryCluster();
    await cluster.changeNote({ namespace: 'kuik-system', name: 'budget' }, () => ({ text: 'scribbled', answer: undefined }));

    expect(await aGuard({}, {}, cluster).drawBudget(draw)).toMatchObject({ reason: 'budget', message: expect.stringContaining('cannot be read') });
  });
});
