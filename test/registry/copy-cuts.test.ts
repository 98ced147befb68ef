/** Lines that break and stay broken: no tag appears, and the next attempt brings all of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { copyImage, createCopyEngine, type Copied } from '../../src/registry/copy.js';
import type { Fault, FaultRegistry } from '../support/fault-registry.js';
import { aLargeBlob, anImage, pushImage, single } from '../support/images.js';
import { brokenTags } from '../support/invariants.js';
import { aClient, aRegistryServer, closeAfterEach, nameAt } from '../support/registry-client.js';

closeAfterEach();
const layer = aLargeBlob('layer', 12);
const image = single(anImage('app', { layers: ['small', layer] }));
const tenths = Array.from({ length: 9 }, (_, index) => index + 1);

/** A process of its own: nothing is remembered of what was before. */
function copy(from: FaultRegistry, to: FaultRegistry): Promise<Copied> {
  const { registry } = aClient({ sleep: (ms, signal) => sleep(Math.min(ms, 5), undefined, { signal }) });
  const request = { sources: [{ image: nameAt(from, 'app:1'), as: [] }], destination: { image: nameAt(to, 'mirror/app:1'), as: [] }, platforms: [], copy: 'all', pinned: false } as const;
  return copyImage(createCopyEngine(registry), request, { signal: new AbortController().signal, purpose: 'copy' });
}

/** The first body ends after so many bytes, and nothing of its kind is answered any more. */
function breaks(server: FaultRegistry, on: Fault['on'], cut: Fault['does']): void {
  server.fault({ on, does: cut }, { on: { ...on, method: undefined }, from: 2, times: Infinity, does: { reset: true } });
}

describe.each(tenths)('at %d tenths of a layer', (tenth) => {
  const at = (layer.bytes.length * tenth) / 10;

  test.each<[string, (from: FaultRegistry, to: FaultRegistry) => void]>([
    ['from the source', (from) => breaks(from, { route: 'blob', method: 'GET', path: layer.descriptor.digest }, { cutAnswerAfter: at })],
    ['to the destination', (_from, to) => breaks(to, { route: 'upload', method: 'PUT', path: encodeURIComponent(layer.descriptor.digest) }, { cutRequestAfter: at })],
  ])('a line %s that breaks for ever publishes nothing, and the next attempt finishes', async (_sentence, broken) => {
    const [from, to] = [await aRegistryServer(), await aRegistryServer()];
    await pushImage(aClient().registry, `${from.host}/app:1`, image);
    broken(from, to);

    await expect(copy(from, to)).rejects.toMatchObject({ name: 'Failure' });
    expect([...(to.store.find('mirror/app')?.tags ?? [])]).toEqual([]);
    expect(to.store.find('mirror/app')?.blobs.has(layer.descriptor.digest)).toBe(false);
    from.calm();
    to.calm();

    expect(await copy(from, to)).toMatchObject({ published: { digest: image.root.digest } });
    expect(brokenTags(to.store, 'mirror/app')).toEqual([]);
  });
});
