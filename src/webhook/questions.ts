import { originalsOf } from '../domain/original.js';
import type { Pod, Usage } from '../domain/usage.js';

/** What a request asks about a Pod. */
export interface Questions {
  /** to be decided now; what the user wrote is in `written` */
  readonly usages: readonly Usage[];
  /** the user applied again what was rewritten before: the same decision, so that nothing restarts */
  readonly restored: readonly { readonly usage: Usage; readonly image: string }[];
  /** whether the request may change anything but images: pull Secrets of a live Pod cannot change */
  readonly mayAddSecrets: boolean;
  /** whether the Pod itself can remember: the API server drops it from a request for ephemeral containers */
  readonly mayAnnotate: boolean;
}

/** A new Pod: every image that is not recorded. Recorded ones were decided by us, or are kept out by the user. */
export function questionsOfCreate(pod: Pod): Questions {
  const recorded = originalsOf(pod);
  return { usages: pod.usages.filter(({ key }) => !recorded.has(key)), restored: [], mayAddSecrets: true, mayAnnotate: true };
}

/** A changed Pod: every image that changed. Ephemeral containers come by their own request. */
export function questionsOfUpdate(pod: Pod, old: Pod): Questions {
  const recorded = originalsOf(old);
  const before = new Map(old.usages.map((usage) => [placeInPod(usage), usage.written]));
  const changed = pod.usages.filter((usage) => usage.field !== 'ephemeralContainers' && before.get(placeInPod(usage)) !== usage.written);
  const [restored, usages] = partition(changed, (usage) => recorded.get(usage.key) === usage.written && before.has(placeInPod(usage)));
  return {
    usages,
    restored: restored.map((usage) => ({ usage, image: before.get(placeInPod(usage)) ?? usage.written })),
    mayAddSecrets: false,
    mayAnnotate: true,
  };
}

/** `kubectl debug`: ephemeral containers that were not there before. */
export function questionsOfEphemeral(pod: Pod, old: Pod): Questions {
  const before = new Set(old.usages.map(placeInPod));
  const usages = pod.usages.filter((usage) => usage.field === 'ephemeralContainers' && !before.has(placeInPod(usage)));
  return { usages, restored: [], mayAddSecrets: false, mayAnnotate: false };
}

function placeInPod({ field, key }: Usage): string {
  return `${field}/${key}`;
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
