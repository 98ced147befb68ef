/** What of a place is worth an event: what changed for people between two looks at its record. */
import { isUnavailable } from './availability.js';
import { formatDuration } from './duration.js';
import { failures, type FailureCode } from './failure.js';
import type { PlaceRecord } from './record.js';

export interface News {
  readonly type: 'Normal' | 'Warning';
  /** the verb */
  readonly action: 'Mirror' | 'Monitor';
  /** from the closed list */
  readonly reason: 'Mirrored' | 'ImageUnavailable' | 'ImageAvailable' | 'RegistryThrottled' | 'TagDrifted' | 'DestinationChanged' | (typeof failures)[FailureCode]['reason'];
  readonly note: string;
}

/**
 * What a check found: that an image cannot be pulled any more, or for another reason, or can be again. That it is there,
 * as it was, is no news.
 */
export function checkNews(before: PlaceRecord | undefined, { reference, state, checkFailure = '' }: PlaceRecord): News[] {
  if (state === before?.state) return [];
  const why = checkFailure === '' ? '' : `: ${checkFailure}`;
  if (state === 'QuotaExceeded') return [{ type: 'Warning', action: 'Monitor', reason: 'RegistryThrottled', note: `${reference} cannot be checked, its registry limits us${why}` }];
  if (isUnavailable(state)) return [{ type: 'Warning', action: 'Monitor', reason: 'ImageUnavailable', note: `${reference} cannot be pulled (${state})${why}` }];
  if (state === 'Available' && isUnavailable(before?.state)) return [{ type: 'Normal', action: 'Monitor', reason: 'ImageAvailable', note: `${reference} can be pulled again` }];
  return [];
}

/** @param before the place as it was; undefined when it is new */
export function placeNews(before: PlaceRecord | undefined, after: PlaceRecord): News[] {
  if (after.role !== 'mirror') return [];
  return [copyNews(before, after), failureNews(before, after), ...driftNews(before, after)].filter((news) => news !== undefined);
}

function copyNews(before: PlaceRecord | undefined, { reference, mirroredAt, digest, strategy }: PlaceRecord): News | undefined {
  const isNew = mirroredAt !== undefined && (before?.mirroredAt !== mirroredAt || before.digest !== digest);
  const how = strategy === 'adopted' ? 'was there already' : 'is verified';
  return isNew ? { type: 'Normal', action: 'Mirror', reason: 'Mirrored', note: `the copy at ${reference} ${how}${digest === undefined ? '' : `: ${digest}`}` } : undefined;
}

/** Only what waits for a human: the rest is tried again soon, by itself. */
function failureNews(before: PlaceRecord | undefined, { reference, failure }: PlaceRecord): News | undefined {
  if (failure === undefined) return undefined;
  const { retry, reason, slowRetryMs } = failures[failure.code];
  const isNew = before?.failure?.code !== failure.code || before.failure.attempts !== failure.attempts;
  if (retry === 'again' || !isNew) return undefined;
  return { type: 'Warning', action: 'Mirror', reason, note: `the copy to ${reference} stopped: ${failure.message}; it is tried again after ${formatDuration(slowRetryMs)}, or at once with kuik retry` };
}

function driftNews(before: PlaceRecord | undefined, { reference, drift }: PlaceRecord): News[] {
  const moved = drift?.origin !== undefined && before?.drift?.origin !== drift.origin;
  const changed = drift?.destination !== undefined && before?.drift?.destination !== drift.destination;
  return [
    ...(moved ? [{ type: 'Warning', action: 'Monitor', reason: 'TagDrifted', note: `the tag of the origin names ${drift.origin} now; the copy at ${reference} stays as it is` } as const] : []),
    ...(changed ? [{ type: 'Warning', action: 'Monitor', reason: 'DestinationChanged', note: `${reference} holds ${drift.destination}, which kuik did not write; it stays until somebody asks for the copy with kuik retry` } as const] : []),
  ];
}
