import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { PlaceId } from '../../src/domain/image-ref.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { reset } from '../support/buttons.js';
import { fault, type Chance } from '../support/fault.js';
import { idsOf, openKeepers, type Keepers } from '../support/keepers.js';
import { createPods, expectNothingHalfDone, expectWhole, pushMany, untilAllMirrored } from '../support/many-images.js';
import { startRelay, type Relay } from '../support/relay.js';
import { applyQuickstart, until } from '../support/stage.js';

const nonsense = [undefined, null, 'yes', 42, [], {}, { v: 1 }, { v: 9, cluster: '', generation: 'x' }, { v: 1, runId: 'somebody', kind: 'copy', outcome: { result: 'copied' } }];
const names = ['claim', 'release', 'observed', 'proceed', 'retry', 'resync', 'pause', 'resume', 'no-such-signal'];

type Press = (keeper: WorkflowHandle, task: WorkflowHandle, chance: Chance) => Promise<unknown>;

const presses: readonly Press[] = [
  (keeper) => keeper.terminate('a user'),
  (_keeper, task) => task.terminate('a user'),
  (keeper) => keeper.cancel(),
  (_keeper, task) => task.cancel(),
  (keeper, _task, chance) => keeper.signal(pick(chance, names), pick(chance, nonsense)),
  (_keeper, task, chance) => task.signal(pick(chance, names), pick(chance, nonsense)),
  (keeper) => keeper.signal('retry'),
  (keeper) => keeper.signal('resync'),
  (keeper) => keeper.signal('pause'),
  (keeper) => reset(keeper),
  (_keeper, task) => reset(task),
];

function pick<T>(chance: Chance, from: readonly T[]): T {
  return from[chance.between(0, from.length - 1)] as T;
}

describe('somebody presses buttons in Temporal', () => {
  let stage: Stage;
  let source: Relay;
  let keepers: Keepers;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f30') });
    source = await startRelay(stage.sourceAddress);
    await applyQuickstart(stage);
    keepers = await openKeepers(stage.temporalAddress);
  }, 180_000);
  afterAll(async () => {
    await keepers?.close();
    await source?.close();
    await stage?.close();
  });

  fault('F30', 'nothing is corrupted, no keeper hangs, and every image arrives', async ({ chance, size }) => {
    const images = await pushMany(stage, 'f30', 5);
    const destinations = images.map((name) => stage.copyOf(name));
    source.limit(200_000);
    await createPods(stage, images.map((name) => `${source.address}/library/${name}`));

    let pressed = 0;
    for (let press = 0; press < size({ quick: 30, soak: 500 }); press++) {
      const ids = idsOf(pick(chance, destinations));
      const [keeper, task] = [ids.keeper, ids.task].map((id) => keepers.client.workflow.getHandle(id)) as [WorkflowHandle, WorkflowHandle];
      pressed += await pick(chance, presses)(keeper, task, chance).then(
        () => 1,
        () => 0, // not there, or not now
      );
      await sleep(chance.between(0, 600));
    }
    expect(pressed).toBeGreaterThan(5);
    await expectNothingHalfDone(stage, images);

    source.limit(undefined);
    await stage.kuik.stop(); // a keeper that was ended comes back with the next renewal: at once, after a new start
    await stage.kuik.start();
    for (const destination of destinations) {
      await until(`the keeper of ${destination}`, () => keepers.keepers.isKept(destination as PlaceId), 120_000);
      // a copy that was terminated counts as failed, and would be tried again in a quarter of an hour
      for (const name of ['resume', 'retry']) await keepers.client.workflow.getHandle(idsOf(destination).keeper).signal(name);
    }
    await untilAllMirrored(stage, images.map((name) => `${source.address}/library/${name}`));
    for (const destination of destinations) {
      const isAtRest = async (): Promise<boolean> => (await keepers.status(destination).catch(() => undefined))?.phase === 'Mirrored';
      await until(`the keeper of ${destination} to be at rest`, isAtRest, 240_000).catch(async (error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(await keepers.status(destination).catch(String))}`, { cause: error });
      });
    }
    await expectWhole(stage, images);
    expect((await keepers.client.workflow.count('WorkflowType = "keepImage" AND ExecutionStatus = "Failed"')).count).toBe(0);
  }, 900_000);
});
