/** How an image stands, as its record tells: what the filters of `kuik images` and the lines of `kuik status` mean. */
import type { ImageRecord, PlaceRecord } from './record.js';

export interface Standing {
  /** whether it can be pulled from where it comes from; unknown before somebody has looked */
  readonly origin: 'available' | 'unavailable' | 'unknown';
  /** whether any place is left to pull it from: the origin, a verified copy, a replica that nobody found wanting */
  readonly pullable: 'yes' | 'no' | 'unknown';
  readonly copies: { readonly there: number; readonly wanted: number };
  readonly isUsed: boolean;
  /** in use, and at least one wanted copy is not there, or nobody wants one at all */
  readonly isUnmirrored: boolean;
  readonly isDrifted: boolean;
}

export function standingOf(record: ImageRecord): Standing {
  const mirrors = mirrorsOf(record);
  const there = mirrors.filter(isCopied).length;
  const isUsed = record.pods > 0;
  return {
    origin: originOf(record),
    pullable: pullableOf(record),
    copies: { there, wanted: mirrors.length },
    isUsed,
    isUnmirrored: isUsed && (mirrors.length === 0 || there < mirrors.length),
    isDrifted: mirrors.some(({ drift }) => drift !== undefined),
  };
}

/** The copies an image has, or should have. */
export function mirrorsOf({ places }: Pick<ImageRecord, 'places'>): readonly PlaceRecord[] {
  return places.filter(({ role }) => role === 'mirror');
}

export function isCopied({ mirroredAt }: PlaceRecord): boolean {
  return mirroredAt !== undefined;
}

function originOf({ places }: ImageRecord): Standing['origin'] {
  const state = places.find(({ role }) => role === 'origin')?.state ?? 'Scheduled';
  if (state === 'Scheduled') return 'unknown';
  return state === 'Available' ? 'available' : 'unavailable';
}

/** A copy that is about to be deleted is no place to go to; one that nobody has looked at since it was verified is. */
function pullableOf(record: ImageRecord): Standing['pullable'] {
  const origin = originOf(record);
  if (origin === 'available' || record.places.some(serves)) return 'yes';
  return origin === 'unknown' || record.places.some(isUnseenReplica) ? 'unknown' : 'no';
}

function serves(place: PlaceRecord): boolean {
  if (place.role === 'mirror') return isCopied(place) && place.retiringSince === undefined && (place.state ?? 'Available') === 'Available';
  return place.role === 'replica' && place.state === 'Available';
}

function isUnseenReplica({ role, state = 'Scheduled' }: PlaceRecord): boolean {
  return role === 'replica' && state === 'Scheduled';
}

/**
 * What is to be said of an image first: why it, or a copy of it, is not as it should be.
 *
 * @returns undefined when all is well
 */
export function troubleOf(record: ImageRecord): string | undefined {
  const mirrors = mirrorsOf(record);
  const origin = record.places.find(({ role }) => role === 'origin');
  const failed = mirrors.find(({ failure }) => failure !== undefined);
  const blocked = mirrors.find((place) => place.blocked !== undefined);
  const missing = [...new Set(mirrors.flatMap(({ missingPlatforms = [] }) => missingPlatforms))];
  if (originOf(record) === 'unavailable') return `${origin?.state}${origin?.checkFailure ? `: ${origin.checkFailure}` : ''}`;
  if (failed?.failure !== undefined) return `copy failed, ${failed.failure.code}: ${failed.failure.message}`;
  if (mirrors.some(({ drift }) => drift?.destination !== undefined)) return 'its copy holds what kuik did not write';
  if (mirrors.some(({ drift }) => drift?.origin !== undefined)) return 'the tag of its origin has moved since it was copied';
  if (blocked?.blocked !== undefined) return `not deleted, ${blocked.blocked.reason}: ${blocked.blocked.message}`;
  if (record.paused === true) return 'paused: nothing is copied or deleted, until kuik resume';
  if (record.pods > 0 && mirrors.length === 0) return 'no rule mirrors it';
  if (record.pods > 0 && mirrors.some((place) => !isCopied(place))) return 'its copy is not there yet';
  return missing.length === 0 ? undefined : `its copy lacks ${missing.join(', ')}, as its origin does`;
}
