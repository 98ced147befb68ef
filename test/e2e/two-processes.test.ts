import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask } from '../../tools/health.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { applyQuickstart, createPod, push, untilMirrored } from '../support/stage.js';

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

test('the webhook routes while the manager is dead, and knows nothing of Temporal', async () => {
  await stage.manager?.stop('kill');
  await stage.temporal.stop('kill');

  expect(await createPod(stage, 'third', stage.image())).toEqual({ image: stage.copyOf(), reason: 'OriginUnavailable' });
  expect((await ask(`${stage.kuik.running.healthUrl}/readyz`)).body).not.toMatch(/workers|Temporal/);
});
