/** The registry of the copies is there, answers, and has nothing of what it held: a volume that was not mounted, a bucket emptied. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { createPods, expectWhole, pushMany, untilAllMirrored } from '../support/many-images.js';
import { applyQuickstart, contentOf, createPod, podFor, recordsOf, tagIsThere, until } from '../support/stage.js';

const periodMs = 15_000; // a day, usually
const copyMs = 30_000;
const factsLiveMs = 1_500; // of the webhook of a stage

describe('the destination lost its data', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f59'), configuration: `mirroring:\n  verifyInterval: ${periodMs / 1000}s\n` });
    await applyQuickstart(stage);
  }, 120_000);
  afterAll(() => stage?.close());

  fault('F59', 'everything is copied again within one period, and until then no Pod is sent there', async ({ size }) => {
    const names = await pushMany(stage, 'f59', size({ quick: 4, soak: 100 }));
    const images = names.map((name) => stage.image(name));
    await createPods(stage, images);
    await untilAllMirrored(stage, images);

    await loseEverything();
    for (const name of names) await until(`${name} to be there again`, () => tagIsThere(stage.copyOf(name)), periodMs + copyMs);
    await untilAllMirrored(stage, images);
    await expectWhole(stage, names);
    expect((await recordsOf(stage)).map(({ status }) => status?.mirrors)).toEqual(names.map(() => '1/1'));

    await stage.source.stop();
    await loseEverything();
    await sleep(factsLiveMs);
    for (const [index, name] of names.entries()) {
      expect(await createPod(stage, `${podFor(name)}-away`, images[index]!)).toEqual({ image: images[index], reason: 'NoPlaceAvailable' });
    }
  }, 240_000);

  async function loseEverything(): Promise<void> {
    await rm(join(stage.mirror.dir, 'images'), { recursive: true });
    expect(await contentOf(stage.mirror)).toEqual(new Map());
  }
});
