import { labels } from './names.js';
import type { Matcher } from './rule.js';
import type { Selector } from './selector.js';
import type { PodScope } from './usage.js';

/** What the configuration leaves out everywhere. */
export interface SkipSettings {
  readonly labels: readonly Selector[];
  readonly annotations: readonly Selector[];
  /** patterns for whole namespace names */
  readonly namespaces: readonly Matcher[];
}

/** Which opt-out covers a Pod: a label of ours or of v1, or a setting. */
export const optOuts = ['PodIgnored', 'V1Policy', 'NamespaceIgnored', 'SkipNamespaces', 'SkipLabels', 'SkipAnnotations'] as const;

export type OptOut = (typeof optOuts)[number];

/** Why routing leaves a Pod, or with `Recorded` one of its images, as it is: nothing is decided, nothing noted on it. */
export const leftAloneReasons = ['StaticPod', 'Deleted', 'Recorded', ...optOuts] as const;

export type LeftAloneReason = (typeof leftAloneReasons)[number];

/**
 * Whether a Pod is left alone: not routed, not mirrored, not monitored. Copies in use stay protected all the same.
 *
 * @param namespaceLabels labels of the Pod's namespace; none when it is not known yet
 * @returns the first opt-out that covers the Pod; undefined when none does
 */
export function optOutOf(pod: PodScope, settings: SkipSettings, namespaceLabels: Readonly<Record<string, string>> = {}): OptOut | undefined {
  if (pod.labels[labels.ignore] === 'true') return 'PodIgnored';
  if (pod.labels[labels.v1Policy] === 'ignore') return 'V1Policy';
  if (namespaceLabels[labels.ignore] === 'true') return 'NamespaceIgnored';
  if (settings.namespaces.some((matches) => matches(pod.namespace))) return 'SkipNamespaces';
  if (settings.labels.some((selects) => selects(pod.labels))) return 'SkipLabels';
  if (settings.annotations.some((selects) => selects(pod.annotations))) return 'SkipAnnotations';
  return undefined;
}
