/**
 * Plans which copies a cluster wants, from its whole current picture:
 *
 * 1. an image that a mirror rule in force selects, for a Pod in its scope, wants one destination per mirror;
 * 2. an image that already lies inside a mirror prefix is not mirrored again;
 * 3. wishes of several rules for one destination are merged, safely;
 * 4. of two images that want one destination, one is refused and reported;
 * 5. a copy that Pods pull from, or whose rule rests, is kept as it is, whatever filters say by now;
 * 6. an image that somebody paused keeps the copies it has, and gets none;
 * 7. the template of a workload keeps what a Pod has brought in before, and brings in nothing itself.
 *
 * @see docs/concepts/mirror.md
 */
import type { Wish } from './claim.js';
import { isSameImage, resolveCollisions, type Collision } from './collision.js';
import { mirrorPolicy } from './copy-policy.js';
import { seesPod, selectsImage } from './filter.js';
import { heldCopies, type PulledCopy } from './held-copy.js';
import { imageName, placeIdentity, type ImageName, type ImageRef, type PlaceId } from './image-ref.js';
import { joinedText, joinMirror } from './join.js';
import { insideAnyMirror, mirrorPrefixes, type MirrorPrefixes } from './mirror-prefix.js';
import type { Platform } from './platform.js';
import { publishedName } from './published-name.js';
import { compareTexts } from './rank.js';
import type { ImageRecord } from './record.js';
import { replicasOf } from './replica.js';
import { isInForce, ruleText, type Mirror, type MirrorRule, type Rule, type SecretRef } from './rule.js';
import type { PodScope } from './usage.js';

/** An image some Pods use, or templates of workloads name, and what filters see of those. */
export interface UsedImage {
  readonly ref: ImageRef;
  readonly users: readonly PodScope[];
}

export interface MirrorPicture {
  readonly used: readonly UsedImage[];
  /** all rules: invalid and suspended ones still prevent loops */
  readonly rules: readonly Rule[];
  readonly records: readonly ImageRecord[];
  /** how many Pods name this place as their current image, opted out or not */
  readonly podsPulling: (place: PlaceId) => number;
  /** whether the template of a workload names this place, opted out or not */
  readonly isNamed?: (place: PlaceId) => boolean;
  /** what Pods tell of the copies they run from, for the time when no record does */
  readonly pulled: readonly PulledCopy[];
  /** destinations whose keeper was found to be lost just now */
  readonly orphans?: ReadonlySet<PlaceId>;
  readonly settings: MirrorSettings;
}

export interface MirrorSettings {
  readonly platforms: readonly Platform[];
  /** milliseconds an unused copy is kept where no rule says otherwise */
  readonly retentionMs: number;
  /** all clusters that share mirrors meet in one Temporal namespace: without that nothing is cleaned up there */
  readonly isConnected?: boolean;
}

/** One copy the cluster wants: what its claim will say, and what stays in the cluster. */
export interface WantedCopy extends Wish {
  /** `<Kind>/[<namespace>/]<name>` of the first rule by rank, whose credentials are used */
  readonly rule?: string;
  readonly secret?: SecretRef;
  /** Pods that pull from it although no rule wants it */
  readonly pulledBy?: number;
  /** the template of a workload names it although no rule wants it */
  readonly isNamed?: true;
  /** nothing wants it: it is claimed only until a keeper has found out what is there */
  readonly isAdopted?: true;
}

export interface MirrorPlan {
  readonly wanted: ReadonlyMap<PlaceId, WantedCopy>;
  readonly collisions: readonly Collision[];
  /** absent: there are none */
  readonly misfits?: readonly Misfit[];
}

/** An image that has no name in a mirror that wants it, for its length, say. */
export interface Misfit {
  readonly image: ImageName;
  /** UID of the rule */
  readonly rule: string;
  /** registry and path of the mirror */
  readonly at: string;
  readonly problem: string;
}

export function planMirrors(picture: MirrorPicture): MirrorPlan {
  const prefixes = mirrorPrefixes(picture.rules);
  const rules = mirrorRules(picture.rules);
  const known = knownMirrors(picture.records);
  const wished = picture.used.flatMap((image) => wishesFor(image, rules, prefixes, { ...picture, known }));
  const wishes = wished.filter((found): found is WantedCopy => !isMisfit(found));
  const misfits = wished.filter(isMisfit);
  const { holders, collisions } = resolveCollisions(wishes, picture.records);

  const wanted = new Map<PlaceId, WantedCopy>();
  for (const wish of wishes) {
    const holder = holders.get(wish.destination);
    if (holder === undefined || !isSameImage(holder, wish.image)) continue;
    const other = wanted.get(wish.destination);
    wanted.set(wish.destination, other === undefined ? wish : merge(other, wish));
  }
  for (const [destination, copy] of heldCopies(picture)) if (!wanted.has(destination)) wanted.set(destination, copy);
  return { wanted: pausedAtRest(wanted, picture.records), collisions, ...(misfits.length === 0 ? {} : { misfits }) };
}

function isMisfit(found: WantedCopy | Misfit): found is Misfit {
  return 'problem' in found;
}

