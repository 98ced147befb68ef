/**
 * Layout `path` leaves the origin's host out, so `nginx` of two registries wants one destination. A destination
 * belongs to one image: the one whose copy is there, else the first by name.
 */
import type { Wish } from './claim.js';
import { parseImageRef, placeIdentity, type ImageName, type PlaceId } from './image-ref.js';
import type { ImageRecord } from './record.js';

/** An image wants a destination. */
export type Contender = Pick<Wish, 'destination' | 'image'>;

/** An image that does not get the destination it wants. */
export interface Collision extends Contender {
  readonly holder: ImageName;
}

export interface Resolved {
  /** which image each wanted destination belongs to */
  readonly holders: ReadonlyMap<PlaceId, ImageName>;
  /** the other images, by destination and name */
  readonly collisions: readonly Collision[];
}

/** Gives every wanted destination to one image. The holder may be an image nobody wants any more: its copy is still there. */
export function resolveCollisions(wishes: Iterable<Contender>, records: Iterable<Pick<ImageRecord, 'image' | 'places'>>): Resolved {
  const copies = copyHolders(records);
  const wanting = imagesByDestination(wishes);

  const holders = new Map<PlaceId, ImageName>();
  const collisions: Collision[] = [];
  for (const destination of [...wanting.keys()].sort()) {
    const images = [...(wanting.get(destination) ?? [])].sort();
    const holder = copies.get(destination) ?? images[0];
    if (holder === undefined) continue;
    holders.set(destination, holder);
    if (isPinned(destination)) continue; // one digest, one content: whoever publishes it serves them all
    collisions.push(...images.filter((image) => !isSameImage(image, holder)).map((image) => ({ destination, image, holder })));
  }
  return { holders, collisions };
}

/** Why it gets none, and the next step. */
export function refusalText({ destination, holder }: Collision): string {
  return `${destination} belongs to ${holder}; layout: host keeps them apart`;
}

/** Which image's copy is at each destination, as the records tell. */
export function copyHolders(records: Iterable<Pick<ImageRecord, 'image' | 'places'>>): ReadonlyMap<PlaceId, ImageName> {
  const holders = new Map<PlaceId, ImageName>();
  for (const { image, places } of records) {
    for (const place of places) {
      const ref = place.role === 'mirror' && place.mirroredAt !== undefined ? parseImageRef(place.reference) : undefined;
      if (ref === undefined) continue;
      const destination = placeIdentity(ref);
      const known = holders.get(destination);
      if (known === undefined || image < known) holders.set(destination, image);
    }
  }
  return holders;
}

/** Whether two names are one image: `nginx:1@sha256:...` and `nginx@sha256:...` are. */
export function isSameImage(a: ImageName, b: ImageName): boolean {
  return a === b || identityOf(a) === identityOf(b);
}

function identityOf(image: ImageName): string {
  const ref = parseImageRef(image);
  return ref === undefined ? image : placeIdentity(ref);
}

/** Whether two images may share a destination: they are one, or it has a digest and so only one content. */
export function mayShare(destination: PlaceId, one: ImageName, other: ImageName): boolean {
  return isPinned(destination) || isSameImage(one, other);
}

/** A destination with a digest can hold only one content, so no two images contend for it. */
export function isPinned(destination: PlaceId): boolean {
  return destination.includes('@');
}

function imagesByDestination(wishes: Iterable<Contender>): Map<PlaceId, Set<ImageName>> {
  const images = new Map<PlaceId, Set<ImageName>>();
  for (const { destination, image } of wishes) images.set(destination, (images.get(destination) ?? new Set()).add(image));
  return images;
}
