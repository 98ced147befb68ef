import type { Change } from '../cluster/cluster.js';
import type { Fact } from '../domain/availability.js';
import { parseImageRef, placeIdentity, type ImageName, type PlaceId } from '../domain/image-ref.js';
import type { ImageRecord, PlaceRecord } from '../domain/record.js';

/** A place and the record that speaks of it. */
export interface PlaceEntry {
  readonly record: ImageRecord;
  readonly place: PlaceRecord;
}

const nothing: readonly PlaceEntry[] = [];

/** The records of the cluster, by image and by place. One place may stand in several records: origin of one, mirror of another. */
export class RecordsView {
  readonly #byKey = new Map<string, ImageRecord>();
  readonly #byImage = new Map<ImageName, ImageRecord>();
  readonly #byPlace = new Map<PlaceId, readonly PlaceEntry[]>();
  readonly #onChange: () => void;
  #isSynced = false;

  /** @param onChange called after every change, `synced` included; work belongs elsewhere */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  apply(change: Change<ImageRecord>): void {
    if (change.type === 'synced') this.#isSynced = true;
    else {
      this.#forget(change.key);
      if (change.type === 'put') this.#learn(change.key, change.object);
    }
    this.#onChange();
  }

  /** The first complete list has arrived. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  byImage(image: ImageName): ImageRecord | undefined {
    return this.#byImage.get(image);
  }

  /** Everything the records say of one place; in order of image names, so that events in another order change nothing. */
  at(place: PlaceId): readonly PlaceEntry[] {
    return this.#byPlace.get(place) ?? nothing;
  }

  /** The latest observation of a place; undefined when nobody has looked yet. */
  fact(place: PlaceId): Fact | undefined {
    let latest: Fact | undefined;
    for (const entry of this.at(place)) {
      const fact = factOf(entry.place);
      if (fact !== undefined && (latest === undefined || fact.checkedAt > latest.checkedAt)) latest = fact;
    }
    return latest;
  }

  /** Whose copy a destination holds; undefined while no copy was made. Another image is never routed there. */
  holder(destination: PlaceId): ImageName | undefined {
    return this.at(destination).find(({ place }) => isCopy(place))?.record.image;
  }

  /** Whether a copy is about to be deleted: nobody is routed there any more. */
  isRetiring(place: PlaceId): boolean {
    return this.at(place).some((entry) => entry.place.retiringSince !== undefined);
  }

  snapshot(): readonly ImageRecord[] {
    return [...this.#byKey.values()];
  }

  #learn(key: string, record: ImageRecord): void {
    this.#byKey.set(key, record);
    this.#byImage.set(record.image, record);
    for (const place of record.places) {
      const id = placeOf(place);
      if (id !== undefined) this.#byPlace.set(id, [...this.at(id), { record, place }].sort(byImageName));
    }
  }

  #forget(key: string): void {
    const record = this.#byKey.get(key);
    if (record === undefined) return;

    this.#byKey.delete(key);
    if (this.#byImage.get(record.image) === record) this.#byImage.delete(record.image);
    for (const place of record.places) {
      const id = placeOf(place);
      if (id === undefined) continue;
      const rest = this.at(id).filter((entry) => entry.record !== record);
      if (rest.length > 0) this.#byPlace.set(id, rest);
      else this.#byPlace.delete(id);
    }
  }
}

/** Users may write anything into a record; a reference that does not parse is no place. */
function placeOf(place: PlaceRecord): PlaceId | undefined {
  const ref = parseImageRef(place.reference);
  return ref === undefined ? undefined : placeIdentity(ref);
}

/** A place with only a name and no check is no observation. */
function factOf(place: PlaceRecord): Fact | undefined {
  const { state, identity, checkedAt, digest, checkFailure } = place;
  const at = Date.parse(checkedAt ?? '');
  if (state === undefined || identity === undefined || Number.isNaN(at)) return undefined;
  return { state, identity, checkedAt: at, ...(digest === undefined ? {} : { digest }), ...(checkFailure === undefined ? {} : { message: checkFailure }) };
}

function isCopy(place: PlaceRecord): boolean {
  return place.role === 'mirror' && place.mirroredAt !== undefined;
}

function byImageName(a: PlaceEntry, b: PlaceEntry): number {
  return a.record.image < b.record.image ? -1 : a.record.image > b.record.image ? 1 : 0;
}
