/**
 * What a message does to a keeper. Every transition takes the whole state and gives the next one; none performs
 * anything. Messages carry absolute state, so one that comes twice, late or out of order does no harm.
 */
import { slowRetryMs, spreadMs } from './backoff.js';
import type { Claim } from './claim.js';
import { hasWillingCluster, holdClaim, holdRelease, liveClaims, type ClaimAnswer, type Claims } from './claims.js';
import type { FailureInfo } from './failure.js';
import { shareOf } from './fingerprint.js';
import { copyNeed, toldKey, wantedNow, type HeldFailure, type KeeperState, type Running, type Told } from './keeper.js';
import type { CopyOutcome, CopyTask, FailedOutcome, Observed, Outcome, Release, Sight } from './task.js';

const hours = 60 * 60 * 1000;
const usualVerifyMs = 24 * hours;
const lookAgainMs = 1 * hours;
const rememberedRuns = 8;

/** @returns the state, unchanged unless the answer is `accepted` (or `stale`, where only a policy may have been learned) */
export function acceptClaim(state: KeeperState, claim: Claim, now: number): { readonly state: KeeperState; readonly answer: ClaimAnswer | 'another-destination' } {
  if (claim.destination !== state.destination) return { state, answer: 'another-destination' };
  const { claims, answer } = holdClaim(state.claims, claim, now);
  if (answer !== 'accepted') return { state: { ...state, claims }, answer };
  // a cluster that speaks is not silent
  return { state: heard({ ...state, claims, silent: state.silent.filter((cluster) => cluster !== claim.cluster) }, now), answer };
}

export function acceptRelease(state: KeeperState, release: Release, now: number): KeeperState {
  return heard({ ...state, claims: holdRelease(state.claims, release, now) }, now);
}

/** Copy now, with fast retries again. */
export function acceptRetry(state: KeeperState, now: number): KeeperState {
  return heard({ ...state, asked: true, silent: [] }, now);
}

/** The running copy has been told instead. */
export function passRetryOn(state: KeeperState): KeeperState {
  return { ...state, asked: false };
}

/** Forgets what was seen, failures and who was told; claims and the memory of what we wrote stay. */
export function acceptResync(state: KeeperState, now: number): KeeperState {
  return heard({ ...state, failure: undefined, hint: undefined, seen: undefined, lookAt: now, told: [], silent: [] }, now);
}

export function acceptPause(state: KeeperState, now: number): KeeperState {
  return heard({ ...state, paused: true }, now);
}

export function acceptResume(state: KeeperState, now: number): KeeperState {
  return heard({ ...state, paused: false }, now);
}

/** How a run ended. One that this keeper did not start is only a hint: it looks before it believes anything. */
export function acceptObserved(state: KeeperState, observed: Observed, now: number): KeeperState {
  if (state.seenRuns.includes(observed.runId)) return state;
  const seenRuns = [...state.seenRuns, observed.runId].slice(-rememberedRuns);
  const { running, ...rest } = heard({ ...state, seenRuns }, now);

  if (observed.kind !== 'copy') return { ...rest, ...(running === undefined ? {} : { running }) };
  if (running?.runId === observed.runId) return settle(rest, running, observed.outcome, now);
  return { ...rest, hint: observed.outcome, ended: rest.ended + 1 };
}

/** A copy begins. */
export function beginCopy(state: KeeperState, task: Omit<CopyTask, 'keeper'>, now: number): KeeperState {
  const { image, plan, cluster, clusters } = task;
  return { ...state, asked: false, running: { image, plan, cluster, clusters, since: now } };
}

/** Its run has started. */
export function nameRun(state: KeeperState, runId: string): KeeperState {
  return state.running === undefined ? state : { ...state, running: { ...state.running, runId } };
}

/** The run we waited for ended without telling: terminated, timed out, or its last step was lost. */
export function acceptEnding(state: KeeperState, outcome: Outcome, now: number): KeeperState {
  const { running, ...rest } = state;
  return running === undefined ? state : settle(rest, running, outcome, now);
}

type Settled = Omit<KeeperState, 'running'>;

