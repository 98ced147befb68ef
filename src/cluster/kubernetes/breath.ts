import { setImmediate as nextTurn } from 'node:timers/promises';

const longestTurnMs = 5; // an admission that shares our event loop never waits longer for a list

/** Gives the event loop a turn when we have held it for a while; free of cost otherwise. */
export class Breath {
  #since = performance.now();

  /** @returns undefined when it is not time yet: worth a look before an `await` per object */
  take(): Promise<void> | undefined {
    return performance.now() - this.#since < longestTurnMs ? undefined : this.#yield();
  }

  async #yield(): Promise<void> {
    await nextTurn();
    this.#since = performance.now();
  }
}
