/**
 * What becomes of each copy, decided by the functions that decide: the plan of the watchers says which copies are
 * wanted and how long the others are kept, `fateOf` what follows.
 */
import { parseDuration } from '../../domain/duration.js';
import { knownImageRef, placeIdentity, type ImageName, type PlaceId } from '../../domain/image-ref.js';
import type { MirrorSettings } from '../../domain/mirror.js';
import { planRecords, type RecordPlan } from '../../domain/record-plan.js';
import { fateOf, type Fate } from '../../domain/retain.js';
import type { ImageRecord, RecordUsage } from '../../domain/record.js';
import { recordedImages } from '../../watchers/picture.js';
import type { Picture } from '../../watchers/reconcile.js';

/** One copy that is there, and what will become of it. */
export interface CopyFate {
  readonly image: ImageName;
  readonly place: ImageName;
  readonly rule?: string;
  readonly pods: number;
  readonly fate: Fate;
}

export interface Facts {
  readonly picture: Picture;
  /** Pods that pull from a place */
  readonly podsAt: (place: PlaceId) => number;
  readonly settings: Pick<MirrorSettings, 'retentionMs' | 'isConnected'>;
}

/** Of every copy that is there, as the records know it. */
export function fatesOf(facts: Facts): readonly CopyFate[] {
  const plan = recordPlanOf(facts);
  const usages = new Map(plan.apply.map((usage) => [usage.image, usage]));
  return facts.picture.records.flatMap((record) =>
    record.places.filter(({ role, mirroredAt }) => (role === undefined || role === 'mirror') && mirroredAt !== undefined).map(({ reference, rule }) => {
      const place = placeIdentity(knownImageRef(reference));
      const fate = fateOf(
        {
          isPulledFrom: facts.podsAt(place) > 0,
          isClaimed: facts.picture.plan.wanted.has(place),
          ...(record.keepUntil === undefined ? {} : { keepUntil: record.keepUntil }),
          ...expiryOf(record, usages.get(record.image), reference, facts),
        },
        facts.picture.now,
      );
      return { image: record.image, place: reference, ...(rule === undefined ? {} : { rule }), pods: record.pods, fate };
    }),
  );
}

function recordPlanOf({ picture: { used, rules, records, plan, now }, settings: { retentionMs, isConnected } }: Facts): RecordPlan {
  const copies = new Set(records.flatMap(({ places }) => places.filter(({ role, mirroredAt }) => role === 'mirror' && mirroredAt !== undefined).map(({ reference }) => reference as string)));
  const recorded = recordedImages(used, rules, (ref) => copies.has(placeIdentity(ref)));
  return planRecords({ used: recorded, plan, rules, records, retentionMs, isConnected, now });
}

/** The plan names how long a copy is kept after its last use; a place it does not name stays where it is. */
function expiryOf(record: ImageRecord, usage: RecordUsage | undefined, reference: ImageName, { picture: { now } }: Facts): { expiry?: { cleanup: boolean; dueAt: number } } {
  const retention = parseDuration(usage?.places.find((place) => place.reference === reference)?.retention ?? '');
  if (retention === undefined) return {};
  return { expiry: { cleanup: true, dueAt: Date.parse(usage?.unusedSince ?? record.unusedSince ?? new Date(now).toISOString()) + retention } };
}
