/**
 * Sends what a cluster wants to the keepers, gently:
 *
 * 1. compare the whole wanted set with what was last sent, and keep only differences;
 * 2. wait a little per destination: the newest state replaces the one before it;
 * 3. send at a steady rate; what cannot be sent stays and is tried again;
 * 4. renew each claim daily, because claims are leases.
 */
import { claimOf, type Sender, type Wish } from '../domain/claim.js';
import { isFailure } from '../domain/failure.js';
import { fingerprint, shareOf } from '../domain/fingerprint.js';
import type { PlaceId } from '../domain/image-ref.js';
import type { KeeperClient } from './client.js';
import { TokenBucket } from './token-bucket.js';

export interface ClaimQueueOptions {
  readonly client: Pick<KeeperClient, 'claim' | 'release'>;
  readonly cluster: string;
  /** orders our messages: the transitions of the Lease, then a counter */
  readonly generation: () => number;
  /** milliseconds since the epoch */
  readonly now: () => number;
  /** resolves after so many milliseconds, or when the signal aborts */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** nobody keeps a destination that was released: a copy there has no retention clock */
  readonly onOrphan?: (destination: PlaceId) => void;
  /** what every claim of this cluster says beside its wish */
  readonly ttlMs?: number;
  readonly verifyEveryMs?: number;
  readonly tombstoneMs?: number;
  readonly connected?: boolean;
  readonly perSecond?: number;
  readonly debounceMs?: number;
  readonly mostWaiting?: number;
}

export interface ClaimQueue {
  /** The complete wanted set, and copies of ours that nothing wants any more. Call it at least hourly: it renews. */
  want(wanted: ReadonlyMap<PlaceId, Wish>, released: readonly PlaceId[], purged?: ReadonlySet<PlaceId>): void;
  /** Whether a keeper was not told yet what the last wanted set says of its destination. */
  owes(destination: PlaceId): boolean;
  /** Sends until the signal aborts; never rejects. Only the leader runs it. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Forgets what was sent: whoever led meanwhile may have said something else.
   *
   * @param why keepers have forgotten it, and perhaps what others said
   */
  forget(why?: 'lost'): void;
  /** Claims a destination once more with the next wanted set: its keeper is gone. */
  again(destination: PlaceId): void;
  /** differences that wait to be sent */
  readonly size: number;
  /** messages that keepers took so far */
  readonly taken: number;
}

/** What waits for one destination; a release has no wish. */
interface Waiting {
  readonly wish?: Wish;
  readonly purge: boolean;
  readonly content: string;
  readonly renewal: boolean;
  readonly dueAt: number;
}

interface Sent {
  readonly content: string;
  readonly at: number;
  /** nobody keeps the destination yet: whoever comes to keep it is to know of us soon */
  readonly isUnheard?: boolean;
}

const released = 'released';
const purged = 'purged';
const usual = { perSecond: 30, debounceMs: 2_000, mostWaiting: 20_000 } as const;
const renewEveryMs = 24 * 60 * 60 * 1000;
const repeatEveryMs = 15 * 60 * 1000;
const mostRemembered = 50_000;
const atOnce = 8; // of the server's answers, not of its work: at 30/s that hides 250 ms of latency
const longestPauseMs = 30_000;

export function createClaimQueue(options: ClaimQueueOptions): ClaimQueue {
  return new Queue(options);
}

class Queue implements ClaimQueue {
  readonly #options: Required<Pick<ClaimQueueOptions, keyof typeof usual>> & ClaimQueueOptions;
  readonly #waiting = new Map<PlaceId, Waiting>();
  /** oldest first: the daily renewal repairs what is forgotten */
  readonly #sent = new Map<PlaceId, Sent>();
  readonly #bucket: TokenBucket;
  /** keepers that heard from us since their database lost something; undefined: it lost nothing */
  #heardSinceLoss: Set<PlaceId> | undefined;
  #wake: () => void = () => undefined;
  #pauseMs = 0;
  #quietUntil = 0;
  #taken = 0;

  constructor(options: ClaimQueueOptions) {
    this.#options = { ...usual, ...options };
    this.#bucket = new TokenBucket(this.#options.perSecond, options.now());
  }

  get size(): number {
    return this.#waiting.size;
  }

  get taken(): number {
    return this.#taken;
  }

