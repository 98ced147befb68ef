import { isFailure } from '../../domain/failure.js';

export interface BackoffOptions {
  /** milliseconds of the first pause, before jitter */
  readonly baseMs?: number;
  /** longest pause when nobody answers: asking costs nobody anything, and we want to be back soon */
  readonly awayCapMs?: number;
  /** longest pause when the server answers with an error */
  readonly capMs?: number;
  /** between 0 and 1 */
  readonly random?: () => number;
}

const longestWaitMs = 5 * 60 * 1000; // whatever a server asks for, look again then

/** Endless jittered pauses between attempts: doubled each time, between half and the whole, then level. */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #attempts = 0;
  #wasAway = false;

  constructor(options: BackoffOptions = {}) {
    this.#options = { baseMs: 500, awayCapMs: 4_000, capMs: 30_000, random: Math.random, ...options };
  }

  reset(): void {
    this.#attempts = 0;
  }

  /** Milliseconds to wait after a failure; at least what the server asked for. */
  next(error: unknown): number {
    const isAway = isFailure(error) && (error.code === 'unreachable' || error.code === 'timeout');
    // a server that comes back often answers with errors for a moment: a new kind of trouble starts anew
    if (isAway !== this.#wasAway) this.reset();
    this.#wasAway = isAway;

    const { baseMs, awayCapMs, capMs, random } = this.#options;
    const ceiling = Math.min(baseMs * 2 ** this.#attempts, isAway ? awayCapMs : capMs);
    this.#attempts += 1;
    const asked = isFailure(error) ? Math.min(error.retryAfterMs ?? 0, longestWaitMs) : 0;
    return Math.max(asked, ceiling * (0.5 + random() / 2));
  }
}
