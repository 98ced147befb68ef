import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder } from '../../tools/servers.js';

/** A cluster nobody listens at: what is tested here happens before it is needed. */
const nowhere = `{apiVersion: v1, kind: Config, current-context: x, clusters: [{name: x, cluster: {server: 'https://127.0.0.1:1'}}], contexts: [{name: x, context: {cluster: x, user: x}}], users: [{name: x, user: {token: t}}]}`;

describe('a process that cannot start', () => {
  const taken = createServer();
  let kubeconfig = '';
  beforeAll(async () => {
    kubeconfig = join(scratchFolder('serve'), 'kubeconfig');
    await writeFile(kubeconfig, nowhere);
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => taken.close(resolve)));

  test('ends when the address for metrics is taken, and says which', async () => {
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const { code, errors } = await run('run', `-metrics-bind-address=${address}`, '-metrics-secure=false', '-health-probe-bind-address=127.0.0.1:0', `-kubeconfig=${kubeconfig}`);

    expect(code).toBe(1);
    expect(errors).toContain(address);
  });

  test('ends when its kubeconfig is not there, and says which', async () => {
    const { code, errors } = await run('manager', '-kubeconfig=/nowhere/kubeconfig');

    expect(code).toBe(1);
    expect(errors).toMatch(/^kuik manager: .*kubeconfig.*\/nowhere\/kubeconfig/);
  });
});

test('a process that never found its cluster nor Temporal ends on SIGTERM, with status 0', async () => {
  const kubeconfig = join(scratchFolder('sigterm'), 'kubeconfig');
  await writeFile(kubeconfig, nowhere);
  const child = spawn(join(projectRoot(), 'bin', 'kuik'), ['manager', '-health-probe-bind-address=127.0.0.1:0', `-kubeconfig=${kubeconfig}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  for await (const line of createInterface(child.stdout)) {
    if (line.includes('trying again')) child.kill('SIGTERM');
  }

  expect(await ended).toBe(0);
});

test('a process says what its flags are', async () => {
  const { code, output } = await run('webhook', '--help');

  expect(code).toBe(0);
  expect(output).toContain('-webhook-bind-address');
});

async function run(...args: string[]): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(join(projectRoot(), 'bin', 'kuik'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, output, errors };
}
