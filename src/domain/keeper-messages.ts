/**
 * What a message does to a keeper. Every transition takes the whole state and gives the next one; none performs
 * anything. Messages carry absolute state, so one that comes twice, late or out of order does no harm.
 */
import { slowRetryMs, spreadMs } from './backoff.js';
import type { Claim } from './claim.js';
import { hasWillingCluster, holdClaim, holdRelease, liveClaims, mostClusters, type ClaimAnswer, type Claims } from './claims.js';
import { driftOf, isSameDrift } from './drift.js';
import type { FailureInfo } from './failure.js';
import { shareOf } from './fingerprint.js';
import { claimsOfCopy } from './holder.js';
import { copyNeed, wantedNow } from './keeper.js';
import { toldKey, type HeldFailure, type KeeperState, type RunningCopy, type Told } from './keeper-state.js';
import { fence, settleDeletion } from './keeper-deletion.js';
import type { CopyOutcome, CopyTask, DeletionOutcome, FailedOutcome, Observed, Outcome, Question, Release, Sight } from './task.js';

const hours = 60 * 60 * 1000;
const usualVerifyMs = 24 * hours;
const lookAgainMs = 1 * hours;
const rememberedRuns = 8;

/** @returns the state, unchanged unless the answer is `accepted` (or `stale`, where only a policy may have been learned) */
export function acceptClaim(state: KeeperState, claim: Claim, now: number): { readonly state: KeeperState; readonly answer: ClaimAnswer | 'another-destination' } {
  if (claim.destination !== state.destination) return { state, answer: 'another-destination' };
  return takeClaim(bornAnew(state, claim, now), claim, now);
}

/** A keeper that may have forgotten what clusters said is as young as a new one: on a shared mirror it waits until each has spoken. */
function bornAnew(state: KeeperState, { anew }: Pick<Claim, 'anew'>, now: number): KeeperState {
  return anew === true ? { ...state, bornAt: now } : state;
}

function takeClaim(state: KeeperState, claim: Claim, now: number): { readonly state: KeeperState; readonly answer: ClaimAnswer } {
  const { claims, answer } = holdClaim(state.claims, claim, now);
  if (answer === 'too-many-clusters') return { state: turnAway(state, claim), answer };
  if (answer !== 'accepted') return { state: { ...state, claims }, answer };
  // a cluster that speaks is not silent; what kept an unclaimed copy is of no interest once it is claimed
  const told = state.blocked === undefined ? heardAgain(state, claim.cluster) : []; // its records still say why the copy was not deleted
  const unwritten = state.unwritten?.filter(({ cluster }) => cluster !== claim.cluster);
  const turnedAway = state.turnedAway?.filter(({ cluster }) => cluster !== claim.cluster);
  return { state: heard({ ...state, claims, told, unwritten, turnedAway, blocked: undefined, silent: without(state.silent, claim.cluster) }, now), answer };
}

/** Who is told already, without what a cluster that speaks could not be told before. */
function heardAgain({ told, unwritten = [] }: KeeperState, by: string): readonly string[] {
  const lost = unwritten.filter(({ cluster }) => cluster === by).map(toldKey);
  return lost.length === 0 ? told : told.filter((key) => !lost.includes(key));
}

const mostTurnedAway = 16;

/** It is told once, in its record: its claims come again every day. */
function turnAway(state: KeeperState, { cluster, image }: Claim): KeeperState {
  const { turnedAway = [] } = state;
  if (turnedAway.length >= mostTurnedAway || turnedAway.some((each) => each.cluster === cluster)) return state;
  return { ...state, turnedAway: [...turnedAway, { cluster, image }] };
}

export function acceptRelease(state: KeeperState, release: Release, now: number): KeeperState {
  return heard({ ...bornAnew(state, release, now), claims: holdRelease(state.claims, release, now) }, now);
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
  if ('asking' in observed) return acceptQuestion(state, observed, now);
  if (state.seenRuns.includes(observed.runId)) return state;
  const seenRuns = [...state.seenRuns, observed.runId].slice(-rememberedRuns);
  const heardOf = heard({ ...state, seenRuns }, now);
  return observed.kind === 'copy' ? copyEnded(heardOf, observed, now) : deletionEnded(heardOf, observed, now);
}

