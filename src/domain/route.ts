import type { AvailabilityState } from './availability.js';
import type { Candidate } from './candidate.js';
import type { PlaceId } from './image-ref.js';
import type { RouteReason } from './names.js';

type KeepReason = Extract<RouteReason, 'OnlyOrigin' | 'OriginAvailable' | 'PreferredUnavailable' | 'NoPlaceAvailable'>;
type RewriteReason = Extract<RouteReason, 'PlacePreferred' | 'OriginUnavailable' | 'OriginDiscarded' | 'V1Reference'>;

/** Where one container pulls from. */
export type Decision =
  | { readonly verdict: 'keep'; readonly reason: KeepReason }
  | { readonly verdict: 'rewrite'; readonly reason: RewriteReason; readonly to: Candidate };

/** A decision, or the places that must be looked at first. */
export type Route = Decision | { readonly verdict: 'ask'; readonly about: readonly Candidate[] };

/** Availability by place, seen with the identity this Pod pulls with. `Scheduled` tells no more than absence. */
export type Known = Pick<ReadonlyMap<PlaceId, AvailabilityState>, 'get'>;

/** What else the decision depends on. */
export interface RouteCircumstances {
  /** the image is written as a name of v1's proxy: it cannot be kept, so its origin is always asked */
  readonly isV1?: boolean;
}

/**
 * Chooses where one container pulls from: the first place in order of rank that is available.
 *
 * @param candidates in order of rank, those passed over left out
 * @returns `ask` names only places whose answer can still change the choice
 */
export function route(candidates: readonly Candidate[], known: Known, circumstances: RouteCircumstances = {}): Route {
  const about = openQuestions(candidates, known, circumstances);
  return about.length > 0 ? { verdict: 'ask', about } : settle(candidates, known, circumstances);
}

/** The same choice when there is no time left to ask: what is unknown counts as unavailable. */
export function settle(candidates: readonly Candidate[], known: Known, { isV1 = false }: RouteCircumstances = {}): Decision {
  if (isOnlyOrigin(candidates) && !isV1) return { verdict: 'keep', reason: 'OnlyOrigin' };

  const winner = candidates.find(({ place }) => known.get(place) === 'Available');
  if (winner === undefined) return { verdict: 'keep', reason: 'NoPlaceAvailable' };
  if (winner.role !== 'origin') return { verdict: 'rewrite', reason: whyElsewhere(winner, candidates), to: winner };
  if (isV1) return { verdict: 'rewrite', reason: 'V1Reference', to: winner };
  return { verdict: 'keep', reason: winner === candidates[0] ? 'OriginAvailable' : 'PreferredUnavailable' };
}

/** Unknown places ranked before the first available one: a later place cannot win any more. */
function openQuestions(candidates: readonly Candidate[], known: Known, { isV1 = false }: RouteCircumstances): readonly Candidate[] {
  if (isOnlyOrigin(candidates) && !isV1) return [];

  const winner = candidates.findIndex(({ place }) => known.get(place) === 'Available');
  const inQuestion = winner === -1 ? candidates : candidates.slice(0, winner);
  return inQuestion.filter(({ place }) => isUnknown(known.get(place)));
}

function isUnknown(state: AvailabilityState | undefined): boolean {
  return state === undefined || state === 'Scheduled';
}

function isOnlyOrigin(candidates: readonly Candidate[]): boolean {
  return candidates.length === 1 && candidates[0]?.role === 'origin';
}

function whyElsewhere(winner: Candidate, candidates: readonly Candidate[]): RewriteReason {
  const origin = candidates.findIndex(({ role }) => role === 'origin');
  if (origin === -1) return 'OriginDiscarded';
  return candidates.indexOf(winner) < origin ? 'PlacePreferred' : 'OriginUnavailable';
}
