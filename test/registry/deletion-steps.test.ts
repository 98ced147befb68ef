/** The procedure of a deletion: its requests, what it learns, and what it does on bad days. */
import { describe, expect, test } from '@jest/globals';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { deletionManners } from '../../src/registry/memory-deletion.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import type { Call, Identity, Registry, Deletion, DeletionGuard } from '../../src/registry/registry.js';
import { tinyImage } from '../../src/registry/deletion/isolate.js';
import { pullWhole } from '../conformance/deletion.js';
import { startFaultRegistry } from '../support/fault-registry.js';
import { aCall, aMultiPlatformImage, anImage, anIndex, pushImage, single, type AGraph } from '../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt } from '../support/registry-client.js';

closeAfterEach();

const host = 'registry.test';
const shared = single(anImage('shared'));
const call = (more: Partial<Call> = {}): Call => aCall({ side: 'destination', purpose: 'delete', ...more });

function guardOf(graph: AGraph, more: Partial<DeletionGuard> = {}): DeletionGuard {
  return { prefix: `${host}/mirror`, digest: graph.root.digest, inventory: 'unshared', ...more };
}

async function aTwin(dialect: keyof typeof deletionManners, tags: Readonly<Record<string, AGraph>>): Promise<MemoryRegistry> {
  const registry = new MemoryRegistry(host);
  registry.host(host).deletion = deletionManners[dialect];
  for (const [tag, graph] of Object.entries(tags)) await pushImage(registry, `${host}/mirror/app:${tag}`, graph);
  registry.host(host).calls.splice(0);
  return registry;
}

function deleteTag(registry: Registry, tag: string, guard = guardOf(shared), more: { readonly as?: Identity; readonly call?: Call } = {}): Promise<Deletion> {
  return registry.deleteTag(knownImageRef(`${host}/mirror/app:${tag}`), guard, more.as ?? [], more.call ?? call());
}

function requestsOf(registry: MemoryRegistry): readonly string[] {
  return registry.host(host).calls.map(({ verb, on }) => `${verb} ${on.replace(`${host}/mirror/app`, '').replace(/sha256:[0-9a-f]+/, 'digest')}`);
}

describe('requests', () => {
  test('once a digest was seen to outlive its last tag, a deletion is HEAD, DELETE, HEAD', async () => {
    const registry = await aTwin('distribution-3', { first: single(anImage('first')), second: shared, third: shared });
    await deleteTag(registry, 'first', guardOf(single(anImage('first'))));
    registry.host(host).calls.splice(0);

    expect(await deleteTag(registry, 'second')).toEqual({ outcome: 'deleted', by: 'tag' });

    expect(requestsOf(registry)).toEqual(['head :second', 'deleteManifest :second', 'head :second']);
  });

  test('a registry without deletion by tag is asked for it once, not for every tag', async () => {
    const registry = await aTwin('distribution-2.8', { first: single(anImage('one')), second: single(anImage('two')) });
    await deleteTag(registry, 'first', guardOf(single(anImage('one'))));
    registry.host(host).calls.splice(0);

    expect(await deleteTag(registry, 'second', guardOf(single(anImage('two'))))).toEqual({ outcome: 'deleted', by: 'digest' });

    expect(requestsOf(registry)).not.toContain('deleteManifest :second');
  });

  test('what is shared as far as our inventory knows is not even looked at', async () => {
    const registry = await aTwin('distribution-2.8', { first: shared, asked: shared });
    await deleteTag(registry, 'first');
    registry.host(host).calls.splice(0);

    expect(await deleteTag(registry, 'asked', guardOf(shared, { inventory: 'shared' }))).toMatchObject({ outcome: 'blocked', reason: 'shared-digest' });

    expect(requestsOf(registry)).toEqual(['head :asked']);
  });

  test('a registry that deletes nothing is asked once for the digest, then blocked without a search', async () => {
    const registry = await aTwin('ghcr', { asked: shared });
    const first = await deleteTag(registry, 'asked');
    registry.host(host).calls.splice(0);

    const second = await deleteTag(registry, 'asked');

    expect([first, second]).toMatchObject([{ reason: 'unsupported' }, { reason: 'unsupported' }]);
    expect(requestsOf(registry)).toEqual(['head :asked']);
  });

  test('every request is of the lowest priority', async () => {
    const registry = await aTwin('distribution-2.8', { asked: shared, sibling: shared });
    registry.host(host).deleteShared = 'isolate';
    await deleteTag(registry, 'asked');
    expect(new Set(registry.host(host).calls.map(({ purpose }) => purpose))).toEqual(new Set(['delete']));
  });

  test('nothing is sent for a place outside the mirror, and none for a digest', async () => {
    const registry = await aTwin('distribution-3', { asked: shared });

    await expect(deleteTag(registry, 'asked', guardOf(shared, { prefix: `${host}/mirror/ap` }))).rejects.toMatchObject({ code: 'invalid' });
    await expect(registry.deleteTag(knownImageRef(`${host}/mirror/app@${shared.root.digest}`), guardOf(shared), [], call())).rejects.toMatchObject({ code: 'invalid' });

    expect(requestsOf(registry)).toEqual([]);
  });
});

