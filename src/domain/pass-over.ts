import type { Candidate } from './candidate.js';
import { isPinned, isSameImage } from './collision.js';
import type { ImageName } from './image-ref.js';
import { meetsPlatform, parsePlatform, type Platform } from './platform.js';
import type { PlaceRecord } from './record.js';

/** Why a place is not even asked. */
export const passOverReasons = ['Retiring', 'HeldByAnotherImage', 'SecretMissing', 'SecretNotNamed', 'PlatformMissing'] as const;

export type PassOverReason = (typeof passOverReasons)[number];

/** What is known of a place, and of the Pod that would pull from it. */
export interface PlaceKnowledge {
  /** the place in the record of `candidate.image` */
  readonly record?: PlaceRecord;
  /** whose copy is at this destination */
  readonly holder?: ImageName;
  /** of the rule's Secret; `not-named`: the Pod cannot be given Secrets any more and does not name it */
  readonly secret?: 'usable' | 'missing' | 'not-named';
  readonly platform?: Partial<Platform>;
}

/**
 * Whether a place is passed over without probing: being deleted, another image's, not to be pulled from for want
 * of a Secret, or known to lack the Pod's platform. The origin never is: its Pod pulls from there without us.
 */
export function passOver(candidate: Candidate, known: PlaceKnowledge): PassOverReason | undefined {
  if (candidate.role === 'origin') return undefined;
  if (known.record?.retiringSince !== undefined) return 'Retiring';
  if (isHeldByAnother(candidate, known)) return 'HeldByAnotherImage';
  if (candidate.secret !== undefined && known.secret === 'missing') return 'SecretMissing';
  if (candidate.secret !== undefined && known.secret === 'not-named') return 'SecretNotNamed';
  if (lacksPlatform(known)) return 'PlatformMissing';
  return undefined;
}

function isHeldByAnother(candidate: Candidate, { holder, record }: PlaceKnowledge): boolean {
  if (candidate.role !== 'mirror' || isPinned(candidate.place)) return false;
  if (holder !== undefined) return !isSameImage(holder, candidate.image);
  // the copy was refused, and none of ours was there before: what answers is something else
  return record?.failure?.code === 'conflict' && record.mirroredAt === undefined;
}

/** Only what a record says counts: a place whose platforms nobody looked at is asked. */
function lacksPlatform({ record, platform }: PlaceKnowledge): boolean {
  if (platform === undefined || record?.platforms === undefined || record.platforms.length === 0) return false;
  return !record.platforms.some((text) => {
    const found = parsePlatform(text);
    return found === undefined || meetsPlatform(found, platform);
  });
}
