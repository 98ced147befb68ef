import { setTimeout as sleep } from 'node:timers/promises';
import type { Change, Cluster, Watched, WatchedKind } from '../cluster/cluster.js';
import { Failure, type FailureInfo } from '../domain/failure.js';
import type { Outage } from './outage.js';

const lookEveryMs = 250;

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** told whether the API server answers */
  readonly outage: Outage;
  readonly namespace?: string;
}

/**
 * Watches as a person does. A process tries for ever, since its rights may come; who may not watch is told so.
 *
 * @returns when the signal aborts
 * @throws Failure when no waiting helps: `denied` names the right
 */
export async function watchOrFail<K extends WatchedKind>(cluster: Pick<Cluster, 'watch' | 'watchHealth'>, kind: K, onChange: (change: Change<Watched[K]>) => void, { signal, outage, namespace }: WatchOptions): Promise<void> {
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  let failure: FailureInfo | undefined;
  const look = async (): Promise<void> => {
    while (!ended.aborted) {
      const { connected = false, lastError } = cluster.watchHealth().find((each) => each.kind === kind) ?? {};
      if (lastError !== undefined && !outage.fails(lastError, kind)) {
        failure = lastError;
        over.abort();
      } else {
        if (connected && lastError === undefined) outage.answers(kind);
        await sleep(lookEveryMs, undefined, { signal: ended }).catch(() => undefined);
      }
    }
  };
  await Promise.all([cluster.watch(kind, onChange, ended, namespace).finally(() => over.abort()), look()]);
  if (failure !== undefined && !signal.aborted) throw new Failure(failure);
}

/**
 * Several watches of one command. A command ends when nothing of it runs any more, so the first that fails ends the
 * others, too.
 *
 * @returns when the signal aborts
 * @throws what the first failed with, after all have ended
 */
export async function allOrNone(signal: AbortSignal, watches: readonly ((signal: AbortSignal) => Promise<void>)[]): Promise<void> {
  const failed = new AbortController();
  const ended = AbortSignal.any([signal, failed.signal]);
  const ends = watches.map((watch) => watch(ended).catch((error: unknown) => failed.abort(error)));
  await Promise.all(ends);
  if (failed.signal.aborted) throw failed.signal.reason;
}
