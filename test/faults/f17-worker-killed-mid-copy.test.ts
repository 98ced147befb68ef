import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { createPods, expectNothingHalfDone, expectWhole, imageBytes, pushMany, untilAllMirrored } from '../support/many-images.js';
import { startRelay, type Relay } from '../support/relay.js';
import { applyQuickstart } from '../support/stage.js';

describe('the manager is killed at random points of copies', () => {
  let stage: Stage;
  let source: Relay;
  let mirror: Relay;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f17') });
    source = await startRelay(stage.sourceAddress);
    mirror = await startRelay(stage.mirror.address);
    await applyQuickstart(stage, mirror.address);
  }, 180_000);
  afterAll(async () => {
    await source?.close();
    await mirror?.close();
    await stage?.close();
  });

  fault('F17', 'nothing is lost, corrupted or half-published, nothing waits for a lock, and little is sent twice', async ({ chance, size }) => {
    const [count, kills] = [size({ quick: 16, soak: 200 }), size({ quick: 3, soak: 40 })];
    const names = await pushMany(stage, 'f17', count);
    const images = names.map((name) => `${source.address}/library/${name}`);
    source.limit(200_000); // a layer takes more than a second

    await createPods(stage, images);
    for (let kill = 0; kill < kills; kill++) {
      await sleep(chance.between(1_000, 8_000));
      await stage.kuik.stop('kill');
      await expectNothingHalfDone(stage, names);
      await stage.kuik.start();
    }
    source.limit(undefined);
    await untilAllMirrored(stage, images, size({ quick: 480_000, soak: 3_600_000 }));

    await expectWhole(stage, names);
    expect(mirror.sent()).toBeLessThan(1.3 * count * imageBytes);
  }, 900_000);
});
