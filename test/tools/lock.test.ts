import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { scratchFolder } from '../../tools/guard.js';
import { withLock } from '../../tools/lock.js';

const aLock = (): string => join(scratchFolder('lock'), 'lock');

describe('a lock', () => {
  test('waits while a living process holds it', async () => {
    const lock = aLock();
    const order: string[] = [];
    writeFileSync(lock, String(process.ppid));

    const work = withLock(lock, async () => order.push('worked'));
    setImmediate(() => {
      order.push('released');
      rmSync(lock);
    });
    await work;

    expect(order).toEqual(['released', 'worked']);
  });

  test('of a process that is gone is taken over', async () => {
    const lock = aLock();
    const { pid } = spawnSync('true');
    writeFileSync(lock, String(pid));

    expect(await withLock(lock, async () => 'worked')).toBe('worked');
  });

  test('is given back when the work fails', async () => {
    const lock = aLock();

    await expect(withLock(lock, async () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');

    expect(existsSync(lock)).toBe(false);
  });
});
