/**
 * Copies that are claimed although no rule in force wants them for a Pod:
 *
 * - Pods pull from them, sent there by us or because a user wrote so, or templates of workloads name them, whatever
 *   rules, filters and opt-outs say by now;
 * - their rule rests: it is suspended, or something in it cannot be read. Neither says that a copy may go;
 * - their image was paused by somebody;
 * - nobody keeps them, though they are to be cleaned up one day, or now, with their rule: v2 made them, or their
 *   keeper was lost with the database of Temporal. Without a keeper there is no retention clock, and no deletion.
 *
 * The first three are claimed as they are, and nothing is started for them. The last are claimed until a keeper has
 * found out what is there, and then released.
 */
import { isPurged, mirrorAt, mirrorPolicy, placePolicy, policyNow, ruleAt } from './copy-policy.js';
import { selectsImage } from './filter.js';
import { imageName, parseImageRef, placeIdentity, type ImageName, type ImageRef, type PlaceId } from './image-ref.js';
import { joinedText, mirrorPlace } from './join.js';
import { isBelowPrefix } from './mirror-prefix.js';
import type { MirrorPicture, MirrorSettings, WantedCopy } from './mirror.js';
import { parsePlatform, type Platform } from './platform.js';
import { publishedName } from './published-name.js';
import type { PlaceRecord } from './record.js';
import { isResting, isValid, ruleText, type Mirror, type MirrorRule, type Rule } from './rule.js';

/** A Pod pulls a copy of an image: told by the Pod itself, which remembers what it was before. */
export interface PulledCopy {
  readonly place: ImageRef;
  readonly pods: number;
  /** absent where a user wrote the name of the copy: then nobody here knows what it is a copy of */
  readonly sent?: {
    readonly image: ImageName;
    /** `<Kind>/[<namespace>/]<name>` of the rule it was sent there by */
    readonly rule: string;
  };
}

/** Everything a plan is made from but what rules select. */
export type HeldPicture = Omit<MirrorPicture, 'used'>;

/** By destination; the first reason to keep a copy is enough. */
export function heldCopies(picture: HeldPicture): Map<PlaceId, WantedCopy> {
  const held = new Map<PlaceId, WantedCopy>();
  for (const copy of [...copiesAtRest(picture), ...copiesInUse(picture), ...copiesPaused(picture), ...copiesPulled(picture), ...copiesToAdopt(picture)]) {
    if (!held.has(copy.destination)) held.set(copy.destination, copy);
  }
  return held;
}

function copiesAtRest(picture: HeldPicture): WantedCopy[] {
  const { rules, records } = picture;
  const resting = rules.filter((rule) => rule.type === 'mirror').filter(isResting);
  if (resting.length === 0) return [];
  return records.flatMap(({ image, places }) => {
    const ref = parseImageRef(image);
    if (ref === undefined) return [];
    return places.flatMap((place) => {
      const found = place.role === 'mirror' ? restingMirror(ref, place, resting) : undefined;
      return found === undefined ? [] : [heldByRule(ref, place, found, picture)];
    });
  });
}

interface Resting {
  readonly rule: MirrorRule;
  readonly mirror: Mirror;
}

/** A filter that cannot be read may have selected anything; the rule that a place names selected its image, whatever it selects by now. */
function restingMirror(image: ImageRef, place: PlaceRecord, resting: readonly MirrorRule[]): Resting | undefined {
  for (const rule of resting) {
    const mirror = mirrorAt(rule, image, place.reference);
    if (mirror !== undefined && (!isValid(rule) || ruleText(rule.id) === place.rule || selectsImage(rule.images, image))) return { rule, mirror };
  }
  return undefined;
}

function heldByRule(image: ImageRef, place: PlaceRecord, { rule, mirror }: Resting, picture: HeldPicture): WantedCopy {
  const { settings } = picture;
  const at = mirrorPlace(mirror, image) ?? image;
  const named = place.rule ?? ruleText(rule.id);
  return {
    ...held(imageName(image), at, settings),
    ...remembered({ ...place, rule: named, secret: mirror.credentialSecret }, imageName(image), picture),
    rules: [rule.id],
    shared: mirror.shared,
    ...usersOf(placeIdentity(at), picture),
  };
}

/** Known by a record, which also knows how long its rule wanted it kept afterwards. */
function copiesInUse(picture: HeldPicture): WantedCopy[] {
  return recordedCopies(picture).flatMap(({ image, place, ref }) => {
    const users = usersOf(placeIdentity(ref), picture);
    if (users.pulledBy === 0 && users.isNamed !== true) return [];
    return [{ ...held(image, ref, picture.settings), ...remembered(place, image, picture), ...users }];
  });
}

function copiesPaused(picture: HeldPicture): WantedCopy[] {
  const paused = picture.records.filter((record) => record.paused === true);
  if (paused.length === 0) return [];
  return recordedCopies({ records: paused }).map(({ image, place, ref }) => ({ ...held(image, ref, picture.settings), ...remembered(place, image, picture) }));
}

