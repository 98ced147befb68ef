/**
 * The retention clock of one copy. It is computed from the claims, never stored: it starts when the last claim
 * ended and stops by itself when one returns.
 *
 * @see docs/concepts/retain.md
 */
import { liveClaims, type Claimed, type Claims, type HeldClaim } from './claims.js';

/** When an unclaimed copy may go. Times are milliseconds since the epoch. */
export interface Expiry {
  readonly unusedSince: number;
  /** whether anybody wants it deleted at all */
  readonly cleanup: boolean;
  /** retention is over: deletion may be considered, never earlier */
  readonly dueAt: number;
}

/** On a shared mirror a lost keeper must not forget the other clusters: each has renewed by then. */
export const sharedRetentionMs = 48 * 60 * 60 * 1000;

/**
 * @param bornAt when this keeper, or the one it continues, began
 * @param pace scale of the fixed periods: 1, or less in tests
 * @returns undefined while a claim lives, and when nobody ever claimed
 */
export function expiryOf(claims: Claims, bornAt: number, now: number, pace: number): Expiry | undefined {
  if (liveClaims(claims, now).length > 0) return undefined;
  const known = claims.filter((held): held is Claimed => held.claim !== undefined);
  if (known.length === 0) return undefined;

  const unusedSince = Math.max(...known.map(endedAt));
  const purge = known.every(({ purge }) => purge === true);
  const shared = known.some(({ claim }) => claim.shared);
  const retentionMs = purge ? 0 : Math.max(...known.map(({ claim }) => claim.retentionMs), shared ? sharedRetentionMs * pace : 0);
  return {
    unusedSince,
    cleanup: known.every(({ claim, purge }) => claim.cleanup || purge === true),
    dueAt: Math.max(unusedSince + retentionMs, shared ? bornAt + sharedRetentionMs * pace : 0),
  };
}

function endedAt({ releasedAt, expiresAt }: HeldClaim): number {
  return Math.min(releasedAt ?? expiresAt, expiresAt);
}
