/** What a status that v2 wrote tells: imported once, for places that no record knows. */
import { availabilityStates } from '../domain/availability.js';
import { imageName, parseImageRef, type ImageName } from '../domain/image-ref.js';
import { Field } from './field.js';
import { timeText } from './report.js';
import type { MonitoredImage } from './report-monitor.js';
import type { MirroredImage } from './report-mirror.js';

/**
 * Copies that v2 made: `mirroredAt` means that there is one, and that it may be deleted later.
 *
 * @param status of a mirror kind, as it stands in the resource
 * @param now milliseconds since the epoch
 * @throws never
 */
export function importedCopies(status: unknown, now: number): readonly MirroredImage[] {
  const images = new Field(status, 'status', []).get('matchingImages').items();
  return images.flatMap((item) => {
    const image = readName(item.get('image'));
    const places = item.get('mirrors').items().flatMap((copy) => {
      const reference = readName(copy.get('image'));
      const mirroredAt = readTime(copy.get('mirroredAt'), now);
      return reference && mirroredAt ? [{ reference, mirroredAt }] : [];
    });
    return image && places.length > 0 ? [{ image, ...readUnused(item, now), places }] : [];
  });
}

/** What v2 last found out about images; `status` and `lastMonitor` mean the same here. */
export function importedChecks(status: unknown, now: number): readonly MonitoredImage[] {
  const images = new Field(status, 'status', []).get('images').items();
  return images.flatMap((item) => {
    const image = readName(item.get('image'));
    if (image === undefined) return [];
    const checkedAt = readTime(item.get('lastMonitor'), now);
    const original = item.get('original').boolean();
    return [{ image, ...readUnused(item, now), ...(original !== undefined && { original }), state: item.get('status').oneOf(availabilityStates) ?? 'Scheduled', ...(checkedAt && { checkedAt }) }];
  });
}

function readUnused(item: Field, now: number): { readonly unusedSince?: string } {
  const unusedSince = readTime(item.get('unusedSince'), now);
  return unusedSince === undefined ? {} : { unusedSince };
}

/** A time before 1970 is v2's mark for "expire at once": for us the clock starts now. */
function readTime(field: Field, now: number): string | undefined {
  const text = field.text();
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  if (Number.isNaN(ms)) return undefined;
  return ms < 0 ? timeText(now) : text;
}

function readName(field: Field): ImageName | undefined {
  const ref = parseImageRef(field.text() ?? '');
  return ref === undefined ? undefined : imageName(ref);
}
