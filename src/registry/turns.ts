/** Lets work on one thing happen one after the other, in the order it came. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Waits for whoever came before, then works.
   *
   * @throws what the work throws, and the signal's reason when it aborts while waiting
   */
  async take<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const before = this.#last.get(key);
    let leave = (): void => undefined;
    const mine = new Promise<void>((resolve) => (leave = resolve));
    // who gives up while waiting hands on the wait, not the turn
    const last = before === undefined ? mine : Promise.all([before, mine]).then(() => undefined);
    this.#last.set(key, last);
    try {
      if (before !== undefined) await within(before, signal);
      return await work();
    } finally {
      leave();
      if (this.#last.get(key) === last) this.#last.delete(key);
    }
  }
}

function within(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    void turn.then(() => (signal.removeEventListener('abort', leave), resolve()));
  });
}
