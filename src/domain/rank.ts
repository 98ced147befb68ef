import type { Candidate } from './candidate.js';
import type { RuleKind } from './rule.js';

const kindOrder: Readonly<Record<RuleKind | 'origin', number>> = {
  origin: 0,
  ClusterImageSetMirror: 1,
  ImageSetMirror: 2,
  ClusterReplicatedImageSet: 3,
  ReplicatedImageSet: 4,
  ClusterImageSetAvailability: 5, // offers nothing
};

/**
 * The order of places, best first: priority of the rule, kind, priority in the rule, position in the rule, name of
 * the rule. What is still equal, the mirrors of several images in one mirror, keeps the order it came in.
 */
export function byRank(a: Candidate, b: Candidate): number {
  return (
    a.priority - b.priority ||
    kindOrder[a.rule?.kind ?? 'origin'] - kindOrder[b.rule?.kind ?? 'origin'] ||
    a.itemPriority - b.itemPriority ||
    a.index - b.index ||
    compareTexts(a.rule?.name ?? '', b.rule?.name ?? '')
  );
}

/** By code units, never by locale: every replica of the webhook must order alike. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
