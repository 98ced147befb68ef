import type { Published } from '../../domain/published.js';
import type { FailureInfo } from '../../domain/failure.js';
import type { ImageName } from '../../domain/image-ref.js';

/** What became of one copy. */
export type Outcome = Copied | NotCopied;

export interface Copied extends Published {
  /** `current`: the destination held it already, nothing was sent */
  readonly verdict: 'copied' | 'current';
  readonly source: ImageName;
  readonly destination: ImageName;
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
