import type { AvailabilityState } from '../domain/availability.js';
import { isSameDrift, type Drift } from '../domain/drift.js';
import { failures, type FailureInfo } from '../domain/failure.js';
import { knownImageRef, placeIdentity, type ImageName, type PlaceId } from '../domain/image-ref.js';
import { referenceOf } from '../domain/record-plan.js';
import type { PlaceBlock, PlaceDrift, PlaceFailure, PlaceRecord } from '../domain/record.js';
import type { Block, CopyOutcome, Report } from '../domain/task.js';
import type { Cluster } from '../cluster/cluster.js';
import type { RecordActivities, RecordInput } from '../temporal/activities.js';

export interface RecordDeps {
  readonly clusterId: string;
  readonly cluster: Pick<Cluster, 'changePlace'>;
  /** what this cluster's records say of a place */
  readonly records: { at(place: PlaceId): readonly { readonly record: { readonly image: ImageName }; readonly place: PlaceRecord }[] };
  /** counts how copies end: for metrics and events */
  readonly observe?: (input: RecordInput) => void;
}

/**
 * Writes what became of a copy into the cluster's record of the image, and what this cluster learned of the origin by the
 * way: what another one saw, it saw with its own credentials and from its own network.
 * What becomes of the copy itself is said in every record that speaks of it.
 * A record that is gone is nobody's loss.
 */
export function createRecordActivities({ clusterId, cluster, records, observe = () => undefined }: RecordDeps): RecordActivities {
  return {
    async recordOutcome(input: RecordInput) {
      for (const image of otherNames(input, records.at(input.destination))) {
        await cluster.changePlace(image, referenceOf(input.destination), 'kuik-mirror', (place) => recordedBeside(place, input));
      }
      const result = await cluster.changePlace(input.image, referenceOf(input.destination), 'kuik-mirror', (place) => recorded(place, input));
      const state = triedBy(input.report) === clusterId ? originState(input) : undefined;
      if (state !== undefined) await cluster.changePlace(input.image, originOf(input.image), 'kuik-monitor', (place) => seen(place, state, input));
      observe(input);
      return result;
    },
  };
}

/** Names of one digest share a copy and have a record each: all that speak of the copy hear of its end. */
function otherNames({ image, report }: RecordInput, entries: ReturnType<RecordDeps['records']['at']>): ImageName[] {
  if (report.state === 'copying' || report.state === 'failed') return [];
  return entries.filter((entry) => entry.record.image !== image && holds(entry.place)).map(({ record }) => record.image);
}

function holds({ role, mirroredAt, retiringSince }: PlaceRecord): boolean {
  return role === 'mirror' && (mirroredAt !== undefined || retiringSince !== undefined);
}

/** How a copy was made, each record says of its own. */
function recordedBeside(place: PlaceRecord, input: RecordInput): PlaceRecord {
  return input.report.state === 'copied' ? { ...place, retiringSince: undefined } : recorded(place, input);
}

/** @returns undefined when nobody says so */
function triedBy(report: Report): string | undefined {
  if (report.state === 'copied') return report.outcome.by;
  return report.state === 'failed' ? report.by : undefined;
}

/**
 * What a copy says of its origin: it was read, or it is why the copy failed.
 *
 * @returns undefined when it says nothing: another source served, or the destination or the cluster failed
 */
export function originState({ image, report }: RecordInput): AvailabilityState | undefined {
  if (report.state === 'copied') return report.outcome.source === image ? 'Available' : undefined;
  if (report.state !== 'failed' || report.failure.side !== 'source') return undefined;
  const { state } = failures[report.failure.code];
  const { host } = knownImageRef(image);
  return state === 'unchanged' || (report.failure.host !== undefined && report.failure.host !== host) ? undefined : state;
}

/** A record names its places by identity. */
function originOf(image: ImageName): ImageName {
  return referenceOf(placeIdentity(knownImageRef(image)));
}

/**
 * Without the credential it was seen with, an observation informs people and decides nothing. What is only told once
 * more was seen when the copy was made, or failed.
 */
function seen(place: PlaceRecord, state: AvailabilityState, { report, at }: RecordInput): PlaceRecord {
  const checkedAt = report.state === 'copied' ? report.outcome.mirroredAt : endOf(report, at);
  if (place.checkedAt !== undefined && Date.parse(place.checkedAt) > Date.parse(checkedAt)) return place;
  const digest = report.state === 'copied' ? report.outcome.sourceDigest : place.digest;
  const checkFailure = report.state === 'failed' ? report.failure.message.slice(0, longestMessage) : undefined;
  return { ...place, state, checkedAt, identity: undefined, checkFailure, digest };
}

