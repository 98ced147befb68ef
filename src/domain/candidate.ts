/**
 * Finds the places one container could pull its image from, and ranks them:
 *
 * 1. replicas: what replica rules with a match offer;
 * 2. the origin, unless a match discards it;
 * 3. mirrors of the origin, discarded or not, and of each replica; none of an image that is a mirror's copy itself;
 * 4. sorted by rank; with pull policy `Always` the origin may come before everything;
 * 5. each place once, in its best rank.
 *
 * Whether a place holds anything is not asked here: only availability decides, and `route` asks for it.
 */
import { selectsTexts, seesPod, textsOf } from './filter.js';
import { canonicalText, imageName, placeIdentity, type ImageName, type ImageRef, type PlaceId } from './image-ref.js';
import { mirrorPlace } from './join.js';
import { insideAnyMirror, type MirrorPrefixes } from './mirror-prefix.js';
import { byRank } from './rank.js';
import type { PlaceRole } from './record.js';
import { offeredReplicas, uniquePlaces } from './replica.js';
import { isInForce, type Mirror, type MirrorRule, type ReplicaRule, type Rule, type RuleId, type SecretRef } from './rule.js';
import type { PodScope, PullPolicy } from './usage.js';

/** A place, ranked for one container. */
export interface Candidate {
  readonly place: PlaceId;
  readonly ref: ImageRef;
  /** canonical text of the place: what a rewritten container gets */
  readonly text: string;
  readonly role: PlaceRole;
  /** the image it is a copy of: the usage's own, or for a mirror of a replica that replica */
  readonly image: ImageName;
  /** the rule that offers it, or that ranks the origin; none for an origin in its own rank */
  readonly rule?: RuleId;
  readonly priority: number;
  readonly itemPriority: number;
  /** position in the rule's list */
  readonly index: number;
  /** what a Pod needs to pull from here: the rule's `pullSecret`, else its `credentialSecret`; none for the origin */
  readonly secret?: SecretRef;
}

/** What the rules of a cluster offer one Pod. */
export interface Offer {
  readonly mirrors: readonly MirrorRule[];
  readonly replicas: readonly ReplicaRule[];
  readonly prefixes: MirrorPrefixes;
}

/** How one container ranks its places. */
export interface RankSettings {
  readonly pullPolicy: PullPolicy;
  /** `routing.honorPrioritiesOnAlwaysImagePullPolicy` */
  readonly honorPrioritiesOnAlways: boolean;
}

/**
 * The rules in force whose filter accepts a Pod. Made once per Pod.
 *
 * @param prefixes of all rules of the cluster, also those out of force
 */
export function offerTo(pod: PodScope, rules: readonly Rule[], prefixes: MirrorPrefixes): Offer {
  const inScope = rules.filter((rule) => isInForce(rule) && seesPod(rule, pod));
  return {
    mirrors: inScope.filter((rule) => rule.type === 'mirror'),
    replicas: inScope.filter((rule) => rule.type === 'replica'),
    prefixes,
  };
}

/** The places of an image in order of rank. Not empty, unless its origin is discarded and nothing replaces it. */
export function candidates(image: ImageRef, offer: Offer, settings: RankSettings): readonly Candidate[] {
  const origin = originCandidate(image);
  const replicas = offeredReplicas(image, offer.replicas);
  const mirrors = uniquePlaces([origin, ...replicas.places]).flatMap(({ ref }) => mirrorsOf(ref, offer));

  const places = [origin, ...replicas.places, ...mirrors].sort(byRank);
  const ranked = isOriginFirst(settings) ? [origin, ...places] : places;
  const unique = uniquePlaces(ranked).map((candidate) => (candidate.place === origin.place ? asOrigin(candidate) : candidate));
  return replicas.isOriginDiscarded ? unique.filter(({ role }) => role !== 'origin') : unique;
}

function originCandidate(image: ImageRef): Candidate {
  return {
    place: placeIdentity(image),
    ref: image,
    text: canonicalText(image),
    role: 'origin',
    image: imageName(image),
    priority: 0,
    itemPriority: 0,
    index: 0,
  };
}

/** A mirror that would be the image itself is among those left out: the image lies inside its prefix. */
function mirrorsOf(image: ImageRef, { mirrors, prefixes }: Offer): Candidate[] {
  const texts = textsOf(image);
  return mirrors
    .filter((rule) => selectsTexts(rule.images, texts) && !insideAnyMirror(image, prefixes, rule.id))
    .flatMap((rule) => rule.mirrors.flatMap((mirror) => mirrorCandidate(image, rule, mirror) ?? []));
}

function mirrorCandidate(image: ImageRef, rule: MirrorRule, mirror: Mirror): Candidate | undefined {
  const ref = mirrorPlace(mirror, image);
  if (ref === undefined) return undefined;
  return {
    place: placeIdentity(ref),
    ref,
    text: canonicalText(ref),
    role: 'mirror',
    image: imageName(image),
    rule: rule.id,
    priority: rule.priority,
    itemPriority: mirror.priority,
    index: mirror.index,
    secret: mirror.pullSecret ?? mirror.credentialSecret,
  };
}

function isOriginFirst({ pullPolicy, honorPrioritiesOnAlways }: RankSettings): boolean {
  return pullPolicy === 'Always' && !honorPrioritiesOnAlways;
}

/**
 * A rule may offer the origin itself, and rank it. Choosing it changes nothing in the Pod, so it is pulled, and
 * must be probed, with what the Pod has: never with the rule's Secret.
 */
function asOrigin(candidate: Candidate): Candidate {
  return { ...candidate, role: 'origin', secret: undefined };
}
