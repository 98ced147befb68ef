/**
 * Leaves a host alone that does not answer: after five failures in a row nothing is sent for 5 s, then one request
 * tries; each time it fails the rest doubles, up to a minute. Only connections and time-outs count: any answer, a
 * refusal too, says that somebody is there.
 */
export type Circuit = 'closed' | 'open' | 'trying';

/** What a host did instead of answering. */
export interface Silence {
  readonly code: 'unreachable' | 'timeout';
  /** fit for people: `connection refused`; holds nothing of what was asked */
  readonly why: string;
  readonly cause?: Error;
}

/** One request on its way. Exactly one of its ends is called; calls after the first do nothing. */
export interface Attempt {
  answered(): void;
  failed(silence: Silence): void;
  /** it ended without saying anything of the host: aborted, or refused by a guard */
  left(): void;
}

/** Why nothing is sent now, and for how long. */
export interface Refused {
  readonly silence: Silence;
  readonly forMs: number;
}

const mostFailures = 5;
const firstRestMs = 5000;
const longestRestMs = 60_000;

export class Breaker {
  #failures = 0;
  /** 0 while closed */
  #restMs = 0;
  #until = 0;
  #last: Silence | undefined;
  #trial: symbol | undefined;

  constructor(
    readonly now: () => number,
    readonly onChange: (circuit: 'open' | 'closed') => void = () => undefined,
  ) {}

  get circuit(): Circuit {
    if (this.#restMs === 0) return 'closed';
    return this.#trial === undefined ? 'open' : 'trying';
  }

  /** Why nothing may be sent now; undefined when something may. */
  refusal(): Refused | undefined {
    if (this.#restMs === 0 || this.#last === undefined) return undefined;
    // a clock that was set back must not lengthen the rest
    const forMs = Math.min(this.#until - this.now(), this.#restMs);
    return forMs > 0 || this.#trial !== undefined ? { silence: this.#last, forMs: Math.max(0, forMs) } : undefined;
  }

  /** Begins one request, when there is no `refusal`. With an open circuit it is the one that tries. */
  attempt(): Attempt {
    const id = Symbol('attempt');
    if (this.#restMs > 0) this.#trial = id;
    let isOver = false;
    const end = (what: () => void) => (): void => {
      if (isOver) return;
      isOver = true;
      what();
    };
    const leave = (): void => void (this.#trial === id && (this.#trial = undefined));
    return {
      answered: end(() => this.#close()),
      failed: (silence) => end(() => this.#fail(id, silence))(),
      left: end(leave),
    };
  }

  #close(): void {
    const wasOpen = this.#restMs > 0;
    this.#failures = 0;
    this.#restMs = 0;
    this.#trial = undefined;
    if (wasOpen) this.onChange('closed');
  }

  #fail(id: symbol, silence: Silence): void {
    if (this.#restMs > 0 && this.#trial !== id) return; // began before the circuit opened: no news
    this.#last = silence;
    if (this.#restMs === 0 && ++this.#failures < mostFailures) return;

    const wasOpen = this.#restMs > 0;
    this.#trial = undefined;
    this.#restMs = wasOpen ? Math.min(this.#restMs * 2, longestRestMs) : firstRestMs;
    this.#until = this.now() + this.#restMs;
    if (!wasOpen) this.onChange('open');
  }
}
