import type { Clock } from './clock.js';

/** The one budget of a review: everything that waits, waits for at most this. No timer runs before something waits. */
export class Deadline {
  readonly #clock: Clock;
  readonly #endsAt: number;
  readonly #cleared = new AbortController();
  readonly #alarms = new Map<number, Promise<'over'>>();

  constructor(clock: Clock, budgetMs: number) {
    this.#clock = clock;
    this.#endsAt = clock.now() + Math.max(budgetMs, 0);
  }

  /** The result, or `over` when the time is, and the grace. */
  before<T>(work: Promise<T>, graceMs = 0): Promise<T | 'over'> {
    return Promise.race([work, this.#alarm(graceMs)]);
  }

  /** Stops the timers of a review that has its answer. */
  clear(): void {
    this.#cleared.abort();
  }

  #alarm(graceMs: number): Promise<'over'> {
    const known = this.#alarms.get(graceMs);
    if (known !== undefined) return known;
    const rest = Math.max(this.#endsAt + graceMs - this.#clock.now(), 0);
    const alarm = this.#clock.sleep(rest, this.#cleared.signal).then((): 'over' => 'over');
    this.#alarms.set(graceMs, alarm);
    return alarm;
  }
}
