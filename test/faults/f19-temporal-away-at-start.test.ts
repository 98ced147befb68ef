import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { ask, isOk } from '../../tools/health.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { applyQuickstart, createPod, push, until, untilMirrored } from '../support/stage.js';

describe('Temporal is not there when kuik starts', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f19'), temporal: 'away' });
    await applyQuickstart(stage);
  });
  afterAll(() => stage?.close());

  fault('F19', 'Pods are admitted, readiness says what is missing, and copies start when it appears', async () => {
    await push(stage, 'web:1.0');
    expect(await createPod(stage, 'first', stage.image('web:1.0'))).toMatchObject({ image: stage.image('web:1.0') });

    const { status, body } = await ask(`${stage.kuik.running.healthUrl}/readyz`);
    expect(status).toBe(503);
    expect(body).toMatch(/\[-\]workers .*[Tt]emporal/);
    expect(await isOk(`${stage.kuik.running.healthUrl}/healthz`)).toBe(true);

    const { exited } = stage.kuik.running;
    await stage.kuik.stop();
    expect(await exited).toEqual({ code: 0, signal: null });
    await stage.kuik.start();

    await stage.temporal.start();
    await untilMirrored(stage, stage.image('web:1.0'));
    await until('kuik to be ready', () => isOk(`${stage.kuik.running.healthUrl}/readyz`));
  });
});
