import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { digestOf } from '../support/keeper.js';
import { someClaim, startLab, until, World, type Lab } from '../support/temporal-lab.js';

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(async () => {
  await lab.stop();
});

test('a cluster that serves no workflows has its copies kept by one that does, and makes them itself', async () => {
  const [lyon, berlin] = [new World(), new World()];
  await lab.work('lyon', lyon, { servesWorkflows: false });
  const claim = someClaim('skew', { cluster: 'lyon', shared: true });

  await lab.keepers.claim(claim);
  await sleep(2_000); // a worker takes a task within milliseconds
  expect(lyon.tags.get(claim.publishAs)).toBeUndefined();

  await lab.work('berlin', berlin);
  await until(async () => lyon.records.get(`lyon ${claim.destination}`)?.digest === digestOf('a'));
  expect(lyon.tags.get(claim.publishAs)).toBe(digestOf('a'));
  expect(berlin.copiesStarted).toEqual([]);
}, 60_000);
