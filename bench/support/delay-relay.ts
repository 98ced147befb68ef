import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../tools/servers.js';
import { DelayLine } from './delay-line.js';
import { RequestReader, type RequestSeen } from './request-log.js';

/** What went through a relay. */
export interface Traffic {
  readonly connections: number;
  /** those of plain HTTP; what TLS hides, only the registry can count */
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
  /** requests in the order they were seen, of plain HTTP */
  requests(): readonly RequestSeen[];
  close(): Promise<void>;
}

export interface DelayRelayOptions {
  /** server to relay to, on 127.0.0.1 */
  readonly port: number;
  /** round-trip time, milliseconds; 0 relays at once and still counts */
  readonly rttMs: number;
  /** a bad moment of the line */
  readonly cut?: Cut;
}

/** Once, the connection breaks on which so many bytes became full, counted over all connections. */
export interface Cut {
  /** `up` is from the client to the server */
  readonly way: 'up' | 'down';
  readonly afterBytes: number;
}

/**
 * A TCP relay that makes a server on loopback as far away as one behind a real line.
 *
 * 1. Each direction holds every chunk for half the round-trip time, in order.
 * 2. The first byte of a connection waits one round trip more: the handshake, which loopback answers at once.
 *
 * It models latency, not bandwidth or loss.
 */
export async function startDelayRelay({ port, rttMs, cut }: DelayRelayOptions): Promise<DelayRelay> {
  const ways: { readonly up: DelayLine; readonly down: DelayLine }[] = [];
  const open = new Set<Socket>();
  const requests: RequestSeen[] = [];
  const isCutBy = cutter(cut);

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => other.destroy()); // a reset on one side is a reset on the other
    }
    const cutOn = (way: Cut['way'], chunk: Buffer): void => {
      if (isCutBy(way, chunk.length)) for (const socket of [client, upstream]) socket.destroy();
    };
    const half = rttMs / 2;
    const reader = new RequestReader(requests);
    const up = new DelayLine(client, upstream, half, half + rttMs, (chunk) => {
      reader.read(chunk);
      cutOn('up', chunk);
    });
    ways.push({ up, down: new DelayLine(upstream, client, half, half, (chunk) => cutOn('down', chunk)) });
  });

  const address = await listen(server);
  return {
    address,
    traffic: () => ({ connections: ways.length, requests: requests.length, bytesUp: sum(ways.map(({ up }) => up.bytes)), bytesDown: sum(ways.map(({ down }) => down.bytes)) }),
    requests: () => requests,
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Counts what passes, and says at which chunk the line breaks. */
function cutter(cut: Cut | undefined): (way: Cut['way'], bytes: number) => boolean {
  let left = cut?.afterBytes ?? Infinity;
  return (way, bytes) => {
    if (way !== cut?.way || left <= 0) return false;
    left -= bytes;
    return left <= 0;
  };
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
