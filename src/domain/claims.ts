/**
 * The claims one keeper holds: one per cluster, sorted by cluster. A claim is a lease: it lives until its cluster
 * releases it or its time is over. Both only start the retention clock.
 *
 * Messages may come twice or in another order: the message with the highest generation decides whether a cluster
 * wants the destination, the claim with the highest generation says how.
 */
import { isNameless, type Claim } from './claim.js';
import { mayShare } from './collision.js';
import { fingerprint } from './fingerprint.js';
import type { ImageName, PlaceId } from './image-ref.js';
import { mergeWishes } from './mirror.js';
import { platformText } from './platform.js';
import type { Release } from './task.js';

/** What one cluster last said. */
export interface HeldClaim {
  readonly cluster: string;
  /** of the newest message, claim or release */
  readonly generation: number;
  /** the newest claim; absent when only its release arrived so far */
  readonly claim?: Claim;
  /** end of the lease: milliseconds since the epoch */
  readonly expiresAt: number;
  /** milliseconds since the epoch */
  readonly releasedAt?: number;
  /** when it last kept the copy from being deleted, claim or not: milliseconds since the epoch */
  readonly refusedAt?: number;
  readonly purge?: boolean;
  /** a person said that the cluster is gone */
  readonly forgotten?: boolean;
}

export type Claims = readonly HeldClaim[];

export type ClaimAnswer = 'accepted' | 'known' | 'stale' | 'too-many-clusters';

/** A held claim that has its claim. */
export type Claimed = HeldClaim & { readonly claim: Claim };

const usualTtlMs = 72 * 60 * 60 * 1000;
/** That share one destination. */
export const mostClusters = 64;

export function holdClaim(claims: Claims, claim: Claim, now: number): { readonly claims: Claims; readonly answer: ClaimAnswer } {
  const held = claims.find(({ cluster }) => cluster === claim.cluster);
  if (held === undefined && claims.length >= mostClusters) return { claims, answer: 'too-many-clusters' };

  const expiresAt = now + (claim.ttlMs ?? usualTtlMs);
  if (held === undefined || claim.renewal === true || claim.generation > held.generation) {
    return { claims: put(claims, { cluster: claim.cluster, generation: claim.generation, claim, expiresAt }), answer: 'accepted' };
  }
  // overtaken by its own release: it still says what policy the copy was kept under
  if (held.claim === undefined || claim.generation > held.claim.generation) return { claims: put(claims, { ...held, claim, expiresAt }), answer: 'stale' };
  return { claims, answer: claim.generation === held.generation ? 'known' : 'stale' };
}

export function holdRelease(claims: Claims, release: Release, now: number): Claims {
  const held = claims.find(({ cluster }) => cluster === release.cluster);
  if (release.forget === true) return forgotten(claims, held, now);
  if (held !== undefined && (release.generation < held.generation || (release.generation === held.generation && held.releasedAt !== undefined))) return claims;
  const { cluster, generation, purge } = release;
  return put(claims, { ...(held ?? { expiresAt: now }), cluster, generation, releasedAt: now, ...(purge === true ? { purge } : {}) });
}

/** Whoever says so does not know the generation of a cluster that is gone; if it comes back after all, it claims again. */
function forgotten(claims: Claims, held: HeldClaim | undefined, now: number): Claims {
  return held === undefined ? claims : put(claims, { ...held, releasedAt: held.releasedAt ?? now, forgotten: true });
}

/** Clusters that were asked, and keep the copy. */
export function holdRefusals(claims: Claims, by: readonly string[], now: number): Claims {
  return claims.map((held) => (by.includes(held.cluster) ? { ...held, refusedAt: now } : held));
}

/** Until when a cluster counts as one that speaks: a word against a deletion is as good as a claim of that moment. */
export function speaksUntil({ claim, expiresAt, refusedAt = -Infinity }: HeldClaim): number {
  return Math.max(expiresAt, refusedAt + (claim?.ttlMs ?? usualTtlMs));
}

function put(claims: Claims, held: HeldClaim): Claims {
  const others = claims.filter(({ cluster }) => cluster !== held.cluster);
  return [...others, held].sort((one, other) => (one.cluster < other.cluster ? -1 : 1));
}

