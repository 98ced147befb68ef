import { isNameless } from '../domain/claim.js';
import { knownImageRef, type PlaceId } from '../domain/image-ref.js';
import { referenceOf } from '../domain/record-plan.js';
import type { WantedCopy } from '../domain/mirror.js';
import type { ImageRecord } from '../domain/record.js';
import type { Picture } from './reconcile.js';

/**
 * Since when copies that are wanted have been waited for; for metrics. What waits already when a term begins has waited
 * since its record says that a copy is missing; from then on, what is new waits from when it is seen.
 */
export class Waiting {
  /** milliseconds since the epoch; undefined until the first look of a term */
  #since: ReadonlyMap<PlaceId, number> | undefined;
  #hosts: ReadonlySet<string> = new Set();

  /** A term begins: what waited when we led last may have been made since. */
  forget(): void {
    this.#since = undefined;
    this.#hosts = new Set();
  }

  /** One that has failed is tried again by itself, and counted as failed: it does not wait. */
  look({ plan, records, now }: Pick<Picture, 'plan' | 'records' | 'now'>): void {
    const places = new Map(records.flatMap((record) => record.places.map((place) => [place.reference, place] as const)));
    const before = this.#since ?? missingSince(plan, records);
    const since = new Map<PlaceId, number>();
    this.#hosts = new Set([...plan.wanted.values()].filter(isToBeMade).map(hostOf));
    for (const copy of plan.wanted.values()) {
      const place = places.get(referenceOf(copy.destination));
      if (isToBeMade(copy) && place?.mirroredAt === undefined && place?.failure === undefined) since.set(copy.destination, Math.min(now, before.get(copy.destination) ?? now));
    }
    this.#since = since;
  }

  /** @returns by destination, how long the oldest has been waited for; 0 where none is */
  oldest(now: number): readonly { readonly registry: string; readonly seconds: number }[] {
    const longest = new Map([...this.#hosts].map((host) => [host, 0]));
    for (const [destination, since] of this.#since ?? []) {
      const host = hostOf({ destination });
      longest.set(host, Math.max(longest.get(host) ?? 0, (now - since) / 1000));
    }
    return [...longest].map(([registry, seconds]) => ({ registry, seconds }));
  }
}

/** A record has one time for all copies of its image: where one of them failed, that tells nothing of the others. */
function missingSince({ wanted }: Picture['plan'], records: readonly ImageRecord[]): ReadonlyMap<PlaceId, number> {
  const byImage = new Map(records.filter(({ places }) => places.every(({ failure }) => failure === undefined)).map((record) => [record.image, record]));
  const since = new Map<PlaceId, number>();
  for (const { image, destination } of wanted.values()) {
    const missing = byImage.get(image)?.conditions?.find(({ type, status }) => type === 'Mirrored' && status === 'False');
    const at = Date.parse(missing?.lastTransitionTime ?? '');
    if (!Number.isNaN(at)) since.set(destination, at);
  }
  return since;
}

/** What is only kept as it is, nobody makes. */
function isToBeMade(copy: WantedCopy): boolean {
  return copy.rests !== true && copy.isAdopted !== true && !isNameless(copy);
}

function hostOf({ destination }: Pick<WantedCopy, 'destination'>): string {
  return knownImageRef(destination).host;
}
