/**
 * Plans what the watchers write of the records: which images have one, how many Pods use each, which places
 * it has, and since when nobody uses it. Level-triggered: computed from the whole picture, compared elsewhere.
 *
 * @see docs/concepts/retain.md
 */
import { imageName, parseImageRef, placeIdentity, type ImageName, type ImageRef, type PlaceId } from './image-ref.js';
import { isSameImage, refusalText, type Collision } from './collision.js';
import { isPurged, policyNow, retentionText, withRule } from './copy-policy.js';
import type { MirrorPlan, WantedCopy } from './mirror.js';
import { trackedImages, type TrackedImage } from './monitor.js';
import { replicasOf } from './replica.js';
import { unusedSinceMs, type Condition, type ImageRecord, type PlaceRecord, type RecordUsage } from './record.js';
import { pinEnd } from './retain.js';
import type { Rule } from './rule.js';
import type { PodScope } from './usage.js';

export interface RecordPicture {
  readonly used: readonly ImageUse[];
  readonly plan: MirrorPlan;
  readonly rules: readonly Rule[];
  readonly records: readonly ImageRecord[];
  /** where it is known already: patterns of five thousand images take a twentieth of a second */
  readonly tracked?: readonly TrackedImage[];
  /** milliseconds an unused copy is kept where no rule says otherwise */
  readonly retentionMs: number;
  /** all clusters that share mirrors meet in one Temporal namespace */
  readonly isConnected?: boolean;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** How much an image is in use. */
export interface ImageUse {
  readonly ref: ImageRef;
  /** what filters see of its Pods, and of templates that name it */
  readonly users: readonly PodScope[];
  /** 0 where only templates of workloads name it */
  readonly pods: number;
  /** a Pod recorded this name as the one its user wrote */
  readonly original: boolean;
}

export interface RecordPlan {
  readonly apply: readonly RecordUsage[];
  readonly remove: readonly ImageName[];
  /** copies of ours that nothing wants any more: their claims end */
  readonly released: readonly PlaceId[];
  /** those of them that are deleted without waiting */
  readonly purged: ReadonlySet<PlaceId>;
  /** places that left their record: what others wrote of them goes, too */
  readonly forgotten: readonly { readonly image: ImageName; readonly reference: ImageName }[];
}

const lingerMs = 60 * 60 * 1000; // a record nothing retains goes one hour after its last Pod

export function planRecords(picture: RecordPicture): RecordPlan {
  const records = new Map(picture.records.map((record) => [record.image, record]));
  const uses = new Map(picture.used.map((use) => [imageName(use.ref), use]));
  const wanted = wantedByPlace(picture.plan);
  const held = heldPlaces(picture.records);
  const tracked = new Map((picture.tracked ?? trackedImages(picture)).map((image) => [image.image, image]));
  const refusals = refusalsByImage(picture.plan);
  const copiesFor = (ref: ImageRef | undefined): readonly WantedCopy[] => (ref === undefined ? [] : (wanted.get(placeIdentity(ref)) ?? []));

  const unused = picture.records.filter(({ image }) => !uses.has(image)).map((record) => planUnused(record, copiesFor(parseImageRef(record.image)), tracked.get(record.image), held, picture));
  const apply = [
    ...[...uses].map(([image, use]) => planUsed(use, { copies: copiesFor(use.ref), refused: refusals.get(image) ?? [] }, records.get(image), tracked.get(image), held, picture)),
    ...unused.filter(({ isOver }) => !isOver).map(({ usage }) => usage),
  ];
  const released = picture.records.flatMap((record) => releasedPlaces(record, picture));
  return {
    apply,
    remove: unused.filter(({ isOver }) => isOver).map(({ usage }) => usage.image),
    released: released.map(({ place }) => place),
    purged: new Set(released.filter(({ isPurge }) => isPurge).map(({ place }) => place)),
    forgotten: apply.flatMap((usage) => forgottenPlaces(usage, records.get(usage.image))),
  };
}

/** What rules want for an image. */
interface Wants {
  readonly copies: readonly WantedCopy[];
  /** destinations that belong to others */
  readonly refused: readonly Collision[];
}

function planUsed(use: ImageUse, { copies, refused }: Wants, record: ImageRecord | undefined, tracked: TrackedImage | undefined, held: HeldPlaces, picture: RecordPicture): RecordUsage {
  const image = imageName(use.ref);
  const replicas = replicasOf(use.ref, use.users, picture.rules).map((ref) => ({ reference: referenceOf(placeIdentity(ref)), role: 'replica' as const }));
  const places = placesOnce([originPart(image), ...copies.map((copy) => mirrorPart(copy, picture)), ...replicas, ...retained(record, picture).map(({ part }) => part)]);
  return {
    image,
    pods: use.pods,
    original: use.original,
    ...trackers(tracked),
    mirrors: mirrorsText({ copies, refused }, held),
    ...platformTexts(places, held),
    places,
    conditions: conditionsOf({ copies, refused }, record, held, picture.now),
  };
}

/** An image nobody names: its copies are kept while somebody names them instead, or something says for how long; it is tracked for as long as a monitor rule says. */
function planUnused(record: ImageRecord, copies: readonly WantedCopy[], tracked: TrackedImage | undefined, held: HeldPlaces, picture: RecordPicture): { usage: RecordUsage; isOver: boolean } {
  const pods = copies.reduce((sum, { pulledBy = 0 }) => sum + pulledBy, 0);
  const isInUse = pods > 0 || copies.some(({ isNamed }) => isNamed === true);
  const since = unusedSinceMs(record, picture.now);
  const kept = retained(record, picture);
  const places = placesOnce([originPart(record.image), ...copies.map((copy) => mirrorPart(copy, picture)), ...kept.map(({ part }) => part)]);
  const usage: RecordUsage = {
    image: record.image,
    pods,
    ...(record.original === undefined ? {} : { original: record.original }),
    ...(isInUse ? {} : { unusedSince: new Date(since).toISOString() }),
    ...expiry(record, copies, { kept, tracked, since }),
    ...trackers(tracked),
    mirrors: mirrorsText({ copies, refused: [] }, held),
    ...platformTexts(places, held),
    places,
    conditions: conditionsOf({ copies, refused: [] }, record, held, picture.now),
  };
  const isKept = copies.length > 0 || kept.some(({ isCopy }) => isCopy) || tracked !== undefined;
  // a pin outlives what it protects at the moment: a rule that cleans up may come tomorrow
  const isPinned = pinEnd(record.keepUntil) > picture.now;
  return { usage, isOver: !isKept && !isPinned && picture.now - since >= lingerMs };
}

function trackers(tracked: TrackedImage | undefined): Pick<RecordUsage, 'trackedBy'> {
  return tracked === undefined ? {} : { trackedBy: tracked.by.slice(0, mostTrackers) };
}

const mostTrackers = 64;

interface Keepers {
  readonly kept: readonly KeptPlace[];
  readonly tracked: TrackedImage | undefined;
  /** milliseconds since the epoch: unused since then */
  readonly since: number;
}

/** Nothing goes while a place is claimed, the image is pinned for ever, or a monitor rule never forgets it. */
function expiry(record: ImageRecord, copies: readonly WantedCopy[], { kept, tracked, since }: Keepers): { readonly expiresAt?: string } {
  const ends = [...kept.filter(({ isCopy }) => isCopy).map(({ retentionMs }) => since + retentionMs), ...(tracked?.endsAt === undefined ? [] : [tracked.endsAt])];
  const end = Math.max(...ends, pinEnd(record.keepUntil));
  return copies.length > 0 || ends.length === 0 || end === Infinity ? {} : { expiresAt: new Date(end).toISOString() };
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

function refusalsByImage({ collisions }: MirrorPlan): Map<ImageName, Collision[]> {
  const found = new Map<ImageName, Collision[]>();
  for (const collision of collisions) found.set(collision.image, [...(found.get(collision.image) ?? []), collision]);
  return found;
}

/** Verified copies by where they are, whichever record tells. */
type HeldPlaces = ReadonlyMap<ImageName, PlaceRecord>;

function heldPlaces(records: readonly ImageRecord[]): HeldPlaces {
  return new Map(records.flatMap(({ places }) => places.filter((place) => place.role === 'mirror' && isCopied(place)).map((place) => [place.reference, place])));
}

function isHeld({ destination }: WantedCopy, held: HeldPlaces): boolean {
  return held.has(referenceOf(destination));
}

function mirrorsText({ copies, refused }: Wants, held: HeldPlaces): string {
  return `${copies.filter((copy) => isHeld(copy, held)).length}/${copies.length + refused.length}`;
}

/** For people, in the columns of a record: what a place lacks stands there, too. */
function platformTexts(places: readonly PlacePart[], held: HeldPlaces): Pick<RecordUsage, 'platforms' | 'missing'> {
  const copies = places.filter(({ role }) => role === 'mirror').map(({ reference }) => held.get(reference)).filter((place) => place !== undefined);
  const platforms = listed(copies.flatMap((copy) => copy.platforms ?? []));
  const missing = listed(copies.flatMap(({ missingPlatforms = [] }) => missingPlatforms));
  return { ...(platforms === '' ? {} : { platforms }), ...(missing === '' ? {} : { missing }) };
}

const longestList = 256; // a column; the places have them all

function listed(texts: readonly string[]): string {
  const text = [...new Set(texts)].sort().join(',');
  return text.length > longestList ? `${text.slice(0, longestList - 1)}…` : text;
}

type PlacePart = RecordUsage['places'][number];

function originPart(image: ImageName): PlacePart {
  const ref = parseImageRef(image);
  return { reference: ref === undefined ? image : referenceOf(placeIdentity(ref)), role: 'origin' };
}

/** A place is named in the record by its identity, so that every spelling of it is one item. */
function mirrorPart({ destination, rule, secret, cleanup, retentionMs }: WantedCopy, picture: RecordPicture): PlacePart {
  return placePart({ reference: referenceOf(destination), role: 'mirror', rule, secret, retention: retentionText({ enabled: cleanup, retentionMs }, picture.retentionMs) });
}

function placePart({ reference, role, rule, secret, retention }: PlacePart): PlacePart {
  return {
    reference,
    ...(role === undefined ? {} : { role }),
    ...(rule === undefined ? {} : { rule }),
    ...(secret === undefined ? {} : { secret }),
    ...(retention === undefined ? {} : { retention }),
  };
}

/** The name a place has in a record: its identity is an image name too. */
export function referenceOf(place: PlaceId): ImageName {
  return place as string as ImageName;
}

/** A place nothing wants, which stays known until it is deleted, or until the rule goes that is purged. */
interface KeptPlace {
  readonly part: PlacePart;
  readonly retentionMs: number;
  /** false while it is only being copied: nothing is there to retain yet */
  readonly isCopy: boolean;
}

/** Copies that exist, or are being made, and are cleaned up afterwards. Without clean-up they stay, and leave the record. */
function retained(record: ImageRecord | undefined, picture: RecordPicture): KeptPlace[] {
  if (record === undefined) return [];
  // a purge waits for what may be under way, and a record that has not heard of it yet is no proof
  const isKept = (place: PlaceRecord): boolean => isOurs(place) || (place.role === 'mirror' && isPurged(place, record.image, picture.rules));
  return record.places.filter((place) => isKept(place) && !picture.plan.wanted.has(place.reference as string as PlaceId)).flatMap((place) => {
    const known = withRule(place, record.image, picture.rules);
    const kept = policyNow(place, record.image, picture);
    const retention = retentionText(kept, picture.retentionMs);
    if (retention === undefined) return [];
    return [{ part: placePart({ ...known, role: 'mirror', retention }), retentionMs: kept.retentionMs, isCopy: isCopied(place) }];
  });
}

/** A copy of ours, or one that is being made. */
function isOurs(place: PlaceRecord): boolean {
  const isMirror = place.role === undefined || place.role === 'mirror';
  return isMirror && (isCopied(place) || (place.workflowId !== undefined && place.failure === undefined));
}

function isCopied({ mirroredAt }: PlaceRecord): boolean {
  return mirroredAt !== undefined;
}

function releasedPlaces(record: ImageRecord, { plan, rules }: RecordPicture): { place: PlaceId; isPurge: boolean }[] {
  return record.places
    .filter((place) => place.role === 'mirror' || (place.role === undefined && isOurs(place)))
    .map((place) => ({ place: place.reference as string as PlaceId, isPurge: isPurged(place, record.image, rules) }))
    .filter(({ place }) => {
      const wanted = plan.wanted.get(place);
      return wanted === undefined || !isSameImage(wanted.image, record.image);
    });
}

/** Places the record still speaks of, and nothing else does: whoever wrote of them has no more to say. */
function forgottenPlaces({ image, places }: RecordUsage, record: ImageRecord | undefined): { image: ImageName; reference: ImageName }[] {
  const named = new Set(places.map(({ reference }) => reference));
  return (record?.places ?? []).filter(({ reference }) => !named.has(reference)).map(({ reference }) => ({ image, reference }));
}

function conditionsOf(wants: Wants, record: ImageRecord | undefined, held: HeldPlaces, now: number): Condition[] {
  return [availableCondition(record), mirroredCondition(wants, held, record?.paused === true)].map((condition) => ({
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

function mirroredCondition({ copies, refused }: Wants, held: HeldPlaces, isPaused: boolean): Undated {
  const missing = copies.filter((copy) => !isHeld(copy, held));
  if (refused.length > 0) return { type: 'Mirrored', status: 'False', reason: 'Collision', message: refused.map(refusalText).join(', ').slice(0, 1024) };
  if (copies.length === 0) return { type: 'Mirrored', status: 'True', reason: 'NotWanted', message: 'no rule wants a copy' };
  if (missing.length === 0) return { type: 'Mirrored', status: 'True', reason: 'Mirrored', message: 'every wanted mirror holds a verified copy' };
  if (isPaused) return { type: 'Mirrored', status: 'False', reason: 'Paused', message: 'somebody paused the image: nothing is copied until kuik resume' };
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
