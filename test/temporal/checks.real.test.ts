import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Failure } from '../../src/domain/failure.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { MonitorStatus } from '../../src/domain/monitor-story.js';
import type { MonitorClient } from '../../src/temporal/monitor-client.js';
import { monitorId } from '../../src/temporal/workflow-ids.js';
import type { FaultRegistry } from '../support/fault-registry.js';
import { Monitored } from '../support/monitored.js';
import { aClient, aRegistryServer, closeAfterEach } from '../support/registry-client.js';
import { readHistory, startLab, until, World, type Lab } from '../support/temporal-lab.js';

closeAfterEach();

let lab: Lab;
let cluster = 0;
let server: FaultRegistry;
let monitored: Monitored;
let monitors: MonitorClient;

beforeAll(async () => {
  lab = await startLab();
});

afterAll(async () => {
  await lab.stop();
});

beforeEach(async () => {
  server = await aRegistryServer();
  monitors = lab.keepers.monitors(`cluster-${++cluster}`);
});

/** So many images are tracked; the registry has none of them. */
function track(count: number): void {
  monitored = new Monitored(Array.from({ length: count }, (_, at) => `${server.host}/app:${at}`), aClient().registry);
}

const work = () => lab.work(`cluster-${cluster}`, new World(), { monitor: monitored.activities });

const handle = () => lab.client.workflow.getHandle(monitorId(`cluster-${cluster}`, server.host));

/** How many goes began, or told what they did. */
async function goes(which: 'SCHEDULED' | 'COMPLETED' = 'SCHEDULED'): Promise<number> {
  return (await readHistory(handle())).split(`EVENT_TYPE_ACTIVITY_TASK_${which}`).length - 1;
}

async function status(): Promise<MonitorStatus> {
  const found = await monitors.status(server.host);
  if (found === 'absent') throw new Error(`nobody monitors ${server.host}`);
  return found;
}

test('what cannot be written down is said, at a slow pace too, and heals', async () => {
  track(1);
  monitored.writeFails = () => new Failure({ code: 'unreachable', side: 'cluster', message: 'no connection to the api server' });
  await work();

  await monitors.configure(server.host, { v: 1, intervalMs: 6_000, maxPerInterval: 1 });
  const failed = await until(async () => {
    const found = await status();
    return found.next.step === 'wait' && found;
  });
  monitored.writeFails = undefined;
  await until(async () => server.requests.length >= 2 && monitored.countOf('NotFound') > 0);
  await handle().signal('pause'); // else the go takes its minute
  const healed = await until(async () => {
    const found = await status();
    return (found.counts?.NotFound ?? 0) > 0 && found;
  });

  expect(failed).toMatchObject({ next: { reason: 'Failed' }, failure: { code: 'unreachable', attempts: 1 } });
  expect(healed).not.toHaveProperty('failure');
  expect(server.requests[1]!.at - server.requests[0]!.at).toBeGreaterThanOrEqual(5_900);
});

test('a history has numbers, and no image', async () => {
  track(100);
  await work();
  await monitors.configure(server.host, { v: 1, intervalMs: 1_000, maxPerInterval: 100 });
  await until(async () => monitored.countOf('NotFound') === 100);
  await handle().signal('pause'); // else the go takes its minute
  await until(async () => (await status()).counts?.NotFound === 100);

  const history = await readHistory(handle());

  expect(history).toContain('"counts":{"NotFound":100}');
  expect(history).not.toContain('/app');
  expect(history.length).toBeLessThan(20_000);
});

test('a worker that shuts down in the middle hands over, and nothing failed', async () => {
  track(100);
  const first = await work();
  await monitors.configure(server.host, { v: 1, intervalMs: 60_000, maxPerInterval: 240 });
  await until(async () => server.requests.length >= 3);

  await first.stop();
  const before = server.requests.length;
  await work();
  await until(async () => server.requests.length > before + 3);

  const history = await readHistory(handle());
  expect(history).toContain('EVENT_TYPE_ACTIVITY_TASK_COMPLETED'); // by the first worker
  expect(history).not.toMatch(/EVENT_TYPE_ACTIVITY_TASK_(FAILED|TIMED_OUT|CANCELED)/);
  expect(new Set(server.requests.map(({ path }) => path)).size).toBeGreaterThanOrEqual(server.requests.length - 1); // the one that was under way
});

test('a fast pace over few images is many checks in one go, which whoever asks, and whoever pauses, need not wait for', async () => {
  track(2);
  await work();
  const fast = { v: 1, intervalMs: 60_000, maxPerInterval: 600 } as const; // a tick of 100 ms
  await monitors.configure(server.host, fast);
  await until(async () => server.requests.length >= 30);
  expect(await goes()).toBe(1);

  await monitors.checkNow(server.host, `${server.host}/app:1` as ImageName);
  await until(async () => (await goes()) >= 3); // what was asked for, and what goes on
  await handle().signal('pause');
  await until(async () => (await goes('COMPLETED')) === 3);
  expect((await status()).next).toMatchObject({ step: 'wait', reason: 'Paused' });
  const before = server.requests.length;
  await sleep(1_000);

  expect(server.requests).toHaveLength(before);
  expect(await goes()).toBe(3);
  const history = await readHistory(handle());
  expect(history).not.toMatch(/EVENT_TYPE_ACTIVITY_TASK_(FAILED|TIMED_OUT|CANCELED)/);
  const gaps = server.requests.slice(1).map(({ at }, index) => at - server.requests[index]!.at);
  expect(gaps.filter((gap) => gap < 50).length).toBeLessThanOrEqual(1); // what was asked for is out of turn
}, 60_000);

test('a monitor that is cancelled in the middle of a go ends at once', async () => {
  track(2);
  await work();
  await monitors.configure(server.host, { v: 1, intervalMs: 60_000, maxPerInterval: 600 });
  await until(async () => server.requests.length >= 3);
  const cancelledAt = Date.now();

  await handle().cancel();

  await expect(handle().result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect(Date.now() - cancelledAt).toBeLessThan(4_000); // no heartbeat is waited for
});
