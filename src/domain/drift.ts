import type { Digest } from './digest.js';
import type { CopyOutcome, Sight } from './task.js';

/** What moved behind our back since a copy was made. */
export interface Drift {
  /** what the tag of the origin names now; looked at where the rules say `warn` */
  readonly origin?: Digest;
  /** what the destination answers with, and we did not write */
  readonly destination?: Digest;
}

/**
 * What a look says of a copy. With `sync` nothing drifts: what differs is copied again.
 *
 * @param before what was known: an origin that does not answer says nothing new
 * @returns undefined when nothing moved
 */
export function driftOf(copy: Pick<CopyOutcome, 'digest' | 'sourceDigest'>, sight: Sight, policy: 'keep' | 'warn' | 'sync', before?: Drift): Drift | undefined {
  if (policy === 'sync') return undefined;
  const origin = policy === 'warn' ? movedOrigin(copy, sight, before) : undefined;
  const destination = sight.digest === 'missing' || sight.digest === copy.digest ? undefined : sight.digest;
  if (origin === undefined && destination === undefined) return undefined;
  return { ...(origin === undefined ? {} : { origin }), ...(destination === undefined ? {} : { destination }) };
}

function movedOrigin({ sourceDigest }: Pick<CopyOutcome, 'sourceDigest'>, { origin }: Sight, before?: Drift): Digest | undefined {
  if (sourceDigest === undefined) return undefined;
  if (origin === undefined || origin === 'missing') return before?.origin;
  return origin === sourceDigest ? undefined : origin;
}

export function isSameDrift(one: Drift | undefined, other: Drift | undefined): boolean {
  return one?.origin === other?.origin && one?.destination === other?.destination;
}
