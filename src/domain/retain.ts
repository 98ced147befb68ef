/**
 * When a copy may go, and what keeps it. The retention clock is computed from the claims, never stored: it starts
 * when the last claim ended and stops by itself when one returns. Whoever asks knows a part: a keeper knows the
 * claims, a cluster its Pods and rules; `fateOf` answers for each of them, and for `kuik preview`.
 *
 * @see docs/concepts/retain.md
 */
import { isNameless } from './claim.js';
import { isForAnother, liveClaims, speaksUntil, type Claimed, type Claims, type HeldClaim } from './claims.js';
import { sharedRetentionMs } from './copy-policy.js';
import type { ImageName } from './image-ref.js';
import type { KeeperState } from './keeper-state.js';
import type { KnownCluster } from './task.js';

/** When an unclaimed copy may go. Times are milliseconds since the epoch. */
export interface Expiry {
  readonly unusedSince: number;
  /** whether everybody wants it deleted at all, and can know who uses it */
  readonly cleanup: boolean;
  /** retention is over: deletion may be considered, never earlier */
  readonly dueAt: number;
  /** the rules are being removed with all they copied: retention is not waited for */
  readonly purge: boolean;
}

const usualTombstoneMs = 10 * 60 * 1000;

/** What the clock of a copy is computed from. */
export type Retained = Pick<KeeperState, 'claims' | 'bornAt' | 'pace' | 'edition'>;

/**
 * A release whose claim never came (there was no keeper to take it) counts as an end: its cluster used the copy until
 * then. How long it wanted it kept nobody knows; its own records do. The first edition overlooked such releases.
 *
 * @returns undefined while a claim lives, and when nobody ever claimed
 */
export function expiryOf({ claims, bornAt, pace, edition }: Retained, now: number): Expiry | undefined {
  if (liveClaims(claims, now).length > 0) return undefined;
  const known = claimed(claims);
  if (known.length === 0) return undefined;

  const ended = edition === undefined ? known : claims;
  const unusedSince = Math.max(...ended.map(endedAt));
  const purge = ended.every(({ purge }) => purge === true);
  const shared = known.some(({ claim }) => claim.shared);
  const retentionMs = purge ? 0 : Math.max(longestRetentionMs(known), shared ? sharedRetentionMs * pace : 0);
  return {
    unusedSince,
    cleanup: known.every(({ claim, purge }) => claim.cleanup || purge === true) && known.every(isConnected),
    dueAt: Math.max(unusedSince + retentionMs, shared ? bornAt + sharedRetentionMs * pace : 0),
    purge,
  };
}

function claimed(claims: Claims): readonly Claimed[] {
  return claims.filter((held): held is Claimed => held.claim !== undefined);
}

function endedAt({ releasedAt, expiresAt }: HeldClaim): number {
  return Math.min(releasedAt ?? expiresAt, expiresAt);
}

function longestRetentionMs(known: readonly Claimed[]): number {
  return Math.max(0, ...known.map(({ claim }) => claim.retentionMs));
}

/** Clusters that share a mirror but no Temporal namespace do not see each other's claims. */
function isConnected({ claim }: Claimed): boolean {
  return !claim.shared || claim.connected === true;
}

/** How long nobody is routed to a copy before it goes: the longest that any cluster asked for. */
export function tombstoneOf(claims: Claims): number {
  const asked = claimed(claims).map(({ claim }) => claim.tombstoneMs ?? usualTombstoneMs);
  return asked.length === 0 ? usualTombstoneMs : Math.max(...asked);
}

/**
 * Every cluster that has to say that it does not use a copy before it goes: whoever claims it or did. One that fell
 * silent is waited for until its lease has been over for the whole retention; so is one whose Pods kept the copy when it
 * was last asked, though nothing there claims it.
 *
 * @param image whose copy it is: for clusters whose claim never arrived, does not know, or is for another image
 */
export function knownClusters({ destination, claims }: Pick<KeeperState, 'destination' | 'claims'>, image: ImageName, now: number): readonly KnownCluster[] {
  const retentionMs = longestRetentionMs(claimed(claims));
  return claims.map((held) => ({
    cluster: held.cluster,
    image: held.claim === undefined || isNameless(held.claim) || isForAnother(held, destination, image) ? image : held.claim.image,
    rules: held.claim?.rules ?? [],
    ...(held.forgotten === true || speaksUntil(held) + retentionMs <= now ? { isLost: true } : {}),
  }));
}

/** What is known of a copy. Each field is one way to be kept, and absent where whoever asks cannot tell. */
export interface CopyFacts {
  /** Pods pull from it */
  readonly isPulledFrom?: boolean;
  /** a rule wants it for an image in use, or a cluster says so */
  readonly isClaimed?: boolean;
  /** annotation `kuik.enix.io/keep-until` of its record: RFC 3339, or `forever` */
  readonly keepUntil?: string;
  /** absent: nobody wants it deleted */
  readonly expiry?: Pick<Expiry, 'cleanup' | 'dueAt'>;
}

/** What keeps a copy; the first three are reasons a deletion is blocked with, too. */
export type Protection = 'in-use' | 'claimed' | 'pinned' | 'no-cleanup';

export type Fate =
  /** `until`: milliseconds since the epoch, when the end is known */
  | { readonly fate: 'stays'; readonly by: Protection; readonly until?: number }
  /** milliseconds since the epoch: not before then, and in the past when it is due */
  | { readonly fate: 'goes'; readonly at: number };

/** Would this copy be deleted, when, and what protects it? */
export function fateOf({ isPulledFrom, isClaimed, keepUntil, expiry }: CopyFacts, now: number): Fate {
  if (isPulledFrom === true) return { fate: 'stays', by: 'in-use' };
  if (isClaimed === true) return { fate: 'stays', by: 'claimed' };
  const pinned = pinEnd(keepUntil);
  if (pinned === Infinity) return { fate: 'stays', by: 'pinned' };
  if (pinned > now) return { fate: 'stays', by: 'pinned', until: pinned };
  if (expiry === undefined || !expiry.cleanup) return { fate: 'stays', by: 'no-cleanup' };
  return { fate: 'goes', at: expiry.dueAt };
}

/**
 * When a pin ends.
 *
 * @param keepUntil RFC 3339, or `forever`; a text that is neither was meant to keep, so it does
 * @returns milliseconds since the epoch; Infinity for ever, 0 without a pin
 */
export function pinEnd(keepUntil: string | undefined): number {
  if (keepUntil === undefined || keepUntil === '') return 0;
  const until = Date.parse(keepUntil);
  return Number.isNaN(until) ? Infinity : until;
}