function usersOf(place: PlaceId, { podsPulling, isNamed }: HeldPicture): Pick<WantedCopy, 'pulledBy' | 'isNamed'> {
  return { pulledBy: podsPulling(place), ...(isNamed?.(place) === true ? { isNamed: true } : {}) };
}

/** Looked at once more: as its rule makes copies, so that what is there is found to be equal. */
function copiesToAdopt(picture: HeldPicture): WantedCopy[] {
  return recordedCopies(picture).flatMap(({ image, place, ref }) => {
    const isUnknown = place.digest === undefined && place.failure === undefined; // no keeper of ours has ever seen it
    if (!isUnknown && picture.orphans?.has(placeIdentity(ref)) !== true) return [];
    const known = { ...remembered(place, image, picture), ...purged(place, image, picture) };
    if (!known.cleanup) return [];
    const found = ruleAt(image, place.reference, picture.rules);
    const platforms = platformsOf(place) ?? picture.settings.platforms;
    return [{ ...unwanted(image, ref, picture.settings), ...known, platforms, isAdopted: true as const, ...(found === undefined ? {} : asRuleSays(found, picture.settings)) }];
  });
}

function purged(place: PlaceRecord, image: ImageName, { rules, settings }: HeldPicture): Pick<WantedCopy, 'retentionMs' | 'cleanup'> | undefined {
  return isPurged(place, image, rules) ? { cleanup: policyNow(place, image, { ...settings, rules }).enabled, retentionMs: 0 } : undefined;
}

interface RecordedCopy {
  readonly image: ImageName;
  readonly place: PlaceRecord;
  readonly ref: ImageRef;
}

function recordedCopies({ records }: Pick<HeldPicture, 'records'>): RecordedCopy[] {
  return records.flatMap(({ image, places }) =>
    places.flatMap((place) => {
      const ref = place.role === 'mirror' && place.mirroredAt !== undefined ? parseImageRef(place.reference) : undefined;
      return ref === undefined ? [] : [{ image, place, ref }];
    }),
  );
}

function remembered(place: PlaceRecord, image: ImageName, { rules, settings }: HeldPicture): Pick<WantedCopy, 'rule' | 'secret' | 'retentionMs' | 'cleanup'> {
  const { rule, secret } = place;
  const policy = placePolicy(place, image, { ...settings, rules });
  return { ...(rule === undefined ? {} : { rule }), ...(secret === undefined ? {} : { secret }), retentionMs: policy.retentionMs, cleanup: policy.enabled };
}

function platformsOf({ platforms = [] }: PlaceRecord): readonly Platform[] | undefined {
  const read = platforms.map(parsePlatform).filter((platform) => platform !== undefined);
  return read.length === 0 ? undefined : read;
}

function asRuleSays({ rule, mirror }: NonNullable<ReturnType<typeof ruleAt>>, settings: MirrorSettings): Pick<WantedCopy, 'rules' | 'platforms' | 'copy' | 'referrers' | 'shared'> {
  return { rules: [rule.id], platforms: mirror.platforms ?? settings.platforms, copy: mirror.copy, referrers: mirror.referrers, shared: mirror.shared };
}

/** No record knows it, which happens after somebody deleted one: nobody says that it may be cleaned up. */
function copiesPulled({ pulled, rules, settings }: HeldPicture): WantedCopy[] {
  return pulled.map(({ sent, place, pods }) => {
    if (sent === undefined) return { ...nameless(place, rules, settings), pulledBy: pods };
    return { ...held(sent.image, place, settings), rule: sent.rule, pulledBy: pods };
  });
}

/** Without sources nobody can copy it; the mirror it lies in says how long it is kept, as of every other copy there. */
function nameless(place: ImageRef, rules: readonly Rule[], settings: MirrorSettings): WantedCopy {
  const mirrors = rules.flatMap((rule) => (rule.type === 'mirror' ? rule.mirrors : [])).filter((mirror) => {
    const prefix = joinedText(mirror);
    return prefix !== undefined && isBelowPrefix(place, prefix);
  });
  const policies = mirrors.map((mirror) => mirrorPolicy(mirror, settings.isConnected));
  return {
    ...held(imageName(place), place, settings),
    sources: [],
    retentionMs: Math.max(0, ...policies.map(({ retentionMs }) => retentionMs ?? settings.retentionMs)),
    cleanup: policies.length > 0 && policies.every(({ enabled }) => enabled),
    shared: mirrors.some(({ shared }) => shared),
  };
}

function held(image: ImageName, place: ImageRef, settings: MirrorSettings): WantedCopy {
  return { ...unwanted(image, place, settings), rests: true };
}

function unwanted(image: ImageName, place: ImageRef, settings: MirrorSettings): WantedCopy {
  return {
    destination: placeIdentity(place),
    publishAs: publishedName(place),
    image,
    rules: [],
    sources: [image],
    platforms: settings.platforms,
    copy: 'auto',
    referrers: 'auto',
    retentionMs: settings.retentionMs,
    cleanup: false,
    drift: 'keep',
    // no rule says so any more; where several clusters meet, another may use what we forget
    shared: settings.isConnected === true,
  };
}
