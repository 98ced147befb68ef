/**
 * Layout `path` leaves the origin's host out, so two images may want one destination. The one whose copy is there keeps
 * it: while a cluster claims it, and as long as it is retained. Only then may the other one take its place.
 *
 * @see docs/concepts/mirror.md
 */
import { isForAnother, liveClaims, type Claims } from './claims.js';
import type { ImageName } from './image-ref.js';
import type { HeldCopy, KeeperState } from './keeper-state.js';
import { expiryOf } from './retain.js';

/** What is known of a destination when it comes to whose it is. */
export type Holding = Pick<KeeperState, 'destination' | 'claims' | 'bornAt' | 'pace' | 'edition'> & { readonly copy?: Pick<HeldCopy, 'image'> };

/** The image whose copy is there and stays; undefined when nobody's does, and whoever claims it gets it. */
export function holderOf(state: Holding, now: number): ImageName | undefined {
  const { copy, edition } = state;
  if (copy === undefined || edition === undefined) return copy?.image;
  const claims = ownClaims(state);
  if (liveClaims(claims, now).length > 0) return copy.image;
  return expiryOf({ ...state, claims }, now)?.cleanup === true ? copy.image : undefined;
}

/** The claims that are about the copy: one for another image waits for the place, and keeps nothing there. */
export function claimsOfCopy(state: Holding, now: number): Claims {
  return state.edition === undefined || holderOf(state, now) === undefined ? state.claims : ownClaims(state);
}

function ownClaims({ destination, claims, copy }: Holding): Claims {
  return copy === undefined ? claims : claims.filter((held) => !isForAnother(held, destination, copy.image));
}
