import { algorithmOf, hexOf } from './digest.js';
import { imageName, type ImageName, type ImageRef } from './image-ref.js';

/**
 * The tag a pinned copy is published under, so that the registry's garbage collection leaves it alone.
 *
 * @returns `kuik-<algorithm>-<hex>`, at most 96 digits of it
 */
export function publishedName(place: ImageRef): ImageName {
  const { host, path, tag, digest } = place;
  if (digest === undefined) return imageName({ host, path, ...(tag === undefined ? {} : { tag }) });
  return imageName({ host, path, tag: `kuik-${algorithmOf(digest)}-${hexOf(digest).slice(0, 96)}` });
}