describe('a registry that deletes the digest with its last tag', () => {
  test('puts it back while an index lists it', async () => {
    const child = anImage('child');
    const index = anIndex([child, anImage('other', { platform: 'linux/arm64' })]);
    const registry = await aTwin('ecr', { index, one: single(child), asked: single(child) });

    expect(await deleteTag(registry, 'one', guardOf(single(child)))).toEqual({ outcome: 'deleted', by: 'tag' });
    expect(await deleteTag(registry, 'asked', guardOf(single(child)))).toEqual({ outcome: 'deleted', by: 'tag' });

    await pullWhole(registry, knownImageRef(`${host}/mirror/app:index`), index, []);
  });
});

describe('many tags', () => {
  const tags = (count: number): Record<string, AGraph> => Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, single(anImage('other'))]));

  test.each([
    ['500 tags are looked at', 499, { outcome: 'deleted', by: 'digest' }],
    ['of 501 tags anyone may share it', 500, { outcome: 'blocked', reason: 'shared-digest' }],
  ])('%s', async (_sentence, others, expected) => {
    const registry = await aTwin('distribution-2.8', { ...tags(others), asked: shared });
    expect(await deleteTag(registry, 'asked')).toMatchObject(expected);
  });

  test('where tags are deleted alone, 501 of them are no hindrance', async () => {
    const registry = await aTwin('distribution-3', { ...tags(500), asked: shared });
    expect(await deleteTag(registry, 'asked')).toEqual({ outcome: 'deleted', by: 'tag' });
  });

  test('tags that cannot be listed count as shared', async () => {
    const server = await aRegistryServer({ deletes: { tag: [405, 'UNSUPPORTED'] } });
    const { registry } = aClient({ readBackMs: 0 });
    const digest = await pushImage(registry, `${server.host}/app:1`, shared);
    server.fault({ on: { route: 'tags' }, times: 100, does: { status: 403 } });

    const deletion = await registry.deleteTag(refAt(server, 'app:1'), { prefix: server.host, digest, inventory: 'unshared' }, [], call());

    expect(deletion).toMatchObject({ outcome: 'blocked', reason: 'shared-digest' });
    expect(server.log()).not.toContain('DELETE manifest');
  });
});

