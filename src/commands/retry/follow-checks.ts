/** How the checks somebody asked for stand, as the records tell it. */
import type { Change } from '../../cluster/cluster.js';
import { isUnavailable, type AvailabilityState } from '../../domain/availability.js';
import type { ImageName } from '../../domain/image-ref.js';
import type { ImageRecord, PlaceRecord } from '../../domain/record.js';

/**
 * `asked`: the manager has not seen the request yet; `waiting`: it has, the check waits or is under way; `untracked`: no
 * rule wants to know any more; `refused`: it could not be asked for.
 */
export type CheckResult = 'asked' | 'waiting' | 'available' | 'unavailable' | 'untracked' | 'refused';

/** One check of where an image comes from. */
export interface Check {
  readonly image: ImageName;
  /** name of the record */
  readonly record: string;
  readonly result: CheckResult;
  /** what was found, once the check is over */
  readonly state?: AvailabilityState;
  readonly digest?: string;
  /** why it cannot be pulled, or was refused */
  readonly message?: string;
}

/** A request, and when the image had been checked before. RFC 3339. */
interface Asked {
  readonly requestedAt: string;
  readonly checkedAt: string | undefined;
}

export class FollowingChecks {
  readonly #asked = new Map<string, Asked>();
  readonly #checks = new Map<string, Check>();
  readonly #left = new Set<string>();

  /** @param record as the API server answered the request: what is found after it was asked for */
  ask(record: ImageRecord): void {
    const { name, image, requestedAt = '' } = record;
    this.#asked.set(name, { requestedAt, checkedAt: originOf(record)?.checkedAt });
    this.#put({ image, record: name, result: 'asked' });
  }

  /** Its record is gone, so there is nothing to ask for. */
  lose({ name, image }: ImageRecord): void {
    this.#put({ image, record: name, result: 'untracked' });
  }

  /** @param message why it could not be asked for */
  refuse({ name, image }: ImageRecord, message: string): void {
    this.#put({ image, record: name, result: 'refused', message });
  }

  /** @returns whether anything is different now */
  see(change: Change<ImageRecord>): boolean {
    if (change.type === 'synced') return false;
    const [asked, before] = [this.#asked.get(change.key), this.#checks.get(change.key)];
    if (asked === undefined || before === undefined) return false;
    const now = checkOf(before, change.type === 'put' ? change.object : undefined, asked);
    this.#put(now);
    return JSON.stringify(now) !== JSON.stringify(before);
  }

  /** In the order they were asked for. */
  get checks(): readonly Check[] {
    return [...this.#checks.values()];
  }

  get isOver(): boolean {
    return this.#left.size === 0;
  }

  #put(check: Check): void {
    this.#checks.set(check.record, check);
    if (check.result === 'asked' || check.result === 'waiting') this.#left.add(check.record);
    else this.#left.delete(check.record);
  }
}

function checkOf({ image, record: name }: Check, record: ImageRecord | undefined, asked: Asked): Check {
  const about = { image, record: name };
  if (record === undefined || (record.trackedBy ?? []).length === 0) return { ...about, result: 'untracked' };
  if (record.requestedAt === asked.requestedAt) return { ...about, result: 'asked' };
  const origin = originOf(record);
  if (origin?.checkedAt === undefined || origin.checkedAt === asked.checkedAt) return { ...about, result: 'waiting' };
  return { ...about, ...foundAt(origin) };
}

function foundAt({ state = 'Scheduled', digest, checkFailure }: PlaceRecord): Pick<Check, 'result' | 'state' | 'digest' | 'message'> {
  if (isUnavailable(state)) return { result: 'unavailable', state, ...(checkFailure === undefined ? {} : { message: checkFailure }) };
  return { result: 'available', state, ...(digest === undefined ? {} : { digest }) };
}

function originOf({ places }: ImageRecord): PlaceRecord | undefined {
  return places.find(({ role }) => role === 'origin');
}
