/**
 * What one cluster can say of a copy before it goes, from fresh and complete lists of its Pods, rules and records.
 * Views are not asked: a list that came late would be an answer nobody gave.
 *
 * 1. A Pod pulls from it: by its name, by the tag a pinned copy is published under, or by digest. Where templates of
 *    workloads count, one that would is as good.
 * 2. A rule wants it for an image in use: its claim is on the way.
 * 3. Somebody pinned the record.
 * 4. Its rule, or another that keeps copies there, does not clean up any more, or keeps it longer: the keeper goes by what was claimed last.
 */
import type { Digest } from './digest.js';
import { policyNow, type Policy } from './copy-policy.js';
import { parseImageRef, placeIdentity, type ImageName, type ImageRef, type PlaceId } from './image-ref.js';
import { isNameless } from './claim.js';
import { mayShare } from './collision.js';
import { mirrorPlace } from './join.js';
import { planMirrors, type MirrorSettings } from './mirror.js';
import { referenceOf, type ImageUse } from './record-plan.js';
import type { PodImage } from './original.js';
import type { ImageRecord, PlaceRecord } from './record.js';
import { pinEnd, type Expiry } from './retain.js';
import { ruleText, type MirrorRule, type Rule } from './rule.js';
import type { Pod } from './usage.js';

/** A copy, as the deletion that wants it gone names it. */
export interface CopyName {
  readonly destination: PlaceId;
  readonly publishAs: ImageName;
  readonly image: ImageName;
  readonly digest: Digest;
  /** milliseconds since the epoch, as its keeper counts: of an image that is in use, but not there, the records say nothing */
  readonly unusedSince?: number;
}

/** One complete look at a cluster. */
export interface ClusterPicture {
  /** every Pod, opted out or not, whatever its phase; and the templates of workloads, where they count */
  readonly pods: readonly { readonly pod: Pod; readonly images: readonly PodImage[] }[];
  /** images in use by Pods that no opt-out covers, and by whatever else counts as using them */
  readonly used: readonly ImageUse[];
  readonly rules: readonly Rule[];
  readonly records: readonly ImageRecord[];
  readonly settings: MirrorSettings;
}

export interface CopyUse {
  /** who pulls from it: `pod <namespace>/<name>`, or the like of a workload */
  readonly pulledBy?: string;
  /** a rule wants it for an image in use */
  readonly isClaimed: boolean;
  /** of a record that names it; the one that ends last */
  readonly keepUntil?: string;
  /** what rules say by now, and what they said last where they are gone; absent when neither rule nor record knows the copy */
  readonly expiry?: Pick<Expiry, 'cleanup' | 'dueAt'>;
  /** whether another copy of ours in the same repository has the digest */
  readonly sharing: 'unshared' | 'shared';
  /** `<Kind>/[<namespace>/]<name>` of the rule that made it: whose budget it draws from; absent when nothing of this cluster knows it */
  readonly rule?: string;
  /** how many copies that rule has here */
  readonly ruleCopies: number;
  /** a rule or a record of this cluster says that it is ours: it can find the credentials to delete it */
  readonly isHeld: boolean;
}

export function useOf(copy: CopyName, picture: ClusterPicture): CopyUse {
  const places = placesIn(copy, picture.records);
  const made = mirrorsOf(copy.image, picture.rules).filter(({ place }) => placeIdentity(place) === copy.destination);
  const rule = places.map(({ place }) => place.rule).find((text) => text !== undefined) ?? made[0]?.rule;
  const pulledBy = pullerOf(copy, picture);
  const pins = places.map(({ record }) => record.keepUntil).filter((text) => text !== undefined);
  return {
    ...(pulledBy === undefined ? {} : { pulledBy }),
    isClaimed: isWanted(copy, picture),
    ...(pins.length === 0 ? {} : { keepUntil: latestPin(pins) }),
    ...expiryNow(copy, places, made, picture),
    sharing: isShared(copy, picture.records) ? 'shared' : 'unshared',
    ...(rule === undefined ? {} : { rule }),
    ruleCopies: rule === undefined ? 0 : copiesOf(rule, picture.records),
    isHeld: made.length > 0 || places.some(({ place }) => place.role === 'mirror'),
  };
}

interface PlaceIn {
  readonly record: ImageRecord;
  readonly place: PlaceRecord;
}

function placesIn({ destination }: CopyName, records: readonly ImageRecord[]): PlaceIn[] {
  return records.flatMap((record) => record.places.filter(({ reference, role }) => role !== 'origin' && identityOf(reference) === destination).map((place) => ({ record, place })));
}

