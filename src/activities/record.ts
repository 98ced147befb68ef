import { referenceOf } from '../domain/record-plan.js';
import type { PlaceFailure, PlaceRecord } from '../domain/record.js';
import type { CopyOutcome } from '../domain/task.js';
import type { Cluster } from '../cluster/cluster.js';
import type { RecordActivities, RecordInput } from '../temporal/activities.js';

export interface RecordDeps {
  readonly cluster: Pick<Cluster, 'changePlace'>;
  /** counts how copies end: for metrics and events */
  readonly observe?: (input: RecordInput) => void;
}

/** Writes what became of a copy into the cluster's record of the image; a record that is gone is nobody's loss. */
export function createRecordActivities({ cluster, observe = () => undefined }: RecordDeps): RecordActivities {
  return {
    async recordOutcome(input: RecordInput) {
      const result = await cluster.changePlace(input.image, referenceOf(input.destination), 'kuik-mirror', (place) => recorded(place, input));
      observe(input);
      return result;
    },
  };
}

/** A place after a report. What is not known any more is taken away by saying undefined. */
export function recorded(place: PlaceRecord, { report, workflowId, at }: RecordInput): PlaceRecord {
  switch (report.state) {
    case 'copying':
      return { ...place, workflowId };
    case 'copied':
      return { ...place, ...copied(place, report.outcome), retiringSince: undefined, failure: undefined, workflowId };
    case 'failed':
      return { ...place, failure: failedAgain(place.failure, report.failure, at), workflowId };
  }
}

function copied(place: PlaceRecord, outcome: CopyOutcome): Partial<PlaceRecord> {
  const { digest, sourceDigest, strategy, platforms, missingPlatforms, bytes, mirroredAt } = outcome;
  const isKnown = place.digest === digest && place.mirroredAt !== undefined;
  return {
    digest,
    sourceDigest,
    strategy,
    platforms,
    missingPlatforms,
    // a copy that was there already is as old, and as large, as it was
    bytes: isKnown && bytes === 0 ? place.bytes : bytes,
    mirroredAt: isKnown ? place.mirroredAt : mirroredAt,
  };
}

const longestMessage = 256;

function failedAgain(before: PlaceFailure | undefined, { code, message }: { readonly code: PlaceFailure['code']; readonly message: string }, at: string): PlaceFailure {
  return {
    code,
    message: message.slice(0, longestMessage),
    since: before?.code === code ? before.since : at,
    attempts: (before?.attempts ?? 0) + 1,
  };
}
