/**
 * Copies that a rule let go while their image is in use: its filter selects the image no more, or a mirror was taken out
 * of it. Their retention runs from then on, but a record has one clock only, that of its image. So the status of the
 * rule remembers itself since when, for what it lists; the keeper, which deletes, has a clock of its own.
 */
import { parseDuration } from '../domain/duration.js';
import type { PlaceRecord } from '../domain/record.js';
import { Field } from './field.js';
import type { MirroredImage, MirrorFacts } from './report-mirror.js';
import { timeText } from './report.js';

/** @returns the images, those with such copies dated: `unusedSince` where nothing else of the rule is wanted of them, and when each copy goes */
export function datedImages({ images, previous, now }: Pick<MirrorFacts, 'images' | 'previous' | 'now'>): readonly MirroredImage[] {
  if (images.every(({ leaving = [] }) => leaving.length === 0)) return images;
  const before = statusBefore(previous, now);
  return images.map((image) => (image.leaving === undefined || image.leaving.length === 0 ? image : dated(image, image.leaving, before, now)));
}

interface Before {
  /** by image and by destination; milliseconds since the epoch */
  readonly unusedSince: ReadonlyMap<string, number>;
  readonly goesAt: ReadonlyMap<string, number>;
}

function statusBefore(previous: unknown, now: number): Before {
  const status = new Field(previous, 'status', []);
  const times = (list: string, key: string): ReadonlyMap<string, number> => new Map(status.get(list).items().map((item) => [item.get('image').text() ?? '', Date.parse(item.get(key).text() ?? '')]));
  const isPast = ([, ms]: readonly [string, number]): boolean => ms > 0 && ms <= now; // v2 marks instant expiry by a time before 1970
  return { unusedSince: new Map([...times('matchingImages', 'unusedSince')].filter(isPast)), goesAt: new Map([...times('pendingDeletion', 'at')].filter(([, ms]) => !Number.isNaN(ms))) };
}

function dated(image: MirroredImage, leaving: readonly PlaceRecord[], { unusedSince, goesAt }: Before, now: number): MirroredImage {
  const isWhole = image.places.every(({ reference }) => leaving.some((place) => place.reference === reference));
  const since = unusedSince.get(image.image) ?? now;
  const going = leaving.flatMap(({ reference, retention = '' }) => {
    const ms = parseDuration(retention);
    if (ms === undefined) return [];
    return [{ image: reference, at: timeText(isWhole ? since + ms : (goesAt.get(reference) ?? now + ms)) }];
  });
  return isWhole ? { ...image, going, unusedSince: timeText(since) } : { ...image, going, places: [...image.places, ...leaving.map(copyOnly)] };
}

/** What it lacks, or what failed there, is no trouble of the rule any more. */
function copyOnly({ reference, mirroredAt, digest, bytes }: PlaceRecord): PlaceRecord {
  return { reference, mirroredAt, digest, bytes };
}
