import { recordName } from '../../cluster/record-name.js';
import { imageName, knownImageRef, parseImageRef, placeIdentity, type ImageName } from '../../domain/image-ref.js';
import { mirrorsOf, standingOf, type Standing } from '../../domain/image-standing.js';
import { originalsOf } from '../../domain/original.js';
import type { ImageRecord } from '../../domain/record.js';
import { parseSelector } from '../../domain/selector.js';
import type { Pod } from '../../domain/usage.js';
import { originOf } from '../../domain/v1-proxy.js';
import type { UsageView } from '../../views/usage.js';
import { imageFilters, type ImageFilterName, type ImagesOptions } from '../images.js';

/** An image, how it stands, and whose it is. */
export interface ListedImage {
  readonly record: ImageRecord;
  readonly standing: Standing;
  /** in order of namespace and name; undefined where Pods may not be listed */
  readonly users?: readonly Pod[];
  /** its record may not be read: nothing is known but what its Pods tell */
  readonly isHidden?: true;
}

type Choice = Pick<ImagesOptions, ImageFilterName | 'namespace' | 'selector'>;

/** @param usage undefined where Pods may not be listed; then nothing is chosen by Pods either */
export function chosenImages(records: readonly ImageRecord[], usage: UsageView | undefined, choice: Choice): readonly ListedImage[] {
  const isOurs = podFilter(choice);
  return [...records]
    .sort((one, other) => (one.image < other.image ? -1 : 1))
    .map((record) => ({ record, standing: standingOf(record), ...(usage === undefined ? {} : { users: usersOf(record, usage) }) }))
    .filter(({ users }) => isOurs === undefined || users?.some(isOurs) === true)
    .filter(({ standing }) => imageFilters.every((name) => choice[name] !== true || filters[name](standing)));
}

const filters: Readonly<Record<ImageFilterName, (standing: Standing) => boolean>> = {
  unavailable: ({ origin }) => origin === 'unavailable',
  unused: ({ isUsed }) => !isUsed,
  unmirrored: ({ isUnmirrored }) => isUnmirrored,
  drifted: ({ isDrifted }) => isDrifted,
};

/** Whether nothing that is listed is bad news. Who asks for bad news has found some. */
export function areWell(listed: readonly ListedImage[], { unavailable, unmirrored, drifted }: Choice): boolean {
  if (unavailable === true || unmirrored === true || drifted === true) return listed.length === 0;
  return listed.every(({ standing: { isUsed, pullable } }) => !(isUsed && pullable === 'no'));
}

function podFilter({ namespace, selector }: Choice): ((pod: Pod) => boolean) | undefined {
  const selects = selector === undefined ? undefined : parseSelector(selector);
  if (namespace === undefined && selects === undefined) return undefined;
  return (pod) => (namespace === undefined || pod.namespace === namespace) && (selects === undefined || selects(pod.labels));
}

/** What Pods alone tell: the images their users wrote, and whose they are. */
export function imagesOfPods(usage: UsageView, v1ProxyPort: number, choice: Choice): readonly ListedImage[] {
  const isOurs = podFilter(choice) ?? (() => true);
  const users = new Map<ImageName, Map<string, Pod>>();
  for (const pod of usage.pods()) {
    if (!isOurs(pod)) continue;
    for (const image of imagesWritten(pod, v1ProxyPort)) users.set(image, (users.get(image) ?? new Map<string, Pod>()).set(pod.key, pod));
  }
  return [...users].sort(([one], [other]) => (one < other ? -1 : 1)).map(([image, pods]) => hiddenImage(image, inOrder([...pods.values()])));
}

function imagesWritten(pod: Pod, v1ProxyPort: number): readonly ImageName[] {
  const originals = originalsOf(pod);
  return pod.usages.flatMap((usage) => {
    const found = originOf({ ...usage, written: originals.get(usage.key) ?? usage.written }, pod, v1ProxyPort);
    return found === undefined ? [] : [imageName(found.ref)];
  });
}

function hiddenImage(image: ImageName, users: readonly Pod[]): ListedImage {
  const standing: Standing = { origin: 'unknown', pullable: 'unknown', copies: { there: 0, wanted: 0 }, isUsed: true, isUnmirrored: false, isDrifted: false };
  return { record: { name: recordName(image), image, pods: users.length, places: [] }, standing, users, isHidden: true };
}

/** Whoever names the image, and whoever runs from one of its copies. */
export function usersOf(record: ImageRecord, usage: UsageView): readonly Pod[] {
  const copies = mirrorsOf(record).filter(({ reference }) => parseImageRef(reference) !== undefined);
  const pods = [...usage.podsOf(record.image), ...copies.flatMap(({ reference }) => usage.podsAt(placeIdentity(knownImageRef(reference))))];
  return inOrder([...new Map(pods.map((pod) => [pod.key, pod])).values()]);
}

function inOrder(pods: readonly Pod[]): readonly Pod[] {
  return [...pods].sort((one, other) => (one.key < other.key ? -1 : 1));
}
