/** What happens later, in order of time: the only clock of a history. Milliseconds since the epoch. */
export class Agenda {
  now: number;
  readonly #items: { readonly at: number; readonly does: () => void }[] = [];

  constructor(now: number) {
    this.now = now;
  }

  in(ms: number, does: () => void): void {
    const at = this.now + Math.max(0, ms);
    const index = this.#items.findLastIndex((item) => item.at <= at);
    this.#items.splice(index + 1, 0, { at, does });
  }

  /** Lets time pass, and happen what is due in it. */
  pass(ms: number): void {
    const until = this.now + ms;
    for (let next = this.#items[0]; next !== undefined && next.at <= until; next = this.#items[0]) {
      this.#items.shift();
      this.now = next.at;
      next.does();
    }
    this.now = until;
  }
}
