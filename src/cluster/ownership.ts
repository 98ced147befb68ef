import { fieldManagers } from '../domain/names.js';
import type { PlaceRecord } from '../domain/record.js';

/** Who writes into a record's places. */
export type PlaceManager = 'kuik-usage' | 'kuik-mirror' | 'kuik-monitor';

export type PlaceField = Exclude<keyof PlaceRecord, 'reference'>;

/** A place as one manager sees it: its reference and that manager's fields. */
export type PlacePart = Pick<PlaceRecord, 'reference'> & Partial<PlaceRecord>;

/** Nobody writes a field of another; `digest` is shared by role, see `ownsField`. */
const placeFields = {
  [fieldManagers.usage]: ['role', 'rule', 'secret', 'retention'],
  [fieldManagers.mirror]: [
    'digest',
    'sourceDigest',
    'strategy',
    'platforms',
    'missingPlatforms',
    'bytes',
    'mirroredAt',
    'retiringSince',
    'triedAt',
    'failure',
    'blocked',
    'drift',
    'workflowId',
  ],
  [fieldManagers.monitor]: ['digest', 'state', 'checkedAt', 'identity', 'checkFailure'],
} as const satisfies Record<PlaceManager, readonly PlaceField[]>;

/**
 * What one manager may write of a place: its own fields, nothing of another.
 *
 * @returns only fields that have a value; just the reference when the manager has nothing to say
 */
export function partOf(place: PlaceRecord, manager: PlaceManager): PlacePart {
  const own = placeFields[manager].filter((field) => place[field] !== undefined && ownsField(field, place, manager));
  return { reference: place.reference, ...Object.fromEntries(own.map((field) => [field, place[field]])) };
}

/** Whether a part says anything beyond which place it is about. */
export function saysSomething(part: PlacePart): boolean {
  return Object.keys(part).length > 1;
}

/** The digest of a mirror is what a copy published; of an origin or replica, what a check saw. */
function ownsField(field: PlaceField, place: PlaceRecord, manager: PlaceManager): boolean {
  if (field !== 'digest') return true;
  const isChecked = place.role === 'origin' || place.role === 'replica';
  return isChecked === (manager === fieldManagers.monitor);
}
