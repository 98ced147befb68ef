import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { someClaim, startLab, until, type Lab } from '../support/temporal-lab.js';

let lab: Lab;
const started: ChildProcess[] = [];

beforeAll(async () => {
  lab = await startLab();
});

afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await lab.stop();
});

/** Workers in another process, and what they said so far. */
function workers(cluster: string, mode: 'hang' | 'copy'): { kill(): void; readonly said: () => string } {
  let said = '';
  const child = spawn(process.execPath, ['dist/test/support/worker-process.js', lab.server.address, lab.server.namespace, cluster, mode], { env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  started.push(child);
  return { kill: () => child.kill('SIGKILL'), said: () => said };
}

// a worker that was killed cannot say so: its heartbeats have to stay away for 30 s
test.concurrent('a worker killed in the middle of a copy leaves no tag behind, and the copy ends after a restart', async () => {
  const claim = someClaim('killed', { cluster: 'vienna' });
  const first = workers('vienna', 'hang');
  await lab.keepers.claim(claim);
  await until(async () => first.said().split('\n').length > 2);

  first.kill();
  const second = workers('vienna', 'copy');

  const status = await until(async () => {
    const found = await lab.status(claim.destination).catch(() => undefined); // no worker answers for a while
    return found?.phase === 'Mirrored' ? found : undefined;
  });
  expect(first.said()).not.toContain('publish');
  expect(second.said().match(/^publish .*$/gm)).toEqual([`publish ${claim.destination}`]);
  expect(status.copy?.result).toBe('copied');
}, 120_000);

test.concurrent('a person who asks for the copy before its worker is missed gets it from the next one, and no failure', async () => {
  const claim = someClaim('asked', { cluster: 'graz' });
  const first = workers('graz', 'hang');
  await lab.keepers.claim(claim);
  await until(async () => first.said().split('\n').length > 2);

  first.kill();
  workers('graz', 'copy');
  await lab.keepers.retry(claim.destination);

  const { task } = lab.handles(claim.destination);
  expect(await task.result()).toMatchObject({ result: 'copied' });
}, 120_000);
