/** How the copies somebody asked for stand, as the records tell it. */
import type { Change } from '../../cluster/cluster.js';
import type { ImageName } from '../../domain/image-ref.js';
import { mirrorsOf } from '../../domain/image-standing.js';
import type { ImageRecord, PlaceFailure, PlaceRecord } from '../../domain/record.js';

/**
 * `asked`: the manager has not seen the request yet; `waiting`: it has, the copy waits its turn or is under way;
 * `unwanted`: no rule wants this copy any more; `refused`: it could not be asked for.
 */
export type Result = 'asked' | 'waiting' | 'copied' | 'failed' | 'unwanted' | 'refused';

/** One copy of one image. */
export interface Copy {
  readonly image: ImageName;
  /** name of the record */
  readonly record: string;
  readonly destination: ImageName;
  readonly result: Result;
  readonly digest?: string;
  readonly failure?: PlaceFailure;
  /** why it was refused */
  readonly message?: string;
}

/** A request, and how the copies stood when it was made. */
interface Asked {
  readonly requestedAt: string;
  readonly triedAt: ReadonlyMap<ImageName, string | undefined>;
}

/** Thousands may be followed, and each change of a record is about one: nothing here goes through all of them but `copies`. */
export class Following {
  readonly #asked = new Map<string, Asked>();
  readonly #copies = new Map<string, Copy>();
  readonly #left = new Set<string>();

  /** @param record as the API server answered the request: what ends after it was asked for */
  ask(record: ImageRecord): void {
    const places = mirrorsOf(record);
    this.#asked.set(record.name, { requestedAt: record.requestedAt ?? '', triedAt: new Map(places.map(({ reference, triedAt }) => [reference, triedAt])) });
    for (const place of places) this.#put(copyOf(record, place, 'asked'));
  }

  /** Its record is gone, so there is nothing to ask for. */
  lose(record: ImageRecord): void {
    for (const place of mirrorsOf(record)) this.#put(copyOf(record, place, 'unwanted'));
  }

  /** @param message why it could not be asked for */
  refuse(record: ImageRecord, message: string): void {
    for (const place of mirrorsOf(record)) this.#put({ ...copyOf(record, place, 'refused'), message });
  }

  /** @returns whether anything is different now */
  see(change: Change<ImageRecord>): boolean {
    if (change.type === 'synced') return false;
    const asked = this.#asked.get(change.key);
    if (asked === undefined) return false;
    const record = change.type === 'put' ? change.object : undefined;
    return [...asked.triedAt.keys()].map((destination) => this.#look(`${change.key} ${destination}`, asked, record)).includes(true);
  }

  /** In the order they were asked for. */
  get copies(): readonly Copy[] {
    return [...this.#copies.values()];
  }

  get isOver(): boolean {
    return this.#left.size === 0;
  }

  /** @returns whether it is different now */
  #look(key: string, asked: Asked, record: ImageRecord | undefined): boolean {
    const before = this.#copies.get(key);
    if (before === undefined) return false;
    const now = copyNow(before, asked, record);
    this.#put(now);
    return JSON.stringify(now) !== JSON.stringify(before);
  }

  #put(copy: Copy): void {
    const key = `${copy.record} ${copy.destination}`;
    this.#copies.set(key, copy);
    if (copy.result === 'asked' || copy.result === 'waiting') this.#left.add(key);
    else this.#left.delete(key);
  }
}

function copyNow(before: Copy, asked: Asked, record: ImageRecord | undefined): Copy {
  const place = record?.places.find(({ reference, role }) => reference === before.destination && role === 'mirror');
  if (record === undefined || place === undefined) return { ...before, result: 'unwanted' };
  return copyOf(record, place, resultOf(place, record, asked));
}

function copyOf({ name, image }: ImageRecord, { reference, digest, failure }: PlaceRecord, result: Result): Copy {
  return {
    image,
    record: name,
    destination: reference,
    result,
    ...(result === 'copied' && digest !== undefined ? { digest } : {}),
    ...(result === 'failed' && failure !== undefined ? { failure } : {}),
  };
}

function resultOf({ reference, triedAt, failure }: PlaceRecord, { requestedAt }: ImageRecord, asked: Asked): Result {
  if (requestedAt === asked.requestedAt) return 'asked';
  if (triedAt === asked.triedAt.get(reference)) return 'waiting';
  return failure === undefined ? 'copied' : 'failed';
}
