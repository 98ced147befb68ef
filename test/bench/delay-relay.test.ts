import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { startDelayRelay, type Cut, type DelayRelay } from '../../bench/support/delay-relay.js';

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function anEcho(): Promise<Server> {
  const server = createServer((asked, answer) => void asked.pipe(answer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

async function aRelay(server: Server, rttMs: number, cut?: Cut): Promise<DelayRelay> {
  const relay = await startDelayRelay({ port: (server.address() as AddressInfo).port, rttMs, cut });
  closers.push(() => relay.close());
  return relay;
}

function anAgent(connections: number): Agent {
  const agent = new Agent({ connections, pipelining: 1 });
  closers.push(() => agent.destroy());
  return agent;
}

describe('a relay that makes a server far away', () => {
  test.each([0, 4])('changes no byte of a large body, with %i ms round trip', async (rttMs) => {
    const relay = await aRelay(await anEcho(), rttMs);
    const body = Buffer.alloc(20 * 1024 * 1024, 'relay me, in order ');

    const answer = await request(`http://${relay.address}/`, { method: 'PUT', body, dispatcher: anAgent(1) });
    const received = Buffer.from(await answer.body.arrayBuffer());

    expect(createHash('sha256').update(received).digest('hex')).toBe(createHash('sha256').update(body).digest('hex'));
    expect(relay.traffic().bytesUp).toBeGreaterThan(body.length);
    expect(relay.traffic().bytesDown).toBeGreaterThan(body.length);
  });

  test('counts requests and connections', async () => {
    const relay = await aRelay(await anEcho(), 0);
    const dispatcher = anAgent(1);

    for (const method of ['GET', 'POST', 'GET'] as const) await (await request(`http://${relay.address}/v2/`, { method, dispatcher })).body.dump();

    expect(relay.traffic()).toMatchObject({ connections: 1, requests: 3 });
  });

  test('tells what was asked, and how much came with it', async () => {
    const relay = await aRelay(await anEcho(), 0);
    const dispatcher = anAgent(1);

    await (await request(`http://${relay.address}/v2/app/blobs/1?digest=x`, { method: 'PUT', body: Buffer.alloc(300_000), dispatcher })).body.dump();
    await (await request(`http://${relay.address}/v2/app/manifests/1`, { method: 'HEAD', dispatcher })).body.dump();

    expect(relay.requests()).toEqual([
      { method: 'PUT', path: '/v2/app/blobs/1?digest=x', bodyBytes: 300_000 },
      { method: 'HEAD', path: '/v2/app/manifests/1', bodyBytes: 0 },
    ]);
  });

  test.each(['up', 'down'] as const)('breaks a connection once, after so many bytes %s, and carries the next one to its end', async (way) => {
    const afterBytes = 1024 * 1024;
    const relay = await aRelay(await anEcho(), 0, { way, afterBytes });
    const body = Buffer.alloc(2 * afterBytes, 'cut me ');
    const echo = async (): Promise<number> => (await (await request(`http://${relay.address}/`, { method: 'PUT', body, dispatcher: anAgent(1) })).body.arrayBuffer()).byteLength;

    await expect(echo()).rejects.toThrow();
    const lost = relay.traffic();
    await expect(echo()).resolves.toBe(body.length);

    const passed = way === 'up' ? lost.bytesUp : lost.bytesDown;
    expect(passed).toBeGreaterThanOrEqual(afterBytes);
    expect(passed).toBeLessThan(afterBytes + 128 * 1024); // no more than the chunk that made it full
  });

  test('passes the end of a stream on, and still delivers what was under way', async () => {
    const relay = await aRelay(await anEcho(), 4);
    const [host, port] = relay.address.split(':');
    const socket = connect(Number(port), host);

    socket.end('POST / HTTP/1.1\r\nHost: far\r\nConnection: close\r\nContent-Length: 4\r\n\r\nover');
    let text = '';
    for await (const chunk of socket) text += String(chunk);

    expect(text).toMatch(/^HTTP\/1\.1 200 [^]*over/);
  });

  test('waits with an answer for the round trip and the handshake', async () => {
    const rttMs = 40;
    const relay = await aRelay(await anEcho(), rttMs);
    const start = performance.now();

    await (await request(`http://${relay.address}/`, { dispatcher: anAgent(1) })).body.dump();

    // a lower bound holds on the slowest machine; timers count whole milliseconds
    expect(performance.now() - start).toBeGreaterThanOrEqual(2 * rttMs - 2);
  });
});
