/** A sweep comes daily, up to an hour late, and takes its time. */
const freshMs = 26 * 60 * 60 * 1000;

/**
 * What the last sweep counted that ran in this process. The next one may run in another replica, and tells no one here:
 * a count that is no longer of today is not told any more.
 */
export class LastSweep {
  readonly #now: () => number;
  #last: { readonly at: number; readonly orphans: Readonly<Record<string, number>> } | undefined;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param orphans by registry, `host[:port]` */
  note(orphans: Readonly<Record<string, number>>): void {
    this.#last = { at: this.#now(), orphans };
  }

  /** @returns by registry; undefined when nothing is known of today */
  orphans(): Readonly<Record<string, number>> | undefined {
    return this.#last !== undefined && this.#now() - this.#last.at < freshMs ? this.#last.orphans : undefined;
  }
}
