/**
 * Where images go that exist only in v1's registry. Pure.
 *
 * 1. Each image wants the places in the registry named where rules of the cluster look for it; before there are any, the
 *    one where the rule that is printed will.
 * 2. A place belongs to one image, as everywhere: the one whose copy is there, else the first by name. The others are
 *    not copied.
 * 3. What has its copy already is left alone: it may be newer than v1's.
 */
import { copyHolders, isSameImage, resolveCollisions, type Collision } from '../../domain/collision.js';
import { seesPod, selectsImage } from '../../domain/filter.js';
import { imageName, parseImageRef, placeIdentity, type ImageName, type ImageRef, type PlaceId } from '../../domain/image-ref.js';
import { mirrorPlace } from '../../domain/join.js';
import { labels } from '../../domain/names.js';
import { imagesUsed } from '../../domain/original.js';
import { publishedName } from '../../domain/published-name.js';
import type { ImageRecord } from '../../domain/record.js';
import { isValid, type MirrorRule, type Rule } from '../../domain/rule.js';
import { usualV1ProxyPort } from '../../domain/v1-proxy.js';
import type { MigrationPlan } from '../documents/migrate.js';
import type { V1Setup, V1Target } from './v1.js';

type Remark = MigrationPlan['remarks'][number];

export interface Placement {
  readonly placed: MigrationPlan['onlyInV1'];
  readonly remarks: readonly Remark[];
}

type Around = Pick<V1Setup, 'cachedImages' | 'gone' | 'pods' | 'rules' | 'records' | 'values'>;

/** An image that wants a place. */
interface Wish {
  readonly image: ImageName;
  readonly isOnlyInV1: boolean;
  readonly destination: PlaceId;
  /** with the tag the copy is published under */
  readonly publishAs: ImageName;
}

export function placeImages(setup: Around, target: V1Target): Placement {
  const remarks: Remark[] = [];
  const wishes = [...imagesOf(setup, remarks)].flatMap(([image, seen]) => wishesFor(image, seen, setup, { target, remarks }));
  const { holders, collisions } = resolveCollisions(wishes, setup.records);
  const present = presentCopies(setup.records);
  const placed = wishes.filter(({ image, isOnlyInV1, destination }) => isOnlyInV1 && isSameImage(holders.get(destination) ?? image, image) && !present.has(destination));
  const onlyInV1 = new Set(wishes.filter((wish) => wish.isOnlyInV1).map(({ image }) => image));
  return {
    // of two names for one pinned image either will do
    placed: [...new Map(placed.map(({ image, publishAs }) => [publishAs, { image, destination: publishAs }])).values()],
    remarks: [...remarks, ...collisions.map((collision) => collisionRemark(collision, onlyInV1))],
  };
}

interface Seen {
  readonly ref: ImageRef;
  readonly isOnlyInV1: boolean;
}

/** All that may want a place: what v1 has, each image once however Pods write it, and what it never had. */
function imagesOf({ cachedImages, gone, pods, values }: Around, remarks: Remark[]): ReadonlyMap<ImageName, Seen> {
  const images = new Map<ImageName, Seen>();
  for (const { sourceImage, isCached, isUpstream } of cachedImages) {
    if (!isCached) continue;
    const ref = parseImageRef(sourceImage);
    if (ref === undefined) {
      if (!isUpstream) remarks.push({ what: `${sourceImage}, which exists only in v1's registry, is no name of an image`, next: byHand });
      continue;
    }
    const image = imageName(ref);
    images.set(image, { ref, isOnlyInV1: !isUpstream || gone.has(image) || images.get(image)?.isOnlyInV1 === true });
  }
  const inScope = pods.filter((pod) => pod.labels[labels.v1Policy] !== 'ignore');
  for (const { name, ref } of inScope.flatMap((pod) => imagesUsed(pod, portOf(values)))) if (!images.has(name)) images.set(name, { ref, isOnlyInV1: false });
  return images;
}

const byHand = 'copy it by hand with kuik copy';

function wishesFor(image: ImageName, { ref, isOnlyInV1 }: Seen, setup: Around, { target, remarks }: { readonly target: V1Target; readonly remarks: Remark[] }): readonly Wish[] {
  const printed = mirrorPlace(target, ref);
  const found = printed === undefined ? [] : lookedFor(ref, image, setup).filter(({ host }) => host.toLowerCase() === printed.host.toLowerCase());
  const problem = !isOnlyInV1 ? undefined : printed === undefined ? `has no place at ${target.registry}${target.path}` : storedName(image) === undefined ? 'cannot be asked for by a name' : undefined;
  if (problem !== undefined) remarks.push({ what: `${image}, which exists only in v1's registry, ${problem}`, next: byHand });
  if (problem !== undefined || printed === undefined) return [];
  if (isOnlyInV1 && found.length === 0 && setup.rules.some(isMirroring)) remarks.push({ what: `${image}: no rule of this cluster looks for it at ${printed.host}`, next: 'apply the rule that is printed, or let a rule that copies there select it, and give the command once more' });
  const places = new Map((found.length === 0 ? [printed] : found).map((place) => [placeIdentity(place), place]));
  return [...places].map(([destination, place]) => ({ image, isOnlyInV1, destination, publishAs: publishedName(place) }));
}

/** Where rules of the cluster look for an image, those that rest included: one day they will. */
function lookedFor(ref: ImageRef, image: ImageName, { rules, pods, values }: Around): readonly ImageRef[] {
  const uses = (pod: Around['pods'][number]): boolean => imagesUsed(pod, portOf(values)).some(({ name }) => name === image);
  // images that no Pod uses now are looked for as well, once one does
  const concerns = (rule: MirrorRule): boolean => rule.id.namespace === undefined || pods.some((pod) => seesPod(rule, pod) && uses(pod));
  return rules.filter(isMirroring).filter((rule) => selectsImage(rule.images, ref) && concerns(rule)).flatMap((rule) => rule.mirrors.flatMap((mirror) => mirrorPlace(mirror, ref) ?? []));
}

function portOf({ proxy }: V1Setup['values']): number {
  return proxy?.hostPort ?? usualV1ProxyPort;
}

function isMirroring(rule: Rule): rule is MirrorRule {
  return rule.type === 'mirror' && rule.deletedAt === undefined && isValid(rule);
}

/** What v1 calls an image in its registry: a port is written with a dash there. */
export function v1StoredName(image: string): string {
  return image.replace(/^([^/]+):(\d+)\//, '$1-$2/');
}

/** Undefined for what is no path of a registry, such as a host in upper case. */
function storedName(image: ImageName): ImageRef | undefined {
  return parseImageRef(`localhost/${v1StoredName(image)}`);
}

/** Places where a copy was made that no check has missed since. */
function presentCopies(records: readonly ImageRecord[]): ReadonlySet<PlaceId> {
  const seen = records.map(({ image, places }) => ({ image, places: places.filter(({ state }) => state !== 'NotFound') }));
  return new Set(copyHolders(seen).keys());
}

function collisionRemark({ destination, image, holder }: Collision, onlyInV1: ReadonlySet<ImageName>): Remark {
  const lost = onlyInV1.has(image) ? `: ${image}, which exists only in v1's registry, is not copied` : '';
  return { what: `${holder} and ${image} both want ${destination}, which is the first one's${lost}`, next: '--layout host writes layout: host into the rule, which keeps the host of the origin in the path: apply that, then copy' };
}
