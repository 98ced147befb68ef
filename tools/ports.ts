import { randomInt } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/**
 * Below the range from which systems take ports of outgoing connections (32768 on Linux, 49152 elsewhere): a server
 * that was stopped gets its port again, because no connection can have borrowed it meanwhile.
 */
const [lowest, highest] = [15_000, 32_000];

/** A TCP port of 127.0.0.1 that nobody uses; never the same twice in one process, nor in one run of the tests. */
export const freePort = portsOf(process.env['KUIK_PORTS']);

/**
 * Ports are chosen before their servers start, and stay theirs while a server is stopped: looking who listens does not
 * tell that a port is taken.
 *
 * @param folder shared by processes that must not get each other's ports: a file says that a port was given
 */
export function portsOf(folder: string | undefined): () => Promise<number> {
  const given = new Set<number>();

  function take(port: number): boolean {
    if (given.has(port) || (folder !== undefined && !create(join(folder, String(port))))) return false;
    given.add(port);
    return true;
  }

  return async () => {
    for (let attempt = 0; attempt < 1000; attempt++) {
      const port = randomInt(lowest, highest);
      if (take(port) && (await isFree(port))) return port;
    }
    throw new Error(`no free port between ${lowest} and ${highest} on 127.0.0.1`);
  };
}

/** @returns whether there was no such file before */
function create(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
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
