import { isNameless } from '../domain/claim.js';
import { knownImageRef, type PlaceId } from '../domain/image-ref.js';
import { referenceOf } from '../domain/record-plan.js';
import type { WantedCopy } from '../domain/mirror.js';
import type { Picture } from './reconcile.js';

/** Since when copies that are wanted have been waited for, as far as this process knows; for metrics. */
export class Waiting {
  /** milliseconds since the epoch */
  #since = new Map<PlaceId, number>();
  #hosts: ReadonlySet<string> = new Set();

  /** One that has failed is tried again by itself, and counted as failed: it does not wait. */
  look({ plan, records, now }: Pick<Picture, 'plan' | 'records' | 'now'>): void {
    const places = new Map(records.flatMap((record) => record.places.map((place) => [place.reference, place] as const)));
    const before = this.#since;
    this.#since = new Map();
    this.#hosts = new Set([...plan.wanted.values()].filter(isToBeMade).map(hostOf));
    for (const copy of plan.wanted.values()) {
      const place = places.get(referenceOf(copy.destination));
      if (isToBeMade(copy) && place?.mirroredAt === undefined && place?.failure === undefined) this.#since.set(copy.destination, before.get(copy.destination) ?? now);
    }
  }

  /** @returns by destination, how long the oldest has been waited for; 0 where none is */
  oldest(now: number): readonly { readonly registry: string; readonly seconds: number }[] {
    const longest = new Map([...this.#hosts].map((host) => [host, 0]));
    for (const [destination, since] of this.#since) {
      const host = hostOf({ destination });
      longest.set(host, Math.max(longest.get(host) ?? 0, (now - since) / 1000));
    }
    return [...longest].map(([registry, seconds]) => ({ registry, seconds }));
  }
}

/** What is only kept as it is, nobody makes. */
function isToBeMade(copy: WantedCopy): boolean {
  return copy.rests !== true && copy.isAdopted !== true && !isNameless(copy);
}

function hostOf({ destination }: Pick<WantedCopy, 'destination'>): string {
  return knownImageRef(destination).host;
}