function pausedAtRest(wanted: ReadonlyMap<PlaceId, WantedCopy>, records: readonly ImageRecord[]): ReadonlyMap<PlaceId, WantedCopy> {
  const paused = new Set(records.filter((record) => record.paused === true).map(({ image }) => image));
  if (paused.size === 0) return wanted;
  return new Map([...wanted].map(([destination, copy]) => [destination, paused.has(copy.image) ? { ...copy, rests: true } : copy]));
}

function wishesFor(image: UsedImage, rules: readonly MirrorRule[], prefixes: MirrorPrefixes, picture: MirrorPicture & { readonly known: ReadonlySet<PlaceId> }): (WantedCopy | Misfit)[] {
  return rules
    .filter((rule) => wantsImage(rule, image) && !insideAnyMirror(image.ref, prefixes, rule.id))
    .flatMap((rule) => {
      const wishes = rule.mirrors.map((mirror) => wish(image, rule, mirror, picture)).filter((found) => found !== undefined);
      return hasPod(rule, image) ? wishes : wishes.filter((found) => !isMisfit(found) && picture.known.has(found.destination));
    });
}

/** Places that were wanted for some Pod, whatever became of the copies. */
function knownMirrors(records: readonly ImageRecord[]): ReadonlySet<PlaceId> {
  return new Set(records.flatMap(({ places }) => places.filter(({ role }) => role === 'mirror').map(({ reference }) => reference as string as PlaceId)));
}

/** Those in force, by rank, so that the first wish for a destination names the rule whose credentials are used. */
function mirrorRules(rules: readonly Rule[]): MirrorRule[] {
  return rules
    .filter((rule) => rule.type === 'mirror')
    .filter(isInForce)
    .sort((a, b) => a.priority - b.priority || compareTexts(ruleText(a.id), ruleText(b.id)));
}

/** Whether a rule selects an image for one of those who use it. */
export function wantsImage(rule: MirrorRule, image: UsedImage): boolean {
  return selectsImage(rule.images, image.ref) && image.users.some((user) => seesPod(rule, user));
}

function hasPod(rule: MirrorRule, { users }: UsedImage): boolean {
  return users.some((user) => user.workload === undefined && seesPod(rule, user));
}

function wish({ ref: image, users }: UsedImage, rule: MirrorRule, mirror: Mirror, picture: MirrorPicture): WantedCopy | Misfit | undefined {
  const join = joinMirror(mirror, image);
  if ('problem' in join) return { image: imageName(image), rule: rule.id.uid, at: joinedText(mirror) ?? mirror.registry, problem: join.problem };
  const place = join.ref;
  if (placeIdentity(place) === placeIdentity(image)) return undefined;
  const policy = mirrorPolicy(mirror, picture.settings.isConnected);
  return {
    destination: placeIdentity(place),
    publishAs: publishedName(place),
    image: imageName(image),
    rules: [rule.id],
    rule: ruleText(rule.id),
    ...(mirror.credentialSecret === undefined ? {} : { secret: mirror.credentialSecret }),
    sources: [imageName(image), ...replicasOf(image, users, picture.rules).map(imageName)],
    platforms: mirror.platforms ?? picture.settings.platforms,
    copy: mirror.copy,
    referrers: mirror.referrers,
    retentionMs: policy.retentionMs ?? picture.settings.retentionMs,
    cleanup: policy.enabled,
    drift: rule.drift,
    shared: mirror.shared,
  };
}

const driftOrder = ['sync', 'warn', 'keep'] as const;
const copyOrder = ['rewrite', 'sparse', 'auto', 'all'] as const;

type Policy = Pick<WantedCopy, 'platforms' | 'copy' | 'referrers' | 'retentionMs' | 'cleanup' | 'drift' | 'shared' | 'rests'>;

/**
 * Several wishes add up safely: keep longer, copy more, delete only when everybody agrees. One that rests has a say
 * in how long a copy is kept, not in how it is made.
 */
export function mergeWishes<T extends Policy>(a: T, b: Policy): T {
  const kept = { ...a, retentionMs: Math.max(a.retentionMs, b.retentionMs), cleanup: a.cleanup && b.cleanup, shared: a.shared || b.shared };
  if (b.rests === true) return kept;
  return {
    ...kept,
    platforms: uniquePlatforms([...a.platforms, ...b.platforms]),
    copy: safest(copyOrder, a.copy, b.copy),
    referrers: a.referrers === 'auto' || b.referrers === 'auto' ? 'auto' : 'none',
    drift: safest(driftOrder, a.drift, b.drift),
  };
}

function merge(first: WantedCopy, second: WantedCopy): WantedCopy {
  return { ...mergeWishes(first, second), rules: [...first.rules, ...second.rules.filter((rule) => !first.rules.some(({ uid }) => uid === rule.uid))] };
}

/** The later of two words in an order from daring to safe. */
function safest<T extends string>(order: readonly T[], a: T, b: T): T {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

function uniquePlatforms(platforms: readonly Platform[]): Platform[] {
  const byText = new Map(platforms.map((platform) => [`${platform.os ?? ''}/${platform.architecture}/${platform.variant ?? ''}`, platform]));
  return [...byText.entries()].sort(([a], [b]) => compareTexts(a, b)).map(([, platform]) => platform);
}
