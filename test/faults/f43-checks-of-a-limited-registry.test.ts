import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { fault } from '../support/fault.js';
import { anImage, pushImage, single } from '../support/images.js';
import { Monitored } from '../support/monitored.js';
import { aClient, aRegistryServer, closeAfterEach } from '../support/registry-client.js';
import { startLab, until, World, type Lab } from '../support/temporal-lab.js';

closeAfterEach();

describe('a registry limits the checks of its images', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab();
  });
  afterAll(async () => {
    await lab.stop();
  });

  fault('F43', 'it is left alone for as long as it asked, each time, no image is taken for missing, and the round goes on', async ({ chance, size, seed }) => {
    const images = 12;
    const windows = size({ quick: 3, soak: 30 });
    const server = await aRegistryServer();
    const names = Array.from({ length: images }, (_, at) => `${server.host}/app:${at}`);
    for (const name of names) await pushImage(aClient().registry, name, single(anImage('app')));
    server.calm();
    const monitored = new Monitored(names, aClient().registry);
    // the first request of each window is refused; how long it lasts is said in whole seconds
    const refusals = Array.from({ length: windows }, () => ({ after: chance.between(1, images), seconds: chance.between(1, 3) }));
    let at = 0;
    for (const { after, seconds } of refusals) server.fault({ on: { route: 'manifest' }, from: (at += after), times: 1, does: { status: 429, headers: { 'retry-after': String(seconds) } } });
    const asked: number[] = [];
    const timed = { checkBatch: monitored.activities.checkBatch };
    const cluster = `f43-${seed}`;
    const worker = await lab.work(cluster, new World(), { monitor: timed });
    const clock = setInterval(() => {
      while (asked.length < server.requests.length) asked.push(Date.now());
    }, 5);

    await lab.keepers.monitors(cluster).configure(server.host, { v: 1, intervalMs: 10_000, maxPerInterval: 200 });
    await until(async () => server.requests.filter(({ status }) => status === 429).length === windows && monitored.countOf('Available') === images);
    clearInterval(clock);
    await worker.stop();

    expect(monitored.states).not.toContain('NotFound');
    expect(monitored.states.filter((state) => state === 'QuotaExceeded')).toHaveLength(windows);
    const waits = server.requests.flatMap(({ status }, index) => (status === 429 && asked[index + 1] !== undefined ? [asked[index + 1]! - asked[index]!] : []));
    expect(waits.length).toBeGreaterThan(0);
    for (const [index, waitMs] of waits.entries()) expect(waitMs).toBeGreaterThanOrEqual(refusals[index]!.seconds * 1000 - 50);
  });
});
