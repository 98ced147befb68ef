/** For somebody who goes on looking: an API server, or Temporal, that says nothing for hours is worth two lines, and no end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../cluster/kubernetes/backoff.js';
import { formatDuration } from '../domain/duration.js';
import { isFailure, type FailureCode, type FailureInfo } from '../domain/failure.js';

/** What is said while there is no answer. */
export interface Silence {
  /** RFC 3339, whole seconds */
  readonly since: string;
  readonly why: string;
}

/**
 * What passes by itself. A certificate is among them: it was good when the first picture came, so it is the server, or
 * what stands before it, that has changed. The others tell of rights, names and kinds, which only people mend.
 */
const passing: readonly FailureCode[] = ['unreachable', 'timeout', 'throttled', 'tls', 'corrupt', 'conflict'];

const sayAfterMs = 2_000; // a connection is cut and the next one works, as happens behind any balancer: nobody needs to know
const graceMs = 15_000; // an API server that has just come back refuses everybody until it has read who may do what
const patienceMs = 15_000; // a long list takes a while; who says nothing for longer is not there
const longestPauseMs = 10_000;
const lookEveryMs = 1_000;

export interface OutageOptions {
  readonly say: (text: string) => void;
  /** milliseconds since the epoch */
  readonly now?: () => number;
}

/** Whether those we look at answer: said once when they do not, and once when they do again. */
export class Outage {
  readonly #say: (text: string) => void;
  readonly #now: () => number;
  /** who does not answer, and since when */
  readonly #silent = new Map<string, number>();
  #why = '';
  #silence: Silence | undefined;
  #refusedSince: number | undefined;

  constructor({ say, now = Date.now }: OutageOptions) {
    this.#say = say;
    this.#now = now;
  }

  /** What has been said, until the answer comes. */
  get silence(): Silence | undefined {
    return this.#silence;
  }

  /**
   * @param who one of several that are looked at
   * @param since milliseconds since the epoch: when the question was asked
   * @returns whether looking again can help
   */
  fails({ code, message }: Pick<FailureInfo, 'code' | 'message'>, who = '', since = this.#now()): boolean {
    if (!passing.includes(code)) return this.#isRefusedForNow();
    this.#refusedSince = undefined;
    if (!this.#silent.has(who)) this.#silent.set(who, since);
    this.#why = message;
    this.#tell();
    return true;
  }

  /** @param since milliseconds since the epoch: when the question was asked that has no answer yet */
  waits(since: number): void {
    if (this.#silent.size > 0) this.#tell();
    else if (this.#now() - since >= patienceMs) this.fails({ code: 'timeout', message: `nothing has come for ${formatDuration(patienceMs)}` }, '', since);
  }

  answers(who = ''): void {
    this.#silent.delete(who);
    if (this.#silent.size > 0) return;
    this.#refusedSince = undefined;
    if (this.#silence === undefined) return;
    const lasted = Math.round((this.#now() - Date.parse(this.#silence.since)) / 1000) * 1000;
    this.#silence = undefined;
    this.#say(`answers again, after ${formatDuration(lasted)}`);
  }

  #isRefusedForNow(): boolean {
    if (this.#silent.size === 0) return false;
    this.#refusedSince ??= this.#now();
    return this.#now() - this.#refusedSince < graceMs;
  }

  #tell(): void {
    const since = Math.min(...this.#silent.values());
    if (this.#silence !== undefined || this.#now() - since < sayAfterMs) return;
    this.#silence = { since: `${new Date(since).toISOString().slice(0, 19)}Z`, why: this.#why };
    this.#say(`no answer since ${this.#silence.since}: ${this.#why}; what is shown is from before, and kuik looks again`);
  }
}

export interface Asking {
  readonly outage: Outage;
  readonly signal: AbortSignal;
  /** between 0 and 1 */
  readonly random?: () => number;
}

/**
 * Asks until there is an answer, with growing pauses.
 *
 * @returns undefined when the signal aborts before
 * @throws what no waiting helps against
 */
export async function untilAnswered<T>(ask: () => Promise<T>, { outage, signal, random }: Asking): Promise<T | undefined> {
  const backoff = new Backoff({ awayCapMs: longestPauseMs, capMs: longestPauseMs, ...(random === undefined ? {} : { random }) });
  while (!signal.aborted) {
    const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener('abort', onAbort);
    const asked = Date.now();
    const waiting = setInterval(() => outage.waits(asked), lookEveryMs);
    try {
      const answer = await Promise.race([ask(), aborted]);
      if (answer !== undefined) outage.answers();
      return answer;
    } catch (error) {
      if (!isFailure(error) || !outage.fails(error, '', asked)) throw error;
      await sleep(backoff.next(error), undefined, { signal }).catch(() => undefined);
    } finally {
      clearInterval(waiting);
      signal.removeEventListener('abort', onAbort); // a night of questions would leave thousands
    }
  }
  return undefined;
}