function settle(state: Settled, running: Running, outcome: Outcome, now: number): KeeperState {
  const told = running.clusters.map((cluster) => toldKey({ cluster, image: running.image })); // the run has told them
  const next = { ...state, told, ended: state.ended + 1 };
  return outcome.result === 'failed' ? settleFailure(next, running, outcome, now) : settleCopy(next, running, outcome, now);
}

function settleCopy(state: Settled, running: Running, outcome: CopyOutcome, now: number): KeeperState {
  const copy = { image: running.image, outcome: { ...outcome, plan: outcome.plan ?? running.plan } };
  return { ...state, copy, failure: undefined, hint: undefined, seen: { digest: outcome.digest }, lookAt: nextLook(state, now), silent: without(state.silent, running.cluster) };
}

function settleFailure(state: Settled, running: Running, { failure: info }: FailedOutcome, now: number): KeeperState {
  const failure = failedAgain(state, info, running.plan, now);
  const isSilent = info.side === 'cluster' && info.code === 'unreachable';
  return { ...state, failure, silent: isSilent ? silentWith(state, running.cluster, now) : state.silent };
}

function failedAgain({ failure, destination, pace }: Settled, info: FailureInfo, plan: string, now: number): HeldFailure {
  const isSame = failure?.plan === plan;
  const attempts = isSame ? failure.attempts + 1 : 1;
  const nextAt = now + slowRetryMs(info, attempts, shareOf(`${destination} ${attempts}`), pace);
  return { info, plan, since: isSame && failure.info.code === info.code ? failure.since : now, attempts, nextAt };
}

/** When every cluster has been silent, all of them are asked again at the next slow retry. */
function silentWith({ claims, silent }: { readonly claims: Claims; readonly silent: readonly string[] }, cluster: string, now: number): readonly string[] {
  const all = [...without(silent, cluster), cluster];
  return hasWillingCluster(claims, now, all) ? all : [];
}

/** What a look told. A hint is believed when the destination confirms it; a failure is over when nothing is missing. */
export function acceptSight(state: KeeperState, sight: Sight, now: number): KeeperState {
  const { hint, failure, ...rest } = state;
  const wanted = wantedNow(state, now);
  const isTrue = hint !== undefined && hint.result !== 'failed' && hint.digest === sight.digest && wanted !== undefined;
  const looked = {
    ...rest,
    seen: sight,
    lookAt: nextLook(rest, now),
    ...(isTrue ? { copy: { image: wanted.image, outcome: hint }, told: [] } : {}),
  };
  const isOver = failure === undefined || (wanted !== undefined && copyNeed(looked, wanted) === undefined);
  return isOver ? looked : { ...looked, failure: hint?.result === 'failed' ? { ...failure, info: hint.failure } : failure };
}

/** Nothing could be seen: the copy is not harmed, and a hint is dropped, since the next copy finds out as well. */
export function acceptBlindness(state: KeeperState, now: number): KeeperState {
  return { ...state, hint: undefined, lookAt: now + spreadMs(lookAgainMs * state.pace, shareOf(state.destination)) };
}

/** Records were written, or could not be: the daily sweep repairs those. */
export function acceptTold(state: KeeperState, reports: readonly Told[]): KeeperState {
  return { ...state, told: [...state.told, ...reports.map(toldKey)] };
}

function nextLook({ claims, destination, pace, ended }: Settled, now: number): number {
  const everyMs = Math.min(...liveClaims(claims, now).map(({ claim }) => claim.verifyEveryMs ?? usualVerifyMs), usualVerifyMs);
  return now + spreadMs(everyMs * pace, shareOf(`${destination} ${ended} ${now}`));
}

function heard(state: KeeperState, now: number): KeeperState {
  return { ...state, lastMessageAt: now };
}

function without(list: readonly string[], item: string): readonly string[] {
  return list.filter((each) => each !== item);
}

/** What the next run of the keeper starts with: claims of clusters that have long gone are left behind. */
export function compact(state: KeeperState, now: number): KeeperState {
  if (liveClaims(state.claims, now).length === 0) return state;
  const isForgotten = ({ claim, releasedAt, expiresAt }: Claims[number]): boolean =>
    (releasedAt ?? expiresAt) + (claim?.retentionMs ?? 0) < now;
  return { ...state, claims: state.claims.filter((held) => !isForgotten(held)) };
}
