/**
 * What a keeper does about a copy that nobody claims: when it asks for its deletion, what it answers a deletion
 * that asks back, and what it makes of the end.
 *
 * A deletion needs that every claim has ended and every cluster agrees to clean up, that retention is over, and
 * that the last attempt is a day ago. Whatever else protects a copy, the clusters themselves find out.
 *
 * @see docs/concepts/retain.md
 */
import { slowRetryMs, spreadMs } from './backoff.js';
import { holdRefusals, liveClaims } from './claims.js';
import type { FailureInfo } from './failure.js';
import { shareOf } from './fingerprint.js';
import type { HeldBlock, HeldCopy, KeeperState, RunningDeletion } from './keeper-state.js';
import { claimsOfCopy } from './holder.js';
import { expiryOf, fateOf, knownClusters, tombstoneOf, type Expiry, type Fate } from './retain.js';
import type { Block, Consent, DeleteTask, DeletionOutcome, FailedOutcome, Question } from './task.js';

export type DeleteReason = 'RetentionOver' | 'Purged' | 'Asked' | 'BlockedRetry';

const hours = 60 * 60 * 1000;
const blockedRetryMs = 24 * hours;
const leastRetryMs = 1 * hours;
const longestAttemptMs = 90_000;
const leastFenceMs = 2_000;

/**
 * How long nothing else touches a destination when nobody said that an attempt to delete is over: it begins nothing
 * new after 25 s, and what must not stop half-way has another minute. At a pace for tests it keeps a floor.
 */
export function fenceMs(pace: number): number {
  return Math.max(leastFenceMs, longestAttemptMs * pace);
}

/** What the claims say: nothing else is known here. */
export function fateOfCopy(state: KeeperState, now: number): Fate {
  return fateOf({ isClaimed: liveClaims(claimsOfCopy(state, now), now).length > 0, expiry: expiryOfCopy(state, now) }, now);
}

/** When the copy may go, as the claims for it say. @returns as `expiryOf` */
export function expiryOfCopy(state: KeeperState, now: number): Expiry | undefined {
  return expiryOf({ ...state, claims: claimsOfCopy(state, now) }, now);
}

/** When the deletion of the copy is due, and why; undefined while something keeps it. */
export function deletionDue(state: KeeperState, now: number): { readonly at: number; readonly reason: DeleteReason } | undefined {
  const { copy, blocked, fencedUntil = 0 } = state;
  const fate = copy === undefined ? undefined : fateOfCopy(state, now);
  if (fate?.fate !== 'goes') return undefined;

  const at = Math.max(fate.at, fencedUntil);
  if (state.asked) return { at, reason: 'Asked' };
  if (blocked !== undefined) return { at: Math.max(at, blocked.nextAt), reason: 'BlockedRetry' };
  return { at, reason: expiryOfCopy(state, now)?.purge === true ? 'Purged' : 'RetentionOver' };
}

export function deleteTask(state: KeeperState, { image, outcome }: HeldCopy, now: number): Omit<DeleteTask, 'keeper'> {
  const { destination, claims, searchable, pace } = state;
  const publishAs = claimsOfCopy(state, now).find(({ claim }) => claim !== undefined)?.claim?.publishAs ?? image;
  const unusedSince = expiryOfCopy(state, now)?.unusedSince;
  return { v: 1, destination, publishAs, image, digest: outcome.digest, unusedSince, clusters: knownClusters(state, image, now), tombstoneMs: tombstoneOf(claims), searchable, pace };
}

/** A deletion begins. */
export function beginDeletion(state: KeeperState, { image, digest, clusters }: Pick<DeleteTask, 'image' | 'digest' | 'clusters'>, now: number): KeeperState {
  return { ...state, asked: false, running: { kind: 'delete', image, digest, clusters: clusters.map(({ cluster }) => cluster), since: now } };
}

/** Whether a running deletion is to be stopped: somebody claims the copy after all, or wants it kept. */
export function isUnwanted(state: KeeperState, now: number): boolean {
  return state.running?.kind === 'delete' && state.running.cancelled !== true && fateOfCopy(state, now).fate === 'stays';
}

