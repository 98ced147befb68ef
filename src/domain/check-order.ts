/**
 * Which image of a registry is checked next:
 *
 * 1. what was never checked, in use before unused;
 * 2. then what was checked longest ago; an image in use that could not be pulled then counts as if that were
 *    `failingWeight` times as long ago: whether it is back is what people wait for;
 * 3. then by name.
 *
 * However much fails, the others have their turns: about once in a round (`roundTurns`).
 *
 * @see docs/concepts/monitor.md, docs/adr/0030-what-fails-is-checked-more-often.md
 */
import { isUnavailable, type AvailabilityState } from './availability.js';
import { cycleMs, type Pace } from './check-pace.js';
import { placeIdentity, type ImageName, type ImageRef, type PlaceId } from './image-ref.js';
import { monitoredHosts, type TrackedImage } from './monitor.js';
import { compareTexts } from './rank.js';

/** How many turns an image in use that fails gets for one of another. */
const failingWeight = 4;

/** What is asked of a registry: one place, however many names it has. */
export interface Check {
  readonly place: PlaceId;
  readonly ref: ImageRef;
  /** the tracked images it is about, and the images whose records are to know */
  readonly images: readonly ImageName[];
  readonly records: readonly ImageName[];
  readonly isUsed: boolean;
  /** milliseconds since the epoch; absent when nobody has looked yet */
  readonly checkedAt?: number;
  /** the same, where a check looked, and no copy by the way */
  readonly askedAt?: number;
  readonly state: AvailabilityState;
}

/**
 * The checks of one registry, next one first. What no record speaks of yet is left for the next time.
 *
 * @param now milliseconds since the epoch
 * @param tried when somebody last tried, whatever came of it: milliseconds since the epoch. One that cannot be checked,
 *   or written down, lets the others have their turns
 */
export function checksAt(host: string, images: readonly TrackedImage[], now: number, tried: ReadonlyMap<PlaceId, number> = new Map()): readonly Check[] {
  return placesAt(host, images)
    .map((check) => ({ check, turn: turnOf(check, tried.get(check.place), now) }))
    .sort((one, other) => byTurn(one.turn, other.turn) || compareTexts(one.check.place, other.check.place))
    .map(({ check }) => check);
}

function placesAt(host: string, images: readonly TrackedImage[]): readonly Check[] {
  const checks = new Map<PlaceId, Check>();
  for (const image of images) {
    if (!image.isChecked || image.records.length === 0 || image.ref.host !== host) continue;
    const place = placeIdentity(image.ref);
    checks.set(place, joined(checks.get(place), checkOf(image, place)));
  }
  return [...checks.values()];
}

function checkOf({ image, ref, unusedSince, records, seen }: TrackedImage, place: PlaceId): Check {
  const checkedAt = Date.parse(seen?.checkedAt ?? '');
  const known = Number.isNaN(checkedAt) ? {} : { checkedAt, ...(seen?.identity === undefined ? {} : { askedAt: checkedAt }) };
  return { place, ref, images: [image], records, isUsed: unusedSince === undefined, state: seen?.state ?? 'Scheduled', ...known };
}

/** Two names of one place: it is due when either of them is. */
function joined(one: Check | undefined, other: Check): Check {
  if (one === undefined) return other;
  const first = (one.checkedAt ?? -Infinity) <= (other.checkedAt ?? -Infinity) ? one : other;
  return {
    ...first,
    images: [...one.images, ...other.images],
    records: [...new Set([...one.records, ...other.records])],
    isUsed: one.isUsed || other.isUsed,
    askedAt: lastAskedAt([one, other]),
  };
}

/** When a registry was checked last, as far as records tell: milliseconds since the epoch. */
export function lastAskedAt(checks: readonly Check[]): number | undefined {
  const times = checks.flatMap(({ askedAt }) => askedAt ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** The later of two times, where both are known. */
export function laterOf(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

interface Turn {
  readonly isUsed: boolean;
  /** how long ago, weighted, in milliseconds; `Infinity` when nobody ever tried */
  readonly age: number;
}

function turnOf(check: Check, triedAt: number | undefined, now: number): Turn {
  const at = laterOf(check.checkedAt, triedAt);
  // what was checked in the future counts by its distance, as clocks differ both ways
  return { isUsed: check.isUsed, age: at === undefined ? Infinity : Math.abs(now - at) * weightOf(check) };
}

function byTurn(one: Turn, other: Turn): number {
  if (one.age !== other.age) return one.age > other.age ? -1 : 1;
  if (one.age === Infinity && one.isUsed !== other.isUsed) return one.isUsed ? -1 : 1;
  return 0;
}

function weightOf({ isUsed, state }: Check): number {
  return isUsed && isUnavailable(state) ? failingWeight : 1;
}

/**
 * How many turns a registry takes until each of its places has had one. Turns are shared by weight, so what is lightest
 * waits for the sum of all weights.
 */
export function roundTurns(checks: readonly Check[]): number {
  const weights = checks.map(weightOf);
  const lightest = weights.includes(1) ? 1 : failingWeight;
  return weights.reduce((sum, weight) => sum + weight, 0) / lightest;
}

/**
 * How long a round of checks of these images takes: registries are checked side by side, and each shares its turns among
 * all that is tracked there, whoever tracks it.
 *
 * @returns milliseconds; undefined when nothing of it is checked
 */
export function roundMs(images: readonly TrackedImage[], all: readonly TrackedImage[], paceOf: (host: string) => Pace): number | undefined {
  const rounds = monitoredHosts(images).map((host) => cycleMs(paceOf(host), roundTurns(placesAt(host, all))));
  return rounds.length === 0 ? undefined : Math.max(...rounds);
}