  want(wanted: ReadonlyMap<PlaceId, Wish>, releasedPlaces: readonly PlaceId[], purges: ReadonlySet<PlaceId> = new Set()): void {
    for (const [destination, wish] of wanted) this.#offer(destination, { wish, purge: false });
    const ours = [...this.#sent].filter(([, { content }]) => content !== released && content !== purged).map(([destination]) => destination);
    const known = new Set(releasedPlaces);
    for (const destination of new Set([...ours, ...this.#waiting.keys(), ...releasedPlaces])) {
      // of a place that has left its record nobody says any more that it is purged
      const purge = known.has(destination) ? purges.has(destination) : this.#waiting.get(destination)?.purge === true;
      if (!wanted.has(destination)) this.#offer(destination, { purge });
    }
    this.#wake();
  }

  owes(destination: PlaceId): boolean {
    return this.#waiting.has(destination) || !this.#sent.has(destination);
  }

  forget(why?: 'lost'): void {
    this.#heardSinceLoss = why === 'lost' ? new Set() : undefined;
    this.#sent.clear();
    this.#waiting.clear();
    this.#quietUntil = 0;
  }

  again(destination: PlaceId): void {
    const content = this.#sent.get(destination)?.content;
    if (content !== released && content !== purged) this.#sent.delete(destination);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#rest(this.#untilDueMs(), signal);
      if (!signal.aborted) await this.#sendDue();
    }
  }

  #offer(destination: PlaceId, { wish, purge }: Pick<Waiting, 'wish' | 'purge'>): void {
    const content = wish === undefined ? (purge ? purged : released) : contentOf(wish, this.#options);
    const last = this.#sent.get(destination);
    const renewal = wish !== undefined && last?.content === content && this.#isOld(destination, last);
    if (last?.content === content && !renewal) return void this.#waiting.delete(destination);

    const before = this.#waiting.get(destination);
    if (before === undefined && this.#waiting.size >= this.#options.mostWaiting) return; // the next plan offers it again
    // a destination that changes all the time is still sent: the first change sets the time
    this.#waiting.set(destination, { wish, purge, content, renewal, dueAt: before?.dueAt ?? this.#dueAt(destination) });
  }

  /** Debounced by once to two and a half times the usual, spread by destination. */
  #dueAt(destination: PlaceId): number {
    return this.#options.now() + this.#options.debounceMs * (1 + 1.5 * shareOf(destination));
  }

  #isOld(destination: PlaceId, { at, isUnheard }: Sent): boolean {
    return this.#options.now() - at >= (isUnheard === true ? repeatEveryMs : renewEveryMs) * (1 - 0.2 * shareOf(destination));
  }

  #untilDueMs(): number {
    const now = this.#options.now();
    let first = Infinity;
    for (const { dueAt } of this.#waiting.values()) first = Math.min(first, dueAt);
    return first === Infinity ? Infinity : Math.max(0, first - now, this.#quietUntil - now, this.#bucket.untilNextMs(now));
  }

  /** Sleeps, but a change may come that is due earlier; an empty queue sleeps until then. */
  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    if (ms <= 0) return;
    const nap = new AbortController();
    this.#wake = () => nap.abort();
    await this.#options.sleep(Math.min(ms, longestPauseMs), AbortSignal.any([signal, nap.signal]));
    this.#wake = () => undefined;
  }

  async #sendDue(): Promise<void> {
    const now = this.#options.now();
    if (now < this.#quietUntil) return;
    const due = [...this.#waiting].filter(([, { dueAt }]) => dueAt <= now);
    const turn = due.slice(0, this.#bucket.take(Math.min(atOnce, due.length), now));
    const results = await Promise.all(turn.map(([destination, waiting]) => this.#trySend(destination, waiting)));
    if (turn.length > 0) this.#settle(results.includes('away'));
  }

  /** While nobody answers the whole queue waits, longer each time. */
  #settle(isAway: boolean): void {
    this.#pauseMs = isAway ? Math.min(longestPauseMs, Math.max(1_000, this.#pauseMs * 2)) : 0;
    this.#quietUntil = this.#options.now() + this.#pauseMs;
  }

  async #trySend(destination: PlaceId, waiting: Waiting): Promise<'sent' | 'away' | 'refused'> {
    try {
      await this.#send(destination, waiting);
      return 'sent';
    } catch (error) {
      this.#options.onError(error);
      this.#postpone(destination, waiting);
      return isFailure(error) && (error.code === 'unreachable' || error.code === 'timeout') ? 'away' : 'refused';
    }
  }

  /** To the end of the queue: one claim that is refused for ever holds up nobody. */
  #postpone(destination: PlaceId, waiting: Waiting): void {
    const latest = this.#waiting.get(destination);
    if (latest === undefined) return;
    this.#waiting.delete(destination);
    this.#waiting.set(destination, latest === waiting ? { ...latest, dueAt: this.#dueAt(destination) } : latest);
  }

  async #send(destination: PlaceId, waiting: Waiting): Promise<void> {
    const { client, generation, now } = this.#options;
    const { wish, purge, renewal, content } = waiting;
    const heard = this.#heardSinceLoss;
    const anew = heard?.has(destination) === false;
    let isUnheard = false;
    if (wish === undefined) await this.#release(destination, { purge, anew });
    else isUnheard = 'absent' === await client.claim(claimOf(wish, { ...senderOf(this.#options), generation: generation(), renewal, anew }));

    heard?.add(destination);
    this.#taken += 1;
    this.#remember(destination, { content, at: now(), ...(isUnheard ? { isUnheard } : {}) });
    // a newer state that came meanwhile stays
    if (this.#waiting.get(destination) === waiting) this.#waiting.delete(destination);
  }

  async #release(destination: PlaceId, { purge, anew }: { readonly purge: boolean; readonly anew: boolean }): Promise<void> {
    const { client, cluster, generation, onOrphan = () => undefined } = this.#options;
    const answer = await client.release(destination, { v: 1, cluster, generation: generation(), ...(purge ? { purge } : {}), ...(anew ? { anew } : {}) });
    if (answer === 'absent') onOrphan(destination);
  }

  #remember(destination: PlaceId, sent: Sent): void {
    this.#sent.delete(destination);
    this.#sent.set(destination, sent);
    for (const oldest of this.#sent.keys()) {
      if (this.#sent.size <= mostRemembered) return;
      this.#sent.delete(oldest);
    }
  }
}

/** What a keeper would see of a wish, whenever it is sent. */
function contentOf(wish: Wish, options: ClaimQueueOptions): string {
  return fingerprint(JSON.stringify(claimOf(wish, { ...senderOf(options), generation: 0, renewal: false })));
}

function senderOf({ cluster, ttlMs, verifyEveryMs, tombstoneMs, connected }: ClaimQueueOptions): Omit<Sender, 'generation' | 'renewal'> {
  return { cluster, ttlMs, verifyEveryMs, tombstoneMs, connected };
}
