import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../tools/servers.js';
import { DelayLine } from './delay-line.js';

/** What went through a relay. Requests are counted in plain HTTP only. */
export interface Traffic {
  readonly connections: number;
  readonly requests: number;
  /** from the client to the server */
  readonly bytesUp: number;
  /** from the server to the client */
  readonly bytesDown: number;
}

export interface DelayRelay {
  /** `127.0.0.1:PORT`: stands for the server behind it */
  readonly address: string;
  /** what went through since the start */
  traffic(): Traffic;
  close(): Promise<void>;
}

export interface DelayRelayOptions {
  /** server to relay to, on 127.0.0.1 */
  readonly port: number;
  /** round-trip time, milliseconds; 0 relays at once and still counts */
  readonly rttMs: number;
}

/**
 * A TCP relay that makes a server on loopback as far away as one behind a real line.
 *
 * 1. Each direction holds every chunk for half the round-trip time, in order.
 * 2. The first byte of a connection waits one round trip more: the handshake, which loopback answers at once.
 *
 * It models latency, not bandwidth or loss.
 */
export async function startDelayRelay({ port, rttMs }: DelayRelayOptions): Promise<DelayRelay> {
  const ways: { readonly up: DelayLine; readonly down: DelayLine }[] = [];
  const open = new Set<Socket>();
  let requests = 0;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => other.destroy()); // a reset on one side is a reset on the other
    }
    const half = rttMs / 2;
    const count = (chunk: Buffer): void => void (requests += startsRequest(chunk) ? 1 : 0);
    ways.push({ up: new DelayLine(client, upstream, half, half + rttMs, count), down: new DelayLine(upstream, client, half) });
  });

  const address = await listen(server);
  return {
    address,
    traffic: () => ({ connections: ways.length, requests, bytesUp: sum(ways.map(({ up }) => up.bytes)), bytesDown: sum(ways.map(({ down }) => down.bytes)) }),
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const requestLine = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE) \/\S* HTTP\/1\.1\r\n/;

/** No client here pipelines, so a request starts a chunk; noise of a blob never looks like a request line. */
function startsRequest(chunk: Buffer): boolean {
  return requestLine.test(chunk.toString('latin1', 0, 2048));
}

async function listen(server: Server): Promise<string> {
  const port = await freePort();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return `127.0.0.1:${port}`;
}

function sum(numbers: readonly number[]): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
