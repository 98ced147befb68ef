import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { CopyOutcome } from '../../src/domain/task.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { idsOf, openKeepers, type Keepers } from '../support/keepers.js';
import { createPods, expectNothingHalfDone, expectWhole, imageBytes, pushMany, untilAllMirrored } from '../support/many-images.js';
import { startRelay, type Relay } from '../support/relay.js';
import { applyQuickstart, contentOf, until } from '../support/stage.js';

describe('every worker is dead for a while', () => {
  let stage: Stage;
  let source: Relay;
  let mirror: Relay;
  let keepers: Keepers;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f18'), processes: 'two' });
    source = await startRelay(stage.sourceAddress);
    mirror = await startRelay(stage.mirror.address);
    keepers = await openKeepers(stage.temporalAddress);
    await applyQuickstart(stage, mirror.address);
  }, 180_000);
  afterAll(async () => {
    await keepers?.close();
    await source?.close();
    await mirror?.close();
    await stage?.close();
  });

  fault('F18', 'what was asked meanwhile is done when one is back, and nothing is done twice', async ({ chance, size }) => {
    const names = await pushMany(stage, 'f18', size({ quick: 12, soak: 400 }));
    const images = names.map((name) => `${source.address}/library/${name}`);
    const destinations = names.map((name) => `${mirror.address}/kept/library/${name}`);
    const half = names.length / 2;

    source.limit(200_000); // a layer takes more than a second
    await createPods(stage, images.slice(0, half));
    await until('a copy to begin', async () => (await phases(destinations)).includes('Copying'));
    await sleep(chance.between(0, 5_000));
    await stage.manager!.stop('kill');
    source.limit(undefined);
    await expectNothingHalfDone(stage, names);
    const content = await contentOf(stage.mirror);

    await createPods(stage, images.slice(half), half); // the webhook answers; nobody claims these yet
    const signals = destinations.slice(0, half).map((destination) => keepers.client.workflow.getHandle(idsOf(destination).keeper));
    for (const keeper of signals) for (const signal of ['resync', 'retry', 'resync']) await keeper.signal(signal).catch(() => undefined); // not there yet

    await stage.manager!.start();
    await untilAllMirrored(stage, images);

    await expectWhole(stage, names);
    expect([...(await contentOf(stage.mirror))]).toEqual(expect.arrayContaining([...content])); // nothing that was there was sent again
    expect(mirror.sent()).toBeLessThan(1.3 * names.length * imageBytes);
    await until('every keeper to be at rest', async () => (await phases(destinations)).every((phase) => phase === 'Mirrored'));
    const outcomes = await copiesThatEnded();
    for (const destination of destinations) expect(outcomes.filter(([id, result]) => id === idsOf(destination).task && result === 'copied')).toHaveLength(1);
    expect((await keepers.client.workflow.count('ExecutionStatus IN ("Failed", "Terminated", "TimedOut")')).count).toBe(0);
  }, 900_000);

  function phases(destinations: readonly string[]): Promise<readonly (string | undefined)[]> {
    return Promise.all(destinations.map(async (destination) => (await keepers.status(destination))?.phase));
  }

  /** Workflow ID of each copy and what it did; a person's `retry` may make one that finds everything there. */
  async function copiesThatEnded(): Promise<readonly (readonly [string, CopyOutcome['result']])[]> {
    const { workflow } = keepers.client;
    const ended: (readonly [string, CopyOutcome['result']])[] = [];
    for await (const { workflowId, runId } of workflow.list({ query: 'WorkflowType = "copyImage"' })) {
      const { result } = (await workflow.getHandle(workflowId, runId).result()) as CopyOutcome;
      ended.push([workflowId, result]);
    }
    return ended;
  }
});
