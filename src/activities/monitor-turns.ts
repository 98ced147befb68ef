import type { PlaceId } from '../domain/image-ref.js';

const mostTried = 20_000;
const mostGivenBack = 5; // half an hour of an outage; an API server that fails on one record only must not hold up the others

/** When turns were taken in this process, whatever came of them: milliseconds since the epoch. */
export class MonitorTurns {
  /** by host: of a monitor that was terminated, the last go is still under way when the next one begins */
  readonly #began = new Map<string, number>();
  /** oldest first: what cannot be written down would be next for ever */
  readonly #tried = new Map<PlaceId, number>();
  /** by host: whose turn came to nothing, and how often in a row */
  readonly #givenBack = new Map<string, { readonly place: PlaceId; readonly times: number }>();

  get tried(): ReadonlyMap<PlaceId, number> {
    return this.#tried;
  }

  beganAt(host: string): number | undefined {
    return this.#began.get(host);
  }

  take(host: string, place: PlaceId, now: number): void {
    this.#began.set(host, now);
    this.#tried.delete(place);
    this.#tried.set(place, now);
    for (const oldest of this.#tried.keys()) {
      if (this.#tried.size <= mostTried) return;
      this.#tried.delete(oldest);
    }
  }

  /** Its turn came to nothing, for a reason that has nothing to do with it: it is next again. */
  giveBack(host: string, place: PlaceId): void {
    const last = this.#givenBack.get(host);
    const times = last?.place === place ? last.times + 1 : 1;
    this.#givenBack.set(host, { place, times });
    if (times <= mostGivenBack) this.#tried.delete(place);
  }
}
