import { matchUpstream, seesPod } from './filter.js';
import { placeIdentity, type ImageRef } from './image-ref.js';
import { replicaPlace } from './join.js';
import { isInForce, ruleText, type ReplicaRule, type Rule } from './rule.js';
import type { PodScope } from './usage.js';

/**
 * Where else an image is kept equal, as replica rules in force declare for some Pod that uses it.
 *
 * @returns places by rank, the image itself left out, each once
 */
export function replicasOf(image: ImageRef, users: readonly PodScope[], rules: readonly Rule[]): ImageRef[] {
  const places = new Map<string, ImageRef>();
  for (const rule of replicaRules(rules)) {
    if (!users.some((pod) => seesPod(rule, pod))) continue;
    for (const place of replicasIn(rule, image)) if (!places.has(placeIdentity(place))) places.set(placeIdentity(place), place);
  }
  places.delete(placeIdentity(image));
  return [...places.values()];
}

function replicaRules(rules: readonly Rule[]): ReplicaRule[] {
  return rules
    .filter((rule) => rule.type === 'replica')
    .filter(isInForce)
    .sort((a, b) => a.priority - b.priority || (ruleText(a.id) < ruleText(b.id) ? -1 : 1));
}

function replicasIn(rule: ReplicaRule, image: ImageRef): ImageRef[] {
  const match = matchUpstream(rule, image);
  if (match === undefined) return [];
  return rule.upstreams
    .filter((upstream) => !upstream.discarded)
    .sort((a, b) => a.priority - b.priority || a.index - b.index)
    .map((upstream) => replicaPlace(match, upstream, image))
    .filter((place) => place !== undefined);
}