/** When a copy failed: a keeper may tell it later. */
function endOf(report: Report, toldAt: string): string {
  return report.state === 'failed' ? (report.failedAt ?? toldAt) : toldAt;
}

/** A place after a report. What is not known any more is taken away by saying undefined. */
export function recorded(place: PlaceRecord, { report, workflowId, at }: RecordInput): PlaceRecord {
  switch (report.state) {
    case 'copying':
      return { ...place, workflowId };
    case 'copied':
      return { ...place, ...copied(place, report.outcome), retiringSince: undefined, triedAt: report.outcome.mirroredAt, failure: undefined, blocked: undefined, drift: driftSince(place.drift, report.drift, at), workflowId };
    case 'failed':
      return { ...place, ...failed(place, report, at), workflowId };
    case 'retiring':
      return { ...place, retiringSince: place.retiringSince ?? at, workflowId };
    case 'stays':
      return { ...place, retiringSince: undefined, blocked: report.block === undefined ? undefined : blockedAgain(place.blocked, report.block, at), workflowId };
    case 'deleted':
      return withoutCopy(place);
  }
}

function copied(place: PlaceRecord, outcome: CopyOutcome): Partial<PlaceRecord> {
  const { digest, sourceDigest, strategy, platforms, missingPlatforms, bytes, mirroredAt } = outcome;
  const isKnown = place.digest === digest && place.mirroredAt !== undefined;
  // digests were compared and nothing was read: what is recorded of the content still holds
  const content = isKnown && outcome.result !== 'copied' && platforms.length === 0 ? {} : { strategy, platforms, missingPlatforms };
  return {
    digest,
    // no source could be read: what it was made of is still the same
    sourceDigest: sourceDigest ?? (isKnown ? place.sourceDigest : undefined),
    ...content,
    // a copy that was there already is as old, and as large, as it was
    bytes: isKnown && bytes === 0 ? place.bytes : bytes,
    mirroredAt: isKnown ? place.mirroredAt : mirroredAt,
  };
}

/** A place once its copy is gone. */
export function withoutCopy(place: PlaceRecord): PlaceRecord {
  return { ...place, ...nothingThere };
}

/** All that a copy told of its place; without it the place leaves the record. */
const nothingThere = {
  digest: undefined,
  sourceDigest: undefined,
  strategy: undefined,
  platforms: undefined,
  missingPlatforms: undefined,
  bytes: undefined,
  mirroredAt: undefined,
  retiringSince: undefined,
  triedAt: undefined,
  failure: undefined,
  blocked: undefined,
  drift: undefined,
  workflowId: undefined,
} as const satisfies Partial<Record<keyof PlaceRecord, undefined>>;

function blockedAgain(before: PlaceBlock | undefined, why: Block | FailureInfo, at: string): PlaceBlock {
  const reason = 'reason' in why ? why.reason : why.code;
  return {
    reason,
    message: why.message.slice(0, longestMessage),
    since: before?.reason === reason ? before.since : at,
    attempts: (before?.attempts ?? 0) + 1,
  };
}

function driftSince(before: PlaceDrift | undefined, drift: Drift | undefined, at: string): PlaceDrift | undefined {
  if (drift === undefined) return undefined;
  return { ...drift, since: before !== undefined && isSameDrift(before, drift) ? before.since : at };
}

const longestMessage = 256;

/** One that is told once more, after the record said so, is no other attempt. */
function failed(before: PlaceRecord, report: Extract<Report, { state: 'failed' }>, toldAt: string): Partial<PlaceRecord> {
  return { ...contentIn(before, report), ...failedThen(before, report, toldAt) };
}

/** A record that was lost learns what is there all the same; and one that speaks of a copy of ours where there is another image's forgets it. */
function contentIn(place: PlaceRecord, { outcome, holder }: Extract<Report, { state: 'failed' }>): Partial<PlaceRecord> {
  if (holder !== undefined) return { ...nothingThere, triedAt: place.triedAt, failure: place.failure };
  return outcome === undefined ? {} : copied(place, outcome);
}

function failedThen(place: PlaceRecord, report: Extract<Report, { state: 'failed' }>, toldAt: string): Partial<PlaceRecord> {
  const triedAt = endOf(report, toldAt);
  const isKnown = place.triedAt === triedAt && place.failure?.code === report.failure.code;
  return isKnown ? {} : { triedAt, failure: failedAgain(place.failure, report.failure, triedAt) };
}

function failedAgain(before: PlaceFailure | undefined, { code, side, message }: Pick<FailureInfo, 'code' | 'side' | 'message'>, at: string): PlaceFailure {
  return {
    code,
    side,
    message: message.slice(0, longestMessage),
    since: before?.code === code ? before.since : at,
    attempts: (before?.attempts ?? 0) + 1,
  };
}
