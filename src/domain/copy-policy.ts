/**
 * How long a copy is kept once no Pod uses its image. The rule that made it says so while it is there; afterwards
 * what it said last counts, which the record remembers. A rule that merely shares the destination has no say.
 */
import { formatDuration, parseDuration } from './duration.js';
import { parseImageRef, placeIdentity, type ImageName, type ImageRef } from './image-ref.js';
import { mirrorPlace } from './join.js';
import type { PlaceRecord } from './record.js';
import { ruleText, type Cleanup, type Mirror, type MirrorRule, type Rule } from './rule.js';

/** The clean-up of one place of an image, by the rule it names or by what it remembers. */
export function placePolicy(place: PlaceRecord, image: ImageName, rules: readonly Rule[]): Cleanup {
  const named = place.rule === undefined ? undefined : byText(rules).get(place.rule);
  const ref = named === undefined ? undefined : parseImageRef(image);
  const mirror = named === undefined || ref === undefined ? undefined : mirrorAt(named, ref, place.reference);
  return mirror?.cleanup ?? rememberedPolicy(place);
}

/** The mirror of a rule that keeps an image at a place. */
export function mirrorAt(rule: MirrorRule, image: ImageRef, place: ImageName): Mirror | undefined {
  return rule.mirrors.find((mirror) => {
    const joined = mirrorPlace(mirror, image);
    return joined !== undefined && (placeIdentity(joined) as string) === place;
  });
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

/** A view hands out one list until a rule changes, so it is read once, not once per place. */
const read = new WeakMap<readonly Rule[], ReadonlyMap<string, MirrorRule>>();

function byText(rules: readonly Rule[]): ReadonlyMap<string, MirrorRule> {
  const known = read.get(rules) ?? new Map(rules.filter((rule) => rule.type === 'mirror').map((rule) => [ruleText(rule.id), rule]));
  read.set(rules, known);
  return known;
}
