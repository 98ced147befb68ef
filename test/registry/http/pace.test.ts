import { describe, expect, test } from '@jest/globals';
import { LaneLimit } from '../../../src/registry/http/pace/lane-limit.js';
import { parseRetryAfter } from '../../../src/registry/http/retry-after.js';
import { priorities, type Priority } from '../../../src/registry/http/pace/priority.js';
import { aCall } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt } from '../../support/registry-client.js';

closeAfterEach();
const now = Date.parse('2026-03-01T12:00:00Z');

describe('Retry-After', () => {
  test.each([
    ['seconds', '120', 120_000],
    ['a date', 'Sun, 01 Mar 2026 12:02:00 GMT', 120_000],
    ['a date that has passed', 'Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['a year counts as an hour', '31536000', 3_600_000],
    ['nothing', undefined, undefined],
    ['an empty value', '', undefined],
    ['something unreadable', 'soon', undefined],
  ])('%s', (_sentence, header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});

describe('a registry that limits us', () => {
  test.each([
    ['the time it gives', { 'retry-after': '90' }, 90_000],
    ['fifteen minutes when it gives none', {}, 900_000],
    ['an hour at most', { 'retry-after': '999999' }, 3_600_000],
  ])('is throttled for %s, and is not asked again before', async (_sentence, headers, waitMs) => {
    let clock = now;
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, does: { status: 429, headers } });
    const { registry } = aClient({ clock: () => clock });

    await expect(registry.head(refAt(server, 'app:1'), [], aCall())).rejects.toMatchObject({ code: 'throttled', retryAfterMs: waitMs });
    clock += waitMs / 2;
    await expect(registry.head(refAt(server, 'app:1'), [], aCall())).rejects.toMatchObject({ code: 'throttled', retryAfterMs: waitMs / 2 });
    expect(server.requests).toHaveLength(1);

    clock += waitMs / 2;
    expect(await registry.head(refAt(server, 'app:1'), [], aCall())).toBe('missing');
  });

  test('TOOMANYREQUESTS is throttled under any status', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, does: { status: 403, body: '{"errors":[{"code":"TOOMANYREQUESTS"}]}' } });

    await expect(aClient().registry.manifest(refAt(server, 'app:1'), [], aCall())).rejects.toMatchObject({ code: 'throttled' });
  });

  test('still answers a probe: a Pod is waiting', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, does: { status: 429 } });
    const { registry } = aClient();
    await registry.head(refAt(server, 'app:1'), [], aCall()).catch(() => undefined);

    expect(await registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'probe' }))).toBe('missing');
  });
});

describe('what heals by itself', () => {
  test.each([408, 499, 500, 502, 503, 504, 522])('%d is asked again, twice at most', async (status) => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, times: 2, does: { status } });

    expect(await aClient().registry.head(refAt(server, 'app:1'), [], aCall())).toBe('missing');
    expect(server.requests).toHaveLength(3);
  });

  test('is given up after the third time', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, times: 99, does: { status: 503 } });

    await expect(aClient().registry.head(refAt(server, 'app:1'), [], aCall())).rejects.toMatchObject({ code: 'unreachable' });
    expect(server.requests).toHaveLength(3);
  });

  test('a long Retry-After of a 503 is for the caller to wait', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, times: 99, does: { status: 503, headers: { 'retry-after': '60' } } });

    await expect(aClient().registry.head(refAt(server, 'app:1'), [], aCall())).rejects.toMatchObject({ code: 'unreachable', retryAfterMs: 60_000 });
    expect(server.requests).toHaveLength(1);
  });

  test('a probe is never repeated', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, times: 99, does: { status: 503 } });

    await expect(aClient().registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'probe' }))).rejects.toMatchObject({ code: 'unreachable' });
    expect(server.requests).toHaveLength(1);
  });

  test('a connection that the server closed just as we used it is opened again, for a probe too', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, does: { reset: true } });

    expect(await aClient().registry.head(refAt(server, 'app:1'), [], aCall({ purpose: 'probe' }))).toBe('missing');
    expect(server.requests).toHaveLength(2);
  });
});

describe('deadlines', () => {
  test('a deadline of the caller is a timeout, and an abort an abort', async () => {
    const server = await aRegistryServer();
    const gate = new AbortController();
    server.fault({ on: { route: 'manifest' }, times: 9, does: { after: new Promise((resolve) => gate.signal.addEventListener('abort', resolve)) } });
    const stop = new AbortController();

    const asking = [AbortSignal.timeout(50), stop.signal].map((signal) => aClient().registry.head(refAt(server, 'app:1'), [], aCall({ signal })));
    stop.abort(new Error('not needed any more'));
    const [late, aborted] = await Promise.allSettled(asking);

    expect(late).toMatchObject({ status: 'rejected', reason: { code: 'timeout', side: 'source' } });
    expect(aborted).toMatchObject({ status: 'rejected', reason: { message: 'not needed any more' } });
    gate.abort();
  });
});

describe('places in the queue', () => {
  const never = new AbortController().signal;

  async function orderOf(wanted: readonly Priority[]): Promise<readonly Priority[]> {
    const lane = new LaneLimit(1);
    const release = await lane.enter('copy', never);
    const order: Priority[] = [];
    const waiting = wanted.map(async (priority) => {
      const leave = await lane.enter(priority, never);
      order.push(priority);
      leave();
    });
    release();
    await Promise.all(waiting);
    return order;
  }

  test('a probe goes before all, deletion comes last', async () => {
    expect(await orderOf([...priorities].reverse())).toEqual(priorities);
  });

  test('every tenth place goes to whoever waits longest', async () => {
    const order = await orderOf(['delete', ...Array.from({ length: 20 }, (): Priority => 'probe')]);
    expect(order.indexOf('delete')).toBe(9);
  });

  test('the limit starts at 4, grows with success to its ceiling, and is halved by a refusal', () => {
    const lane = new LaneLimit(6);
    expect(lane.limit).toBe(4);
    lane.succeeded();
    expect(lane.limit).toBe(5);
    for (let time = 0; time < 200; time++) lane.succeeded();
    expect(lane.limit).toBe(6);
    lane.refused();
    expect(lane.limit).toBe(3);
    for (let time = 0; time < 9; time++) lane.refused();
    expect(lane.limit).toBe(1);
  });

  test('under a raised ceiling the limit starts half way up', () => {
    expect(new LaneLimit(32).limit).toBe(16);
    expect(new LaneLimit(2).limit).toBe(2);
  });

  test('who gives up waiting leaves the queue, and no place is lost', async () => {
    const lane = new LaneLimit(1);
    const release = await lane.enter('copy', never);
    const stop = new AbortController();
    const waiting = lane.enter('probe', stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');

    release();
    release();

    expect(lane.queue.length).toBe(0);
    await expect(lane.enter('copy', never)).resolves.toBeInstanceOf(Function);
  });
});
