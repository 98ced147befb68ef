/** What is known without Temporal: the record remembers how things stand, and Events what happened within the hour. */
import type { ImageRecord, PlaceRecord } from '../../domain/record.js';
import type { TellingEvent } from '../events.js';
import type { ImageStoryList } from '../documents/logs.js';

type Line = ImageStoryList['items'][number]['lines'][number];

export function linesOfRecord({ unusedSince }: Pick<ImageRecord, 'unusedSince'>, place: PlaceRecord, events: readonly TellingEvent[]): readonly Line[] {
  const { mirroredAt, digest, strategy, triedAt, failure, retiringSince, blocked, drift } = place;
  const lines = [
    mirroredAt === undefined ? undefined : { at: mirroredAt, what: `copied and verified: ${digest ?? 'digest unknown'}${strategy === undefined ? '' : ` (${strategy})`}` },
    failure === undefined ? undefined : { at: failure.since, what: `the copy fails since then, ${failure.code}: ${failure.message}` },
    failure === undefined || triedAt === undefined ? undefined : { at: triedAt, what: `attempt ${failure.attempts} failed` },
    drift === undefined ? undefined : { at: drift.since, what: drift.destination === undefined ? `the tag of the origin names ${drift.origin}` : `the destination holds ${drift.destination}, which kuik did not write` },
    unusedSince === undefined ? undefined : { at: unusedSince, what: 'no Pod uses the image any more' },
    retiringSince === undefined ? undefined : { at: retiringSince, what: 'about to be deleted: no Pod is sent there any more' },
    blocked === undefined ? undefined : { at: blocked.since, what: `not deleted since then, ${blocked.reason}: ${blocked.message}` },
    ...events.map(({ at, reason, note }) => ({ at, what: `${reason}: ${note}` })),
  ];
  return lines.filter((line) => line !== undefined).sort((one, other) => (one.at < other.at ? -1 : 1));
}