describe('a registry that deletes the digest when asked for the tag', () => {
  test('the siblings are put back at once, and from then on tags are not deleted there', async () => {
    const graph = aMultiPlatformImage('taken', 'linux/amd64', 'linux/arm64');
    const registry = await aTwin('tag-takes-digest', { asked: graph, one: graph, two: graph, other: shared });

    const deletion = await deleteTag(registry, 'asked', guardOf(graph));

    expect(deletion).toEqual({ outcome: 'deleted', by: 'tag', restored: ['one', 'two'] });
    for (const tag of ['one', 'two']) await pullWhole(registry, knownImageRef(`${host}/mirror/app:${tag}`), graph, []);

    expect(await deleteTag(registry, 'one', guardOf(graph))).toMatchObject({ outcome: 'blocked', reason: 'shared-digest' });
    expect(await deleteTag(registry, 'other')).toEqual({ outcome: 'deleted', by: 'digest' });
  });

  test('an abort in that moment does not cost the siblings', async () => {
    const server = await startFaultRegistry({ deletes: { tag: 'its-digest' } });
    const { registry } = aClient({ readBackMs: 0 });
    const digest = await pushImage(registry, `${server.host}/app:asked`, shared);
    await pushImage(registry, `${server.host}/app:sibling`, shared);
    const stop = new AbortController();
    const answered = Promise.withResolvers<void>();
    server.fault({ on: { route: 'manifest', method: 'DELETE' }, does: { after: answered.promise } });

    const deleting = registry.deleteTag(refAt(server, 'app:asked'), { prefix: server.host, digest, inventory: 'unknown' }, [], call({ signal: stop.signal }));
    while (!server.log().includes('DELETE manifest')) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error('enough'));
    answered.resolve();

    await expect(deleting).rejects.toThrow('enough');
    await pullWhole(registry, refAt(server, 'app:sibling'), shared, []);
    await server.close();
  });

  test('a broken connection in that moment does not cost the siblings', async () => {
    const server = await aRegistryServer({ deletes: { tag: 'its-digest' } });
    const { registry } = aClient({ readBackMs: 0 });
    const digest = await pushImage(registry, `${server.host}/app:asked`, shared);
    await pushImage(registry, `${server.host}/app:sibling`, shared);
    server.fault({ on: { route: 'manifest', method: 'DELETE' }, times: 3, does: { headers: { 'content-length': 'x' } } });

    await registry.deleteTag(refAt(server, 'app:asked'), { prefix: server.host, digest, inventory: 'unknown' }, [], call()).catch(() => undefined);

    await pullWhole(registry, refAt(server, 'app:sibling'), shared, []);
  });
});

describe('refusals', () => {
  const ann = { id: 'a1b2c3d4e5f6', username: 'ann', password: 'correct horse' };

  test.each([
    ['403 with a credential is denied', { status: 403 }, [ann], 'denied'],
    ['403 without one asks for a credential', { status: 403 }, [], 'no-credential'],
    ['401 without one asks for a credential', { status: 401 }, [], 'no-credential'],
    ['409 is a tag that cannot be deleted', { status: 409 }, [ann], 'immutable'],
    ['412 is a tag that cannot be deleted', { status: 412 }, [ann], 'immutable'],
    ['a refusal that says immutable is one, whatever its status', { status: 400, body: '{"errors":[{"code":"X","message":"tag is immutable"}]}' }, [ann], 'immutable'],
  ] as const)('%s', async (_sentence, does, as, reason) => {
    const server = await aRegistryServer();
    const { registry } = aClient({ readBackMs: 0 });
    const digest = await pushImage(registry, `${server.host}/app:1`, shared);
    server.fault({ on: { route: 'manifest', method: 'DELETE' }, times: 9, does });

    const deletion = await registry.deleteTag(refAt(server, 'app:1'), { prefix: server.host, digest, inventory: 'unshared' }, as, call());

    expect(deletion).toMatchObject({ outcome: 'blocked', reason });
    // blocked, not tried in a loop: one DELETE, and one more for a fresh token at most
    expect(server.log().filter((line) => line === 'DELETE manifest').length).toBeLessThanOrEqual(2);
  });

  test.each([
    ['asked to be left alone', { status: 429 }, 'throttled'],
    ['down', { status: 503 }, 'unreachable'],
  ])('a registry that is %s is a failure to be tried again, not a blocked deletion', async (_sentence, does, code) => {
    const server = await aRegistryServer();
    const { registry } = aClient({ readBackMs: 0 });
    const digest = await pushImage(registry, `${server.host}/app:1`, shared);
    server.fault({ on: { route: 'manifest', method: 'DELETE' }, times: 9, does });

    await expect(registry.deleteTag(refAt(server, 'app:1'), { prefix: server.host, digest, inventory: 'unshared' }, [], call())).rejects.toMatchObject({ code });
  });

  test('an immutable tag is not isolated either, and keeps what it had', async () => {
    const registry = await aTwin('distribution-2.8', { asked: shared, sibling: shared });
    Object.assign(registry.host(host), { immutableTags: true, deleteShared: 'isolate' });

    expect(await deleteTag(registry, 'asked')).toMatchObject({ outcome: 'blocked', reason: 'immutable' });

    expect(registry.host(host).tagsOf('mirror/app').get('asked')).toBe(shared.root.digest);
  });
});

