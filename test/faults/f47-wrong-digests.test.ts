import { describe, expect } from '@jest/globals';
import { isFailure } from '../../src/domain/failure.js';
import { copyImage, createCopyEngine } from '../../src/registry/copy.js';
import type { ResolveRequest } from '../../src/registry/copy-engine.js';
import { createHttpRegistry } from '../../src/registry/http/client.js';
import { startFaultRegistry, type FaultRegistry } from '../support/fault-registry.js';
import { fault, type Chance } from '../support/fault.js';
import { aMultiPlatformImage, anImage, pushImage, type AGraph } from '../support/images.js';
import { brokenTags } from '../support/invariants.js';
import { nameAt } from '../support/registry-client.js';

interface Scene {
  readonly from: FaultRegistry;
  readonly to: FaultRegistry;
  readonly graph: AGraph;
}

/** A lie that lasts, and what it may end as: `refused`, or `copied` where the lie changes no bytes. */
type Lie = (scene: Scene, chance: Chance) => 'refused' | 'copied';

const always = { times: Infinity };

const lies: Readonly<Record<string, Lie>> = {
  'the index answers with that of another image': ({ from, graph }) => {
    const other = aMultiPlatformImage('other', 'linux/amd64', 'linux/arm64').root;
    from.fault({ on: { method: 'GET', path: `/manifests/${graph.root.digest}` }, ...always, does: { swap: other.bytes } });
    from.fault({ on: { method: 'GET', path: '/manifests/1' }, ...always, does: { swap: other.bytes } });
    return 'refused';
  },
  'a child answers with that of another image': ({ from, graph }, chance) => {
    const child = graph.images[chance.between(0, 1)]?.manifest.digest ?? '';
    from.fault({ on: { method: 'GET', path: child }, ...always, does: { swap: anImage('other').manifest.bytes } });
    return 'refused';
  },
  'a blob answers with another of the same length': ({ from, graph }, chance) => {
    const blob = graph.images[chance.between(0, 1)]?.blobs[chance.between(0, 2)];
    from.fault({ on: { method: 'GET', path: blob?.descriptor.digest ?? '' }, ...always, does: { spoil: true } });
    return 'refused';
  },
  'headers name another digest': ({ from }) => {
    const headers = { 'docker-content-digest': anImage('other').manifest.digest };
    from.fault({ on: { route: 'manifest', method: 'GET' }, ...always, does: { headers } }, { on: { route: 'blob' }, ...always, does: { headers } });
    return 'copied';
  },
  'the destination keeps another manifest than was put': ({ to }) => {
    to.fault({ on: { route: 'manifest', method: 'PUT', path: '/manifests/1' }, ...always, does: { status: 201 } });
    return 'refused';
  },
  'the destination reads another digest back': ({ to }) => {
    to.fault({ on: { route: 'manifest', method: 'HEAD', path: '/manifests/1' }, ...always, does: { headers: { 'docker-content-digest': anImage('other').manifest.digest } } });
    return 'refused';
  },
  'the destination names another digest for an upload': ({ to }) => {
    to.fault({ on: { route: 'upload' }, ...always, does: { headers: { 'docker-content-digest': anImage('other').manifest.digest } } });
    return 'refused';
  },
};

describe('digests that are not true', () => {
  fault(
    'F47',
    'a copy whose source or destination lies fails, and no tag leads to anything wrong or missing',
    async ({ chance, size }) => {
      const [from, to] = [await startFaultRegistry(), await startFaultRegistry()];
      const wrong: string[] = [];

      for (let trial = 0; trial < size({ quick: 70, soak: 2000 }); trial++) {
        const [kind = '', lie] = Object.entries(lies)[trial % Object.keys(lies).length] ?? [];
        const graph = aMultiPlatformImage(`app-${trial}`, 'linux/amd64', 'linux/arm64');
        await seed(from, trial, graph);
        const expected = lie?.({ from, to, graph }, chance);

        const outcome = await copied(from, to, trial);

        const broken = brokenTags(to.store, `mirror/app-${trial}`);
        const isTagged = to.store.find(`mirror/app-${trial}`)?.tags.has('1') === true;
        const isSourceLie = expected === 'refused' && !kind.startsWith('the destination');
        if (outcome !== expected || broken.length > 0 || (isSourceLie && isTagged)) wrong.push(`trial ${trial}, ${kind}: ${outcome}${isTagged ? ', tagged' : ''}; ${broken.join('; ')}`);
        for (const server of [from, to]) server.calm();
      }

      await Promise.all([from.close(), to.close()]);
      expect(wrong).toEqual([]);
    },
    600_000,
  );
});

async function seed(from: FaultRegistry, trial: number, graph: AGraph): Promise<void> {
  const registry = aClient();
  await pushImage(registry, `${from.host}/app-${trial}:1`, graph);
  await registry.close();
}

async function copied(from: FaultRegistry, to: FaultRegistry, trial: number): Promise<'copied' | 'refused'> {
  const registry = aClient();
  const request: ResolveRequest = {
    sources: [{ image: nameAt(from, `app-${trial}:1`), as: [] }],
    destination: { image: nameAt(to, `mirror/app-${trial}:1`), as: [] },
    platforms: [],
    copy: 'all',
    pinned: false,
  };
  try {
    await copyImage(createCopyEngine(registry), request, { signal: new AbortController().signal, purpose: 'copy' });
    return 'copied';
  } catch (error) {
    if (!isFailure(error)) throw error;
    return 'refused';
  } finally {
    await registry.close();
  }
}

/** A client of its own for each copy: nothing is remembered of the one before. */
function aClient(): ReturnType<typeof createHttpRegistry> {
  return createHttpRegistry({ settings: () => ({}), clock: Date.now, userAgent: 'kube-image-keeper/test', random: () => 0 });
}
