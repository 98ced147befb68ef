/**
 * Copies that were released, and that nobody keeps. One that is there is adopted, so that its retention begins; one that is
 * gone must not be: its new keeper would copy it anew. So the registry is asked first, in the background, and once more
 * later where it does not answer.
 */
import { knownImageRef, type PlaceId } from '../domain/image-ref.js';

export interface OrphansDeps {
  /** whether it is there; what is gone has left its records afterwards */
  readonly look: (destination: PlaceId) => Promise<'there' | 'gone'>;
  readonly adopt: (destination: PlaceId) => void;
  readonly onError: (error: unknown) => void;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

const atOnce = 4; // after the database of Temporal was lost there are as many as unused copies: of each one HEAD
const againMs = 10 * 60_000;

export class Orphans {
  readonly #deps: OrphansDeps;
  /** when each is looked at: milliseconds since the epoch */
  #due = new Map<PlaceId, number>();
  #isLooking = false;

  constructor(deps: OrphansDeps) {
    this.#deps = deps;
  }

  /** Nobody keeps it. */
  add(destination: PlaceId): void {
    if (!this.#due.has(destination)) this.#due.set(destination, this.#deps.now());
    this.look();
  }

  /** Looks at those whose turn it is, in the background. Only the leader calls it, now and then. */
  look(): void {
    if (!this.#isLooking) void this.#lookAtAll();
  }

  /** Begins anew: somebody else leads, or did. */
  forget(): void {
    this.#due = new Map();
  }

  async #lookAtAll(): Promise<void> {
    this.#isLooking = true;
    for (let turn = this.#turn(); turn.length > 0; turn = this.#turn()) await Promise.all(turn.map((destination) => this.#lookAt(destination)));
    this.#isLooking = false;
  }

  #turn(): readonly PlaceId[] {
    const now = this.#deps.now();
    return [...this.#due].filter(([, at]) => at <= now).slice(0, atOnce).map(([destination]) => destination);
  }

  async #lookAt(destination: PlaceId): Promise<void> {
    const { look, adopt, onError, now } = this.#deps;
    const due = this.#due;
    try {
      const seen = await look(destination);
      if (due.delete(destination) && due === this.#due && seen === 'there') adopt(destination);
    } catch (error) {
      onError(error);
      const { host } = knownImageRef(destination);
      for (const [other] of due) if (knownImageRef(other).host === host) due.set(other, now() + againMs); // the others there would not answer, either
    }
  }
}
