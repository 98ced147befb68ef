import { describe, expect, test } from '@jest/globals';
import { setTimeout as later } from 'node:timers/promises';
import { isFailure } from '../../../../src/domain/failure.js';
import type { HttpRegistryOptions } from '../../../../src/registry/http/client.js';
import type { Credential } from '../../../../src/registry/registry.js';
import { FakeTime, settle } from '../../../support/fake-time.js';
import { aBlob, aCall, anImage, pushImage, single } from '../../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt, type ClientUnderTest } from '../../../support/registry-client.js';

closeAfterEach();
const hubHeaders = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '10;w=21600' };
const aCredential = (name: string): Credential => ({ id: name, username: name, password: `secret of ${name}` });

interface Timed extends ClientUnderTest {
  readonly time: FakeTime;
}

function aTimedClient(settings: ReturnType<HttpRegistryOptions['settings']> = {}): Timed {
  const time = new FakeTime();
  return { time, ...aClient({ clock: time.now, sleep: time.sleep, settings: () => settings }) };
}

/** Nobody has a place, and nobody waits for one. */
function expectEmpty({ registry }: Pick<ClientUnderTest, 'registry'>): void {
  for (const { busy, waiting } of registry.pace()) {
    expect(busy).toEqual({ metadata: 0, download: 0, upload: 0 });
    expect(Object.values(waiting).every((length) => length === 0)).toBe(true);
  }
}

describe('priorities under load', () => {
  test('a probe goes before a thousand checks that came first', async () => {
    const server = await aRegistryServer();
    let open = (): void => undefined;
    server.fault({ on: {}, times: 4, does: { after: new Promise<void>((resolve) => (open = resolve)) } });
    const client = aClient();
    const checks = Array.from({ length: 1000 }, (_, at) => client.registry.head(refAt(server, `app:${at}`), [], aCall({ purpose: 'check' })));
    const probe = client.registry.head(refAt(server, 'app:probe'), [], aCall({ purpose: 'probe' }));
    while (server.requests.length < 4) await later(1);
    expect(client.registry.pace()[0]?.waiting).toMatchObject({ probe: 1, check: 996 });

    open();
    await probe;
    const position = server.requests.findIndex(({ path }) => path.endsWith('/probe'));
    await Promise.all(checks);

    expect(position).toBe(4);
    expectEmpty(client);
  });
});

describe('a wait that the registry asks for', () => {
  test.each([
    ['3 s is spent inside, and others have the place meanwhile', '3', 'inside'],
    ['more than 5 s is the caller\'s', '6', 'throttled'],
  ])('%s', async (_sentence, seconds, how) => {
    const server = await aRegistryServer();
    server.fault({ on: { path: 'limited' }, does: { status: 429, headers: { 'retry-after': seconds } } });
    const client = aTimedClient({ metadataConcurrency: 1 });
    await client.registry.head(refAt(server, 'limited:1'), [], aCall()).catch(() => undefined);
    expect(client.registry.pace()).toMatchObject([{ throttledMs: Number(seconds) * 1000 }]);

    const waiting = client.registry.head(refAt(server, 'limited:1'), [], aCall()).catch((error: unknown) => error);
    await settle();
    expect(await client.registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'probe' }))).toBe('missing');
    await client.time.pass(5000);

    if (how === 'inside') expect(await waiting).toBe('missing');
    else expect(await waiting).toMatchObject({ code: 'throttled', retryAfterMs: 6000, isUnasked: true });
    expectEmpty(client);
  });

  test('concerns one credential: another one, and another registry, go on', async () => {
    const [server, other] = [await aRegistryServer({ access: { type: 'basic', accounts: { alice: 'secret of alice', bob: 'secret of bob' } } }), await aRegistryServer()];
    const { registry } = aClient();
    const asking = (name: string): Promise<unknown> => registry.head(refAt(server, 'app:1'), [aCredential(name)], aCall());
    await asking('alice');
    server.fault({ on: {}, does: { status: 429 } });
    await expect(asking('alice')).rejects.toMatchObject({ code: 'throttled' });

    await expect(asking('alice')).rejects.toMatchObject({ code: 'throttled' });
    expect(await asking('bob')).toBe('missing');
    expect(await registry.head(refAt(other, 'app:1'), [aCredential('alice')], aCall())).toBe('missing');
  });
});

