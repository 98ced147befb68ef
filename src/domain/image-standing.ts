/** How an image stands, as its record tells: what the filters of `kuik images` and the lines of `kuik status` mean. */
import { isUnavailable } from './availability.js';
import { holdingOf, type Holding } from './holding.js';
import type { ImageRecord, PlaceRecord } from './record.js';

export interface Standing {
  /** whether it can be pulled from where it comes from, as a check or a copy found; unknown before one has looked */
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

const origins = { yes: 'available', no: 'unavailable', unknown: 'unknown' } as const satisfies Record<Holding, Standing['origin']>;

function originOf(record: ImageRecord): Standing['origin'] {
  return origins[holdingOfOrigin(record)];
}

function holdingOfOrigin({ places }: ImageRecord): Holding {
  return holdingOf('origin', places.find(({ role }) => role === 'origin'), places);
}

function pullableOf(record: ImageRecord): Standing['pullable'] {
  const { places } = record;
  const elsewhere = places.flatMap((place) => (place.role === 'mirror' || place.role === 'replica' ? [holdingOf(place.role, place, places)] : []));
  const holdings = [holdingOfOrigin(record), ...elsewhere];
  return (['yes', 'unknown'] as const).find((holding) => holdings.includes(holding)) ?? 'no';
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
  if (isUnavailable(origin?.state)) return `${origin?.state}${origin?.checkFailure ? `: ${origin.checkFailure}` : ''}`;
  if (failed?.failure !== undefined) return `copy failed, ${failed.failure.code}: ${failed.failure.message}`;
  if (mirrors.some(({ drift }) => drift?.destination !== undefined)) return 'its copy holds what kuik did not write';
  if (mirrors.some(({ drift }) => drift?.origin !== undefined)) return 'the tag of its origin has moved since it was copied';
  if (blocked?.blocked !== undefined) return `not deleted, ${blocked.blocked.reason}: ${blocked.blocked.message}`;
  if (record.paused === true) return 'paused: nothing is copied or deleted, until kuik resume';
  const refused = record.conditions?.find(({ type, reason }) => type === 'Mirrored' && reason === 'Collision');
  if (refused !== undefined) return `copy refused: ${refused.message}`;
  if (record.pods > 0 && mirrors.length === 0) return 'no rule mirrors it';
  if (record.pods > 0 && mirrors.some((place) => !isCopied(place))) return 'its copy is not there yet';
  return missing.length === 0 ? undefined : `its copy lacks ${missing.join(', ')}, as its origin does`;
}
