/**
 * Notices when Temporal comes back, and when it is no longer the one it was: a namespace that was made again has
 * forgotten every keeper, and a database restored from a backup the latest claims. What clusters want is then said
 * once more, all of it.
 */
import type { KeeperClient } from './client.js';

export interface ReunionOptions {
  readonly client: Pick<KeeperClient, 'namespaceId'>;
  /** makes the namespace ready once more; tries for as long as it takes */
  readonly prepare: () => Promise<void>;
  readonly onReunion: (why: 'back' | 'made-again') => void;
  /** resolves after so many milliseconds, or when the signal aborts */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly everyMs?: number;
}

const usualEveryMs = 10_000; // an outage that nobody felt is noticed within this time, at six small requests a minute

/** @returns when the signal aborts; never rejects */
export async function watchReunions({ client, prepare, onReunion, sleep, everyMs = usualEveryMs }: ReunionOptions, signal: AbortSignal): Promise<void> {
  let known: string | undefined;
  let wasAway = false;
  while (!signal.aborted) {
    const id = await client.namespaceId().catch(() => undefined);
    const isLost = id === 'absent' || (id !== undefined && known !== undefined && id !== known);
    if (isLost) await prepare();
    if (id === undefined) wasAway = true;
    else if (id !== 'absent') {
      if (isLost || wasAway) onReunion(isLost ? 'made-again' : 'back');
      known = id;
      wasAway = false;
    }
    await sleep(everyMs, signal);
  }
}