describe('a 503 that says for how long', () => {
  const later60 = { status: 503, headers: { 'retry-after': '60' } };

  test('pauses the work of every credential on that registry, and no probe', async () => {
    const [server, other] = [await aRegistryServer({ access: { type: 'basic', accounts: { alice: 'secret of alice', bob: 'secret of bob' } } }), await aRegistryServer()];
    const { registry } = aTimedClient();
    const asking = (name: string, purpose: 'check' | 'probe' = 'check'): Promise<unknown> => registry.head(refAt(server, 'app:1'), [aCredential(name)], aCall({ purpose }));
    await asking('alice');
    server.fault({ on: { route: 'manifest' }, does: later60 });
    await expect(asking('alice')).rejects.toMatchObject({ code: 'unreachable', retryAfterMs: 60_000 });
    const asked = server.requests.length;

    for (const name of ['alice', 'bob']) await expect(asking(name)).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 60_000, isUnasked: true });
    expect(server.requests).toHaveLength(asked);
    expect(await asking('bob', 'probe')).toBe('missing');
    expect(await registry.head(refAt(other, 'app:1'), [], aCall({ purpose: 'check' }))).toBe('missing');
  });

  test('is asked by one request when the time is over; its answer lets the others go', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, does: later60 });
    const { registry, time } = aTimedClient();
    const ask = (): Promise<unknown> => registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'check' }));
    await expect(ask()).rejects.toMatchObject({ code: 'unreachable' });

    time.set(time.now() + 60_000);

    expect(await ask()).toBe('missing');
    expect(await ask()).toBe('missing');
  });

  test('keeps it paused when the one that asks is told so again', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, times: 2, does: later60 });
    const { registry, time } = aTimedClient();
    const ask = (): Promise<unknown> => registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'check' }));
    await expect(ask()).rejects.toMatchObject({ code: 'unreachable' });
    time.set(time.now() + 60_000);

    await expect(ask()).rejects.toMatchObject({ code: 'unreachable', retryAfterMs: 60_000 });
    await expect(ask()).rejects.toMatchObject({ code: 'throttled', isUnasked: true });
    expect(server.requests).toHaveLength(2);
  });

  test('pauses nothing when it does not say so, or is that of another host a blob is redirected to', async () => {
    const server = await aRegistryServer({ blobsAt: 'second' });
    const blob = aBlob('layer');
    const client = aTimedClient({ allowHosts: [server.second] });
    await pushImage(client.registry, `${server.host}/app:1`, single(anImage('app', { layers: [blob] })));
    server.fault({ on: { route: 'second' }, does: later60 });
    server.fault({ on: { path: 'silent' }, does: { status: 503 } });
    const read = async (): Promise<void> => {
      for await (const _chunk of client.registry.blob(refAt(server, 'app'), blob.descriptor, [], aCall({ purpose: 'check' }))) void _chunk;
    };
    await expect(read()).rejects.toMatchObject({ code: 'unreachable' });
    await client.registry.head(refAt(server, 'silent:1'), [], aCall({ purpose: 'probe' })).catch(() => undefined);

    expect(await client.registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'check' }))).not.toBe('missing');
  });

  test('counts as well when it is the token service that says so', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts: { alice: 'secret of alice' } } });
    server.fault({ on: { route: 'token' }, does: later60 });
    const { registry } = aTimedClient();
    const ask = (): Promise<unknown> => registry.head(refAt(server, 'app:1'), [aCredential('alice')], aCall({ purpose: 'check' }));
    await expect(ask()).rejects.toMatchObject({ code: 'unreachable', retryAfterMs: 60_000 });

    await expect(ask()).rejects.toMatchObject({ code: 'throttled', isUnasked: true });
  });
});

