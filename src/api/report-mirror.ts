import type { Collision } from '../domain/collision.js';
import { cleanupState } from '../domain/copy-policy.js';
import type { ImageName } from '../domain/image-ref.js';
import type { PlaceRecord } from '../domain/record.js';
import type { MirrorRule } from '../domain/rule.js';
import { finding, credentialFindings, errorText, fitting, messagesOf, ruleFindings, toConditions, type Finding, type RuleFacts } from './report.js';
import { datedImages } from './report-leaving.js';
import { checkTroubles, copyTroubles, reachFinding } from './report-reach.js';
import type { MirrorStatus } from './v1alpha1/mirror.js';

/** One image of a mirror rule, and its copies there. */
export interface MirroredImage {
  readonly image: ImageName;
  /** RFC 3339 */
  readonly unusedSince?: string;
  /** RFC 3339; when the copies go, unless something keeps them */
  readonly expiresAt?: string;
  /** one per mirror of the rule; of a copy that was never made only the reference is known */
  readonly places: readonly PlaceRecord[];
  /** copies that the rule let go while the image is in use; those of an image it wants are not among `places` */
  readonly leaving?: readonly PlaceRecord[];
  /** when those go: RFC 3339 */
  readonly going?: readonly { readonly image: ImageName; readonly at: string }[];
  /** what is known of where the image comes from */
  readonly origin?: PlaceRecord;
}

export interface MirrorFacts extends RuleFacts<MirrorRule> {
  readonly images: readonly MirroredImage[];
  /** images of this rule that do not get the destination they want */
  readonly collisions: readonly Collision[];
  readonly temporalConnected: boolean;
  /** `temporal.shared`: the clusters that share a mirror meet in this Temporal namespace */
  readonly isConnected: boolean;
}

/** How an image is shown; the worse, the earlier. */
type Standing = 'failed' | 'pending' | 'incomplete' | 'unused' | 'fine';

const standings: readonly Standing[] = ['failed', 'pending', 'incomplete', 'unused', 'fine'];
const mostCopiesListed = 32;
const mostDeletionsListed = 50;

/** The status of a `ClusterImageSetMirror` or `ImageSetMirror`. */
export function reportMirror(known: MirrorFacts): MirrorStatus {
  const facts = { ...known, images: datedImages(known) };
  const { rule, images } = facts;
  const places = images.flatMap((image) => image.places);
  const lastSync = places.map(({ mirroredAt }) => mirroredAt ?? '').sort().at(-1);
  const rest = {
    observedGeneration: rule.generation,
    conditions: toConditions([...ruleFindings(facts, !facts.temporalConnected), ...credentialFindings(facts, namedSecrets(rule), refusals(images)), ...reachFindings(images), ...copyFindings(facts), driftFinding(facts), ...cleanupFindings(facts)], facts),
    bytes: places.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    ...(lastSync && { lastSync }),
    pendingDeletion: pendingDeletions(images),
  };
  const matchingImages = fitting(worstFirst(images).map(matchingImage), rest);
  return { ...rest, counts: countImages(images, matchingImages.length), matchingImages };
}

function countImages(images: readonly MirroredImage[], listed: number): MirrorStatus['counts'] {
  return {
    images: images.length,
    mirrored: images.filter(isMirrored).length,
    pending: images.filter((image) => !isMirrored(image) && !hasFailed(image)).length,
    failed: images.filter(hasFailed).length,
    unused: images.filter(isUnused).length,
    missingPlatforms: images.filter(isIncomplete).length,
    listed,
  };
}

function copyFindings({ images, collisions }: MirrorFacts): readonly Finding[] {
  const wanted = images.filter((image) => !isUnused(image));
  const incomplete = wanted.filter(isIncomplete);
  return [
    syncFinding(wanted),
    incomplete.length > 0
      ? finding('PlatformsComplete', false, 'PlatformsMissing', `${incomplete.length} of ${wanted.length} images lack a wanted platform: ${namesOf(incomplete)}`)
      : finding('PlatformsComplete', true, 'Complete', 'no wanted platform is missing'),
    collisions.length > 0
      ? finding('PathsUnique', false, 'Collision', `${messagesOf(collisions.map(collisionText))}; layout: host keeps them apart`)
      : finding('PathsUnique', true, 'Unique', 'no two images share a destination'),
  ];
}

/** Of images in use: whoever uses them next would meet the same. */
function reachFindings(images: readonly MirroredImage[]): readonly Finding[] {
  const wanted = images.filter((image) => !isUnused(image));
  const places = wanted.flatMap((image) => image.places);
  const origins = wanted.flatMap(({ origin }) => origin ?? []);
  const pulls = checkTroubles(places).filter(({ code }) => code !== 'missing'); // a copy that is gone is made again
  return [reachFinding('SourceReachable', [...copyTroubles(places, 'source'), ...checkTroubles(origins)]), reachFinding('DestinationReachable', [...copyTroubles(places, 'destination'), ...pulls])];
}

/** What destinations said to the Secrets of the rule. */
function refusals(images: readonly MirroredImage[]): readonly string[] {
  return copyTroubles(images.filter((image) => !isUnused(image)).flatMap(({ places }) => places), 'destination').flatMap(({ code, message }) => (code === 'unauthorized' ? [message] : []));
}

