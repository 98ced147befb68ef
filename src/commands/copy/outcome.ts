import type { Digest } from '../../domain/digest.js';
import type { FailureInfo } from '../../domain/failure.js';
import type { ImageName } from '../../domain/image-ref.js';
import type { Strategy } from '../../domain/record.js';

/** What became of one copy. */
export type Outcome = Copied | NotCopied;

export interface Copied {
  /** `current`: the destination held it already, nothing was sent */
  readonly verdict: 'copied' | 'current';
  readonly source: ImageName;
  readonly destination: ImageName;
  /** what the destination's tag answers with */
  readonly digest: Digest;
  /** differs from `digest` where the index was rewritten */
  readonly sourceDigest?: Digest;
  readonly strategy: Strategy;
  readonly platforms: readonly string[];
  /** asked for, and not in the source */
  readonly missingPlatforms: readonly string[];
  /** what did not come along, signatures for example: the copy is good all the same */
  readonly warnings?: readonly string[];
  /** sent to the destination */
  readonly bytes: number;
}

export interface NotCopied {
  readonly verdict: 'failed' | 'interrupted';
  readonly source: ImageName;
  readonly destination: ImageName;
  readonly failure?: FailureInfo;
  /** what failed, for people */
  readonly message: string;
}

export function isCopied(outcome: Outcome): outcome is Copied {
  return outcome.verdict === 'copied' || outcome.verdict === 'current';
}

/** Exit code of what Ctrl-C ended: 128 and the number of SIGINT. */
export const interrupted = 130;

/** Exit code of the command: 130 interrupted, 1 something failed, 2 platforms are missing, 0 all is there. */
export function exitCodeOf(outcomes: readonly Outcome[]): 0 | 1 | 2 | typeof interrupted {
  if (outcomes.some(({ verdict }) => verdict === 'interrupted')) return interrupted;
  if (!outcomes.every(isCopied)) return 1;
  return outcomes.some(({ missingPlatforms }) => missingPlatforms.length > 0) ? 2 : 0;
}