describe('waiting for our own turn', () => {
  test('is never throttled, however long it takes', async () => {
    const server = await aRegistryServer();
    const client = aTimedClient({ requestsPerSecond: 1, burst: 1 });
    const asking = Array.from({ length: 30 }, (_, at) => client.registry.head(refAt(server, `app:${at}`), [], aCall({ purpose: at % 2 === 0 ? 'delete' : 'copy' })));
    let done = 0;
    for (const each of asking) void each.then(() => done++);

    const countAt = async (ms: number): Promise<number> => {
      for (let second = 0; second < ms / 1000; second++) {
        await client.time.pass(1000);
        while (done < server.requests.length) await settle();
      }
      return server.requests.length;
    };
    expect(await countAt(10_000)).toBeLessThanOrEqual(11);
    while (done < 30) await countAt(1000);

    expect(await Promise.all(asking)).toEqual(Array.from({ length: 30 }, () => 'missing'));
    expectEmpty(client);
    expect(client.time.sleeping).toBe(0);
  });
});

describe('a turn that does not come before the deadline', () => {
  test.each([
    ['says nothing of the registry, when the place was never ours', {}, 'check'],
    ['says nothing of the registry, when others had all requests of the second', { requestsPerSecond: 0.001, burst: 1 }, 'copy'],
  ] as const)('%s', async (_sentence, settings, busyWith) => {
    const server = await aRegistryServer();
    const { registry } = aClient({ settings: () => ({ metadataConcurrency: 1, ...settings }) });
    server.fault({ on: { path: 'slow' }, does: { delayMs: 400 } });
    const busy = registry.head(refAt(server, 'slow:1'), [], aCall({ purpose: busyWith }));
    if (busyWith === 'copy') await busy;

    const waiting = registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'check', signal: AbortSignal.timeout(100) }));

    await expect(waiting).rejects.toMatchObject({ code: 'timeout', isUnasked: true });
    await busy;
    expect(server.requests.filter(({ path }) => path.includes('app'))).toEqual([]);
  });

  test('is something else than an answer that does not come', async () => {
    const server = await aRegistryServer();
    const { registry } = aClient();
    server.fault({ on: {}, does: { delayMs: 2000 } });

    const waiting = await registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'check', signal: AbortSignal.timeout(100) })).catch((error: unknown) => error);

    expect(waiting).toMatchObject({ code: 'timeout', isUnasked: undefined });
  });
});

describe('the reserve', () => {
  test('is left to probes, to what is being published, and to copies that a Pod waits for', async () => {
    const server = await aRegistryServer();
    server.fault({ on: {}, times: 99, does: { headers: hubHeaders } });
    const { registry, events } = aClient();
    const at = refAt(server, 'app:1');
    await registry.head(at, [], aCall({ purpose: 'check' }));

    for (const purpose of ['check', 'copy', 'delete'] as const) await expect(registry.head(at, [], aCall({ purpose }))).rejects.toMatchObject({ code: 'throttled' });
    expect(server.requests).toHaveLength(1);
    for (const call of [{ purpose: 'probe' }, { purpose: 'verify' }, { purpose: 'copy', urgency: 'waiting' }] as const) expect(await registry.head(at, [], aCall(call))).toBe('missing');
    expect(server.requests).toHaveLength(4);
    expect(events).toContainEqual({ type: 'quota', registry: server.host, remaining: 10 });
    expect(registry.pace()).toEqual([expect.objectContaining({ registry: server.host, remaining: 10 })]);
  });
});

