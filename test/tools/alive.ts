import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a process of that number runs. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits until it holds; jest's own timeout is the limit. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}
