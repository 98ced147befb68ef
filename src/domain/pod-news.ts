/** What of a Pod's routing is worth an event on the Pod: where its containers were sent, and where nothing answered. */
import { annotations as ours, type RouteReason } from './names.js';
import { originalsOf, readOriginals } from './original.js';
import type { Pod, Usage } from './usage.js';

/** The reasons that are told, and how loud; whoever kept an image for a good reason is silent. */
export const loudness = {
  PlacePreferred: 'Normal',
  OriginUnavailable: 'Normal',
  OriginDiscarded: 'Normal',
  V1Reference: 'Normal',
  NoPlaceAvailable: 'Warning',
} as const satisfies Partial<Readonly<Record<RouteReason, 'Normal' | 'Warning'>>>;

export type ToldReason = keyof typeof loudness;

export const toldReasons = Object.keys(loudness) as readonly ToldReason[];

export interface PodNews {
  readonly type: 'Normal' | 'Warning';
  /** the verb */
  readonly action: 'Route';
  readonly reason: ToldReason;
  readonly note: string;
}

type DecidedPod = Pick<Pod, 'namespace' | 'name' | 'annotations' | 'usages'>;

/**
 * Everything the news of a Pod follow from, cheap to compare: most Pods of most clusters have none.
 *
 * @returns undefined when there is nothing to tell
 */
export function storyOf(annotations: Pod['annotations']): string | undefined {
  const reasons = annotations[ours.reason];
  if (reasons === undefined || !toldReasons.some((reason) => reasons.includes(reason))) return undefined;
  return `${reasons} ${annotations[ours.originalImages] ?? ''}`;
}

/** One piece of news per reason, which names every container it is about. */
export function podNews(pod: DecidedPod): PodNews[] {
  const decided = readOriginals(pod.annotations[ours.reason] ?? '{}') ?? new Map<string, string>();
  const rules = readOriginals(pod.annotations[ours.rewrittenBy] ?? '{}') ?? new Map<string, string>();
  const originals = originalsOf(pod);
  return toldReasons.flatMap((reason) => {
    const sentences = pod.usages
      .filter(({ key }) => decided.get(key) === reason)
      .flatMap((usage) => sentenceOf(reason, usage, { written: originals.get(usage.key), rule: rules.get(usage.key), pod }) ?? []);
    return sentences.length === 0 ? [] : [{ type: loudness[reason], action: 'Route', reason, note: sentences.join('; ') }];
  });
}

interface Circumstances {
  /** what the user wrote */
  readonly written: string | undefined;
  /** `<Kind>/<name>` */
  readonly rule: string | undefined;
  readonly pod: DecidedPod;
}

/** @returns undefined where the annotations, which anybody may write, say something else than the Pod */
function sentenceOf(reason: ToldReason, { key, written: now }: Usage, { written, rule, pod }: Circumstances): string | undefined {
  const isKept = reason === 'NoPlaceAvailable';
  if (written === undefined || isKept !== (now === written)) return undefined;
  const pulled = `${containerText(key)} is pulled from ${now}${rule === undefined ? '' : ` (${rule})`}`;
  switch (reason) {
    case 'PlacePreferred':
      return `${pulled}, which ranks before ${written}`;
    case 'OriginUnavailable':
      return `${pulled}, because ${written} was not available`;
    case 'OriginDiscarded':
      return `${pulled}, because nothing shall be pulled from the registry of ${written}`;
    case 'V1Reference':
      return `${pulled}, which is what ${written} stands for`;
    case 'NoPlaceAvailable':
      return `${containerText(key)} keeps ${written}, as no place answered in time; kuik explain pod/${pod.name} -n ${pod.namespace} shows each of them`;
  }
}

/** Keys of our annotations, for people. */
function containerText(key: string): string {
  return key.startsWith('volume:') ? `volume ${key.slice('volume:'.length)}` : `container ${key}`;
}
