/**
 * How long a mirror rule is held back by our finalizer. It waits until others can go on without the rule: claims are
 * released, and the records know the Secrets. It does not wait for bytes to be deleted, unless a purge was asked for.
 * Every wait has an exit.
 *
 * @see docs/concepts/retain.md
 */
import { mirrorAt } from './copy-policy.js';
import { parseImageRef, type ImageName, type PlaceId } from './image-ref.js';
import type { KeeperStatus } from './keeper-story.js';
import type { ImageRecord, PlaceRecord } from './record.js';
import type { Mirror, MirrorRule } from './rule.js';

export interface HoldFacts {
  /** our finalizer is on it */
  readonly isHeld: boolean;
  /** somebody asked to let it go at once */
  readonly skips: boolean;
  /** what a deleted rule still has to do, in words */
  readonly left: readonly string[];
  /** milliseconds since the epoch: when a deleted rule goes anyway */
  readonly overdueAt: number;
  /** milliseconds since the epoch */
  readonly now: number;
}

export type Hold =
  | { readonly verdict: 'hold'; readonly reason: 'CleansUp' | 'WorkLeft' }
  | { readonly verdict: 'release'; readonly reason: 'NoCleanup' | 'Settled' | 'Skipped' | 'Overdue' }
  | { readonly verdict: 'leave'; readonly reason: 'Held' | 'NotHeld' };

/** What becomes of the finalizer. A deleted object takes no new one. */
export function holdOf(rule: MirrorRule, { isHeld, skips, left, overdueAt, now }: HoldFacts): Hold {
  if (rule.deletedAt === undefined) {
    const wants = rule.purge === true || rule.mirrors.some(({ cleanup }) => cleanup.enabled);
    if (wants === isHeld) return { verdict: 'leave', reason: isHeld ? 'Held' : 'NotHeld' };
    return wants ? { verdict: 'hold', reason: 'CleansUp' } : { verdict: 'release', reason: 'NoCleanup' };
  }
  if (!isHeld) return { verdict: 'leave', reason: 'NotHeld' };
  if (left.length === 0) return { verdict: 'release', reason: 'Settled' };
  if (skips) return { verdict: 'release', reason: 'Skipped' };
  return now >= overdueAt ? { verdict: 'release', reason: 'Overdue' } : { verdict: 'hold', reason: 'WorkLeft' };
}

/** A place of a rule, in the record that knows it. */
export interface RulePlace {
  readonly image: ImageName;
  readonly place: PlaceRecord;
  readonly mirror: Mirror;
}

/** Every place the records know where a rule keeps copies. */
export function placesOf(rule: MirrorRule, records: readonly ImageRecord[]): RulePlace[] {
  return records.flatMap(({ image, places }) => {
    const ref = parseImageRef(image);
    return places.flatMap((place) => {
      const isOurs = place.role === 'mirror' || (place.role === undefined && place.mirroredAt !== undefined);
      const mirror = ref === undefined || !isOurs ? undefined : mirrorAt(rule, ref, place.reference);
      return mirror === undefined ? [] : [{ image, place, mirror }];
    });
  });
}

/**
 * What a deleted rule still has to do, worst first.
 *
 * @param owes whether Temporal has not taken yet what became of a claim
 * @param purges whether the copy at a place is deleted before the rule may go
 */
export function leftToDo(places: readonly RulePlace[], owes: (destination: PlaceId) => boolean, purges: (place: RulePlace) => boolean): string[] {
  const claims = places.filter(({ place }) => owes(place.reference as string as PlaceId)).map(({ place }) => `the claim on ${place.reference} is not released`);
  // a copy that stays for ever leaves its record, and needs no Secret
  const secrets = places.filter(({ place, mirror }) => place.retention !== undefined && mirror.credentialSecret !== undefined && place.secret === undefined);
  return [
    ...claims,
    ...secrets.map(({ place }) => `the record of ${place.reference} does not know its Secret`),
    ...places.filter(({ place }) => place.mirroredAt !== undefined).filter(purges).map(({ place }) => `the copy at ${place.reference} is not deleted`),
  ];
}

/** Whether there may be a copy its record does not know: its keeper knows one, or a run is under way. */
export function mayHold(keeper: Pick<KeeperStatus, 'copy' | 'phase'> | 'absent'): boolean {
  return keeper !== 'absent' && (keeper.copy !== undefined || keeper.phase === 'Copying' || keeper.phase === 'Deleting');
}
