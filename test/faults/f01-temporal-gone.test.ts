import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { applyQuickstart, createPod, push, untilMirrored } from '../support/stage.js';

describe('Temporal is killed', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f01') });
    await applyQuickstart(stage);
  });
  afterAll(() => stage?.close());

  fault('F1', 'Pods are admitted and routed from records, and copies go on when it is back', async () => {
    await push(stage, 'web:1.0');
    await createPod(stage, 'before', stage.image('web:1.0'));
    await untilMirrored(stage, stage.image('web:1.0'));

    await stage.temporal.stop('kill');
    await push(stage, 'api:1.0');
    expect(await createPod(stage, 'meanwhile', stage.image('api:1.0'))).toMatchObject({ image: stage.image('api:1.0') });
    await stage.source.stop();
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // facts live one second here
    expect(await createPod(stage, 'routed', stage.image('web:1.0'))).toEqual({ image: stage.copyOf('web:1.0'), reason: 'OriginUnavailable' });

    await stage.source.start();
    await stage.temporal.start();
    await untilMirrored(stage, stage.image('api:1.0'));
    expect(await stage.crane('digest', stage.copyOf('api:1.0'))).toBe(await stage.crane('digest', stage.image('api:1.0')));
  });
});
