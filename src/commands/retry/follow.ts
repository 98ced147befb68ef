/** How the copies somebody asked for stand, as the records tell it. */
import type { Change } from '../../cluster/cluster.js';
import type { ImageName } from '../../domain/image-ref.js';
import { mirrorsOf } from '../../domain/image-standing.js';
import type { ImageRecord, PlaceFailure, PlaceRecord } from '../../domain/record.js';

/**
 * `asked`: the manager has not seen the request yet; `waiting`: it has, the copy waits its turn or is under way;
 * `unwanted`: no rule wants this copy any more.
 */
export type Result = 'asked' | 'waiting' | 'copied' | 'failed' | 'unwanted';

/** One copy of one image. */
export interface Copy {
  readonly image: ImageName;
  /** name of the record */
  readonly record: string;
  readonly destination: ImageName;
  readonly result: Result;
  readonly digest?: string;
  readonly failure?: PlaceFailure;
}

/** A request, and how the copies stood when it was made. */
interface Asked {
  readonly requestedAt: string;
  readonly triedAt: ReadonlyMap<ImageName, string | undefined>;
}

export class Following {
  readonly #asked = new Map<string, Asked>();
  readonly #copies = new Map<string, Copy>();

  /** @param record as the API server answered the request: what ends after it was asked for */
  ask(record: ImageRecord): void {
    const places = mirrorsOf(record);
    this.#asked.set(record.name, { requestedAt: record.requestedAt ?? '', triedAt: new Map(places.map(({ reference, triedAt }) => [reference, triedAt])) });
    for (const place of places) this.#put(record, place, 'asked');
  }

  /** @returns whether anything is different now */
  see(change: Change<ImageRecord>): boolean {
    if (change.type === 'synced') return false;
    const asked = this.#asked.get(change.key);
    if (asked === undefined) return false;
    const before = JSON.stringify(this.copies);
    for (const destination of asked.triedAt.keys()) this.#look(change.key, destination, asked, change.type === 'put' ? change.object : undefined);
    return JSON.stringify(this.copies) !== before;
  }

  /** In the order they were asked for. */
  get copies(): readonly Copy[] {
    return [...this.#copies.values()];
  }

  get isOver(): boolean {
    return this.copies.every(({ result }) => result !== 'asked' && result !== 'waiting');
  }

  #look(name: string, destination: ImageName, asked: Asked, record: ImageRecord | undefined): void {
    const place = record?.places.find(({ reference, role }) => reference === destination && role === 'mirror');
    const known = this.#copies.get(`${name} ${destination}`);
    if (record === undefined || place === undefined) {
      if (known !== undefined) this.#copies.set(`${name} ${destination}`, { ...known, result: 'unwanted' });
    } else this.#put(record, place, resultOf(place, record, asked));
  }

  #put({ name, image }: ImageRecord, { reference, digest, failure }: PlaceRecord, result: Result): void {
    this.#copies.set(`${name} ${reference}`, {
      image,
      record: name,
      destination: reference,
      result,
      ...(result === 'copied' && digest !== undefined ? { digest } : {}),
      ...(result === 'failed' && failure !== undefined ? { failure } : {}),
    });
  }
}

function resultOf({ reference, triedAt, failure }: PlaceRecord, { requestedAt }: ImageRecord, asked: Asked): Result {
  if (requestedAt === asked.requestedAt) return 'asked';
  if (triedAt === asked.triedAt.get(reference)) return 'waiting';
  return failure === undefined ? 'copied' : 'failed';
}
