import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../domain/failure.js';

const mostAttempts = 40; // with n writers one of them wins each time, so this many losses in a row mean another fault
const longestPauseMs = 250;

/** Reads, changes and writes again while somebody else was faster. */
export async function againOnConflict<T>(attempt: () => Promise<T>, random: () => number = Math.random): Promise<T> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isFailure(error) || error.code !== 'conflict' || attempts === mostAttempts) throw error;
      await sleep(Math.min(longestPauseMs, 5 * 2 ** attempts) * random());
    }
  }
}
