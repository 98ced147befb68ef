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
