import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { claimPort, freePort, portsOf } from '../../tools/ports.js';

describe('ports', () => {
  test('are never given twice', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));

    expect(new Set(ports).size).toBe(50);
  });

  test('are never given to two processes of one run, though neither listens yet', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kuik-ports-test-'));
    const processes = [portsOf(folder), portsOf(folder)]; // 1000 ports each of 17,000: by chance they would share some 59
    const ports = await Promise.all(processes.flatMap((port) => Array.from({ length: 1000 }, () => port())));
    await rm(folder, { recursive: true });

    expect(new Set(ports).size).toBe(2000);
  });

  test('that somebody else uses are refused: he would answer our health checks', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;

    await expect(claimPort(port)).rejects.toThrow(`port ${port} of 127.0.0.1 is taken`);

    await new Promise((resolve) => other.close(resolve));
    await expect(claimPort(port)).resolves.toBe(port);
  });
});
