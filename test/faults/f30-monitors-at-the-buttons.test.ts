import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { monitorId } from '../../src/temporal/workflow-ids.js';
import { reset } from '../support/buttons.js';
import { fault, type Chance } from '../support/fault.js';
import { anImage, pushImage, single } from '../support/images.js';
import { Monitored } from '../support/monitored.js';
import { aClient, aRegistryServer, closeAfterEach } from '../support/registry-client.js';
import { startLab, until, World, type Lab } from '../support/temporal-lab.js';

closeAfterEach();

const tickMs = 300;
const nonsense = [undefined, null, 'yes', 42, [], {}, { v: 1 }, { v: 1, intervalMs: 0, maxPerInterval: 1 }, { v: 1, intervalMs: 1e99, maxPerInterval: 'many' }];
const names = ['configure', 'pause', 'resume', 'claim', 'no-such-signal'];

/** What people do; `checkNow` is left out, since whoever asks for a check gets one. */
const presses: readonly ((monitor: WorkflowHandle, chance: Chance) => Promise<unknown>)[] = [
  (monitor) => monitor.terminate('a user'),
  (monitor) => monitor.cancel(),
  (monitor, chance) => monitor.signal(pick(chance, names), pick(chance, nonsense)),
  (monitor) => monitor.signal('pause'),
  (monitor) => monitor.signal('resume'),
  (monitor) => reset(monitor),
];

function pick<T>(chance: Chance, from: readonly T[]): T {
  return from[chance.between(0, from.length - 1)] as T;
}

describe('somebody presses buttons on a monitor in Temporal, and workers come and go', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab();
  });
  afterAll(async () => {
    await lab.stop();
  });

  fault('F30', 'its registry is never asked faster than it may be, and every image is checked in the end', async ({ chance, size, seed }) => {
    const server = await aRegistryServer();
    const images = Array.from({ length: 8 }, (_, at) => `${server.host}/app:${at}`);
    for (const name of images) await pushImage(aClient().registry, name, single(anImage('app')));
    server.calm();
    const monitored = new Monitored(images, aClient().registry);
    const pace = { v: 1, intervalMs: 100 * tickMs, maxPerInterval: 100 } as const;
    const asked: number[] = [];
    const clock = setInterval(() => {
      while (asked.length < server.requests.length) asked.push(Date.now());
    }, 5).unref();
    const cluster = `f30-${seed}`;
    const work = () => lab.work(cluster, new World(), { monitor: monitored.activities });
    const monitors = lab.keepers.monitors(cluster);
    let worker = await work();

    await monitors.configure(server.host, pace);
    for (let press = 0; press < size({ quick: 15, soak: 300 }); press++) {
      await pick(chance, presses)(lab.client.workflow.getHandle(monitorId(cluster, server.host)), chance).catch(() => undefined); // not there, or not now
      if (chance.next() < 0.2) {
        await worker.stop();
        worker = await work();
      }
      if (chance.next() < 0.5) await monitors.configure(server.host, pace); // the leader says so within the hour
      await sleep(chance.between(0, 700));
    }
    await lab.client.workflow.getHandle(monitorId(cluster, server.host)).signal('resume').catch(() => undefined);
    // one that was cancelled a moment ago took what the leader said, and ended: the leader says it again
    const untilLed = (isSo: () => boolean): Promise<boolean> =>
      until(async () => {
        await monitors.configure(server.host, pace);
        await sleep(tickMs);
        return isSo();
      });
    await untilLed(() => monitored.countOf('Available') === images.length);
    const before = server.requests.length;
    await untilLed(() => server.requests.length >= before + images.length);
    clearInterval(clock);
    await worker.stop();

    // a check begins a tick after the one before; its request arrives a little later, and on a busy machine once so late that the next one is close
    const gaps = asked.slice(1).map((at, index) => at - asked[index]!);
    expect(gaps.filter((gap) => gap < tickMs / 2).length).toBeLessThanOrEqual(1);
    const inTenTicks = asked.map((at) => asked.filter((other) => other >= at && other < at + 10 * tickMs).length);
    expect(Math.max(...inTenTicks)).toBeLessThanOrEqual(11);
    expect((await lab.client.workflow.count('WorkflowType = "monitorRegistry" AND ExecutionStatus = "Failed"')).count).toBe(0);
  }, 180_000);
});