describe('a host that does not answer', () => {
  async function fiveFailures(): Promise<Timed & { readonly ask: () => Promise<unknown>; readonly server: Awaited<ReturnType<typeof aRegistryServer>> }> {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, times: 1000, does: { reset: true } });
    const client = aTimedClient();
    const ask = (): Promise<unknown> => client.registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'probe' }));
    for (let time = 0; time < 5; time++) await expect(ask()).rejects.toMatchObject({ code: 'unreachable' });
    return { ...client, server, ask };
  }

  test('fails at once from the sixth request on, with what it failed with and how long that lasts', async () => {
    const { ask, server, registry, events } = await fiveFailures();
    const asked = server.requests.length;

    const error: unknown = await ask().catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ code: 'unreachable', host: server.host, retryAfterMs: 5000 });
    expect(isFailure(error) && error.message).toContain('not asked for');
    expect(server.requests).toHaveLength(asked);
    expect(registry.pace()[0]).toMatchObject({ circuit: 'open' });
    expect(events).toContainEqual({ type: 'circuit', registry: server.host, circuit: 'open' });
  });

  test('is asked by one request after the rest; an answer closes the circuit for all', async () => {
    const { ask, server, registry, time } = await fiveFailures();
    server.calm();
    let open = (): void => undefined;
    server.fault({ on: {}, does: { after: new Promise<void>((resolve) => (open = resolve)) } });
    time.set(time.now() + 5000);

    const trying = ask();
    while (server.requests.length === 0) await later(1);
    await expect(ask()).rejects.toMatchObject({ code: 'unreachable' });
    open();

    expect(await trying).toBe('missing');
    expect(await ask()).toBe('missing');
    expect(registry.pace()[0]).toMatchObject({ circuit: 'closed' });
  });

  test('deadlines that pass without an answer count; calls that were only called off do not', async () => {
    const server = await aRegistryServer();
    const gate = new AbortController();
    server.fault({ on: {}, times: 99, does: { after: new Promise((resolve) => gate.signal.addEventListener('abort', resolve)) } });
    const { registry } = aClient();
    const ask = async (reason: Error): Promise<void> => {
      const stop = new AbortController();
      const asked = server.requests.length;
      const asking = registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'probe', signal: stop.signal })).catch(() => undefined);
      while (server.requests.length === asked) await later(1);
      stop.abort(reason);
      await asking;
    };

    for (let time = 0; time < 6; time++) await ask(new Error('not needed any more'));
    expect(registry.pace()[0]).toMatchObject({ circuit: 'closed' });
    for (let time = 0; time < 5; time++) await ask(new DOMException('late', 'TimeoutError'));

    expect(registry.pace()[0]).toMatchObject({ circuit: 'open' });
    gate.abort();
  });

  test('where blobs are redirected to does not count against the registry itself', async () => {
    const server = await aRegistryServer({ blobsAt: 'second' });
    const blob = aBlob('layer');
    const client = aTimedClient({ allowHosts: [server.second] });
    await pushImage(client.registry, `${server.host}/app:1`, single(anImage('app', { layers: [blob] })));
    server.fault({ on: { route: 'second' }, times: 1000, does: { reset: true } });
    const read = async (): Promise<void> => {
      for await (const _chunk of client.registry.blob(refAt(server, 'app'), blob.descriptor, [], aCall({ purpose: 'probe' }))) void _chunk;
    };

    for (let time = 0; time < 8; time++) await expect(read()).rejects.toMatchObject({ code: 'unreachable' });

    expect(client.registry.pace().find(({ registry }) => registry === server.host)).toMatchObject({ circuit: 'closed' });
    expect(await client.registry.head(refAt(server, 'app:1'), [], aCall())).not.toBe('missing');
  });
});

describe('calls that are called off', () => {
  test('leave no place, no turn and no timer behind, wherever they are', async () => {
    const server = await aRegistryServer();
    server.fault({ on: {}, times: 1000, does: { delayMs: 2 } });
    const client = aTimedClient({ metadataConcurrency: 3, requestsPerSecond: 1000, burst: 2 });
    const stops = Array.from({ length: 120 }, () => new AbortController());
    const asking = stops.map(({ signal }, at) => client.registry.head(refAt(server, `app:${at}`), [], aCall({ signal, purpose: at % 3 === 0 ? 'probe' : 'check' })));
    const all = Promise.allSettled(asking);

    for (const [at, stop] of stops.entries()) {
      if (at % 2 === 0) stop.abort(new Error('enough'));
      await client.time.pass(1);
      if (at % 7 === 0) await later(1);
    }
    let isDone = false;
    void all.then(() => (isDone = true));
    while (!isDone) {
      await client.time.pass(1);
      await later(1);
    }
    await settle();

    const outcomes = await all;
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(60);
    expectEmpty(client);
    expect(client.time.sleeping).toBe(0);
    expect(await client.registry.head(refAt(server, 'app:last'), [], aCall())).toBe('missing');
  });
});
