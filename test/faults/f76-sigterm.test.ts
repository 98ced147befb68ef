import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { idsOf, openKeepers } from '../support/keepers.js';
import { createPods, expectNothingHalfDone, expectWhole, pushMany, untilAllMirrored } from '../support/many-images.js';
import { startRelay, type Relay } from '../support/relay.js';
import { applyQuickstart } from '../support/stage.js';

const perRound = 3;
const circumstances = ['no Temporal', 'all is well', 'all is well', 'copies that do not end in the time they are given'] as const;

describe('kuik gets SIGTERM at random points of copies', () => {
  let stage: Stage;
  let source: Relay;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f76') });
    source = await startRelay(stage.sourceAddress);
    await applyQuickstart(stage);
  }, 180_000);
  afterAll(async () => {
    await source?.close();
    await stage?.close();
  });

  fault('F76', 'it ends by itself in time, nothing is half-published or given up, and what it left is done after the next start', async ({ chance, size }) => {
    const names: string[] = [];
    const heard: string[] = []; // their copies could tell Temporal to the end how they stand
    for (let round = 0; round < size({ quick: circumstances.length, soak: 200 }); round++) {
      const circumstance = circumstances[round % circumstances.length];
      if (circumstance === 'no Temporal') await untilAllMirrored(stage, names.map(imageOf));
      source.limit(circumstance === 'copies that do not end in the time they are given' ? 5_000 : 200_000);
      const mine = await createSome(`f76-${round}`, names.length);
      names.push(...mine);
      if (circumstance !== 'no Temporal') heard.push(...mine);

      await sleep(chance.between(500, 9_000));
      if (circumstance === 'no Temporal') await stage.temporal.stop('kill');
      await expectGraceful();
      await expectNothingHalfDone(stage, names);
      source.limit(undefined);
      await stage.temporal.start();
      await stage.kuik.start();
    }
    await untilAllMirrored(stage, names.map(imageOf));

    await expectWhole(stage, names);
    expect(await fallenSilent(heard)).toEqual([]);
  }, 900_000);

  function imageOf(name: string): string {
    return `${source.address}/library/${name}`;
  }

  async function createSome(prefix: string, first: number): Promise<readonly string[]> {
    const names = await pushMany(stage, prefix, perRound);
    await createPods(stage, names.map(imageOf), first);
    return names;
  }

  /** `stop` sends SIGKILL to what is still there after 30 s. */
  async function expectGraceful(): Promise<void> {
    const { exited } = stage.kuik.running;
    await stage.kuik.stop();
    expect(await exited).toEqual({ code: 0, signal: null });
  }

  /**
   * Transfers of which Temporal had to find out by a timeout: a worker that ends says how each of its activities stands,
   * and keeps their heartbeats until then. One that never sent a heartbeat may never have begun: what the server hands
   * to a poll in the moment in which the worker takes that back is lost on the way, and comes again after its timeout.
   */
  async function fallenSilent(names: readonly string[]): Promise<readonly string[]> {
    const keepers = await openKeepers(stage.temporalAddress);
    const { workflow } = keepers.client;
    const ids = new Set(names.map((name) => idsOf(stage.copyOf(name)).task));
    const silent: string[] = [];
    for await (const { workflowId, runId } of workflow.list({ query: 'WorkflowType = "copyImage"' })) {
      if (!ids.has(workflowId)) continue;
      const { events } = await workflow.getHandle(workflowId, runId).fetchHistory();
      const types = new Map(events?.map(({ eventId, activityTaskScheduledEventAttributes: scheduled }) => [String(eventId), scheduled?.activityType?.name]));
      for (const { activityTaskStartedEventAttributes: started, activityTaskTimedOutEventAttributes: timedOut } of events ?? []) {
        const why = timedOut?.failure ?? started?.lastFailure;
        if (why?.timeoutFailureInfo?.lastHeartbeatDetails) silent.push(`${workflowId}: ${types.get(String((timedOut ?? started)?.scheduledEventId))}, timeout ${why?.timeoutFailureInfo?.timeoutType}`);
      }
    }
    await keepers.close();
    return silent;
  }
});
