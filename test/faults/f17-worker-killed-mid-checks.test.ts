import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { startFaultRegistry, type FaultRegistry } from '../support/fault-registry.js';
import { anImage, pushImage, single } from '../support/images.js';
import { createPods } from '../support/many-images.js';
import { aClient, closeAfterEach, closeLater } from '../support/registry-client.js';
import { until } from '../support/stage.js';

closeAfterEach();

/** A registry whose images are checked, and how far apart its checks are. */
interface Checked {
  readonly server: FaultRegistry;
  readonly images: readonly string[];
  readonly tickMs: number;
}

const answersAfterMs = 1_500;

async function aRegistry(count: number, tickMs: number): Promise<Checked> {
  const server = closeLater(await startFaultRegistry());
  const images = Array.from({ length: count }, (_, at) => `${server.host}/app:${at}`);
  for (const image of images) await pushImage(aClient().registry, image, single(anImage('app')));
  return { server, images, tickMs };
}

function configurationOf(registries: readonly Checked[]): string {
  const item = ({ server, tickMs }: Checked): string => `      "${server.host}": { interval: ${tickMs}ms, maxPerInterval: 1 }\n`;
  return `monitoring:\n  registries:\n    items:\n${registries.map(item).join('')}`;
}

/** How often each was asked. */
function countsOf(registries: readonly Checked[]): readonly number[] {
  return registries.map(({ server }) => server.requests.length);
}

/** Which images were asked for, since so many requests. */
function askedSince({ server }: Checked, from: number): ReadonlySet<string> {
  return new Set(server.requests.slice(from).map(({ path }) => path));
}

describe('the manager is killed in the middle of checks', () => {
  let stage: Stage;
  afterAll(() => stage?.close());

  fault('F17', 'no registry is asked twice within a tick, every image is checked in the end, and the checks go on', async ({ chance, size }) => {
    const registries = [
      await aRegistry(12, chance.between(300, 900)), // many checks in one go
      await aRegistry(2, chance.between(25_500, 29_500)), // two
      await aRegistry(1, chance.between(40_000, 55_000)), // one, further apart than it takes to miss a dead worker
    ];
    stage = await Stage.open({ dir: scratchFolder('f17-checks'), configuration: configurationOf(registries) });
    await createPods(stage, registries.flatMap(({ images }) => images));
    for (const { server } of registries) server.calm(); // a review may have asked as well
    await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetAvailability', metadata: { name: 'all' }, spec: { filter: { include: [{ image: '.+' }] } } }));

    let marks = countsOf(registries);
    for (let kill = 0; kill < size({ quick: 2, soak: 30 }); kill++) {
      // whose goes are all lost rests longer each time
      if (kill > 0 && kill % 2 === 0) await until('each to end a go', async () => registries.every(({ server, images, tickMs }, at) => server.requests.length > marks[at]! + Math.max(images.length, 60_000 / tickMs)), 600_000);
      const { server } = registries[2 - (kill % 3)]!;
      const before = server.requests.length;
      server.fault({ on: { route: 'manifest' }, does: { delayMs: answersAfterMs } });
      await until('a check to be under way', async () => server.requests.length > before, 300_000);
      await sleep(chance.between(0, answersAfterMs));
      await stage.kuik.stop('kill');
      await stage.kuik.start();
      marks = countsOf(registries);
    }
    await until('each image to be checked once more', async () => registries.every((each, at) => askedSince(each, marks[at]!).size === each.images.length), 600_000);
    const sum = registries.reduce((total, { images }) => total + images.length, 0);
    await until('every image to be found', async () => (await stage.kubectl('get', 'cisa', 'all', '-o', 'jsonpath={.status.counts.available}')) === String(sum));

    for (const { server, tickMs } of registries) {
      const times = server.requests.map(({ at }) => at);
      // a check begins a tick after the one before; its request arrives a little later, on a busy machine more so
      const slackMs = Math.min(tickMs / 2, 2_000);
      for (const [index, at] of times.slice(1).entries()) expect(at - times[index]!).toBeGreaterThanOrEqual(tickMs - slackMs);
    }
  }, 900_000);
});
