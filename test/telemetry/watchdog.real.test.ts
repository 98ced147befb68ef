import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';

interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly errors: string;
}

/** A process of its own, whose event loop stands still for so long. */
async function blockedFor(ms: number): Promise<End> {
  const child = spawn(process.execPath, ['dist/test/support/blocked-process.js', String(ms)], { env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<Pick<End, 'code' | 'signal'>>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { ...(await ended), output, errors };
}

test('a process whose loop stands still is ended from beside, and says why', async () => {
  const { signal, output, errors } = await blockedFor(600_000);

  expect(output).toBe('blocking\n');
  expect(JSON.parse(errors)).toMatchObject({ level: 'error', msg: 'the event loop stands still, ending the process' });
  expect(signal).toBe('SIGKILL');
});

test('one whose loop goes on in time lives on, and is not ready for a while', async () => {
  const { code, output, errors } = await blockedFor(200);

  expect(output).toMatch(/^blocking\nover stood still for \d+\.\d s a moment ago\n$/);
  expect([code, errors]).toEqual([0, '']);
});
