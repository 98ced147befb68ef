/**
 * Whether a place holds its image, as far as its record tells: nobody is asked here. `kuik status` and `kuik images` add up
 * what the places of a record say, the metrics what those say that rules in force offer. Routing, and with it `kuik explain`
 * and `kuik rehearse`, asks the registries instead.
 */
import { isUnavailable } from './availability.js';
import type { PlaceRecord, PlaceRole } from './record.js';

export type Holding = 'yes' | 'no' | 'unknown';

/**
 * @param place what the record says of it; undefined: nothing
 * @param beside all places of that record: a copy that failed has looked at the origin
 */
export function holdingOf(role: PlaceRole, place: PlaceRecord | undefined, beside: readonly PlaceRecord[]): Holding {
  if (isUnavailable(place?.state)) return 'no';
  switch (role) {
    case 'mirror': // verified when it was made, so nobody has to have looked since; one that is about to go is no place to go to
      return place?.mirroredAt !== undefined && place.retiringSince === undefined ? 'yes' : 'no';
    case 'replica':
      return place?.state === 'Available' ? 'yes' : 'unknown';
    case 'origin':
      if (place?.state === 'Available') return 'yes';
      return beside.some(isGoneAtSource) ? 'no' : 'unknown';
  }
}

function isGoneAtSource({ failure }: PlaceRecord): boolean {
  return failure?.code === 'missing' && failure.side === 'source';
}
