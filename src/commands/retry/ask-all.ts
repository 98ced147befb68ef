/** Asks for many images, a few at a time. One that cannot be asked for keeps nobody else from being asked for. */
import type { Cluster } from '../../cluster/cluster.js';
import { isFailure, type Failure } from '../../domain/failure.js';
import { annotations } from '../../domain/names.js';
import type { ImageRecord } from '../../domain/record.js';
import type { DryRun } from '../command-line.js';
import type { Chosen } from './choose.js';
import type { Followed } from './followed.js';

export interface Asking {
  readonly cluster: Pick<Cluster, 'annotateRecord'>;
  readonly dryRun: DryRun;
  /** somebody interrupts: nobody else is asked for */
  readonly signal: AbortSignal;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

const askedAtOnce = 8;

/**
 * Each record is followed from what the API server answered. Where it refuses all of a round, it would refuse the others,
 * too, and is not asked for them; a limit of its requests is over in a moment, and is none of that.
 *
 * @throws Failure where it refuses the first round: nothing was asked for
 */
export async function askAll(chosen: readonly Chosen[], followed: Pick<Followed, 'ask' | 'lose' | 'refuse'>, { cluster, dryRun, signal, now }: Asking): Promise<void> {
  let refusedAll: Failure | undefined;
  for (let at = 0; at < chosen.length && !signal.aborted; at += askedAtOnce) {
    const round = chosen.slice(at, at + askedAtOnce);
    if (refusedAll !== undefined) {
      for (const each of round) followed.refuse(each, refusedAll.message);
      continue;
    }
    const requestedAt = new Date(now()).toISOString();
    const answers = await Promise.all(round.map(async ({ record }) => (dryRun === 'client' ? record : ask(record, requestedAt, { cluster, dryRun }))));
    const [first] = answers;
    if (answers.every(isFailure) && isFailure(first) && first.code !== 'throttled') refusedAll = first;
    if (refusedAll !== undefined && at === 0) throw refusedAll;
    for (const [index, each] of round.entries()) follow(each, answers[index], followed);
  }
}

/** @returns what the API server answered; a failure where it refused; undefined where the record is gone */
async function ask({ image }: ImageRecord, requestedAt: string, { cluster, dryRun }: Pick<Asking, 'cluster' | 'dryRun'>): Promise<ImageRecord | Failure | undefined> {
  try {
    return await cluster.annotateRecord(image, { [annotations.requestedAt]: requestedAt }, { dryRun: dryRun === 'server' });
  } catch (error) {
    if (!isFailure(error)) throw error;
    return error.code === 'missing' ? undefined : error;
  }
}

function follow(chosen: Chosen, answer: ImageRecord | Failure | undefined, followed: Pick<Followed, 'ask' | 'lose' | 'refuse'>): void {
  if (answer === undefined) followed.lose(chosen);
  else if (isFailure(answer)) followed.refuse(chosen, answer.message);
  else followed.ask({ ...chosen, record: answer });
}
