/**
 * Which images are tracked, and on whose behalf (`check-order.ts` says which of them is checked next):
 *
 * 1. an image is tracked by every monitor rule in force that selects it, for a Pod in its scope; a copy that a Pod
 *    pulls from is tracked under its own name;
 * 2. the template of a workload keeps what a Pod has brought in before, and brings in nothing itself;
 * 3. an image nobody uses any more stays tracked until it expires. No Pod tells any more whose it was, so its record
 *    remembers; one that was never checked leaves at once;
 * 4. a rule that rests keeps what it tracked: nothing is checked on its behalf, and nothing expires. Of a copy, which has
 *    no record of its own, its checks tell that somebody tracked it.
 *
 * @see docs/concepts/monitor.md
 */
import { seesPod, selectsImage } from './filter.js';
import { imageName, parseImageRef, placeIdentity, type ImageName, type ImageRef, type PlaceId } from './image-ref.js';
import { compareTexts } from './rank.js';
import type { ImageUse } from './record-plan.js';
import { unusedSinceMs, type ImageRecord, type PlaceRecord } from './record.js';
import { isResting, isValid, type MonitorRule, type Rule } from './rule.js';
import type { PodScope } from './usage.js';

/** One image, and the rules that want to know whether it can be pulled. */
export interface TrackedImage {
  readonly image: ImageName;
  readonly ref: ImageRef;
  /** names of the rules that track it, in order */
  readonly by: readonly string[];
  /** one of these rules is in force */
  readonly isChecked: boolean;
  /** a Pod recorded this name as what its user wrote */
  readonly original: boolean;
  /** RFC 3339; absent while something uses it */
  readonly unusedSince?: string;
  /** milliseconds since the epoch: when an unused image is forgotten; `Infinity` where a rule never does */
  readonly endsAt?: number;
  /** the images whose records speak of this place, in order; empty while there are none */
  readonly records: readonly ImageName[];
  /** what the last check found, whichever record tells */
  readonly seen?: Seen;
}

export type Seen = Pick<PlaceRecord, 'state' | 'checkedAt' | 'identity' | 'checkFailure' | 'digest'>;

export interface TrackingPicture {
  readonly used: readonly ImageUse[];
  readonly rules: readonly Rule[];
  readonly records: readonly ImageRecord[];
  /** milliseconds since the epoch */
  readonly now: number;
  /** only what lies at this registry, `host[:port]`; all of it unless told */
  readonly at?: string;
}

export function trackedImages({ used, rules, records, now, at }: TrackingPicture): readonly TrackedImage[] {
  const monitors = monitorRules(rules);
  if (monitors.length === 0) return [];
  const book = new RecordBook(records);
  const usedThere = used.filter(({ ref }) => at === undefined || ref.host === at);
  const inUse = new Set(usedThere.map(({ ref }) => imageName(ref)));
  const unused = records.filter(({ image }) => (at === undefined || image.startsWith(`${at}/`)) && !inUse.has(image));
  return [...usedThere.map((use) => trackUsed(use, monitors, book)), ...unused.map((record) => trackUnused(record, monitors, book, now))].filter((tracked) => tracked !== undefined);
}

/** Those that are not on their way out, by name. */
function monitorRules(rules: readonly Rule[]): MonitorRule[] {
  return rules
    .filter((rule) => rule.type === 'monitor')
    .filter(({ deletedAt }) => deletedAt === undefined)
    .sort((a, b) => compareTexts(a.id.name, b.id.name));
}

function trackUsed({ ref, users, original }: ImageUse, monitors: readonly MonitorRule[], book: RecordBook): TrackedImage | undefined {
  const image = imageName(ref);
  const known = book.known(image);
  const selects = (rule: MonitorRule): boolean => selectsImage(rule.images, ref) && users.some((user) => seesUser(rule, user, known?.trackedBy));
  const isCheckedCopy = known === undefined && book.seen(image, placeIdentity(ref))?.identity !== undefined;
  const keeps = (rule: MonitorRule): boolean => {
    if (!isCheckedCopy) return known?.trackedBy?.includes(rule.id.name) === true;
    if (isValid(rule)) return selects(rule);
    // what it selected nobody can read any more: its image tells, or that somebody had it checked and nobody else can have
    return book.trackersOf(image, placeIdentity(ref)).has(rule.id.name) || !monitors.some((other) => isValid(other) && selects(other));
  };
  const by = monitors.filter((rule) => (isResting(rule) ? keeps(rule) : selects(rule)));
  return tracked({ image, ref, original }, by, book);
}

/**
 * Whether a rule in force tracks an image it selects on behalf of a Pod, or of the template of a workload.
 *
 * @param trackedBy names of the rules that track the image already: a template brings in nothing itself
 */
export function seesUser(rule: MonitorRule, user: PodScope, trackedBy: readonly string[] = []): boolean {
  return (user.workload === undefined || trackedBy.includes(rule.id.name)) && seesPod(rule, user);
}

