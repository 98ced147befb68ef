import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { openKeepers } from '../support/keepers.js';
import { createPods, expectWhole, pushMany, untilAllMirrored } from '../support/many-images.js';
import { startRelay, type Relay } from '../support/relay.js';
import { applyQuickstart } from '../support/stage.js';

describe('Temporal is restarted again and again during copies', () => {
  let stage: Stage;
  let source: Relay;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f20') });
    source = await startRelay(stage.sourceAddress);
    await applyQuickstart(stage);
  }, 180_000);
  afterAll(async () => {
    await source?.close();
    await stage?.close();
  });

  fault('F20', 'progress continues, every image arrives, and no workflow fails', async ({ chance, size }) => {
    const [count, restarts] = [size({ quick: 12, soak: 200 }), size({ quick: 3, soak: 20 })];
    const names = await pushMany(stage, 'f20', count);
    const images = names.map((name) => `${source.address}/library/${name}`);
    source.limit(200_000);

    await createPods(stage, images);
    for (let restart = 0; restart < restarts; restart++) {
      await sleep(chance.between(1_000, 6_000));
      await stage.temporal.stop(chance.next() < 0.5 ? 'kill' : 'stop');
      await sleep(chance.between(0, 2_000));
      await stage.temporal.start();
    }
    source.limit(undefined);
    await untilAllMirrored(stage, images, size({ quick: 480_000, soak: 3_600_000 }));

    await expectWhole(stage, names);
    const keepers = await openKeepers(stage.temporalAddress);
    const failed = await keepers.client.workflow.count('ExecutionStatus IN ("Failed", "Terminated", "TimedOut")').finally(() => keepers.close());
    expect(failed.count).toBe(0);
  }, 900_000);
});