function mirrorsOf(image: ImageName, rules: readonly Rule[]): { readonly rule: string; readonly place: ImageRef }[] {
  const ref = parseImageRef(image);
  if (ref === undefined) return [];
  const mirrors = rules.filter((rule): rule is MirrorRule => rule.type === 'mirror').flatMap(({ id, mirrors }) => mirrors.map((mirror) => ({ rule: ruleText(id), mirror })));
  return mirrors.flatMap(({ rule, mirror }) => {
    const place = mirrorPlace(mirror, ref);
    return place === undefined ? [] : [{ rule, place }];
  });
}

/** A copy no record knows is that of each rule that keeps copies there: all of them have to agree, and the longest counts. */
function expiryNow({ destination, image, unusedSince = 0 }: CopyName, places: readonly PlaceIn[], made: readonly { readonly rule: string }[], { rules, settings }: ClusterPicture): Pick<CopyUse, 'expiry'> {
  const ours = places.filter(({ place }) => place.role !== 'replica').map(({ record, place }) => ({ image: record.image, place, since: Date.parse(record.unusedSince ?? '') || 0 }));
  const ruled = made.map(({ rule }) => ({ image, place: { reference: referenceOf(destination), rule }, since: 0 }));
  const known = (ours.length > 0 ? ours : ruled).map(({ image, place, since }) => ({ since: Math.max(since, unusedSince), policy: policyNow(place, image, { ...settings, rules }) }));
  if (known.length === 0) return {};
  return {
    expiry: {
      cleanup: known.every(({ policy }) => policy.enabled),
      dueAt: Math.max(...known.map(({ since, policy }) => endOf(since, policy))),
    },
  };
}

/** Without a beginning there is no end to wait for. */
function endOf(since: number, { enabled, retentionMs }: Policy): number {
  return since > 0 && enabled ? since + retentionMs : since;
}

/** Opt-outs, filters and phase do not matter here: whoever names the place pulls from it. */
function pullerOf(copy: CopyName, { pods, records }: ClusterPicture): string | undefined {
  const published = identityOf(copy.publishAs);
  const at = parseImageRef(copy.publishAs);
  const pulls = ({ ref, isCurrent }: PodImage): boolean => {
    if (!isCurrent) return false;
    const place = placeIdentity(ref);
    if (place === copy.destination || place === published) return true;
    if (ref.digest === undefined || ref.host !== at?.host || ref.path !== at.path) return false;
    // a digest we published under another tag stays with that; one that nobody knows may lie below ours
    return ref.digest === copy.digest || !isAnotherCopy(place, ref.digest, copy, records);
  };
  const puller = pods.find(({ images }) => images.some(pulls))?.pod;
  return puller === undefined ? undefined : `${(puller.workload ?? 'Pod').toLowerCase()} ${puller.key}`;
}

function isAnotherCopy(place: PlaceId, digest: Digest, { destination }: CopyName, records: readonly ImageRecord[]): boolean {
  return copiesAt(records).some((copy) => copy.id !== destination && (copy.id === place || copy.place.digest === digest));
}

function isWanted({ destination, image }: CopyName, { used, rules, records, settings }: ClusterPicture): boolean {
  const wish = planMirrors({ used, rules, records, podsPulling: () => 0, pulled: [], settings }).wanted.get(destination);
  // for another image it waits until this copy is gone
  return wish !== undefined && (isNameless(wish) || mayShare(destination, wish.image, image));
}

function isShared({ destination, publishAs, digest }: CopyName, records: readonly ImageRecord[]): boolean {
  const at = parseImageRef(publishAs);
  return copiesAt(records).some(({ id, ref, place }) => id !== destination && place.digest === digest && ref.host === at?.host && ref.path === at.path);
}

function copiesOf(rule: string, records: readonly ImageRecord[]): number {
  return copiesAt(records).filter(({ place }) => place.rule === rule).length;
}

function copiesAt(records: readonly ImageRecord[]): { readonly id: PlaceId; readonly ref: ImageRef; readonly place: PlaceRecord }[] {
  return records.flatMap(({ places }) =>
    places.flatMap((place) => {
      const ref = place.role === 'mirror' && place.mirroredAt !== undefined ? parseImageRef(place.reference) : undefined;
      return ref === undefined ? [] : [{ id: placeIdentity(ref), ref, place }];
    }),
  );
}

function latestPin(pins: readonly string[]): string {
  return pins.reduce((one, other) => (pinEnd(other) > pinEnd(one) ? other : one));
}

function identityOf(reference: ImageName): PlaceId | undefined {
  const ref = parseImageRef(reference);
  return ref === undefined ? undefined : placeIdentity(ref);
}
