import { setImmediate as nextTurn } from 'node:timers/promises';

const longestTurnMs = 5; // an admission that shares our event loop never waits longer for a list

/** Gives the event loop a turn when we have held it for a while. */
export class Breath {
  #since = performance.now();

  get isDue(): boolean {
    return performance.now() - this.#since >= longestTurnMs;
  }

  async take(): Promise<void> {
    await nextTurn();
    this.#since = performance.now();
  }
}
