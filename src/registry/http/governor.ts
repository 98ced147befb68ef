/**
 * The pace: how many requests of a kind a registry gets at once, who goes first, and when it is left alone.
 * Everything passes here; nothing retries beside it.
 */
import type { CredentialId } from '../../domain/availability.js';
import type { Call, Purpose } from '../registry.js';
import type { Endpoint, HostSettings } from './settings.js';

/**
 * What a request is paced with. Reading and writing blobs are apart, and an upload always takes its place before
 * the download that feeds it: with one shared lane, four uploads could wait for downloads for ever.
 */
export const lanes = ['metadata', 'download', 'upload'] as const;

export type Lane = (typeof lanes)[number];

const ranks: Readonly<Record<Purpose, number>> = { probe: 0, verify: 1, copy: 2, check: 3, delete: 4 };
const ceilings = { metadata: 8, blob: 4 } as const;
const startingLimit = 4;
const successesPerStep = 20;
/** every tenth place goes to the longest waiting, whatever its rank */
const fairEvery = 10;

interface Waiting {
  readonly rank: number;
  readonly go: () => void;
}

/** Places of one lane: strict priorities, and a limit that grows with success and is halved by refusal. */
export class LaneLimit {
  #limit: number;
  #busy = 0;
  #granted = 0;
  #successes = 0;
  readonly #queue: Waiting[] = [];

  constructor(readonly ceiling: number) {
    // a ceiling that somebody raised is meant to be reached: from 4 by single steps it took half of a hundred copies
    this.#limit = Math.min(ceiling, Math.max(startingLimit, Math.floor(ceiling / 2)));
  }

  get limit(): number {
    return this.#limit;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Waits for a place. The returned function gives it back; called again it does nothing.
   *
   * @throws the signal's reason when it aborts while waiting
   */
  async enter(purpose: Purpose, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#busy >= this.#limit) await this.#queued(ranks[purpose], signal);
    else this.#busy++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#busy--;
      this.#admit();
    };
  }

  succeeded(): void {
    if (++this.#successes < successesPerStep) return;
    this.#successes = 0;
    this.#limit = Math.min(this.#limit + 1, this.ceiling);
    this.#admit();
  }

  refused(): void {
    this.#successes = 0;
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }

  #queued(rank: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        rank,
        go: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.push(waiting);
    });
  }

  #admit(): void {
    while (this.#busy < this.#limit && this.#queue.length > 0) {
      const [next] = this.#queue.splice(this.#nextIndex(), 1);
      this.#busy++;
      next?.go();
    }
  }

  #nextIndex(): number {
    if (++this.#granted % fairEvery === 0) return 0;
    let best = 0;
    for (const [index, waiting] of this.#queue.entries()) if (waiting.rank < this.#queue[best]!.rank) best = index;
    return best;
  }
}

/** How many requests of a lane a registry ever gets at once. */
export function ceilingOf(lane: Lane, { metadataConcurrency = ceilings.metadata, blobConcurrency = ceilings.blob }: HostSettings): number {
  return Math.max(1, lane === 'metadata' ? metadataConcurrency : blobConcurrency);
}

/** The lanes of every registry, and until when a registry asked each credential to stay away. */
export class Governor {
  readonly #lanes = new Map<string, LaneLimit>();
  readonly #closedUntil = new Map<string, number>();

  lane(registry: Endpoint, lane: Lane): LaneLimit {
    const key = `${registry.host} ${lane}`;
    const existing = this.#lanes.get(key);
    if (existing !== undefined) return existing;
    const made = new LaneLimit(ceilingOf(lane, registry.settings));
    this.#lanes.set(key, made);
    return made;
  }

  /**
   * How long the registry still wants to be left alone by this credential, in milliseconds; 0 when it does not.
   * A probe is not held back: its answer is for a Pod that waits, and it is one HEAD.
   */
  closedForMs(registry: Endpoint, identity: CredentialId, { purpose }: Pick<Call, 'purpose'>, now: number): number {
    if (purpose === 'probe') return 0;
    const key = `${registry.host} ${identity}`;
    const until = this.#closedUntil.get(key) ?? 0;
    if (until <= now) this.#closedUntil.delete(key);
    return Math.max(0, until - now);
  }

  /** Leaves a registry alone, for one credential. */
  close(registry: Endpoint, identity: CredentialId, until: number): void {
    const key = `${registry.host} ${identity}`;
    this.#closedUntil.set(key, Math.max(until, this.#closedUntil.get(key) ?? 0));
  }
}
