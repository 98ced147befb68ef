/** Whether the registries on either side of copies can be used, from what the records say of the last attempts. */
import { failures, type FailureCode, type Side } from '../domain/failure.js';
import type { AvailabilityState } from '../domain/availability.js';
import type { ImageName } from '../domain/image-ref.js';
import type { PlaceRecord } from '../domain/record.js';
import { finding, messagesOf, type Finding } from './report.js';

/** Something that went wrong at a place. */
export interface Trouble {
  readonly code: FailureCode;
  readonly reference: ImageName;
  readonly message: string;
}

/** What an outage looks like comes before what one image looks like. */
const gravest: readonly FailureCode[] = ['unreachable', 'timeout', 'tls', 'throttled', 'unauthorized', 'denied', 'corrupt', 'missing', 'too-large', 'conflict', 'unsupported', 'invalid'];

/** `SourceReachable` or `DestinationReachable`; the gravest trouble names the reason. */
export function reachFinding(type: 'SourceReachable' | 'DestinationReachable', troubles: readonly Trouble[]): Finding {
  const words = type === 'SourceReachable' ? 'source' : 'destination';
  const [worst] = [...troubles].sort((one, other) => gravest.indexOf(one.code) - gravest.indexOf(other.code) || (one.reference < other.reference ? -1 : 1));
  if (worst === undefined) return finding(type, true, 'Reachable', `no ${words} is known to fail`);
  const alike = troubles.filter(({ code }) => code === worst.code);
  return finding(type, false, failures[worst.code].reason, messagesOf(alike.map(({ reference, message }) => `${reference}: ${message}`)));
}

/** Failures of copies, on one side. */
export function copyTroubles(places: readonly PlaceRecord[], side: Side): Trouble[] {
  return places.flatMap(({ reference, failure }) => (failure?.side === side ? [{ code: failure.code, reference, message: failure.message }] : []));
}

const codeOfState: Readonly<Record<AvailabilityState, FailureCode | undefined>> = {
  Scheduled: undefined,
  Available: undefined,
  NotFound: 'missing',
  Unreachable: 'unreachable',
  InvalidAuth: 'unauthorized',
  UnavailableSecret: 'unauthorized',
  QuotaExceeded: 'throttled',
};

/** What checks found of places: origins, replicas, copies that were not made again since. */
export function checkTroubles(places: readonly PlaceRecord[]): Trouble[] {
  return places.filter(({ checkedAt = '', triedAt = '' }) => !(Date.parse(triedAt) > Date.parse(checkedAt))).flatMap(({ reference, state = 'Scheduled', checkFailure }) => {
    const code = codeOfState[state];
    return code === undefined ? [] : [{ code, reference, message: checkFailure ?? state }];
  });
}
