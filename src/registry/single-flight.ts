/** Lets equal work happen once at a time: who comes second waits, and then looks for itself. */
export class SingleFlight {
  readonly #flights = new Map<string, Promise<unknown>>();

  /**
   * Runs the work when nobody does the same; else waits for whoever does, well or badly.
   *
   * @returns undefined after waiting
   * @throws what the work throws, and the signal's reason when it aborts while waiting
   */
  async runOrWait<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    signal.throwIfAborted();
    const other = this.#flights.get(key);
    if (other !== undefined) return settled(other, signal);

    const flight = work().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}

function settled(other: Promise<unknown>, signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    const done = (): void => {
      signal.removeEventListener('abort', leave);
      resolve(undefined);
    };
    other.then(done, done);
  });
}
