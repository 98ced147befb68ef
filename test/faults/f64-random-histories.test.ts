import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect } from '@jest/globals';
import { fault } from '../support/fault.js';

const program = 'dist/test/support/history/run.js';
const processes = 2;

/** @returns what the process printed, whatever its status */
async function play(seed: string, first: number, count: number, steps: number): Promise<string> {
  const run = promisify(execFile)(process.execPath, [program, seed, ...[first, count, steps].map(String)], { env: { ...process.env, NODE_OPTIONS: '' } });
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout?: string; message: string }) => error.stdout || error.message,
  );
}

describe('clusters come and go; Pods, rules and clocks change', () => {
  fault('F64', 'nothing in use is ever deleted, and what is wanted is there in the end', async ({ seed, size }) => {
    const [histories, steps] = [size({ quick: 500, soak: 10_000 }), size({ quick: 30, soak: 200 })];
    const share = histories / processes;

    const told = await Promise.all(Array.from({ length: processes }, (_, index) => play(seed, index * share, share, steps)));

    expect(told).toEqual(told.map(() => `${share} played\n`));
  }, 600_000);
});
