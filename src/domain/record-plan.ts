/**
 * Plans what the watchers write of the records: which images have one, how many Pods use each, which places
 * it has, and since when nobody uses it. Level-triggered: computed from the whole picture, compared elsewhere.
 *
 * @see docs/concepts/retain.md
 */
import { imageName, parseImageRef, placeIdentity, type ImageName, type ImageRef, type PlaceId } from './image-ref.js';
import { isSameImage } from './collision.js';
import { mirrorPlace } from './join.js';
import type { MirrorPlan, WantedCopy } from './mirror.js';
import { replicasOf } from './replica.js';
import type { Condition, ImageRecord, PlaceRecord, RecordUsage } from './record.js';
import { ruleText, type Cleanup, type MirrorRule, type Rule } from './rule.js';
import type { PodScope } from './usage.js';

export interface RecordPicture {
  readonly used: readonly ImageUse[];
  readonly plan: MirrorPlan;
  readonly rules: readonly Rule[];
  readonly records: readonly ImageRecord[];
  /** milliseconds an unused copy is kept where no rule says otherwise */
  readonly retentionMs: number;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** How much an image is in use. */
export interface ImageUse {
  readonly ref: ImageRef;
  /** what filters see of its Pods */
  readonly users: readonly PodScope[];
  readonly pods: number;
  /** a Pod recorded this name as the one its user wrote */
  readonly original: boolean;
}

export interface RecordPlan {
  readonly apply: readonly RecordUsage[];
  readonly remove: readonly ImageName[];
  /** copies of ours that nothing wants any more: their claims end */
  readonly released: readonly PlaceId[];
}

const lingerMs = 60 * 60 * 1000; // contract: a record nothing retains goes one hour after its last Pod

export function planRecords(picture: RecordPicture): RecordPlan {
  const records = new Map(picture.records.map((record) => [record.image, record]));
  const uses = new Map(picture.used.map((use) => [imageName(use.ref), use]));
  const wanted = wantedByPlace(picture.plan);
  const held = heldPlaces(picture.records);

  const unused = picture.records.filter(({ image }) => !uses.has(image)).map((record) => planUnused(record, picture));
  return {
    apply: [
      ...[...uses].map(([image, use]) => planUsed(use, wanted.get(placeIdentity(use.ref)) ?? [], records.get(image), held, picture)),
      ...unused.filter(({ isOver }) => !isOver).map(({ usage }) => usage),
    ],
    remove: unused.filter(({ isOver }) => isOver).map(({ usage }) => usage.image),
    released: picture.records.flatMap((record) => releasedPlaces(record, picture.plan)),
  };
}

function planUsed(use: ImageUse, copies: readonly WantedCopy[], record: ImageRecord | undefined, held: HeldPlaces, picture: RecordPicture): RecordUsage {
  const image = imageName(use.ref);
  const mirrors = copies.map(mirrorPart);
  const replicas = replicasOf(use.ref, use.users, picture.rules).map((ref) => ({ reference: referenceOf(placeIdentity(ref)), role: 'replica' as const }));
  return {
    image,
    pods: use.pods,
    original: use.original,
    mirrors: `${copies.filter((copy) => isHeld(copy, held)).length}/${copies.length}`,
    places: placesOnce([originPart(image), ...mirrors, ...replicas, ...retained(record, picture).map(({ part }) => part)]),
    conditions: conditionsOf(copies, record, held, picture.now),
  };
}

/** An image nobody uses: its copies are kept while a rule with clean-up retains them. */
function planUnused(record: ImageRecord, picture: RecordPicture): { usage: RecordUsage; isOver: boolean } {
  const since = unusedSince(record, picture.now);
  const kept = retained(record, picture);
  const ends = kept.map(({ retentionMs }) => since + retentionMs);
  const usage: RecordUsage = {
    image: record.image,
    pods: 0,
    ...(record.original === undefined ? {} : { original: record.original }),
    unusedSince: new Date(since).toISOString(),
    ...(ends.length > 0 && record.keepUntil !== 'forever' ? { expiresAt: new Date(Math.max(...ends, pinnedUntil(record))).toISOString() } : {}),
    mirrors: '0/0',
    places: placesOnce([originPart(record.image), ...kept.map(({ part }) => part)]),
    conditions: conditionsOf([], record, new Set(), picture.now),
  };
  return { usage, isOver: kept.length === 0 && picture.now - since >= lingerMs };
}

/** Several names of one digest are one image with one copy: each of their records shows it. */
function wantedByPlace(plan: MirrorPlan): Map<PlaceId, WantedCopy[]> {
  const found = new Map<PlaceId, WantedCopy[]>();
  for (const copy of plan.wanted.values()) {
    const ref = parseImageRef(copy.image);
    if (ref !== undefined) found.set(placeIdentity(ref), [...(found.get(placeIdentity(ref)) ?? []), copy]);
  }
  return found;
}

/** Where verified copies are, whichever record tells. */
type HeldPlaces = ReadonlySet<ImageName>;

function heldPlaces(records: readonly ImageRecord[]): HeldPlaces {
  return new Set(records.flatMap((record) => copiesIn(record).map(({ reference }) => reference)));
}

function isHeld({ destination }: WantedCopy, held: HeldPlaces): boolean {
  return held.has(referenceOf(destination));
}

type PlacePart = RecordUsage['places'][number];

function originPart(image: ImageName): PlacePart {
  const ref = parseImageRef(image);
  return { reference: ref === undefined ? image : referenceOf(placeIdentity(ref)), role: 'origin' };
}

/** A place is named in the record by its identity, so that every spelling of it is one item. */
function mirrorPart({ destination, rule, secret }: WantedCopy): PlacePart {
  return {
    reference: referenceOf(destination),
    role: 'mirror',
    ...(rule === undefined ? {} : { rule }),
    ...(secret === undefined ? {} : { secret }),
  };
}

/** The name a place has in a record: its identity is an image name too. */
export function referenceOf(place: PlaceId): ImageName {
  return place as string as ImageName;
}

/** Copies that exist and whose rule cleans up after itself: they stay known until they are deleted. */
function retained(record: ImageRecord | undefined, picture: RecordPicture): { part: PlacePart; retentionMs: number }[] {
  return copiesIn(record).flatMap((place) => {
    const cleanup = cleanupOf(place, record?.image, picture.rules);
    if (cleanup?.enabled !== true) return [];
    const { reference, role, rule, secret } = place;
    const part = { reference, ...(role === undefined ? {} : { role }), ...(rule === undefined ? {} : { rule }), ...(secret === undefined ? {} : { secret }) };
    return [{ part, retentionMs: cleanup.retentionMs ?? picture.retentionMs }];
  });
}

function copiesIn(record: ImageRecord | undefined): readonly PlaceRecord[] {
  return (record?.places ?? []).filter((place) => place.role === 'mirror' && place.mirroredAt !== undefined);
}

function cleanupOf(place: PlaceRecord, image: ImageName | undefined, rules: readonly Rule[]): Cleanup | undefined {
  const rule = rules.find((found): found is MirrorRule => found.type === 'mirror' && ruleText(found.id) === place.rule);
  if (rule === undefined || image === undefined) return undefined;
  return rule.mirrors.find((mirror) => isPlaceOf(mirror, image, place))?.cleanup;
}

function isPlaceOf(mirror: MirrorRule['mirrors'][number], image: ImageName, place: PlaceRecord): boolean {
  const ref = parseImageRef(image);
  const joined = ref === undefined ? undefined : mirrorPlace(mirror, ref);
  return joined !== undefined && referenceOf(placeIdentity(joined)) === place.reference;
}

function releasedPlaces(record: ImageRecord, plan: MirrorPlan): PlaceId[] {
  return record.places
    .filter((place) => place.role === 'mirror')
    .map((place) => place.reference as string as PlaceId)
    .filter((place) => {
      const wanted = plan.wanted.get(place);
      return wanted === undefined || !isSameImage(wanted.image, record.image);
    });
}

function unusedSince(record: ImageRecord, now: number): number {
  const stamped = Date.parse(record.unusedSince ?? '');
  return stamped > 0 && stamped <= now ? stamped : now; // v2 marks instant expiry by a time before 1970: unused since now
}

function pinnedUntil(record: ImageRecord): number {
  const until = Date.parse(record.keepUntil ?? '');
  return Number.isNaN(until) ? 0 : until;
}

function conditionsOf(copies: readonly WantedCopy[], record: ImageRecord | undefined, held: HeldPlaces, now: number): Condition[] {
  return [availableCondition(record), mirroredCondition(copies, held)].map((condition) => ({
    ...condition,
    lastTransitionTime: sinceWhen(condition, record, now),
  }));
}

type Undated = Omit<Condition, 'lastTransitionTime'>;

function availableCondition(record: ImageRecord | undefined): Undated {
  const state = record?.places.find((place) => place.role === 'origin')?.state ?? 'Scheduled';
  if (state === 'Scheduled') return { type: 'Available', status: 'Unknown', reason: 'Scheduled', message: 'the origin has not been looked at yet' };
  if (state === 'Available') return { type: 'Available', status: 'True', reason: 'Available', message: 'the origin answers' };
  return { type: 'Available', status: 'False', reason: state, message: 'the origin cannot serve the image' };
}

function mirroredCondition(copies: readonly WantedCopy[], held: HeldPlaces): Undated {
  const missing = copies.filter((copy) => !isHeld(copy, held));
  if (copies.length === 0) return { type: 'Mirrored', status: 'True', reason: 'NotWanted', message: 'no rule wants a copy' };
  if (missing.length === 0) return { type: 'Mirrored', status: 'True', reason: 'Mirrored', message: 'every wanted mirror holds a verified copy' };
  return { type: 'Mirrored', status: 'False', reason: 'Pending', message: `no copy yet at ${missing.map(({ destination }) => destination).join(', ')}`.slice(0, 1024) };
}

function sinceWhen(condition: Undated, record: ImageRecord | undefined, now: number): string {
  const previous = record?.conditions?.find(({ type }) => type === condition.type);
  return previous?.status === condition.status ? previous.lastTransitionTime : new Date(now).toISOString();
}

function placesOnce(parts: readonly PlacePart[]): PlacePart[] {
  const byReference = new Map<ImageName, PlacePart>();
  for (const part of parts) if (!byReference.has(part.reference)) byReference.set(part.reference, part);
  return [...byReference.values()].slice(0, 64);
}
