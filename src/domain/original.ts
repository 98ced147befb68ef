/**
 * What a Pod remembers of itself: the texts its user wrote, kept in an annotation when an image was decided.
 */
import { imageName, type ImageName, type ImageRef } from './image-ref.js';
import { annotations as ours, type RouteReason } from './names.js';
import type { Pod, Usage } from './usage.js';
import { originOf, type WrittenUsage } from './v1-proxy.js';

/** Usage key to the text the user wrote. */
export type Originals = ReadonlyMap<string, string>;

/** v2 wrote init containers so; read, never written. */
const v2InitPrefix = 'init:';

/** What the annotation records, by usage key; unreadable counts as empty. */
export function originalsOf(pod: Pick<Pod, 'annotations'>): Originals {
  return readOriginals(pod.annotations[ours.originalImages] ?? '{}') ?? new Map();
}

/**
 * Reads the value of `original-images`.
 *
 * @param value a JSON object, usage key to text; values of other types are left out
 * @returns undefined when it is no JSON object
 */
export function readOriginals(value: string): Originals | undefined {
  const parsed = parseObject(value);
  if (parsed === undefined) return undefined;

  const originals = new Map<string, string>();
  for (const [key, written] of Object.entries(parsed)) {
    if (typeof written !== 'string') continue;
    // names of containers are unique in a Pod, so only the newer spelling of the same key can be there already
    if (!key.startsWith(v2InitPrefix)) originals.set(key, written);
    else if (!Object.hasOwn(parsed, withoutInit(key))) originals.set(withoutInit(key), written);
  }
  return originals;
}

function withoutInit(key: string): string {
  return key.slice(v2InitPrefix.length);
}

function parseObject(value: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined; // a user may write anything into an annotation
  }
}

/**
 * What the annotation named before anybody decided: no reason stands beside it, and nothing was rewritten. Its user
 * keeps such a container out; on a Pod of v2, which noted no reasons, it may also be one that v2 left as it was.
 */
export function keptOut(pod: Pick<Pod, 'annotations' | 'usages'>): readonly Usage[] {
  const originals = originalsOf(pod);
  const decided = readOriginals(pod.annotations[ours.reason] ?? '{}') ?? new Map<string, string>();
  return pod.usages.filter(({ key, written }) => originals.get(key) === written && !decided.has(key));
}

/** One image of a Pod, in whichever way the Pod names it. */
export interface PodImage {
  readonly ref: ImageRef;
  readonly name: ImageName;
  /** a container or volume names it now */
  readonly isCurrent: boolean;
  /** the Pod records it as what its user wrote */
  readonly isOriginal: boolean;
  /** what it is a copy of, when we sent the Pod to a mirror */
  readonly copy?: SentTo;
}

/** Why a Pod pulls a copy: which image was written there, and which rule offered the mirror. */
export interface SentTo {
  readonly image: ImageName;
  /** `<Kind>/<name>`: a namespaced rule is one of the Pod's own namespace */
  readonly rule: string;
}

/**
 * Every current image and every recorded original of a Pod, each once; names of v1's proxy read as what they
 * stand for, texts that do not parse left out.
 */
export function imagesUsed(pod: Pick<Pod, 'annotations' | 'usages'>, v1ProxyPort: number): readonly PodImage[] {
  const images = new Map<ImageName, PodImage>();
  const copyAt = copiesOf(pod, v1ProxyPort);
  const add = (usage: WrittenUsage, seen: Pick<PodImage, 'isCurrent' | 'isOriginal'>): void => {
    const ref = originOf(usage, pod, v1ProxyPort)?.ref;
    if (ref === undefined) return;
    const name = imageName(ref);
    const known = images.get(name);
    const copy = known?.copy ?? (seen.isCurrent ? copyAt(usage.key) : undefined);
    images.set(name, {
      ref,
      name,
      isCurrent: seen.isCurrent || known?.isCurrent === true,
      isOriginal: seen.isOriginal || known?.isOriginal === true,
      ...(copy === undefined ? {} : { copy }),
    });
  };

  for (const usage of pod.usages) add(usage, { isCurrent: true, isOriginal: false });
  for (const [key, written] of originalsOf(pod)) add({ key, field: fieldOf(key, pod.usages), written }, { isCurrent: false, isOriginal: true });
  return [...images.values()];
}

/** The images of a Pod, as its user wrote them, whose decision had one of these reasons; each once. */
export function imagesDecided(pod: Pick<Pod, 'annotations' | 'usages'>, reasons: readonly RouteReason[], v1ProxyPort: number): readonly ImageName[] {
  const decided = readOriginals(pod.annotations[ours.reason] ?? '{}') ?? new Map<string, string>();
  const originals = originalsOf(pod);
  const images = [...decided].flatMap(([key, reason]) => {
    const written = reasons.some((each) => each === reason) ? originals.get(key) : undefined;
    const ref = written === undefined ? undefined : originOf({ key, field: fieldOf(key, pod.usages), written }, pod, v1ProxyPort)?.ref;
    return ref === undefined ? [] : [imageName(ref)];
  });
  return [...new Set(images)];
}

function fieldOf(key: string, usages: readonly Usage[]): Usage['field'] {
  return usages.find((usage) => usage.key === key)?.field ?? 'containers';
}

/** What each usage that was sent to a mirror was before, by its key. */
function copiesOf(pod: Pick<Pod, 'annotations' | 'usages'>, v1ProxyPort: number): (key: string) => SentTo | undefined {
  const sent = readOriginals(pod.annotations[ours.rewrittenBy] ?? '{}') ?? new Map<string, string>();
  const originals = originalsOf(pod);
  return (key) => {
    const [rule, written] = [sent.get(key), originals.get(key)];
    if (rule === undefined || written === undefined || !/^(?:Cluster)?ImageSetMirror\//.test(rule)) return undefined;
    const ref = originOf({ key, field: fieldOf(key, pod.usages), written }, pod, v1ProxyPort)?.ref;
    return ref === undefined ? undefined : { image: imageName(ref), rule };
  };
}
