/**
 * How long a copy is kept once no Pod uses its image. The rule that made it says so while it is there; afterwards
 * what was said last counts, which the record remembers. Whatever other rules keep copies of the image there have a
 * say, too: all have to agree to clean-up, and the longest retention counts, as where claims are merged.
 */
import { formatDuration, parseDuration } from './duration.js';
import { selectsImage } from './filter.js';
import { parseImageRef, placeIdentity, type ImageName, type ImageRef } from './image-ref.js';
import { mirrorPlace } from './join.js';
import type { PlaceRecord } from './record.js';
import { isValid, ruleText, type Cleanup, type Mirror, type MirrorRule, type Rule } from './rule.js';

export interface PolicyPicture {
  readonly rules: readonly Rule[];
  /** milliseconds an unused copy is kept where no rule says otherwise */
  readonly retentionMs: number;
  /** all clusters that share mirrors meet in one Temporal namespace */
  readonly isConnected?: boolean;
}

/** What all who keep a copy say together. */
export type Policy = Required<Cleanup>;

/** The clean-up of one place of an image, by the rules that keep copies there, and by what it remembers where its own does no more. */
export function placePolicy(place: PlaceRecord, image: ImageName, picture: PolicyPicture): Policy {
  const keepers = keepersOf(place, image, picture.rules);
  const said = keepers.flatMap(({ mirrors }) => mirrors).map((mirror) => mirrorPolicy(mirror, picture.isConnected));
  const isLeft = !keepers.some(({ rule }) => ruleText(rule.id) === place.rule);
  return mergePolicies([...said, ...(isLeft ? [rememberedPolicy(place)] : [])], picture.retentionMs);
}

/** What holds for a copy as the rules stand now: that of its rule, by name or by place; at once, when that was deleted with a purge. */
export function policyNow(place: PlaceRecord, image: ImageName, picture: PolicyPicture): Policy {
  if (isPurged(place, image, picture.rules)) return purgePolicy(place, image, picture);
  return placePolicy(withRule(place, image, picture.rules), image, picture);
}

/** A copy whose rule nobody wrote down, found by an import or finished after its image was gone, is that of the rule that keeps it there. */
export function withRule(place: PlaceRecord, image: ImageName, rules: readonly Rule[]): PlaceRecord {
  const isNamed = place.role !== undefined || place.rule !== undefined;
  if (isNamed && place.secret !== undefined) return place;
  // a rule that goes leaves its Secret behind
  const found = ruleAt(image, place.reference, isNamed ? leavingRules(rules) : rules);
  return found === undefined ? place : { ...place, rule: place.rule ?? ruleText(found.rule.id), secret: found.mirror.credentialSecret };
}

/** On a shared mirror a lost keeper must not forget the other clusters: each has renewed by then. */
export const sharedRetentionMs = 48 * 60 * 60 * 1000;

/** Whether a mirror cleans up after itself; a shared one only where all its clusters meet. */
export function cleanupState({ cleanup, shared }: Pick<Mirror, 'cleanup' | 'shared'>, isConnected: boolean): 'on' | 'off' | 'not-connected' {
  if (!cleanup.enabled) return 'off';
  return shared && !isConnected ? 'not-connected' : 'on';
}

/** The clean-up of a mirror as it is in force: on a shared one only where its clusters meet, and never before 48 hours. */
export function mirrorPolicy({ cleanup, shared }: Pick<Mirror, 'cleanup' | 'shared'>, isConnected: boolean | undefined): Cleanup {
  if (cleanupState({ cleanup, shared }, isConnected === true) !== 'on') return { ...cleanup, enabled: false };
  return shared && cleanup.retentionMs !== undefined ? { enabled: true, retentionMs: Math.max(cleanup.retentionMs, sharedRetentionMs) } : cleanup;
}

/** The mirror of a rule that keeps an image at a place. */
export function mirrorAt(rule: MirrorRule, image: ImageRef, place: ImageName): Mirror | undefined {
  return rule.mirrors.find((mirror) => isAt(mirror, image, place));
}

function isAt(mirror: Mirror, image: ImageRef, place: ImageName): boolean {
  const joined = mirrorPlace(mirror, image);
  return joined !== undefined && (placeIdentity(joined) as string) === place;
}

