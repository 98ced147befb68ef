/**
 * Notices when Temporal comes back, and when it is no longer the one it was: a namespace that was made again has
 * forgotten every keeper, and a database restored from a backup, or a replica that took over too early, the latest
 * claims. What clusters want is then said once more, all of it.
 *
 * 1. Look at the namespace. No answer: it is away, and what was sent may be lost.
 * 2. Another identity: the namespace was made again.
 * 3. The same identity, without the mark that we left there last: the database went back to a time before it.
 * 4. When something was sent since the last mark, leave a new one. What it vouches for lies before it.
 *
 * What is sent between two marks and lost together with the next one, within the ten seconds between two looks and
 * without an outage that a look meets, is found by the daily sweep only.
 */
import type { KeeperClient } from './client.js';

export type Reunion = 'back' | 'made-again' | 'went-back';

export interface ReunionOptions {
  readonly client: Pick<KeeperClient, 'namespace' | 'leaveMark'>;
  /** whose mark it is */
  readonly cluster: string;
  /** how many messages keepers have taken from this process; undefined while it may send none */
  readonly sent: () => number | undefined;
  /** a text that was never a mark before */
  readonly newMark: () => string;
  /** makes the namespace ready once more; tries for as long as it takes */
  readonly prepare: () => Promise<void>;
  readonly onReunion: (why: Reunion) => void;
  /** we may not leave marks: step 3 does not happen */
  readonly onUnmarked: () => void;
  /** resolves after so many milliseconds, or when the signal aborts */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly everyMs?: number;
}

const usualEveryMs = 10_000; // an outage that nobody felt is noticed within this time, at six small requests a minute

/** @returns when the signal aborts; never rejects */
export async function watchReunions(options: ReunionOptions, signal: AbortSignal): Promise<void> {
  const { client, cluster, prepare, onReunion, sleep, everyMs = usualEveryMs } = options;
  const marker = new Marker(options);
  let known: string | undefined;
  let wasAway = false;
  while (!signal.aborted) {
    const seen = await client.namespace(cluster).catch(() => undefined);
    const isLost = seen === 'absent' || (seen !== undefined && known !== undefined && seen.id !== known);
    if (isLost) {
      marker.forget();
      await prepare();
    }
    if (seen === undefined) wasAway = true;
    else if (seen !== 'absent') {
      const isBehind = marker.isMissing(seen.mark);
      if (isLost || isBehind || wasAway) onReunion(isLost ? 'made-again' : isBehind ? 'went-back' : 'back');
      known = seen.id;
      wasAway = false;
      await marker.leave();
    }
    await sleep(everyMs, signal);
  }
}

type MarkerOptions = Pick<ReunionOptions, 'client' | 'cluster' | 'sent' | 'newMark' | 'onUnmarked'>;

/** Our mark in the namespace. Who may not send leaves none and looks for none: what is there is another leader's. */
class Marker {
  readonly #options: MarkerOptions;
  #left: { readonly mark: string; readonly sent: number } | undefined;
  #isRefused = false;

  constructor(options: MarkerOptions) {
    this.#options = options;
  }

  forget(): void {
    this.#left = undefined;
  }

  /** Told once. */
  isMissing(seen: string | undefined): boolean {
    const isMissing = this.#left !== undefined && this.#options.sent() !== undefined && seen !== this.#left.mark;
    if (isMissing || this.#options.sent() === undefined) this.forget();
    return isMissing;
  }

  /** Only when there is something new to vouch for: a steady cluster writes nothing. */
  async leave(): Promise<void> {
    const { client, cluster, newMark, onUnmarked } = this.#options;
    const sent = this.#options.sent();
    if (this.#isRefused || sent === undefined || sent === (this.#left?.sent ?? 0)) return;
    const mark = newMark();
    const answer = await client.leaveMark(cluster, mark).catch(() => 'unknown' as const);
    this.#left = answer === 'left' ? { mark, sent } : undefined; // one that may or may not be there is left anew
    this.#isRefused = answer === 'refused';
    if (this.#isRefused) onUnmarked();
  }
}
