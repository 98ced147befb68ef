import type { Digest } from './digest.js';
import type { PlaceId } from './image-ref.js';
import type { ImageRecord, PlaceRecord } from './record.js';
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

/** A copy that a check gave reason to look at. */
export interface Suspicion {
  readonly destination: PlaceId;
  /** what gave it: the same again is no other reason */
  readonly sign: string;
}

/**
 * Copies whose keepers should look, since checks look more often than they do: the copy was not found where it is, or
 * its origin answered with something else than was copied and a rule minds.
 */
export function suspicions(records: readonly ImageRecord[], minds: (destination: PlaceId) => boolean): readonly Suspicion[] {
  return records.flatMap(({ places }) => {
    const origin = places.find(({ role }) => role === 'origin');
    return places
      .filter(({ role, mirroredAt }) => role === 'mirror' && mirroredAt !== undefined)
      .map((copy) => ({ destination: copy.reference as string as PlaceId, sign: missedAt(copy) ?? movedTo(copy, origin) }))
      .filter((found): found is Suspicion => found.sign !== undefined && (found.sign.startsWith(missed) || minds(found.destination)));
  });
}

const missed = 'missed at ';

/** A copy made since is there again, whatever was seen before. */
function missedAt({ state, checkedAt = '', triedAt, mirroredAt = '' }: PlaceRecord): string | undefined {
  return state === 'NotFound' && Date.parse(checkedAt) > Date.parse(triedAt ?? mirroredAt) ? `${missed}${triedAt ?? mirroredAt}` : undefined;
}

function movedTo({ sourceDigest, drift }: PlaceRecord, origin: PlaceRecord | undefined): string | undefined {
  const digest = origin?.digest;
  return digest === undefined || sourceDigest === undefined || digest === sourceDigest || digest === drift?.origin ? undefined : digest;
}

export function isSameDrift(one: Drift | undefined, other: Drift | undefined): boolean {
  return one?.origin === other?.origin && one?.destination === other?.destination;
}