interface Keeper {
  readonly rule: MirrorRule;
  /** those that lead to the place */
  readonly mirrors: readonly Mirror[];
}

/**
 * Rules with a say in how long a copy is kept: the one it names, whatever that selects by now, and those that would
 * make it, too. Which Pods they see does not matter: those are gone. One that goes with all it copied yields to others.
 */
function keepersOf({ rule: named, reference }: PlaceRecord, image: ImageName, rules: readonly Rule[]): readonly Keeper[] {
  const ref = parseImageRef(image);
  if (ref === undefined) return [];
  const keepers = rules
    .filter((rule) => rule.type === 'mirror')
    .map((rule) => ({ rule, mirrors: rule.mirrors.filter((mirror) => isAt(mirror, ref, reference)) }))
    .filter(({ rule, mirrors }) => mirrors.length > 0 && (ruleText(rule.id) === named || mightSelect(rule, ref)));
  const staying = keepers.filter(({ rule }) => rule.purge !== true || rule.deletedAt === undefined);
  return staying.length > 0 ? staying : keepers;
}

/** A filter that cannot be read may select anything. */
function mightSelect(rule: MirrorRule, image: ImageRef): boolean {
  return !isValid(rule) || selectsImage(rule.images, image);
}

function mergePolicies(policies: readonly Cleanup[], usualMs: number): Policy {
  return {
    enabled: policies.every(({ enabled }) => enabled),
    retentionMs: Math.max(...policies.map(({ retentionMs = usualMs }) => retentionMs)),
  };
}

/** The first mirror rule that keeps an image at a place, and its mirror there: for copies no rule is named for. */
export function ruleAt(image: ImageName, place: ImageName, rules: readonly Rule[]): { readonly rule: MirrorRule; readonly mirror: Mirror } | undefined {
  const ref = parseImageRef(image);
  if (ref === undefined) return undefined;
  for (const rule of rules) {
    const mirror = rule.type === 'mirror' ? mirrorAt(rule, ref, place) : undefined;
    if (rule.type === 'mirror' && mirror !== undefined) return { rule, mirror };
  }
  return undefined;
}

/** Whether a copy goes at once, because its rule was deleted with a purge. A rule that stays and keeps copies there, too, comes before. */
export function isPurged(place: PlaceRecord, image: ImageName, rules: readonly Rule[]): boolean {
  const purging = leavingRules(rules).filter(({ purge }) => purge === true);
  if (purging.length === 0 || ruleAt(image, place.reference, purging) === undefined) return false;
  const ref = parseImageRef(image);
  return ref !== undefined && !rules.some((rule) => rule.type === 'mirror' && rule.deletedAt === undefined && mightSelect(rule, ref) && mirrorAt(rule, ref, place.reference) !== undefined);
}

/** What others keep in a shared mirror is known only where all its clusters meet: elsewhere nothing is purged there. */
function purgePolicy(place: PlaceRecord, image: ImageName, { rules, isConnected }: PolicyPicture): Policy {
  const shared = ruleAt(image, place.reference, leavingRules(rules).filter(({ purge }) => purge === true))?.mirror.shared === true;
  return { enabled: !shared || isConnected === true, retentionMs: 0 };
}

/**
 * How a record remembers a policy.
 *
 * @param usualMs milliseconds an unused copy is kept where no rule says otherwise
 * @returns a duration such as `168h`; undefined when the copy stays for ever
 */
export function retentionText({ enabled, retentionMs }: Cleanup, usualMs: number): string | undefined {
  return enabled ? formatDuration(retentionMs ?? usualMs) : undefined;
}

function rememberedPolicy({ retention }: PlaceRecord): Cleanup {
  const retentionMs = retention === undefined ? undefined : parseDuration(retention);
  return retentionMs === undefined ? { enabled: false } : { enabled: true, retentionMs };
}

/** Mirror rules that are being deleted. */
export function leavingRules(rules: readonly Rule[]): readonly MirrorRule[] {
  const known = leaving.get(rules) ?? rules.filter((rule) => rule.type === 'mirror').filter(({ deletedAt }) => deletedAt !== undefined);
  leaving.set(rules, known);
  return known;
}

const leaving = new WeakMap<readonly Rule[], readonly MirrorRule[]>();
