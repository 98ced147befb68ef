/** Abort at every await: whenever a copy is given up, no request, place, session or socket is left behind. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyImage, createCopyEngine } from '../../src/registry/copy.js';
import type { ResolveRequest } from '../../src/registry/copy-engine.js';
import { createHttpRegistry, type HttpRegistry } from '../../src/registry/http/client.js';
import { startFaultRegistry, type FaultRegistry } from '../support/fault-registry.js';
import { aBlob, aMultiPlatformImage, anImage, anIndex, pushImage } from '../support/images.js';
import { brokenTags } from '../support/invariants.js';
import { nameAt } from '../support/registry-client.js';

const ann = { id: 'aaaaaaaaaaaa', username: 'ann', password: 'correct horse' };
const access = { type: 'bearer', accounts: { ann: ann.password } } as const;
const graph = anIndex([anImage('arm', { platform: 'linux/arm64', layers: [aBlob('large', 1_200_000)] }), ...aMultiPlatformImage('app', 'linux/amd64').images]);

describe('a copy that is given up', () => {
  let from: FaultRegistry;
  let to: FaultRegistry;
  beforeAll(async () => {
    [from, to] = [await startFaultRegistry({ access }), await startFaultRegistry({ access })];
    const registry = aClient();
    await pushImage(registry, `${from.host}/app:1`, graph, [ann]);
    await registry.close();
  });
  afterAll(() => Promise.all([from.close(), to.close()]));

  /** Gives up at a turn of the event loop; undefined lets it be. Everything that is awaited ends in some turn. */
  async function copyUntil(turn: number | undefined, name: string, registry: HttpRegistry): Promise<'copied' | 'given up'> {
    const request: ResolveRequest = {
      sources: [{ image: nameAt(from, 'app:1'), as: [ann] }],
      destination: { image: nameAt(to, `${name}:1`), as: [ann] },
      platforms: [],
      copy: 'all',
      pinned: false,
    };
    const stop = new AbortController();
    const copying = copyImage(createCopyEngine(registry), request, { signal: stop.signal, purpose: 'copy' });
    void inTurns(turn, () => stop.abort(new Error('given up')));
    return copying.then(
      () => 'copied',
      (error: unknown) => {
        if (stop.signal.aborted && error === stop.signal.reason) return 'given up';
        throw error;
      },
    );
  }

  test('leaves nothing behind, at whichever await that was, and the same client copies afterwards', async () => {
    let givenUp = 0;
    for (let turn = 0, inARow = 0; inARow < 3; turn++) {
      const registry = aClient();
      const outcome = await copyUntil(turn, `app-${turn}`, registry);
      [givenUp, inARow] = outcome === 'copied' ? [givenUp, inARow + 1] : [givenUp + 1, 0];

      await until(() => registry.pace().every(({ busy }) => Object.values(busy).every((places) => places === 0)), () => `turn ${turn}: places are taken: ${JSON.stringify(registry.pace())}`);
      await until(() => sessions(to) === 0, () => `turn ${turn}: ${sessions(to)} sessions are open`);
      expect(registry.pace().flatMap(({ waiting }) => Object.values(waiting)).every((count) => count === 0)).toBe(true);
      expect(brokenTags(to.store, `app-${turn}`)).toEqual([]);
      expect(await copyUntil(undefined, `app-${turn}`, registry)).toBe('copied');

      await registry.close();
      await until(() => from.connections() + to.connections() === 0, () => `turn ${turn}: ${from.connections() + to.connections()} sockets are open`);
    }
    expect(givenUp).toBeGreaterThan(20); // it was given up all along its way
  }, 300_000);
});

/** One place of each kind: one that is not given back is missed by the next copy. */
function aClient(): HttpRegistry {
  const settings = { metadataConcurrency: 1, blobConcurrency: 1 };
  return createHttpRegistry({ settings: () => settings, clock: Date.now, userAgent: 'kube-image-keeper/test', random: () => 0 });
}

function sessions({ store }: FaultRegistry): number {
  return store.names().reduce((sum, name) => sum + (store.find(name)?.uploads.size ?? 0), 0);
}

async function inTurns(turns: number | undefined, act: () => void): Promise<void> {
  if (turns === undefined) return;
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  act();
}

/** What is cleaned up in the background is so soon; `jest` ends the wait otherwise. */
async function until(isSo: () => boolean, otherwise: () => string): Promise<void> {
  for (let asked = 0; !isSo(); asked++) {
    if (asked === 200) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