export function isLive(held: HeldClaim, now: number): held is Claimed {
  return held.claim !== undefined && held.releasedAt === undefined && held.expiresAt > now;
}

/** When a claim came: milliseconds since the epoch. */
export function heardAt({ ttlMs }: Claim, expiresAt: number): number {
  return expiresAt - (ttlMs ?? usualTtlMs);
}

export function liveClaims(claims: Claims, now: number): readonly Claimed[] {
  return claims.filter((held) => isLive(held, now));
}

/** Claims nobody took back, expired or not: a cluster that was merely cut off keeps its platforms. */
function standing(claims: Claims): readonly Claimed[] {
  return claims.filter((held): held is Claimed => held.claim !== undefined && held.releasedAt === undefined);
}

/** What the clusters together want of a destination. */
export interface Wanted extends Claim {
  /** names the settings: a copy made from other settings is planned again */
  readonly plan: string;
  /** every cluster with a live claim for the same image */
  readonly clusters: readonly string[];
  /** clusters with a live claim for another image of the same destination */
  readonly refused: readonly { readonly cluster: string; readonly image: ImageName }[];
}

/**
 * Adds the claims up: the first live cluster that is not silent executes, with its own rules and sources; policies
 * are merged over all claims that stand. It `rests` when every live claim does.
 *
 * @param holder the image whose copy is there: of two images that want one destination, it keeps it; for the first edition
 *   only while it is claimed
 * @param silent clusters whose workers did not answer
 * @returns undefined when nobody claims the destination
 */
export function wantedOf(claims: Claims, now: number, { holder, silent, edition }: { readonly holder?: ImageName; readonly silent: readonly string[]; readonly edition?: 2 }): Wanted | undefined {
  const live = liveClaims(claims, now);
  const image = edition === undefined || holder === undefined ? claimedImage(live, holder) : holder;
  const isOurs = ({ claim }: Claimed): boolean => claim.image === image || isNameless(claim) || (edition !== undefined && image !== undefined && mayShare(claim.destination, claim.image, image));
  const mine = live.filter(isOurs);
  // who merely holds a copy asks for nothing: those who want one say how
  const active = mine.filter(({ claim }) => claim.rests !== true);
  const able = active.length > 0 ? active : mine;
  const executing = able.find(({ cluster }) => !silent.includes(cluster)) ?? able[0];
  if (executing === undefined || image === undefined) return undefined;

  const others = standing(claims).filter((each) => isOurs(each) && each.cluster !== executing.cluster);
  const policy = others.reduce((sum, { claim }) => mergeWishes(sum, claim), executing.claim);
  return {
    ...policy,
    image,
    plan: planOf({ ...policy, image }, able),
    clusters: mine.map(({ cluster }) => cluster),
    refused: live.filter((each) => !isOurs(each)).map(({ cluster, claim }) => ({ cluster, image: claim.image })),
  };
}

/** Whether a cluster claims, or claimed, the destination for another image. */
export function isForAnother({ claim }: Pick<HeldClaim, 'claim'>, destination: PlaceId, image: ImageName): boolean {
  return claim !== undefined && !isNameless(claim) && !mayShare(destination, claim.image, image);
}

/** Nameless claims are for whatever is there. */
function claimedImage(live: readonly Claimed[], holder: ImageName | undefined): ImageName | undefined {
  const named = live.filter(({ claim }) => !isNameless(claim));
  if (named.length === 0 && holder !== undefined) return holder;
  const images = (named.length === 0 ? live : named).map(({ claim }) => claim.image);
  return holder !== undefined && images.includes(holder) ? holder : images.sort()[0];
}

/** Live clusters that could execute instead of silent ones. */
export function hasWillingCluster(claims: Claims, now: number, silent: readonly string[]): boolean {
  return liveClaims(claims, now).some(({ cluster }) => !silent.includes(cluster));
}

/** The settings a copy depends on, whichever cluster executes it. */
function planOf(policy: Claim, live: readonly Claimed[]): string {
  const sources = new Set(live.flatMap(({ claim }) => claim.sources));
  return fingerprint(JSON.stringify([policy.image, policy.publishAs, policy.platforms.map(platformText).sort(), policy.copy, policy.referrers, [...sources].sort()]));
}
