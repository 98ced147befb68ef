/** What people do to many keepers at once, or before all others; single keepers are in keeper.real.test.ts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Failure } from '../../src/domain/failure.js';
import type { PlaceId } from '../../src/domain/image-ref.js';
import { toolOutput } from '../../tools/servers.js';
import { hours } from '../support/keeper.js';
import { missing, someClaim, startLab, until, World, type Lab } from '../support/temporal-lab.js';

let lab: Lab;

beforeAll(async () => {
  // priorities are on by default in the server of the chart; the older one of the tests has to be told
  lab = await startLab({ dynamicConfig: { 'matching.useNewMatcher': 'true', 'matching.numTaskqueueReadPartitions': '1', 'matching.numTaskqueueWritePartitions': '1' } });
});

afterAll(async () => {
  await lab.stop();
});

const becomes = (destination: PlaceId, wanted: string): Promise<unknown> => until(async () => (await lab.status(destination))?.phase === wanted);

test('a retry by hand jumps the queue: of sixty copies that wait, the one somebody asked for is among the next', async () => {
  const world = new World();
  await lab.work('queue', world);
  const asked = someClaim('asked', { cluster: 'queue' });
  world.sourceFails = missing;
  await lab.keepersAt(1).claim(asked); // its next try by itself is six hours away
  await becomes(asked.destination, 'Failed');
  world.sourceFails = undefined;
  world.close();
  const others = Array.from({ length: 30 }, (_each, index) => someClaim(`other-${index}`, { cluster: 'queue' }));
  for (const claim of others) await lab.keepers.claim(claim);
  await until(async () => world.copiesStarted.length === 8); // every slot is taken
  await sleep(2_000); // the others wait at the server

  await lab.keepers.retry(asked.destination);
  await becomes(asked.destination, 'Copying');
  await until(async () => (await lab.handles(asked.destination).task.describe()).raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'resolveSource'));
  // from here on each part takes a while, so that slots come free one after the other
  world.onCopy = () => void (world.gate = sleep(200));
  world.open();
  await becomes(asked.destination, 'Mirrored');

  const order = world.copiesStarted.slice(8).map((started) => started.startsWith(asked.destination));
  expect(order.indexOf(true)).toBeLessThan(16); // two turns of the slots: it has to be resolved first
  await Promise.all(others.map(({ destination }) => becomes(destination, 'Mirrored')));
  expect(world.copiesStarted).toHaveLength(62);
}, 120_000);

test('a batch by query, as the guide writes it, retries every keeper that failed, and no other', async () => {
  const world = new World();
  await lab.work('batch', world);
  const [good, ...failed] = ['good', 'bad', 'worse', 'worst'].map((name) => someClaim(name, { cluster: 'batch' })) as [ReturnType<typeof someClaim>, ...ReturnType<typeof someClaim>[]];
  await lab.keepersAt(1).claim(good);
  await becomes(good.destination, 'Mirrored');
  world.sourceFails = missing;
  for (const claim of failed) await lab.keepersAt(1).claim(claim);
  for (const { destination } of failed) await becomes(destination, 'Failed');
  world.sourceFails = undefined;
  const query = 'WorkflowType="keepImage" AND KuikPhase="Failed" AND KuikSourceRegistry="docker.io"';
  await until(async () => (await lab.client.workflow.count(query)).count === failed.length);
  const copies = world.copiesStarted.length;

  const { address, namespace } = lab.server;
  await toolOutput('temporal', ['workflow', 'signal', '--address', address, '--namespace', namespace, '--name', 'retry', '--query', query, '--reason', 'the registry is back', '--yes']);

  for (const { destination } of failed) await becomes(destination, 'Mirrored');
  expect(world.copiesStarted.slice(copies).some((started) => started.startsWith(good.destination))).toBe(false);
}, 120_000);

test('the update retryNow, sent with the CLI as the guide writes it, answers with the outcome', async () => {
  const world = new World();
  await lab.work('update', world);
  const claim = someClaim('update', { cluster: 'update', ttlMs: 72 * hours });
  world.sourceFails = missing;
  await lab.keepersAt(1).claim(claim);
  await becomes(claim.destination, 'Failed');
  world.sourceFails = undefined;

  const { address, namespace } = lab.server;
  const answer = await toolOutput('temporal', ['workflow', 'update', 'execute', '--address', address, '--namespace', namespace, '--name', 'retryNow', '--workflow-id', `keep/${claim.destination}`, '--output', 'json']);

  expect(answer).toContain('"result": "copied"');
});

test('Reset of a pending activity, as in the UI, starts the attempt that waits for its registry', async () => {
  const world = new World();
  await lab.work('activity', world);
  const claim = someClaim('activity', { cluster: 'activity' });
  world.sourceFails = () => new Failure({ code: 'throttled', side: 'source', host: 'docker.io', message: 'slow down', retryAfterMs: 1 * hours });
  await lab.keepersAt(1).claim(claim);
  const { task } = lab.handles(claim.destination);
  const pending = await until(async () => {
    const found = await task.describe().catch(() => undefined);
    return found?.raw.pendingActivities?.find(({ lastFailure, attempt }) => lastFailure && Number(attempt) === 2);
  });
  world.sourceFails = undefined;

  const { address, namespace } = lab.server;
  await toolOutput('temporal', ['activity', 'reset', '--address', address, '--namespace', namespace, '--workflow-id', task.workflowId, '--activity-id', pending.activityId!]);

  await becomes(claim.destination, 'Mirrored');
});