describe('interrupted', () => {
  /** The twin, but the n-th request is answered and then everything stops, as a killed worker does. */
  function cutAfter(registry: MemoryRegistry, requests: number): AbortSignal {
    const stop = new AbortController();
    const { calls } = registry.host(host);
    const push = calls.push.bind(calls);
    calls.push = (...more) => {
      const length = push(...more);
      if (length >= requests) stop.abort(new Error(`interrupted after request ${requests}`));
      return length;
    };
    return stop.signal;
  }

  const dialects = Object.keys(deletionManners) as (keyof typeof deletionManners)[];
  test.each(dialects)('after any request, deleting as %s does can be done again, and no sibling is lost', async (dialect) => {
    const graph = aMultiPlatformImage('cut', 'linux/amd64', 'linux/arm64');
    for (let requests = 1; requests <= 30; requests++) {
      const registry = await aTwin(dialect, { asked: graph, sibling: graph, other: shared });
      registry.host(host).deleteShared = 'isolate';

      await deleteTag(registry, 'asked', guardOf(graph), { call: call({ signal: cutAfter(registry, requests) }) }).catch(() => undefined);
      await pullWhole(registry, knownImageRef(`${host}/mirror/app:sibling`), graph, []);
      registry.forgetLearned();
      const again = await deleteTag(registry, 'asked', guardOf(graph));

      const seen = await registry.head(knownImageRef(`${host}/mirror/app:asked`), [], aCall());
      expect(seen === 'missing').toBe(again.outcome !== 'blocked');
      await pullWhole(registry, knownImageRef(`${host}/mirror/app:sibling`), graph, []);
      await pullWhole(registry, knownImageRef(`${host}/mirror/app:other`), shared, []);
    }
  });

  test('a tag that was isolated before the process died is recognised, and deleted', async () => {
    const registry = await aTwin('distribution-2.8', { asked: shared, sibling: shared });
    registry.host(host).deleteShared = 'isolate';
    const tiny = tinyImage(knownImageRef(`${host}/mirror/app:asked`), shared.root.digest, shared.root.mediaType);
    const { descriptor, bytes } = { descriptor: tiny.config, bytes: tiny.configBytes };
    await registry.putBlob({ host, path: 'mirror/app' }, descriptor, { open: async function* () { yield bytes; } }, [], call());
    await registry.putManifest(knownImageRef(`${host}/mirror/app:asked`), tiny.manifest, [], call());

    expect(await deleteTag(registry, 'asked')).toEqual({ outcome: 'deleted', by: 'isolated' });

    expect([...registry.host(host).tagsOf('mirror/app').keys()]).toEqual(['sibling']);
  });
});

describe('at the same time', () => {
  test('a tag that is published while its digest is being deleted is not lost', async () => {
    const registry = await aTwin('distribution-2.8', { asked: shared });

    await Promise.all([deleteTag(registry, 'asked'), pushImage(registry, `${host}/mirror/app:new`, shared)]);

    await pullWhole(registry, knownImageRef(`${host}/mirror/app:new`), shared, []);
  });

  test('after a deletion blobs of the repository are looked for again', async () => {
    const server = await aRegistryServer();
    const { registry } = aClient({ readBackMs: 0 });
    const digest = await pushImage(registry, `${server.host}/app:1`, shared);
    await registry.deleteTag(refAt(server, 'app:1'), { prefix: server.host, digest, inventory: 'unshared' }, [], call());
    // as the registry's own collection does
    server.store.find('app')?.blobs.clear();
    server.store.find('app')?.manifests.clear();

    await pushImage(registry, `${server.host}/app:1`, shared);

    await pullWhole(registry, refAt(server, 'app:1'), shared, []);
  });
});
