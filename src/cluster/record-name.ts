import { createHash } from 'node:crypto';
import type { ImageName } from '../domain/image-ref.js';
import { recordSlug } from '../domain/record.js';

/** Object name of an image's record: a readable slug, `-`, and the first 8 hexadecimal digits of SHA-256 of the image. */
export function recordName(image: ImageName): string {
  const hash = createHash('sha256').update(image).digest('hex').slice(0, 8);
  return `${recordSlug(image)}-${hash}`;
}
