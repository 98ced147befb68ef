import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { scratchFolder } from '../../tools/guard.js';

/** A checkout with the real launcher, and a program that tells how it was started. */
function aCheckout(main = 'console.log(JSON.stringify(process.argv.slice(2)))'): string {
  const root = scratchFolder('a checkout'); // a path with spaces
  for (const folder of ['bin', 'dist/src', 'node_modules/.bin']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(join(import.meta.dirname, '../../bin/kuik'), join(root, 'bin/kuik'));
  writeFileSync(join(root, 'dist/src/main.js'), main);
  symlinkSync(process.execPath, join(root, 'node_modules/.bin/node'));
  return root;
}

const systemOnly = { PATH: '/usr/bin:/bin' };

describe('bin/kuik', () => {
  test('passes arguments on as they are', () => {
    const root = aCheckout();

    const { stdout } = spawnSync(join(root, 'bin/kuik'), ['explain', 'two words', '*', ''], { env: systemOnly, encoding: 'utf8' });

    expect(JSON.parse(stdout)).toEqual(['explain', 'two words', '*', '']);
  });

  test('works through symbolic links, from any directory', () => {
    const root = aCheckout();
    mkdirSync(join(root, 'elsewhere'));
    symlinkSync('../bin/kuik', join(root, 'elsewhere/kuik'));
    symlinkSync(join(root, 'elsewhere/kuik'), join(root, 'elsewhere/kubectl-kuik'));

    const { stdout } = spawnSync(join(root, 'elsewhere/kubectl-kuik'), ['run'], { cwd: '/', env: systemOnly, encoding: 'utf8' });

    expect(JSON.parse(stdout)).toEqual(['run']);
  });

  test('keeps the exit status', () => {
    const root = aCheckout('process.exit(7)');

    expect(spawnSync(join(root, 'bin/kuik'), { env: systemOnly }).status).toBe(7);
  });

  test('is the process itself: the signal arrives, the number is the same', async () => {
    const root = aCheckout('process.once("SIGTERM", () => process.exit(3)); console.log(process.pid); setInterval(() => {}, 1000)');
    const kuik = spawn(join(root, 'bin/kuik'), { env: systemOnly, stdio: ['ignore', 'pipe', 'inherit'] });

    const printed = await new Promise<string>((resolve) => kuik.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    kuik.kill('SIGTERM');
    const status = await new Promise((resolve) => kuik.once('exit', resolve));

    expect(Number(printed)).toBe(kuik.pid);
    expect(status).toBe(3);
  });

  test('asks for the build when there is none', () => {
    const root = aCheckout();
    rmSync(join(root, 'dist'), { recursive: true });

    const { status, stderr } = spawnSync(join(root, 'bin/kuik'), { env: systemOnly, encoding: 'utf8' });

    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/not built yet .* run: npm run build/) });
  });

  test.each([
    ['there is no Node', undefined],
    ['the only Node is too old', '#!/bin/sh\necho v22.12.0\n'],
    ['the only Node does not run here', '#!/bin/sh\nexit 127\n'],
    ['what is called Node says something else', '#!/bin/sh\necho hello\n'],
  ])('says what to do when %s', (_sentence, node) => {
    const root = aCheckout();
    const path = join(root, 'path');
    mkdirSync(path);
    for (const program of ['sh', 'dirname', 'readlink']) symlinkSync(`/bin/${program}`, join(path, program));
    if (node !== undefined) writeFileSync(join(path, 'node'), node, { mode: 0o755 });
    rmSync(join(root, 'node_modules'), { recursive: true });

    const { status, stderr } = spawnSync(join(root, 'bin/kuik'), { env: { PATH: path }, encoding: 'utf8' });

    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/needs Node 24 or newer .* run: npm ci/) });
  });
});
