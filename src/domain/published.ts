import type { Digest } from './digest.js';
import type { Strategy } from './record.js';

/** What a copy has at its destination. */
export interface Published {
  /** what the destination's tag answers with */
  readonly digest: Digest;
  /** differs from `digest` where the index was rewritten */
  readonly sourceDigest?: Digest;
  readonly strategy: Strategy;
  /** `os/architecture[/variant]` */
  readonly platforms: readonly string[];
  /** asked for, and not in the source */
  readonly missingPlatforms: readonly string[];
  /** what did not come along, signatures for example, or cannot be used there: the copy is good all the same; at most 8 of at most 256 characters, absent when there are none */
  readonly warnings?: readonly string[];
}
