import type { PulledCopy } from '../domain/held-copy.js';
import { placeIdentity, type ImageName, type ImageRef, type PlaceId } from '../domain/image-ref.js';
import type { Rule } from '../domain/rule.js';
import { insideAnyMirror, mirrorPrefixes } from '../domain/mirror-prefix.js';
import { optOutOf, type SkipSettings } from '../domain/opt-out.js';
import type { PodImage } from '../domain/original.js';
import type { ImageUse } from '../domain/record-plan.js';
import type { Pod, PodScope } from '../domain/usage.js';

/** What of the usage view a picture is made of. */
export interface PodSource {
  pods(): Iterable<Pod>;
  imagesOf(pod: Pod): readonly PodImage[];
}

export interface PictureSettings {
  readonly skip: SkipSettings;
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
}

/** What Pods use, and what templates of workloads name beside it. */
export function withTemplates(pods: PodSource, templates: PodSource): PodSource {
  return {
    *pods() {
      yield* pods.pods();
      yield* templates.pods();
    },
    imagesOf: (pod) => (pod.workload === undefined ? pods : templates).imagesOf(pod),
  };
}

/**
 * Every image that Pods without an opt-out use, and what filters see of those Pods: each distinct scope once, since
 * the Pods of a workload look alike.
 */
export function imagesInUse(source: PodSource, { skip, namespaceLabels }: PictureSettings): ImageUse[] {
  const images = new Map<ImageName, Gathering>();
  const scopeKey = numbering();
  for (const pod of source.pods()) {
    if (optOutOf(pod, skip, namespaceLabels(pod.namespace)) !== undefined) continue;
    const key = `${pod.workload === undefined ? 'pod' : 'template'} ${pod.namespace} ${scopeKey(pod.labels)} ${scopeKey(pod.annotations)}`;
    for (const image of source.imagesOf(pod)) gather(images, image, pod, key);
  }
  return [...images.values()].map(({ ref, users, pods, original }) => ({ ref, users: [...users.values()], pods, original }));
}

/**
 * The images records are about. A copy that a Pod was routed to is a place of its image's record, not an image of
 * its own: it has none, unless a Pod names it by itself and nothing else explains it.
 */
export function recordedImages(used: readonly ImageUse[], rules: readonly Rule[], isKnownCopy: (ref: ImageRef) => boolean): ImageUse[] {
  const prefixes = mirrorPrefixes(rules);
  return used.filter(({ ref, original }) => original || !(insideAnyMirror(ref, prefixes, {}) && isKnownCopy(ref)));
}

/**
 * The copies that Pods pull from, opted out by now or not. A Pod that was sent to one remembers what it is a copy of;
 * one whose user wrote the name of a copy only tells that it lies in a mirror.
 */
export function pulledCopies(source: PodSource, rules: readonly Rule[]): PulledCopy[] {
  const prefixes = mirrorPrefixes(rules);
  const found = new Map<PlaceId, PulledCopy>();
  for (const pod of source.pods()) {
    for (const { ref, copy, isCurrent } of source.imagesOf(pod)) {
      if (copy === undefined && !(isCurrent && insideAnyMirror(ref, prefixes, {}))) continue;
      const place = placeIdentity(ref);
      const known = found.get(place);
      const sent = copy === undefined ? known?.sent : { image: copy.image, rule: inNamespace(copy.rule, pod.namespace) };
      found.set(place, { place: ref, pods: (known?.pods ?? 0) + 1, ...(sent === undefined ? {} : { sent }) });
    }
  }
  return [...found.values()];
}

/** An annotation says `<Kind>/<name>`; elsewhere a namespaced rule is named with its namespace. */
function inNamespace(rule: string, namespace: string): string {
  return rule.startsWith('Cluster') ? rule : rule.replace('/', `/${namespace}/`);
}

interface Gathering {
  readonly ref: ImageRef;
  readonly users: Map<string, PodScope>;
  pods: number;
  original: boolean;
}

function gather(images: Map<ImageName, Gathering>, { name, ref, isOriginal }: PodImage, pod: Pod, key: string): void {
  const known = images.get(name) ?? { ref, users: new Map<string, PodScope>(), pods: 0, original: false };
  known.users.set(key, pod);
  known.pods += pod.workload === undefined ? 1 : 0;
  known.original ||= isOriginal;
  images.set(name, known);
}

/** Equal maps of labels are one object in the view, so a number per object tells them apart without reading them. */
function numbering(): (object: object) => number {
  const numbers = new WeakMap<object, number>();
  let last = 0;
  return (object) => {
    const known = numbers.get(object) ?? ++last;
    numbers.set(object, known);
    return known;
  };
}