/** A tag that moved counts where the rule asks for it: another rule may have asked for the same copy. */
function driftFinding({ rule, images }: MirrorFacts): Finding {
  const places = images.flatMap((image) => image.places);
  const changed = places.flatMap(({ reference, drift }) => (drift?.destination ? [`${reference} holds ${drift.destination}, which kuik did not write`] : []));
  const moved = rule.drift === 'warn' ? images.flatMap(({ image, places: copies }) => copies.flatMap(({ drift }) => (drift?.origin ? [`${image} names ${drift.origin} now`] : []))) : [];
  const reason = changed.length > 0 ? 'DestinationChanged' : 'TagDrifted';
  if (changed.length + moved.length > 0) return finding('DriftFree', false, reason, messagesOf([...changed, ...moved]));
  return finding('DriftFree', true, 'Unmoved', 'nothing moved behind our back');
}

/** For rules that clean up after themselves, somewhere. */
function cleanupFindings({ rule, images, isConnected }: MirrorFacts): readonly Finding[] {
  const states = rule.mirrors.map((mirror) => ({ mirror, state: cleanupState(mirror, isConnected) }));
  const apart = states.filter(({ state }) => state === 'not-connected').map(({ mirror }) => `spec.mirrors[${mirror.index}] is shared, but temporal.shared is not true`);
  const blocked = images.flatMap(({ places }) => places.flatMap(({ reference, blocked: block }) => (block ? [`${reference}: ${block.reason}, ${block.message}`] : [])));
  const type = 'CleanupHealthy';
  if (states.every(({ state }) => state === 'off')) return [];
  if (apart.length > 0) return [finding(type, false, 'NotConnected', `${messagesOf(apart)}: nothing is deleted there; set it, once all clusters use this Temporal namespace`)];
  return [blocked.length > 0 ? finding(type, false, 'DeletionBlocked', messagesOf(blocked.sort())) : finding(type, true, 'NothingBlocked', 'no deletion is blocked')];
}

function syncFinding(wanted: readonly MirroredImage[]): Finding {
  const failed = wanted.filter(hasFailed);
  const pending = wanted.filter((image) => !isMirrored(image));
  const type = 'DestinationInSync';
  if (failed.length > 0) return finding(type, false, 'CopiesFailing', `${failed.length} of ${wanted.length} images cannot be copied: ${messagesOf(failed.map(failureText))}`);
  if (pending.length > 0) return finding(type, false, 'Pending', `${pending.length} of ${wanted.length} images are not copied yet: ${namesOf(pending)}`);
  return finding(type, true, 'InSync', `all ${wanted.length} wanted images have their copy`);
}

function failureText(image: MirroredImage): string {
  const place = image.places.find(({ failure }) => failure !== undefined);
  return place ? `${place.reference}: ${place.failure?.message ?? ''}` : image.image;
}

function collisionText({ destination, image, holder }: Collision): string {
  return `${image} and ${holder} both want ${destination}`;
}

function namesOf(images: readonly MirroredImage[]): string {
  return messagesOf(images.map(({ image }) => image).sort());
}

/** Pods get the credential that pushes where a mirror names no other one for them. */
function namedSecrets({ mirrors }: MirrorRule): 'none' | 'some' | 'push-shared' {
  if (mirrors.some(({ credentialSecret, pullSecret }) => credentialSecret && !pullSecret)) return 'push-shared';
  return mirrors.some(({ pullSecret }) => pullSecret) ? 'some' : 'none';
}

function worstFirst(images: readonly MirroredImage[]): MirroredImage[] {
  const ranked = images.map((image) => ({ image, rank: standings.indexOf(standingOf(image)) }));
  return ranked.sort((one, other) => one.rank - other.rank || compare(one.image.image, other.image.image)).map(({ image }) => image);
}

function standingOf(image: MirroredImage): Standing {
  if (hasFailed(image)) return 'failed';
  if (!isMirrored(image)) return 'pending';
  if (isIncomplete(image)) return 'incomplete';
  return isUnused(image) ? 'unused' : 'fine';
}

function matchingImage({ image, unusedSince, places }: MirroredImage): NonNullable<MirrorStatus['matchingImages']>[number] {
  const mirrors = places.slice(0, mostCopiesListed).map(({ reference, mirroredAt, digest, failure, missingPlatforms }) => ({
    image: reference,
    ...(mirroredAt && { mirroredAt }),
    ...(failure && { lastError: errorText(failure.message) }),
    ...(digest && { digest }),
    ...(missingPlatforms?.length && { missingPlatforms: [...missingPlatforms] }),
  }));
  return { image, ...(unusedSince && { unusedSince }), mirrors };
}

function pendingDeletions(images: readonly MirroredImage[]): { image: string; at: string }[] {
  const going = images.flatMap(({ expiresAt, places, going: left }) => left ?? (expiresAt ? places.filter(({ mirroredAt }) => mirroredAt).map(({ reference }) => ({ image: reference, at: expiresAt })) : []));
  return going.sort((one, other) => compare(one.at, other.at) || compare(one.image, other.image)).slice(0, mostDeletionsListed);
}

/** By code unit, the same on every machine. */
function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

const hasFailed = ({ places }: MirroredImage): boolean => places.some(({ failure }) => failure !== undefined);
const isMirrored = ({ places }: MirroredImage): boolean => places.every(({ mirroredAt }) => mirroredAt !== undefined);
const isIncomplete = ({ places }: MirroredImage): boolean => places.some(({ missingPlatforms }) => (missingPlatforms?.length ?? 0) > 0);
const isUnused = ({ unusedSince }: MirroredImage): boolean => unusedSince !== undefined;