/** It has been told to stop, and says when it has. */
export function cancelDeletion(state: KeeperState): KeeperState {
  return state.running?.kind === 'delete' ? { ...state, running: { ...state.running, cancelled: true } } : state;
}

/** One more look at the claims, for whichever run asks: consent is for the deletion the keeper would order itself, at this moment. */
export function consentTo({ runId, digest }: Question, state: KeeperState, now: number): Consent {
  const refused = refusal(digest, state, now);
  return { v: 1, runId, ...(refused === undefined ? {} : { refused }) };
}

function refusal(digest: string, state: KeeperState, now: number): Block | undefined {
  const { copy, paused, running } = state;
  const fate = fateOfCopy(state, now);
  if (fate.fate === 'stays') return { reason: 'claimed', message: fate.by === 'claimed' ? 'a cluster claims the copy' : 'not every cluster that claimed the copy wants it deleted' };
  if (fate.at > now) return { reason: 'claimed', message: `the copy is kept until ${new Date(fate.at).toISOString()}` };
  if (paused) return { reason: 'claimed', message: 'the keeper is paused' };
  if (running?.kind === 'copy') return { reason: 'claimed', message: 'a copy is under way' };
  if (copy?.outcome.digest !== digest) return { reason: 'digest-changed', message: `the keeper knows ${copy?.outcome.digest ?? 'no copy'}, not ${digest}` };
  return undefined;
}

type Ended = Omit<KeeperState, 'running'>;

/** How the deletion that was waited for ended, by its own word. */
export function settleDeletion(state: Ended, running: RunningDeletion, outcome: DeletionOutcome | FailedOutcome, now: number): KeeperState {
  const ended = { ...state, ended: state.ended + 1 };
  switch (outcome.result) {
    case 'deleted':
    case 'absent':
      return { ...ended, told: [], copy: undefined, seen: undefined, drift: undefined, failure: undefined, blocked: undefined, lookAt: undefined, deletedAt: now };
    case 'blocked':
      return { ...ended, claims: holdRefusals(state.claims, outcome.by ?? [], now), blocked: blockedAgain(state, outcome.block, running.cancelled === true ? 'stopped' : 'refused', now) };
    case 'failed':
      return fence({ ...ended, blocked: failedAgain(state, outcome.failure, now) }, now);
  }
}

/** It ended without a word, or another run took its place: what it had begun to send may still arrive, and the records may say anything. */
export function fence(state: KeeperState, now: number): KeeperState {
  const until = now + fenceMs(state.pace);
  return { ...state, fencedUntil: until, lookAt: until, told: [] };
}

/** A deletion that was stopped begins anew when its time comes; it was no refusal. */
function blockedAgain({ blocked, destination, pace }: Ended, block: Block, how: 'stopped' | 'refused', now: number): HeldBlock | undefined {
  if (how === 'stopped') return undefined;
  const attempts = (blocked?.attempts ?? 0) + 1;
  const waitMs = block.retryAfterMs === undefined ? spreadMs(blockedRetryMs, shareOf(`${destination} ${attempts}`)) : spreadAbove(Math.max(block.retryAfterMs, leastRetryMs), shareOf(`${destination} ${attempts}`));
  return { why: { reason: block.reason, message: block.message }, since: sinceWhen(blocked, block.reason, now), attempts, nextAt: now + Math.ceil(waitMs * pace) };
}

function failedAgain({ blocked, destination, pace }: Ended, info: FailureInfo, now: number): HeldBlock {
  const attempts = (blocked?.attempts ?? 0) + 1;
  const waitMs = Math.max(leastRetryMs * pace, slowRetryMs(info, attempts, shareOf(`${destination} ${attempts}`), pace));
  return { why: info, since: sinceWhen(blocked, info.code, now), attempts, nextAt: now + Math.ceil(waitMs) };
}

function sinceWhen(before: HeldBlock | undefined, reason: string, now: number): number {
  return before !== undefined && reasonOf(before.why) === reason ? before.since : now;
}

/** The word of the closed list, whether a guard refused or an attempt failed. */
export function reasonOf(why: HeldBlock['why']): string {
  return 'reason' in why ? why.reason : why.code;
}

/** Never sooner than there is room; those that wait for the same room do not come together. */
function spreadAbove(ms: number, share: number): number {
  return ms * (1 + 0.2 * share);
}
