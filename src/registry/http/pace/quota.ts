/**
 * What a registry has left for one credential. Two gates: one closes when the registry says 429, the other while less
 * is left than the reserve of foreground work. When the time of a closed gate is over one request goes ahead, and
 * the rest follow its answer: a registry that still refuses is asked once, not by everybody.
 */
import { longestWaitMs } from '../retry-after.js';
import { isBackground, type Priority } from './priority.js';
import type { RateLimit } from './rate-limit.js';

/** how long the others wait for the answer of the one that went ahead; short enough to wait inside */
const aheadMs = 5000;
const shortestRestMs = 1000;
/** a window nobody tells us about */
const usualWindowMs = 60 * 60_000;

class Gate {
  #until: number | undefined;
  #isTried = false;

  /** Milliseconds until somebody may go; 0 when open, or when its time is over. */
  waitMs(now: number): number {
    // a clock that was set back must not lengthen the wait
    return this.#until === undefined ? 0 : Math.min(Math.max(0, this.#until - now), longestWaitMs);
  }

  close(now: number, forMs: number): void {
    this.#until = now + forMs;
    this.#isTried = false;
  }

  extend(now: number, forMs: number): void {
    if (this.#isTried || forMs > this.waitMs(now)) this.close(now, forMs);
  }

  pass(now: number): void {
    if (this.#until === undefined) return;
    this.#until = now + aheadMs;
    this.#isTried = true;
  }

  open(): void {
    this.#until = undefined;
  }

  /** An answer to a request sent before the gate closed says nothing. */
  openIfTried(): void {
    if (this.#isTried) this.open();
  }
}

export class Quota {
  readonly #throttled = new Gate();
  readonly #reserved = new Gate();
  #seen: { readonly limit: RateLimit; readonly at: number } | undefined;

  /** @param reserve what background work leaves untouched, percent of the limit */
  constructor(readonly reserve: number) {}

  /** Milliseconds before a request may go; a probe is not held back: its answer is for a Pod that waits, and it is one HEAD. */
  waitMs(priority: Priority, now: number): number {
    if (priority === 'probe') return 0;
    return Math.max(this.#throttled.waitMs(now), isBackground(priority) ? this.#reserved.waitMs(now) : 0);
  }

  /** Milliseconds for which the registry still wants no requests of this credential; 0 when it has not said so, or its time is over. */
  throttledMs(now: number): number {
    return this.#throttled.waitMs(now);
  }

  /** A request goes. Where a gate's time was over, it is the one that goes ahead. */
  pass(priority: Priority, now: number): void {
    if (priority === 'probe') return;
    this.#throttled.pass(now);
    if (isBackground(priority)) this.#reserved.pass(now);
  }

  /** The registry asks to be left alone. */
  close(waitMs: number, now: number): void {
    this.#throttled.extend(now, waitMs);
  }

  /** An answer that is no refusal for quota, and what it says of the quota. A probe's HEAD may have a quota of its own: it opens nothing. */
  answered(limit: RateLimit | undefined, priority: Priority, now: number): void {
    if (priority !== 'probe') this.#throttled.openIfTried();
    if (limit === undefined) return priority === 'probe' ? undefined : this.#reserved.openIfTried();
    this.#seen = { limit, at: now };
    const restMs = this.#restMs(limit);
    if (restMs === 0) this.#reserved.open();
    else this.#reserved.close(now, restMs);
  }

  /** What the registry said last; undefined when it never did, or its window is over. */
  remaining(now: number): number | undefined {
    if (this.#seen === undefined) return undefined;
    const { limit, at } = this.#seen;
    return now - at > (limit.resetMs ?? limit.windowMs ?? usualWindowMs) ? undefined : limit.remaining;
  }

  /** How long until the reserve is whole again: at the reset, or as a window that slides gives back. */
  #restMs({ remaining, limit, windowMs = usualWindowMs, resetMs }: RateLimit): number {
    const kept = limit === undefined ? 1 : (limit * this.reserve) / 100;
    if (this.reserve === 0 || remaining >= kept) return 0;
    const slidesMs = limit === undefined || limit === 0 ? windowMs : ((kept - remaining) / limit) * windowMs;
    return Math.min(Math.max(resetMs ?? slidesMs, shortestRestMs), longestWaitMs);
  }
}
