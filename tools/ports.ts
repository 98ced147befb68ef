import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range from which systems take ports of outgoing connections (32768 on Linux, 49152 elsewhere): a server
 * that was stopped gets its port again, because no connection can have borrowed it meanwhile.
 */
const [lowest, highest] = [15_000, 32_000];

const given = new Set<number>();

/** A TCP port of 127.0.0.1 that nobody uses; never the same twice in one process. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = randomInt(lowest, highest);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port between ${lowest} and ${highest} on 127.0.0.1`);
}

/**
 * The port asked for, or a free one.
 *
 * @throws Error when the port is taken: whoever listens there would answer our health checks
 */
export async function claimPort(port: number | undefined): Promise<number> {
  if (port === undefined) return freePort();
  if (!(await isFree(port))) throw new Error(`port ${port} of 127.0.0.1 is taken: stop what listens there, or choose another port`);
  return port;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
