/** Lets work on one thing happen one after the other, in the order it came. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Waits for whoever came before on any of these, then works. All of them are taken at once, so that two who
   * want the same ones never wait for each other.
   *
   * @throws what the work throws, and the signal's reason when it aborts while waiting
   */
  async take<T>(on: string | readonly string[], signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const keys = typeof on === 'string' ? [on] : on;
    const before = keys.flatMap((key) => this.#last.get(key) ?? []);
    const { promise: mine, resolve: leave } = Promise.withResolvers<void>();
    // who gives up while waiting hands on the wait, not the turn
    const last = Promise.all([...before, mine]).then(() => undefined);
    for (const key of keys) this.#last.set(key, last);
    try {
      if (before.length > 0) await within(Promise.all(before), signal);
      return await work();
    } finally {
      leave();
      for (const key of keys) if (this.#last.get(key) === last) this.#last.delete(key);
    }
  }
}

function within(turn: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    void turn.then(() => (signal.removeEventListener('abort', leave), resolve()));
  });
}