type Ending<Kind extends Observed['kind']> = Exclude<Extract<Observed, { readonly kind: Kind }>, Question>;

function copyEnded(state: KeeperState, { runId, outcome, untold }: Ending<'copy'>, now: number): KeeperState {
  const { running, ...rest } = state;
  if (running?.kind === 'copy' && running.runId === runId) return settle(rest, running, outcome, now, untold);
  const hinted = { ...rest, hint: outcome, ended: rest.ended + 1 };
  // to run at all it took the place of our deletion, which somebody ended in the middle of whatever it did
  return running?.kind === 'delete' ? fence(hinted, now) : hinted;
}

function deletionEnded(state: KeeperState, { runId, outcome }: Ending<'delete'>, now: number): KeeperState {
  const { running, ...rest } = state;
  if (running?.kind !== 'delete') return state;
  if (running.runId === runId) return settleDeletion(rest, running, outcome, now);
  // one that took the place of ours: that a copy is gone is only a hint, and the next deletion looks first
  return outcome.result === 'blocked' || outcome.result === 'failed' ? fence(settleDeletion(rest, running, outcome, now), now) : fence(rest, now);
}

/** Answered by the loop, after one more look at the claims. */
function acceptQuestion(state: KeeperState, question: Question, now: number): KeeperState {
  return heard({ ...state, asking: question }, now);
}

/** The deletion has been answered. */
export function acceptAnswered(state: KeeperState): KeeperState {
  return { ...state, asking: undefined };
}

/** A copy begins. */
export function beginCopy(state: KeeperState, task: Omit<CopyTask, 'keeper'>, now: number): KeeperState {
  const { image, plan, cluster, clusters, rules } = task;
  return { ...state, asked: false, deletedAt: undefined, running: { kind: 'copy', image, plan, cluster, clusters, rule: rules[0]?.uid, since: now } };
}

/** Its run has started. */
export function nameRun(state: KeeperState, runId: string): KeeperState {
  return state.running === undefined ? state : { ...state, running: { ...state.running, runId } };
}

/** The copy we waited for ended without telling: terminated, timed out, or its last step was lost. */
export function acceptEnding(state: KeeperState, outcome: Outcome, now: number): KeeperState {
  const { running, ...rest } = state;
  return running?.kind === 'copy' ? settle(rest, running, outcome, now) : state;
}

/** As for copies; what a deletion had begun to send may still arrive. */
export function acceptDeletionEnding(state: KeeperState, outcome: DeletionOutcome | FailedOutcome, now: number): KeeperState {
  const { running, ...rest } = state;
  return running?.kind === 'delete' ? fence(settleDeletion(rest, running, outcome, now), now) : state;
}

type Settled = Omit<KeeperState, 'running'>;

function settle(state: Settled, running: RunningCopy, outcome: Outcome, now: number, untold: readonly string[] = []): KeeperState {
  const told = running.clusters.filter((cluster) => !untold.includes(cluster)).map((cluster) => toldKey({ cluster, image: running.image })); // the run has told them
  const next = { ...state, told, ended: state.ended + 1 };
  return outcome.result === 'failed' ? settleFailure(next, running, outcome, now) : settleCopy(next, running, outcome, now);
}

function settleCopy(state: Settled, running: RunningCopy, outcome: CopyOutcome, now: number): KeeperState {
  const copy = { image: running.image, outcome: { ...outcome, plan: outcome.plan ?? running.plan } };
  return { ...state, copy, failure: undefined, hint: undefined, drift: undefined, seen: { digest: outcome.digest }, lookAt: nextLook(state, now), silent: without(state.silent, running.cluster) };
}

