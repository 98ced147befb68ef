/** The pace of one registry host: places, rate, breaker and rest for all, a quota for each credential. */
import { LRUCache } from 'lru-cache';
import type { CredentialId } from '../../../domain/availability.js';
import type { Endpoint } from '../settings.js';
import { Breaker, type Attempt, type Circuit, type Refused } from './breaker.js';
import { ceilingOf, LaneLimit, lanes, type Lane } from './lane-limit.js';
import type { Place } from './place.js';
import { priorities, type Priority } from './priority.js';
import { Quota } from './quota.js';
import type { Time } from './time.js';
import { TokenBucket } from './token-bucket.js';

const usualReserve = 20;
/** longer waits that a registry asks for are the caller's: a worker slot must not sleep */
export const longestWaitInsideMs = 5000;
/** rotated Secrets leave identities behind */
const mostIdentities = 1000;

/** May a request go now? `throttled`: the registry asked for a longer wait; `silent`: it did not answer lately. */
export type Leave =
  | { readonly verdict: 'go'; readonly attempt: Attempt }
  | { readonly verdict: 'throttled'; readonly forMs: number }
  | { readonly verdict: 'silent'; readonly refused: Refused };

/** One request that wants to go. */
export interface Wish {
  readonly identity: CredentialId;
  readonly priority: Priority;
  readonly signal: AbortSignal;
  /** given back while it waits for what the registry asked for */
  readonly place: Place | undefined;
}

/** What people see of a host's pace. */
export interface PaceSeen {
  /** `host[:port]` */
  readonly registry: string;
  readonly circuit: Circuit;
  readonly limits: Readonly<Record<Lane, number>>;
  readonly busy: Readonly<Record<Lane, number>>;
  readonly waiting: Readonly<Record<Priority, number>>;
  /** milliseconds for which it still wants no requests, since there were too many: the longest over credentials */
  readonly throttledMs: number;
  /** the lowest over credentials; undefined where the registry does not say */
  readonly remaining?: number;
}

export class HostPace {
  readonly breaker: Breaker;
  /** what a registry that cannot serve anybody asks for: unlike a limit, it has nothing to do with who asks */
  readonly rest = new Quota(0);
  readonly #lanes: Readonly<Record<Lane, LaneLimit>>;
  readonly #bucket: TokenBucket | undefined;
  readonly #quotas: LRUCache<CredentialId, Quota>;

  constructor(
    readonly registry: Endpoint,
    readonly time: Time,
    onCircuit: (circuit: 'open' | 'closed') => void,
  ) {
    const { requestsPerSecond, burst } = registry.settings;
    this.#lanes = ofLanes((lane) => new LaneLimit(ceilingOf(lane, registry.settings)));
    this.#bucket = requestsPerSecond === undefined ? undefined : new TokenBucket(requestsPerSecond, burst ?? Math.max(1, Math.ceil(requestsPerSecond)), time);
    this.breaker = new Breaker(() => time.now(), onCircuit);
    this.#quotas = new LRUCache({ maxSize: mostIdentities, sizeCalculation: () => 1 });
  }

  lane(lane: Lane): LaneLimit {
    return this.#lanes[lane];
  }

  quota(identity: CredentialId): Quota {
    const known = this.#quotas.get(identity);
    if (known !== undefined) return known;
    const made = new Quota(this.registry.settings.quotaReserve ?? usualReserve);
    this.#quotas.set(identity, made);
    return made;
  }

  /**
   * Waits until one request may go: for its turn as long as it takes, for what the registry asked for up to 5 s.
   *
   * @throws the signal's reason when it aborts first
   */
  async leave(wish: Wish): Promise<Leave> {
    const { identity, priority, signal, place } = wish;
    const quota = this.quota(identity);
    const waitMs = (): number => Math.max(quota.waitMs(priority, this.time.now()), this.rest.waitMs(priority, this.time.now()));

    for (;;) {
      for (let restMs = waitMs(); restMs > 0; restMs = waitMs()) {
        if (restMs > longestWaitInsideMs) return { verdict: 'throttled', forMs: restMs };
        await outside(place, () => this.time.sleep(restMs, signal));
      }
      await this.#bucket?.take(priority, signal);
      if (waitMs() > 0) continue; // the registry said so while we waited

      const refused = this.breaker.refusal();
      if (refused !== undefined) return { verdict: 'silent', refused };
      for (const gates of [quota, this.rest]) gates.pass(priority, this.time.now());
      return { verdict: 'go', attempt: this.breaker.attempt() };
    }
  }

  see(): PaceSeen {
    const now = this.time.now();
    const queues = [...lanes.map((lane) => this.#lanes[lane].queue), ...(this.#bucket === undefined ? [] : [this.#bucket.queue])];
    const quotas = [...this.#quotas.values()];
    const known = quotas.flatMap((quota) => quota.remaining(now) ?? []);
    return {
      registry: this.registry.host,
      circuit: this.breaker.circuit,
      limits: ofLanes((lane) => this.#lanes[lane].limit),
      busy: ofLanes((lane) => this.#lanes[lane].busy),
      waiting: Object.fromEntries(priorities.map((priority) => [priority, queues.reduce((sum, queue) => sum + queue.lengthOf(priority), 0)])) as Record<Priority, number>,
      throttledMs: Math.max(0, ...quotas.map((quota) => quota.throttledMs(now))),
      ...(known.length === 0 ? {} : { remaining: Math.min(...known) }),
    };
  }
}

function ofLanes<T>(of: (lane: Lane) => T): Readonly<Record<Lane, T>> {
  return { metadata: of('metadata'), download: of('download'), upload: of('upload') };
}

async function outside(place: Place | undefined, wait: () => Promise<void>): Promise<void> {
  return place === undefined ? wait() : place.outside(wait);
}
