import { describe, expect } from '@jest/globals';
import { isFailure } from '../../src/domain/failure.js';
import { copyImage, createCopyEngine } from '../../src/registry/copy.js';
import { FakeTime, settle } from '../support/fake-time.js';
import { fault, type Chance } from '../support/fault.js';
import { aMultiPlatformImage, pushImage } from '../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, nameAt } from '../support/registry-client.js';
import type { FaultRegistry } from '../support/fault-registry.js';

closeAfterEach();
const copies = 20;
const mostTries = 60;

/** Time that does not make anybody wait, and moves on by as much as they would have. */
class HurriedTime extends FakeTime {
  override readonly sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    this.set(this.now() + ms);
    await settle();
  };
}

function misbehave(server: FaultRegistry, chance: Chance, requests: number, share: number): void {
  for (let request = 1; request <= requests; request++) {
    if (chance.next() >= share) continue;
    const status = [500, 502, 503, 504, 522, 408][chance.between(0, 7)];
    const does = status === undefined ? ({ reset: true } as const) : { status, headers: chance.next() < 0.2 ? { 'retry-after': String(chance.between(0, 30)) } : {} };
    server.fault({ on: {}, from: request, does });
  }
}

describe('registries answer 500 to 504, or end the connection', () => {
  fault('F44', 'every copy gets there in the end, and nothing is taken for missing', async ({ chance }) => {
    const [source, destination] = [await aRegistryServer(), await aRegistryServer()];
    const time = new HurriedTime();
    const { registry } = aClient({ clock: time.now, sleep: time.sleep, random: () => chance.next() });
    const images: string[] = [];
    for (let at = 0; at < copies; at++) {
      await pushImage(aClient().registry, nameAt(source, `app-${at}:1`), aMultiPlatformImage(`app-${at}`, 'linux/amd64', 'linux/arm64'));
      images.push(`app-${at}:1`);
    }
    source.calm();
    misbehave(source, chance, 2000, 0.25);
    misbehave(destination, chance, 2000, 0.25);
    const engine = createCopyEngine(registry);

    const copied = await Promise.all(
      images.map(async (name) => {
        const request = {
          sources: [{ image: nameAt(source, name), as: [] }],
          destination: { image: nameAt(destination, `mirror/${name}`), as: [] },
          platforms: [{ os: 'linux', architecture: 'amd64' }],
          copy: 'all' as const,
          pinned: false,
        };
        for (let tries = 1; ; tries++) {
          try {
            return (await copyImage(engine, request, { signal: new AbortController().signal, purpose: 'copy' })).published.digest;
          } catch (error) {
            if (!isFailure(error) || tries === mostTries) throw error;
            expect(['unreachable', 'timeout', 'throttled']).toContain(error.code);
            await time.sleep(error.retryAfterMs ?? 1000, new AbortController().signal);
          }
        }
      }),
    );

    source.calm();
    destination.calm();
    const oracle = aClient().registry;
    for (const [at, digest] of copied.entries()) {
      const seen = await oracle.head({ host: destination.host, path: `mirror/app-${at}`, tag: '1' }, [], { signal: new AbortController().signal, purpose: 'verify', side: 'destination' });
      expect(seen).toMatchObject({ digest });
    }
    for (const { busy } of registry.pace()) expect(busy).toEqual({ metadata: 0, download: 0, upload: 0 });
  });
});
