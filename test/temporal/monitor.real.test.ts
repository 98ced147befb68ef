import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { Failure } from '../../src/domain/failure.js';
import { turnsAtOnce } from '../../src/domain/check-pace.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { ChecksReport, ChecksTask } from '../../src/domain/monitor-run.js';
import type { MonitorStatus } from '../../src/domain/monitor-story.js';
import type { KeeperClient } from '../../src/temporal/client.js';
import type { MonitorClient } from '../../src/temporal/monitor-client.js';
import { monitorId } from '../../src/temporal/workflow-ids.js';
import { startLab, statusOf, until, World, type Lab } from '../support/temporal-lab.js';

const suggestedEvents = 4_096; // from here on the server suggests to continue as new

const secretName = 'ghcr.io/acme/merger-with-initech:v1' as ImageName;
const pace = { v: 1, intervalMs: 3_600_000, maxPerInterval: 6 } as const;

let lab: Lab;
let monitors: MonitorClient;
/** what the next checks tell; they wait for nothing */
let tells: (task: ChecksTask) => ChecksReport | Promise<ChecksReport>;
const asked: ChecksTask[] = [];
let names = 0;
let registry = '';

const report = (rest: Partial<ChecksReport> = {}): ChecksReport => ({ v: 1, places: 3, checked: 1, counts: { Available: 2, NotFound: 1 }, nextDelayMs: 600_000, ...rest });

beforeAll(async () => {
  lab = await startLab();
  monitors = lab.keepers.monitors('berlin');
  const checkBatch = async (task: ChecksTask): Promise<ChecksReport> => {
    asked.push(task);
    return tells(task);
  };
  await lab.work('berlin', new World(), { monitor: { checkBatch } });
});

afterAll(async () => {
  await lab.stop();
});

beforeEach(() => {
  registry = `registry-${++names}.example.com:5000`;
  tells = () => report();
  asked.length = 0;
});

const handle = (): WorkflowHandle => lab.client.workflow.getHandle(monitorId('berlin', registry));
/** What was asked of this test's registry: monitors of earlier tests still run. */
const tasks = (): ChecksTask[] => asked.filter((task) => task.registry === registry);
const goes = (): number => tasks().length;

async function status(): Promise<MonitorStatus> {
  const found = await monitors.status(registry);
  if (found === 'absent') throw new Error(`nobody monitors ${registry}`);
  return found;
}

/** Rests, for this reason. */
async function becomes(reason: string): Promise<MonitorStatus> {
  return until(async () => {
    const found = await status();
    return found.next.step === 'wait' && found.next.reason === reason && found;
  });
}

