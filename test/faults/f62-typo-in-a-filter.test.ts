import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { dailyLimit } from '../../src/domain/budget.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault, type Chance } from '../support/fault.js';
import { nameOf, type RuleFacts } from '../support/history/cluster.js';
import { Model } from '../support/history/model.js';
import { days, hours, minutes } from '../support/keeper.js';
import { applyMirrorRule, mirrorFast, tagIsThere, until } from '../support/stage.js';

const retentionMs = 7 * days;
const right: RuleFacts = { selects: /docker\.io\/library\/.+/, isSuspended: false, cleanup: true, retentionMs };

/** One cluster whose Pods use as many images; each has its copy. */
function aCluster(chance: Chance, count: number): Model {
  const model = new Model(chance, ['berlin']);
  model.isCalm = true;
  const [cluster] = model.clusters;
  cluster?.change(right);
  for (let image = 0; image < count; image++) cluster?.createPod(`pod-${image}`, nameOf(`app-a:${image}`), nameOf(`app-a:${image}`));
  live(model, 2 * days);
  expect(model.tags.size).toBe(count);
  return model;
}

/** With a pass of the manager every few hours. */
function live(model: Model, forMs: number): void {
  for (let passed = 0; passed < forMs; passed += 6 * hours) {
    model.agenda.pass(6 * hours);
    for (const cluster of model.clusters) cluster.beat();
  }
}

/** Most deletions of any 24 hours, less what one takes: they are counted when they begin. */
function mostPerDay(times: readonly number[]): number {
  return Math.max(0, ...times.map((at) => times.filter((other) => other >= at && other < at + days - 20 * minutes).length));
}

const wrong = /docker\.io\/libary\/.+/; // one letter

describe('a typo in the filter of a rule that cleans up', () => {
  fault('F62', 'deletes nothing in the first retention, then few a day, and nothing any more once it is put right', async ({ chance, size }) => {
    const count = size({ quick: 240, soak: 2_000 });
    const model = aCluster(chance, count);
    const perDay = dailyLimit(count, model.limits);
    const [cluster] = model.clusters;

    cluster?.change({ ...right, selects: wrong });
    live(model, retentionMs);
    expect(model.deletedAt).toEqual([]);

    live(model, 3 * days);
    const deleted = model.deletedAt.length;
    expect(deleted).toBeGreaterThan(0);
    expect(deleted).toBeLessThanOrEqual(4 * perDay); // three days touch four
    expect(mostPerDay(model.deletedAt)).toBeLessThanOrEqual(perDay);
    expect(perDay).toBeLessThanOrEqual(count * 0.05);

    cluster?.change(right);
    live(model, 2 * days);
    expect(model.deletedAt).toHaveLength(deleted);
    expect(model.tags.size).toBe(count); // what was deleted is copied again: its Pods are still there
    expect(model.violations).toEqual([]);
  });

  fault('F62', 'that keeps it from being read deletes nothing at all', async ({ chance }) => {
    const count = 20;
    const model = aCluster(chance, count);

    model.clusters[0]?.change({ ...right, isBroken: true });
    live(model, 4 * retentionMs);

    expect(model.deletedAt).toEqual([]);
    expect(model.tags.size).toBe(count);
  });
});

const leastPerDay = 10; // whatever the percentage says
const retentionSeconds = 20;

describe('a typo in the filter, in a cluster', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f62') });
  }, 120_000);
  afterAll(() => stage?.close());

  const names = Array.from({ length: leastPerDay + 2 }, (_, index) => `app-${index}:1.0`);
  const left = async (): Promise<number> => (await Promise.all(names.map((name) => tagIsThere(stage.copyOf(name))))).filter(Boolean).length;
  const reasons = async (): Promise<readonly string[]> => (await stage.kubectl('get', 'ia', '-o', 'jsonpath={.items[*].status.places[*].blocked.reason}')).split(' ').filter((reason) => reason !== '');

  fault('F62', 'its copies wait for their retention, ten go, and the budget keeps the others', async () => {
    const cleanup = { enabled: true, retention: `${retentionSeconds}s` };
    await applyMirrorRule(stage, 'everything', { image: '.+/library/.+', cleanup });
    await Promise.all(names.map((name) => mirrorFast(stage, name, 'everything')));

    const since = performance.now();
    await applyMirrorRule(stage, 'everything', { image: '.+/libary/.+', cleanup });
    await until('the first copy to go', async () => (await left()) < names.length);
    expect(performance.now() - since).toBeGreaterThan(retentionSeconds * 1000);

    await until('the budget to be spent', async () => (await reasons()).includes('budget') && (await left()) === names.length - leastPerDay, 120_000);
    await until('both that are left to say so', async () => (await reasons()).filter((reason) => reason === 'budget').length === names.length - leastPerDay);
    expect(await left()).toBe(names.length - leastPerDay);
  }, 240_000);
});
