import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask } from '../../tools/health.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { applyQuickstart, createPod, push, until, untilMirrored } from '../support/stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('two'), processes: 'two' });
  await applyQuickstart(stage);
});
afterAll(() => stage?.close());

test('webhook and manager as processes of their own do the same job', async () => {
  await push(stage, 'web:1.0');
  expect(await createPod(stage, 'first', stage.image())).toEqual({ image: stage.image(), reason: 'OriginAvailable' });
  await untilMirrored(stage, stage.image());

  await stage.source.stop();
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // facts live one second here
  expect(await createPod(stage, 'second', stage.image())).toEqual({ image: stage.copyOf(), reason: 'OriginUnavailable' });
});

interface SeenEvent {
  readonly type: string;
  readonly action: string;
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly name: string };
}

async function routeEvents(): Promise<readonly SeenEvent[]> {
  const { items } = JSON.parse(await stage.kubectl('get', 'events', '-o', 'json')) as { items: SeenEvent[] };
  return items.filter(({ action }) => action === 'Route');
}

test('the Pod that was sent elsewhere has an event that says so, and still one when another manager leads', async () => {
  await until('the event', async () => (await routeEvents()).length > 0);
  await stage.manager?.stop('kill');
  await stage.manager?.start();
  // whoever leads next tells of this one; events are told in order
  expect((await createPod(stage, 'beside', stage.image())).reason).toBe('OriginUnavailable');
  await until('the event of the next Pod', async () => (await routeEvents()).some(({ involvedObject }) => involvedObject.name === 'beside'));

  const told = (await routeEvents()).map(({ type, reason, involvedObject, message }) => [involvedObject.name, type, reason, message]);
  const message = `container web is pulled from ${stage.copyOf()} (ClusterImageSetMirror/everything), because ${stage.image()} was not available`;
  expect(told.sort()).toEqual([['beside', 'Normal', 'OriginUnavailable', message], ['second', 'Normal', 'OriginUnavailable', message]]);
});

test('the webhook routes while the manager is dead, and knows nothing of Temporal', async () => {
  await stage.manager?.stop('kill');
  await stage.temporal.stop('kill');

  expect(await createPod(stage, 'third', stage.image())).toEqual({ image: stage.copyOf(), reason: 'OriginUnavailable' });
  expect((await ask(`${stage.kuik.running.healthUrl}/readyz`)).body).not.toMatch(/workers|Temporal/);
});
