import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { claimPort, freePort } from '../../tools/ports.js';

describe('ports', () => {
  test('are never given twice', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));

    expect(new Set(ports).size).toBe(50);
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
