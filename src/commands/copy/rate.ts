const windowMs = 8000;

/** Bytes per second over the last few seconds, so that a pause shows and an old burst does not. */
export class Rate {
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];

  /**
   * @param bytes moved since the start
   * @param now milliseconds, of any clock that goes on
   */
  sample(bytes: number, now: number): void {
    this.#samples.push({ at: now, bytes });
    while (this.#samples.length > 2 && this.#samples[1]!.at <= now - windowMs) this.#samples.shift();
  }

  /** bytes per second; undefined until there is something to divide by */
  perSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.at === first.at) return undefined;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }
}
