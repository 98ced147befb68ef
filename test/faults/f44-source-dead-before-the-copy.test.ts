import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { applyQuickstart, createPod, push, recordOf, until, untilMirrored } from '../support/stage.js';

describe('the source is dead before the copy', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f44') });
    await applyQuickstart(stage);
  });
  afterAll(() => stage?.close());

  fault('F44', 'the copy fails visibly after its fast retries, the record says why, and a request on the record has it made at once', async () => {
    const image = stage.image('web:1.0');
    await push(stage, 'web:1.0');
    await stage.source.stop();

    expect(await createPod(stage, 'first', image)).toEqual({ image, reason: 'NoPlaceAvailable' });
    await until('the record to say why', async () => (await recordOf(stage, image))?.failure !== undefined, 120_000);
    const record = await recordOf(stage, image);
    expect(record).toMatchObject({ mirrors: '0/1', failure: { code: 'unreachable' } });
    expect(record?.failure?.message).toContain(stage.sourceAddress);

    await stage.source.start();
    await stage.kubectl('annotate', 'ia', record?.name ?? '', `kuik.enix.io/requested-at=${new Date().toISOString()}`);
    await untilMirrored(stage, image);
  }, 240_000);
});