function trackUnused(record: ImageRecord, monitors: readonly MonitorRule[], book: RecordBook, now: number): TrackedImage | undefined {
  const { image, trackedBy = [], original = false } = record;
  const ref = parseImageRef(image);
  if (ref === undefined || trackedBy.length === 0) return undefined;
  const since = unusedSinceMs(record, now);
  const wasChecked = book.seen(image, placeIdentity(ref))?.checkedAt !== undefined;
  const by = monitors.filter((rule) => {
    if (!trackedBy.includes(rule.id.name)) return false;
    return isResting(rule) || (wasChecked && selectsImage(rule.images, ref) && now < endOf(rule, since));
  });
  const endsAt = Math.max(...by.map((rule) => endOf(rule, since)));
  return tracked({ image, ref, original, unusedSince: new Date(since).toISOString(), endsAt }, by, book);
}

function tracked(what: Omit<TrackedImage, 'by' | 'isChecked' | 'records' | 'seen'>, by: readonly MonitorRule[], book: RecordBook): TrackedImage | undefined {
  if (by.length === 0) return undefined;
  const place = placeIdentity(what.ref); // names are read once: a look goes through thousands of them
  const seen = book.seen(what.image, place);
  return {
    ...what,
    by: by.map(({ id }) => id.name),
    isChecked: by.some((rule) => !isResting(rule)),
    records: book.recordsOf(what.image, place),
    ...(seen === undefined ? {} : { seen }),
  };
}

/** A rule that rests lets nothing expire. */
function endOf(rule: MonitorRule, unusedSince: number): number {
  return rule.unusedExpiryMs === 0 || isResting(rule) ? Infinity : unusedSince + rule.unusedExpiryMs;
}

/**
 * Where records speak of images: a copy has no record of its own, it is a place of its image's, or of several where an
 * image has several names of one digest.
 */
class RecordBook {
  readonly #byImage: ReadonlyMap<ImageName, ImageRecord>;
  readonly #copies = new Map<string, ImageRecord[]>();

  constructor(records: readonly ImageRecord[]) {
    this.#byImage = new Map(records.map((record) => [record.image, record]));
    for (const record of records) for (const { role, reference } of record.places) if (role === 'mirror') this.#noteCopy(reference, record);
  }

  #noteCopy(reference: ImageName, record: ImageRecord): void {
    const known = this.#copies.get(reference);
    if (known === undefined) this.#copies.set(reference, [record]);
    else known.push(record);
  }

  known(image: ImageName): ImageRecord | undefined {
    return this.#byImage.get(image);
  }

  recordsOf(image: ImageName, place: PlaceId): readonly ImageName[] {
    return this.#speakingOf(image, place).map((record) => record.image);
  }

  /** Names of the rules that track any of these images. */
  trackersOf(image: ImageName, place: PlaceId): ReadonlySet<string> {
    return new Set(this.#speakingOf(image, place).flatMap(({ trackedBy = [] }) => trackedBy));
  }

  /** The latest that any of them tells; in whichever order they came. */
  seen(image: ImageName, at: PlaceId): Seen | undefined {
    let latest: Seen | undefined;
    for (const { places } of this.#speakingOf(image, at)) {
      const place = places.find((each) => (each.reference as string) === at);
      if (place !== undefined && (latest === undefined || checkedMs(place) > checkedMs(latest))) latest = place;
    }
    return latest;
  }

  #speakingOf(image: ImageName, place: PlaceId): readonly ImageRecord[] {
    const own = this.#byImage.get(image);
    const others = this.#copies.get(place) ?? [];
    if (others.length === 0) return own === undefined ? [] : [own];
    return [...new Set([...(own === undefined ? [] : [own]), ...others])].sort((one, other) => compareTexts(one.image, other.image));
  }
}

/** What was never checked, or bears no time that can be read, is older than anything. */
function checkedMs({ checkedAt }: Seen): number {
  const at = Date.parse(checkedAt ?? '');
  return Number.isNaN(at) ? -Infinity : at;
}

/** A place of a record. */
export interface RecordPlace {
  readonly image: ImageName;
  readonly reference: ImageName;
}

/**
 * What checks said of places that nobody tracks any more: it would stand there for ever. What copies saw of an origin
 * bears no credential, and stays.
 */
export function uncheckedPlaces(records: readonly ImageRecord[], tracked: readonly TrackedImage[]): readonly RecordPlace[] {
  const places = new Set<string>(tracked.map(({ ref }) => placeIdentity(ref)));
  return records.flatMap(({ image, places: known }) => known.filter(({ reference, identity }) => identity !== undefined && !places.has(reference)).map(({ reference }) => ({ image, reference })));
}

/** The registries that are to be checked: what no record speaks of yet has one in a moment. */
export function monitoredHosts(images: readonly TrackedImage[]): readonly string[] {
  return [...new Set(images.filter(({ isChecked, records }) => isChecked && records.length > 0).map(({ ref }) => ref.host))].sort(compareTexts);
}

/** Whether something at a registry is to be checked as soon as a record speaks of it. */
export function awaitsRecords(host: string, images: readonly TrackedImage[]): boolean {
  return images.some(({ ref, isChecked, records }) => isChecked && records.length === 0 && ref.host === host);
}
