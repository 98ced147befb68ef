import type { Digest } from './digest.js';
import type { FailureCode } from './failure.js';

/** What is known of one place, in the words of the v2 API. */
export const availabilityStates = [
  'Scheduled',
  'Available',
  'NotFound',
  'Unreachable',
  'InvalidAuth',
  'UnavailableSecret',
  'QuotaExceeded',
] as const;

export type AvailabilityState = (typeof availabilityStates)[number];

/** Whether somebody looked and it cannot be pulled. */
export function isUnavailable(state: AvailabilityState | undefined): boolean {
  return state !== undefined && state !== 'Available' && state !== 'Scheduled';
}

/** Credential identity: `anonymous`, or 12 hexadecimal digits that name a Secret's version without its content. */
export type CredentialId = string;

export const anonymous: CredentialId = 'anonymous';

/** One observation of one place. It is a fact about `identity` only. */
export interface Fact {
  readonly state: AvailabilityState;
  readonly identity: CredentialId;
  /** milliseconds since the epoch */
  readonly checkedAt: number;
  /** what the tag answered with, when it answered */
  readonly digest?: Digest;
  readonly code?: FailureCode;
  readonly message?: string;
  /** how long the observation took, in milliseconds */
  readonly tookMs?: number;
  /** milliseconds since the epoch until which the registry asked us to stay away */
  readonly until?: number;
}

/** How long a fact needs no second look, in milliseconds. */
export interface FactLifetimes {
  readonly positiveMs: number;
  readonly negativeMs: number;
}

/**
 * Whether a fact is young enough to decide by. What the registry said about waiting does not lengthen its life:
 * a place that came back is used after `negativeMs`.
 *
 * @param now milliseconds since the epoch; a fact from the future counts by its distance, as clocks differ both ways
 */
export function isFresh(fact: Pick<Fact, 'state' | 'checkedAt'>, lifetimes: FactLifetimes, now: number): boolean {
  if (fact.state === 'Scheduled') return false;
  const lifetimeMs = fact.state === 'Available' ? lifetimes.positiveMs : lifetimes.negativeMs;
  return Math.abs(now - fact.checkedAt) < lifetimeMs;
}
