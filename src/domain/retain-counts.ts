import { parseImageRef } from './image-ref.js';
import type { ImageRecord } from './record.js';

/** How many copies are on their way out, for metrics. */
export interface RetainCounts {
  readonly expiring: readonly { readonly registry: string; readonly count: number }[];
  readonly blocked: readonly { readonly registry: string; readonly reason: string; readonly count: number }[];
}

/**
 * Copies of images that nobody uses and that have an end: by registry; and those that were not deleted, by reason as well,
 * whether an end is known or not: one that is pinned for ever has none.
 */
export function countRetained(records: readonly ImageRecord[]): RetainCounts {
  const expiring = new Map<string, number>();
  const blocked = new Map<string, number>();
  for (const { places, expiresAt } of records) {
    for (const { role, mirroredAt, reference, blocked: block } of places) {
      const registry = role === 'mirror' && mirroredAt !== undefined ? parseImageRef(reference)?.host : undefined;
      if (registry === undefined) continue;
      if (expiresAt !== undefined) count(expiring, registry);
      if (block !== undefined) count(blocked, `${block.reason} ${registry}`);
    }
  }
  return {
    expiring: [...expiring].map(([registry, count]) => ({ registry, count })),
    blocked: [...blocked].map(([key, count]) => ({ reason: key.slice(0, key.indexOf(' ')), registry: key.slice(key.indexOf(' ') + 1), count })),
  };
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
