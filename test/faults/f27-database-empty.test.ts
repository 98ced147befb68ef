import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { openKeepers, type Keepers } from '../support/keepers.js';
import { createPods, expectWhole, imageBytes, pushMany, untilAllMirrored } from '../support/many-images.js';
import { startRelay, type Relay } from '../support/relay.js';
import { applyQuickstart, until } from '../support/stage.js';

describe('the database of Temporal is deleted', () => {
  let stage: Stage;
  let mirror: Relay;
  let keepers: Keepers | undefined;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f27') });
    mirror = await startRelay(stage.mirror.address);
    await applyQuickstart(stage, mirror.address);
  }, 180_000);
  afterAll(async () => {
    await keepers?.close();
    await mirror?.close();
    await stage?.close();
  });

  fault('F27', 'every keeper is there again and knows its copy, no blob is sent again, and nothing is deleted', async ({ size }) => {
    const names = await pushMany(stage, 'f27', size({ quick: 6, soak: 100 }));
    const images = names.map((name) => stage.image(name));
    await createPods(stage, images);
    await untilAllMirrored(stage, images);
    const sent = mirror.sent();

    const { logFile } = stage.temporal.running; // beside its database
    await stage.temporal.stop('kill');
    await rm(dirname(logFile), { recursive: true });
    await stage.temporal.start();

    const seen = (keepers = await openKeepers(stage.temporalAddress));
    for (const name of names) {
      const destination = `${mirror.address}/kept/library/${name}`;
      await until(`${name} to be kept again`, async () => (await seen.status(destination).catch(() => undefined))?.phase === 'Mirrored', 180_000);
    }
    expect(mirror.sent() - sent).toBeLessThan(names.length * 0.2 * imageBytes); // questions and answers
    await expectWhole(stage, names);
  }, 600_000);
});
