import { canonicalText, withHubName, type ImageRef } from './image-ref.js';
import type { ImageFilter, Matcher, PodFilter, ReplicaRule, Rule, Upstream } from './rule.js';
import type { PodScope } from './usage.js';

/** Whether a rule sees a Pod: rules of a namespace only see its Pods, and the filter must accept it. */
export function seesPod(rule: Pick<Rule, 'id' | 'pods'>, pod: PodScope): boolean {
  return (rule.id.namespace === undefined || rule.id.namespace === pod.namespace) && podInScope(rule.pods, pod);
}

/** Whether a rule could see Pods of a namespace: unlike labels and annotations, that is not theirs to choose. */
export function seesNamespace({ id, pods }: Pick<Rule, 'id' | 'pods'>, namespace: string): boolean {
  return (id.namespace === undefined || id.namespace === namespace) && accepts(pods.include.namespaces, pods.exclude.namespaces, namespace);
}

/** Every dimension with includes needs one that matches; one matching exclude anywhere rejects. */
export function podInScope({ include, exclude }: PodFilter, pod: PodScope): boolean {
  return (
    accepts(include.labels, exclude.labels, pod.labels) &&
    accepts(include.annotations, exclude.annotations, pod.annotations) &&
    accepts(include.namespaces, exclude.namespaces, pod.namespace)
  );
}

function accepts<T>(include: readonly ((value: T) => boolean)[], exclude: readonly ((value: T) => boolean)[], value: T): boolean {
  const isIncluded = include.length === 0 || include.some((matches) => matches(value));
  return isIncluded && !exclude.some((matches) => matches(value));
}

/** Whether a rule selects an image. */
export function selectsImage(filter: ImageFilter, image: ImageRef): boolean {
  return selectsTexts(filter, textsOf(image));
}

/**
 * The texts a pattern is tried on: canonical text, and for a pinned image with a tag also without its digest.
 * A pattern matches the image when it matches either, in an exclude as in an include.
 */
export function textsOf(image: ImageRef): readonly string[] {
  const text = canonicalText(image);
  const isPinnedTag = image.tag !== undefined && image.digest !== undefined;
  return isPinnedTag ? [text, canonicalText({ ...image, digest: undefined })] : [text];
}

/** As `selectsImage`, for texts made once and tried on many filters. */
export function selectsTexts(filter: ImageFilter, texts: readonly string[]): boolean {
  if (filter.selectsNone) return false;
  const isIncluded = filter.include.length === 0 || filter.include.some((matches) => matchesAny(matches, texts));
  return isIncluded && !filter.exclude.some((matches) => matchesAny(matches, texts));
}

function matchesAny(matches: Matcher, texts: readonly string[]): boolean {
  return texts.some((text) => matches(text));
}

/** The upstream an image belongs to: the first in declaration order that matches. */
export function matchUpstream(rule: Pick<ReplicaRule, 'upstreams'>, image: ImageRef): Upstream | undefined {
  const texts = textsOf(image);
  return rule.upstreams.find((upstream) => {
    const rests = texts.map((text) => restAfter(upstream.registry, text)).filter((rest) => rest !== undefined);
    return rests.length > 0 && selectsTexts(upstream.images, rests);
  });
}

/** What follows an upstream's registry in a canonical text; undefined when that is not in front, as a whole. */
function restAfter(registry: string, text: string): string | undefined {
  const front = withHubName(registry);
  if (!text.startsWith(front)) return undefined;

  const rest = text.slice(front.length);
  // `docker.io` must not match `docker.io.example.com/...`
  const isWhole = front === '' || front.endsWith('/') || rest.startsWith('/');
  return isWhole ? rest : undefined;
}
