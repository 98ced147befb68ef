import { describe, expect, test } from '@jest/globals';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import { registryConformance } from '../conformance/registry.js';
import { aCall, anImage, anIndex, pushImage, single } from '../support/images.js';

const user = { id: 'a1b2c3d4e5f6', username: 'ann', password: 'secret' };

registryConformance('the in-memory twin, open to everybody', async () => ({
  registry: new MemoryRegistry('registry.test'),
  host: 'registry.test',
  as: [],
  close: async () => undefined,
}));

registryConformance('the in-memory twin, with a password', async () => {
  const registry = new MemoryRegistry('private.test');
  registry.host('private.test').requires('ann', 'secret');
  return { registry, host: 'private.test', as: [user], close: async () => undefined };
});

describe('the twin misbehaves as it is told', () => {
  const ref = knownImageRef('a.test/app:1');

  test('a host nobody added is unreachable', async () => {
    await expect(new MemoryRegistry().head(ref, [], aCall())).rejects.toMatchObject({ code: 'unreachable', host: 'a.test' });
  });

  test.each([
    ['down', 'unreachable'],
    ['out of quota', 'throttled'],
  ] as const)('a host that is %s fails until it recovers', async (_sentence, code) => {
    const registry = new MemoryRegistry('a.test');
    const digest = await pushImage(registry, 'a.test/app:1', single(anImage('app')));
    registry.host('a.test').fails(code, { retryAfterMs: 1000 });

    await expect(registry.head(ref, [], aCall())).rejects.toMatchObject({ code, retryAfterMs: 1000, side: 'source' });
    registry.host('a.test').recovers();

    expect(await registry.head(ref, [], aCall())).toMatchObject({ digest });
  });

  test('a wrong password is unauthorized, and the second credential is tried', async () => {
    const registry = new MemoryRegistry('a.test');
    registry.host('a.test').requires('ann', 'secret');

    await expect(registry.head(ref, [{ ...user, password: 'old' }], aCall())).rejects.toMatchObject({ code: 'unauthorized' });
    expect(await registry.head(ref, [{ ...user, id: 'first', password: 'old' }, user], aCall())).toBe('missing');
  });

  test('an immutable tag takes what it holds, and nothing else', async () => {
    const registry = new MemoryRegistry('a.test');
    registry.host('a.test').immutableTags = true;
    await pushImage(registry, 'a.test/app:1', single(anImage('app')));

    await pushImage(registry, 'a.test/app:1', single(anImage('app')));
    await expect(pushImage(registry, 'a.test/app:1', single(anImage('other')))).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a host that takes sparse indexes publishes one without its children', async () => {
    const registry = new MemoryRegistry('a.test');
    registry.host('a.test').acceptsSparse = true;
    const { root } = anIndex([anImage('absent')]);

    await registry.putManifest(ref, root, [], aCall({ side: 'destination' }));

    expect(await registry.head(ref, [], aCall())).toMatchObject({ digest: root.digest });
  });
});