function settleFailure(state: Settled, running: RunningCopy, { failure: info, failedAt }: FailedOutcome, now: number): KeeperState {
  const isSilent = info.side === 'cluster' && info.code === 'unreachable';
  const unheard = isSilent ? { unheard: { cluster: running.cluster, since: running.since } } : {};
  const failure = { ...failedAgain(state, info, running, now), failedAt: failedAt ?? new Date(now).toISOString(), ...unheard };
  return { ...state, failure, silent: isSilent ? silentWith(state, running.cluster, now) : state.silent };
}

function failedAgain({ failure, destination, pace }: Settled, info: FailureInfo, { plan, cluster, rule }: RunningCopy, now: number): HeldFailure {
  const isSame = failure?.plan === plan;
  const attempts = isSame ? failure.attempts + 1 : 1;
  const nextAt = now + slowRetryMs(info, attempts, shareOf(`${destination} ${attempts}`), pace);
  return { info, plan, cluster, rule, since: isSame && failure.info.code === info.code ? failure.since : now, attempts, nextAt };
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
  return isOver ? looked : { ...looked, failure: hint?.result === 'failed' ? { ...failure, info: hint.failure, failedAt: undefined } : failure };
}

/** What moved behind our back is told to every cluster, when it begins and when it ends. */
export function noteDrift(state: KeeperState, sight: Sight, now: number): KeeperState {
  const wanted = wantedNow(state, now);
  if (state.copy === undefined || wanted === undefined) return state;
  const drift = driftOf(state.copy.outcome, sight, wanted.drift, state.drift);
  return isSameDrift(drift, state.drift) ? state : { ...state, drift, told: [] };
}

/** Nothing could be seen: the copy is not harmed, and a hint is dropped, since the next copy finds out as well. */
export function acceptBlindness(state: KeeperState, now: number): KeeperState {
  return { ...state, hint: undefined, lookAt: now + spreadMs(lookAgainMs * state.pace, shareOf(state.destination)) };
}

/** Records were written, or could not be: nobody waits for those. */
export function acceptTold(state: KeeperState, reports: readonly Told[]): KeeperState {
  return { ...state, told: [...state.told, ...reports.map(toldKey)] };
}

/** Those that could not be are written when their cluster speaks again; the daily sweep repairs what is missed. */
export function noteUnwritten(state: KeeperState, lost: readonly Told[]): KeeperState {
  const unwritten = [...(state.unwritten ?? []), ...lost.map(({ cluster, image }) => ({ cluster, image }))];
  return { ...state, unwritten: unwritten.slice(-mostClusters) };
}

function nextLook({ claims, destination, pace, ended, edition }: Settled, now: number): number {
  const asked = liveClaims(claims, now).map(({ claim }) => claim.verifyEveryMs ?? usualVerifyMs);
  const everyMs = asked.length > 0 && edition !== undefined ? Math.min(...asked) : Math.min(...asked, usualVerifyMs);
  return now + spreadMs(everyMs * pace, shareOf(`${destination} ${ended} ${now}`));
}

function heard(state: KeeperState, now: number): KeeperState {
  return { ...state, lastMessageAt: now };
}

function without(list: readonly string[], item: string): readonly string[] {
  return list.filter((each) => each !== item);
}

/**
 * What the next run of the keeper starts with: claims of clusters that have long gone are left behind. Not those that
 * wanted no clean-up: nobody else remembers that the copy was to stay.
 */
export function compact(state: KeeperState, now: number): KeeperState {
  if (liveClaims(claimsOfCopy(state, now), now).length === 0) return state;
  const isForgotten = ({ claim, releasedAt, expiresAt, refusedAt = 0, purge, forgotten }: Claims[number]): boolean =>
    Math.max(releasedAt ?? expiresAt, refusedAt) + (claim?.retentionMs ?? 0) < now && (claim?.cleanup !== false || purge === true || forgotten === true);
  return { ...state, claims: state.claims.filter((held) => !isForgotten(held)) };
}