describe('the monitor of a registry', () => {
  test('checks when it is told its pace, then waits for its turn', async () => {
    await monitors.configure(registry, pace);
    const { next, ...found } = await until(async () => goes() === 1 && becomes('Turn'));

    expect(tasks()).toEqual([{ v: 1, registry, intervalMs: 3_600_000, maxPerInterval: 6 }]);
    expect(found).toMatchObject({ registry, cluster: 'berlin', tick: '10m', cycle: '30m', places: 3, counts: { Available: 2, NotFound: 1 } });
    expect(Date.parse(next.at ?? '') - Date.now()).toBeGreaterThan(590_000);
  });

  test('goes on turn after turn', async () => {
    tells = () => report({ nextDelayMs: 20 });
    await monitors.configure(registry, pace);

    await until(async () => goes() >= 5);
  });

  test('is found by people: by its name, its registry and its cluster, with a line of what it does', async () => {
    await monitors.configure(registry, pace);
    await until(async () => (await lab.client.workflow.count(`WorkflowType="monitorRegistry" AND KuikRegistry="${registry}" AND KuikClusters="berlin"`)).count === 1);

    const { workflowId, memo } = await handle().describe();
    expect(workflowId).toBe(`monitor/berlin/${registry}`);
    expect(memo).toMatchObject({ registry, cluster: 'berlin' });
    const details = await until(async () => {
      const text = await handle().query<string>('__temporal_workflow_metadata').then((metadata) => JSON.stringify(metadata));
      return text.includes('2 Available, 1 NotFound') && text;
    });
    expect(details).toContain('one check every 10m, each once in 30m');
    expect(details).toContain('Check out of turn');
  });

  test('told the same again changes nothing', async () => {
    await monitors.configure(registry, pace);
    await becomes('Turn');
    await monitors.configure(registry, pace);
    await monitors.configure(registry, pace);
    await handle().signal('configure', 'nonsense');
    await becomes('Turn');

    expect(goes()).toBe(1);
  });

  test('asked for an image checks it at once, and the history knows no other', async () => {
    await monitors.configure(registry, pace);
    await becomes('Turn');

    expect(await monitors.checkNow(registry, secretName)).toBe('sent');

    await until(async () => goes() === 2);
    expect(tasks().at(-1)).toMatchObject({ asked: [secretName] });
    await becomes('Turn');
    expect(goes()).toBe(2);
  });

  test('that nobody started cannot be asked', async () => {
    expect(await monitors.checkNow(registry, secretName)).toBe('absent');
    expect(await monitors.status(registry)).toBe('absent');
  });

  test('paused by a person leaves the registry alone, until it is resumed', async () => {
    tells = () => report({ nextDelayMs: 50 });
    await monitors.configure(registry, pace);
    await until(async () => goes() >= 2);
    await handle().signal('pause');
    await becomes('Paused');
    const before = goes();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(goes()).toBe(before);

    await handle().signal('resume');

    await until(async () => goes() > before);
  });

  test('leaves a registry alone for as long as it asked', async () => {
    tells = () => report({ throttled: true, nextDelayMs: 3_600_000, counts: { QuotaExceeded: 1, Scheduled: 2 } });
    await monitors.configure(registry, pace);

    const { next } = await becomes('Throttled');

    expect(Date.parse(next.at ?? '') - Date.now()).toBeGreaterThan(3_590_000);
  });

  test('never fails: what cannot be done is tried again, and says why until then', async () => {
    tells = () => {
      throw new Failure({ code: 'unreachable', side: 'cluster', message: 'no connection to the api server' });
    };
    await monitors.configure(registry, { v: 1, intervalMs: 3_000, maxPerInterval: 1 });
    const { failure } = await becomes('Failed');
    expect(failure).toMatchObject({ code: 'unreachable', message: 'no connection to the api server', attempts: 1 });

    tells = () => report();
    await becomes('Turn');

    expect(await statusOf(handle())).toBe('RUNNING');
    expect(await status()).not.toHaveProperty('failure');
  });

  test.each([
    ['cannot be made', (): ChecksReport => {
      throw new Failure({ code: 'unreachable', side: 'cluster', message: 'no connection to the api server' });
    }],
    ['is made by a worker that is lost', () => new Promise<never>(() => undefined)],
  ])('what somebody asked for and %s stays asked for until it is made', async (_sentence, fails) => {
    await monitors.configure(registry, { v: 1, intervalMs: 100, maxPerInterval: 1 });
    await becomes('Turn');
    const wanted = Array.from({ length: 25 }, (_, at) => `${registry}/app:${at}` as ImageName);
    tells = (task) => (task.asked === undefined ? report() : fails());
    await handle().signal('pause');
    for (const image of wanted) await monitors.checkNow(registry, image);
    await handle().signal('resume');
    await until(async () => goes() === 2);

    tells = () => report();
    const made = await until(async () => {
      const left = tasks().slice(2).flatMap((task) => task.asked ?? []);
      return new Set(left).size === wanted.length && left;
    });

    expect([...made].sort()).toEqual([...wanted].sort());
    expect(await status()).not.toHaveProperty('failure');
  }, 60_000);

  test('ends when nothing is left to check, and begins again when there is something', async () => {
    tells = () => report({ places: 0, checked: 0, counts: {}, nextDelayMs: 0 });
    await monitors.configure(registry, pace);
    await handle().result();
    expect(goes()).toBe(2); // it has looked again before it went

    tells = () => report();
    await monitors.configure(registry, pace);

    await becomes('Turn');
  });

  test('that was terminated begins again with the next word of the manager', async () => {
    await monitors.configure(registry, pace);
    await becomes('Turn');
    await handle().terminate('a person pressed Terminate');

    await monitors.configure(registry, pace);

    await becomes('Turn');
    expect(goes()).toBe(2);
  });

  test('begins a new history now and then, and remembers where it stood', async () => {
    const quick: KeeperClient = lab.keepersAt(0.000_003); // a week lasts 1.8 s
    await quick.monitors('berlin').configure(registry, pace);
    const { runId } = await handle().describe();

    await until(async () => (await handle().describe()).runId !== runId);

    expect(await becomes('Turn')).toMatchObject({ places: 3, tick: '10m' });
    expect(goes()).toBe(1);
    await handle().terminate('the test is over');
  });

  test('costs a server little, whatever its pace: events a day, and how often it begins a new history', async () => {
    tells = () => report({ nextDelayMs: 10 });
    await monitors.configure(registry, pace);
    await until(async () => goes() >= 12);
    await handle().signal('pause');
    await becomes('Paused');
    const { historyLength } = await handle().describe();
    const eventsPerGo = historyLength / goes(); // 11 or so
    const goesADay = (tickMs: number): number => 86_400_000 / (tickMs * turnsAtOnce({ intervalMs: tickMs, maxPerInterval: 1 }));
    const eventsADay = [600, 4_900, 5_100, 10_000, 29_000, 31_000, 432_000].map((tickMs) => Math.round(eventsPerGo * goesADay(tickMs)));

    expect(eventsPerGo).toBeGreaterThan(8);
    expect(Math.max(...eventsADay)).toBeLessThan(45_000); // at a tick of 31 s: one go for each check
    expect(eventsADay[3]).toBeLessThan(20_000); // at one of 10 s: six in a go
    expect(Math.max(...eventsADay) / suggestedEvents).toBeLessThan(24); // new histories a day
  });

  test('of two clusters are two: each looks with its own credentials', async () => {
    await lab.work('paris', new World(), { monitor: { checkBatch: async () => report({ places: 7 }) } });
    await monitors.configure(registry, pace);
    await lab.keepers.monitors('paris').configure(registry, pace);

    await until(async () => (await lab.keepers.monitors('paris').status(registry)) !== 'absent' && ((await lab.keepers.monitors('paris').status(registry)) as MonitorStatus).places === 7);
    await becomes('Turn');
    expect(await status()).toMatchObject({ places: 3 });
  });
});
