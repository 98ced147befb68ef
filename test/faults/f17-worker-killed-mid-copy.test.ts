import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { followCopy } from '../../tools/demo/progress.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { startRelay, type Relay } from '../support/relay.js';
import { applyQuickstart, createPod, push, tagIsThere, until, untilMirrored } from '../support/stage.js';

const layers = [
  { seed: 'f17-a-{platform}', size: 6 << 20 },
  { seed: 'f17-b-{platform}', size: 6 << 20 },
];

describe('the worker is killed in the middle of a copy', () => {
  let stage: Stage;
  let relay: Relay;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f17') });
    relay = await startRelay(stage.sourceAddress);
    await applyQuickstart(stage);
  });
  afterAll(async () => {
    await relay?.close();
    await stage?.close();
  });

  fault('F17', 'no tag appears half-made, and the copy is complete after a restart', async ({ chance }) => {
    const digest = await push(stage, 'big:1.0', layers);
    const image = `${relay.address}/library/big:1.0`;
    relay.limit(3 << 20); // about eight seconds per connection

    await createPod(stage, 'slow', image);
    const copy = await followCopy(stage.temporal.running.address, stage.copyOf('big:1.0'));
    const killAfter = chance.between(2 << 20, 16 << 20);
    await until('the copy to be under way', async () => relay.received() > killAfter).finally(() => copy.close());
    await stage.kuik.stop('kill');

    expect(await tagIsThere(stage, stage.copyOf('big:1.0'))).toBe(false);

    relay.limit(undefined);
    await stage.kuik.start();
    await untilMirrored(stage, image);
    expect(await stage.crane('digest', stage.copyOf('big:1.0'))).toBe(digest);
    await stage.crane('validate', '--remote', stage.copyOf('big:1.0'));
  }, 180_000);
});
