import type { Candidate } from './candidate.js';
import { matchUpstream, seesPod } from './filter.js';
import { canonicalText, imageName, placeIdentity, type ImageRef, type PlaceId } from './image-ref.js';
import { joinReplica, replicaPlace } from './join.js';
import { byRank } from './rank.js';
import { isInForce, type ReplicaRule, type Rule, type Upstream } from './rule.js';
import type { PodScope } from './usage.js';

/** Where somebody else keeps an image equal, and whether its origin is to be left out. */
export interface Replicas {
  /** in order of rank, each place once; the origin's own place may be among them */
  readonly places: readonly Candidate[];
  /** a rule's match says `discardAlternative`: the origin is no candidate, whoever else offers it */
  readonly isOriginDiscarded: boolean;
}

/** What the replica rules offer for an image; each offers nothing unless one of its upstreams matches. */
export function offeredReplicas(image: ImageRef, rules: readonly ReplicaRule[]): Replicas {
  const matched = rules.flatMap((rule) => {
    const match = matchUpstream(rule, image);
    return match === undefined ? [] : [{ rule, match }];
  });
  return {
    places: uniquePlaces(matched.flatMap(({ rule, match }) => offered(image, rule, match)).sort(byRank)),
    isOriginDiscarded: matched.some(({ match }) => match.discarded),
  };
}

/**
 * Where else an image is kept equal, as replica rules in force declare for some Pod that uses it: what a copy is
 * made from when the origin cannot serve.
 *
 * @returns places by rank, the image itself left out, each once
 */
export function replicasOf(image: ImageRef, users: readonly PodScope[], rules: readonly Rule[]): ImageRef[] {
  const own = placeIdentity(image);
  const offering = rules
    .filter((rule) => rule.type === 'replica')
    .filter((rule) => isInForce(rule) && users.some((pod) => seesPod(rule, pod)));
  return offeredReplicas(image, offering)
    .places.filter(({ place }) => place !== own)
    .map(({ ref }) => ref);
}

/**
 * Why an image that a rule matches is offered less than the rule declares: its name does not begin with registry and path
 * of the upstream that matches it, or joins to none at another one.
 *
 * @returns the first reason, in words; undefined when there is none
 */
export function misfitOf(image: ImageRef, rule: Pick<ReplicaRule, 'upstreams'>): string | undefined {
  const match = matchUpstream(rule, image);
  if (match === undefined) return undefined;
  for (const upstream of rule.upstreams) {
    const join = upstream.discarded ? undefined : joinReplica(match, upstream, image);
    if (join !== undefined && 'problem' in join) return join.problem;
  }
  return undefined;
}

function offered(image: ImageRef, rule: ReplicaRule, match: Upstream): Candidate[] {
  return rule.upstreams
    .filter((upstream) => !upstream.discarded)
    .flatMap((upstream) => {
      const ref = replicaPlace(match, upstream, image);
      return ref === undefined ? [] : [candidate(image, ref, rule, upstream)];
    });
}

function candidate(image: ImageRef, ref: ImageRef, rule: ReplicaRule, upstream: Upstream): Candidate {
  return {
    place: placeIdentity(ref),
    ref,
    text: canonicalText(ref),
    role: 'replica',
    image: imageName(image),
    rule: rule.id,
    priority: rule.priority,
    itemPriority: upstream.priority,
    index: upstream.index,
    secret: upstream.credentialSecret,
  };
}

/** Keeps the first candidate of each place. */
export function uniquePlaces(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<PlaceId>();
  return candidates.filter(({ place }) => !seen.has(place) && seen.add(place));
}
