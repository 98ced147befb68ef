import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { launch, scratchFolder } from '../../tools/servers.js';
import type { Launch } from '../../tools/servers.js';
import { isAlive } from './alive.js';

/** A "server" in a few lines of shell; it serves once its log says so. */
function shell(script: string, more: Partial<Launch> = {}): Launch {
  const logFile = join(scratchFolder('process'), 'log');
  return { name: 'shell', command: '/bin/sh', args: ['-c', script], logFile, ready: async () => readFileSync(logFile, 'utf8').includes('serving'), ...more };
}

describe('a process we start', () => {
  test('is there once it serves, and gone once it is stopped', async () => {
    const server = await launch(shell('trap "echo bye; exit 0" TERM; echo serving; while :; do sleep 0.05; done'));
    expect(isAlive(server.pid)).toBe(true);

    await server.stop();

    expect(isAlive(server.pid)).toBe(false);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(readFileSync(server.logFile, 'utf8')).toBe('serving\nbye\n');
  });

  test('is killed when it does not stop in time', async () => {
    const server = await launch(shell('trap "" TERM; echo serving; while :; do sleep 0.05; done', { graceMs: 100 }));

    await server.stop();

    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('may be stopped and killed again after it ended', async () => {
    const server = await launch(shell('echo serving; exec sleep 60'));
    await server.kill();

    await server.stop();
    await server.kill();

    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('that ends before it serves is an error with the end of its log', async () => {
    const launching = launch(shell('echo "cannot bind: address in use" >&2; exit 3'));

    await expect(launching).rejects.toThrow(/shell ended \(status 3\) before it was serving; end of .*\n {4}cannot bind: address in use/);
  });

  test('is not believed to serve when somebody else answers for it', async () => {
    const launching = launch(shell('exit 1', { ready: () => new Promise((resolve) => setTimeout(resolve, 200, true)) }));

    await expect(launching).rejects.toThrow('shell ended (status 1) before it was serving');
  });

  test('that never serves is killed, and its log shown', async () => {
    const launching = launch(shell('echo $$; exec sleep 60', { timeoutMs: 200 }));

    const message = await launching.then(String, String);

    expect(message).toMatch(/shell was not serving after 0.2 s; end of .*\n {4}\d+/);
    expect(isAlive(Number(/\n {4}(\d+)/.exec(message)?.[1]))).toBe(false);
  });

  test('that does not exist is an error that names it', async () => {
    await expect(launch(shell('', { command: '/nowhere/server' }))).rejects.toThrow('shell cannot be started: /nowhere/server:');
  });
});
