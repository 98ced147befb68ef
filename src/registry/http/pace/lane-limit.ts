import type { HostSettings } from '../settings.js';
import type { Priority } from './priority.js';
import { PriorityQueue } from './priority-queue.js';

/**
 * What a request is paced with. Reading and writing blobs are apart, and an upload always takes its place before
 * the download that feeds it: with one shared lane, four uploads could wait for downloads for ever.
 */
export const lanes = ['metadata', 'download', 'upload'] as const;

export type Lane = (typeof lanes)[number];

const ceilings = { metadata: 8, blob: 4 } as const;
const startingLimit = 4;
/** until a registry first refuses, every success is a step: what it bears is found in a few round trips, as TCP finds it */
const successesPerStep = 20;

/** How many requests of a lane a registry ever gets at once. */
export function ceilingOf(lane: Lane, { metadataConcurrency = ceilings.metadata, blobConcurrency = ceilings.blob }: HostSettings): number {
  return Math.max(1, lane === 'metadata' ? metadataConcurrency : blobConcurrency);
}

/** Places of one lane: a limit that grows with success and is halved by refusal, and a queue for what is beyond it. */
export class LaneLimit {
  readonly queue = new PriorityQueue();
  #limit: number;
  #busy = 0;
  #successes = 0;
  #wasRefused = false;
  /** requests that were under way when the limit was halved: what they say is no news */
  #echoes = 0;

  constructor(readonly ceiling: number) {
    // a ceiling that somebody raised is meant to be reached: from 4 by single steps it took half of a hundred copies
    this.#limit = Math.min(ceiling, Math.max(startingLimit, Math.floor(ceiling / 2)));
  }

  get limit(): number {
    return this.#limit;
  }

  get busy(): number {
    return this.#busy;
  }

  /**
   * Waits for a place. The returned function gives it back; called again it does nothing.
   *
   * @throws the signal's reason when it aborts while waiting
   */
  async enter(priority: Priority, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#busy < this.#limit) this.#busy++;
    else await this.queue.wait(priority, signal);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#leave();
    };
  }

  succeeded(): void {
    if (++this.#successes < (this.#wasRefused ? successesPerStep : 1)) return;
    this.#successes = 0;
    this.#limit = Math.min(this.#limit + 1, this.ceiling);
    this.#admit();
  }

  /** The registry answered 429 or 503. Many answers to one burst count as one. */
  refused(): void {
    this.#successes = 0;
    this.#wasRefused = true;
    if (this.#echoes > 0) return;
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
    this.#echoes = this.#busy;
  }

  #leave(): void {
    this.#busy--;
    if (this.#echoes > 0) this.#echoes--;
    this.#admit();
  }

  #admit(): void {
    while (this.#busy < this.#limit && this.queue.next()) this.#busy++;
  }
}
