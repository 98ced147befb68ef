/**
 * What the keeper of one destination does next, computed from the little that it remembers (`keeper-state.ts`), in this
 * order:
 *
 * 1. answer a deletion that asks whether it may;
 * 2. paused: nothing starts;
 * 3. a run that somebody else started has ended: look before believing it;
 * 4. copy, when the destination does not hold what the claims want;
 * 5. look, when it is time; tell clusters that do not know yet;
 * 6. delete, when nobody claims the copy and its retention is over: see `keeper-deletion.ts`;
 * 7. renew, when the history has grown or a week has passed;
 * 8. done, when nobody claims it and nothing is to be cleaned up;
 * 9. wait for whatever comes first.
 *
 * @see docs/concepts/mirror.md
 * @see docs/concepts/retain.md
 */
import { spreadMs } from './backoff.js';
import { hasWillingCluster, heardAt, isForAnother, isLive, liveClaims, mostClusters, wantedOf, type Wanted } from './claims.js';
import { mayShare } from './collision.js';
import type { FailureInfo } from './failure.js';
import { shareOf } from './fingerprint.js';
import { claimsOfCopy, holderOf } from './holder.js';
import { consentTo, deleteTask, deletionDue, expiryOfCopy, type DeleteReason } from './keeper-deletion.js';
import { toldKey, type HeldFailure, type KeeperState, type Told } from './keeper-state.js';
import type { ImageName, PlaceId } from './image-ref.js';
import type { Published } from './published.js';
import type { Consent, CopyOutcome, CopyTask, DeleteTask, Report } from './task.js';

export type Phase = 'Pending' | 'Copying' | 'Mirrored' | 'Failed' | 'Expiring' | 'Deleting' | 'Paused';

export type CopyReason = 'Asked' | 'NotCopied' | 'CopyGone' | 'DestinationChanged' | 'OriginMoved' | 'SettingsChanged' | 'RuleChanged' | 'OtherCluster' | 'ClusterBack' | 'SlowRetry';
export type LookReason = 'RunOfSomebodyElse' | 'TimeToLook' | 'NewCluster';
export type WaitReason = 'Paused' | 'FirstClaim' | 'SlowRetry' | 'NextLook' | 'LeaseEnds' | 'RetentionEnds' | 'DeletionRetry' | 'DeletionNotYet' | 'Renewal';
export type RenewReason = 'WeekOver' | 'HistoryFull' | 'Idle';
export type DoneReason = 'NeverClaimed' | 'NeverCopied' | 'CopyStays' | 'Deleted';
export type AnswerReason = 'Consent' | 'Refusal';

export type Step =
  | { readonly kind: 'task'; readonly operation: 'copy'; readonly task: Omit<CopyTask, 'keeper'>; readonly reason: CopyReason }
  | { readonly kind: 'task'; readonly operation: 'delete'; readonly task: Omit<DeleteTask, 'keeper'>; readonly reason: DeleteReason }
  | { readonly kind: 'answer'; readonly consent: Consent; readonly reason: AnswerReason }
  | { readonly kind: 'look'; readonly what: 'verify'; readonly wanted: Wanted; readonly reason: LookReason }
  | { readonly kind: 'look'; readonly what: 'tell'; readonly reports: readonly Told[]; readonly reason: LookReason }
  | { readonly kind: 'renew'; readonly reason: RenewReason }
  | { readonly kind: 'done'; readonly reason: DoneReason }
  /** `at` in milliseconds since the epoch; `ms` from now, at least 1 */
  | { readonly kind: 'wait'; readonly ms: number; readonly at: number; readonly reason: WaitReason };

/** How the present run of the keeper stands. */
export interface RunFacts {
  /** milliseconds since the epoch */
  readonly startedAt: number;
  readonly events: number;
  /** the server suggests to continue as new */
  readonly isFull: boolean;
  /** this run may delete: one that began under an older release does not know how, until it is asked to */
  readonly deletes: boolean;
  /** this run copies at once for a cluster that is back: one that began under an older release does not, until it would */
  readonly hears: boolean;
  /** this run does not wait once another rule wants the copy that failed: as `deletes` */
  readonly minds: 'rules' | 'settings';
}

const minutes = 60_000;
const hours = 60 * minutes;
const days = 24 * hours;
const newcomerMs = 1 * minutes; // a keeper that `retry` alone started has nothing to keep
const smallHistory = 100; // events; below it a renewal saves nothing

export function nextStep(state: KeeperState, now: number, run: RunFacts): Step {
  const wanted = wantedNow(state, now);
  return (
    answer(state, now) ??
    (state.paused ? undefined : (work(state, wanted, now, run) ?? deletion(state, now, run))) ??
    renewal(state, now, run) ??
    (state.paused ? undefined : end(state, now)) ??
    wait(state, wanted, now, run)
  );
}

/** What the clusters together want at this moment. */
export function wantedNow(state: KeeperState, now: number): Wanted | undefined {
  const { claims, silent, edition } = state;
  return wantedOf(claims, now, { holder: holderOf(state, now), silent, edition });
}

function answer(state: KeeperState, now: number): Step | undefined {
  if (state.asking === undefined) return undefined;
  const consent = consentTo(state.asking, state, now);
  return { kind: 'answer', consent, reason: consent.refused === undefined ? 'Consent' : 'Refusal' };
}

function work(state: KeeperState, wanted: Wanted | undefined, now: number, run: RunFacts): Step | undefined {
  if (wanted === undefined) return tellAll(refusals(state, now).filter((each) => !state.told.includes(toldKey(each))));
  if (state.hint !== undefined) return { kind: 'look', what: 'verify', wanted, reason: 'RunOfSomebodyElse' };

  const due = copyDue(state, wanted, now, run);
  if (due !== undefined && due.at <= now) return { kind: 'task', operation: 'copy', task: copyTask(state, wanted, due.reason), reason: due.reason };
  if (lookDue(state) <= now) return { kind: 'look', what: 'verify', wanted, reason: 'TimeToLook' };

  return tellAll(untold(state, wanted, now));
}

function tellAll(reports: readonly Told[]): Step | undefined {
  return reports.length > 0 ? { kind: 'look', what: 'tell', reports, reason: 'NewCluster' } : undefined;
}

/** When the next copy is due, and why; undefined while the destination holds what is wanted. */
function copyDue(state: KeeperState, wanted: Wanted, now: number, run: RunFacts): { readonly at: number; readonly reason: CopyReason } | undefined {
  const due = copyWish(state, wanted, now, run);
  return due === undefined ? undefined : { ...due, at: Math.max(due.at, state.fencedUntil ?? 0) };
}

function copyWish(state: KeeperState, wanted: Wanted, now: number, run: RunFacts): { readonly at: number; readonly reason: CopyReason } | undefined {
  if (state.asked) return { at: now, reason: 'Asked' };
  const reason = wanted.rests === true ? undefined : copyNeed(state, wanted);
  if (reason === undefined) return undefined;

  const { failure } = state;
  if (failure === undefined || failure.plan !== wanted.plan) return { at: now, reason };
  if (run.minds === 'rules' && isForOtherRule(failure, wanted)) return { at: now, reason: 'RuleChanged' };
  const isDeaf = failure.info.side === 'cluster' && state.silent.length > 0;
  if (isDeaf && hasWillingCluster(state.claims, now, state.silent)) return { at: now, reason: 'OtherCluster' };
  if (run.hears && isBack(state, failure, now)) return { at: now, reason: 'ClusterBack' };
  return { at: failure.nextAt, reason: 'SlowRetry' };
}

/** The cluster that took nothing has claimed the destination since: its managers were away, and are there again. */
function isBack({ claims }: KeeperState, { unheard }: HeldFailure, now: number): boolean {
  return liveClaims(claims, now).some(({ cluster, claim, expiresAt }) => cluster === unheard?.cluster && heardAt(claim, expiresAt) > unheard.since);
}

/**
 * A rule that was deleted and made again is another one: what failed for the first says nothing about the second. But
 * a registry that limits us does not care who asks.
 */
function isForOtherRule({ info, cluster, rule }: HeldFailure, wanted: Wanted): boolean {
  const next = wanted.rules[0]?.uid;
  return info.code !== 'throttled' && cluster === wanted.cluster && rule !== undefined && next !== undefined && rule !== next;
}

/** Why the destination does not hold what is wanted; undefined while it does. */
export function copyNeed({ destination, copy, seen, drift, edition }: Pick<KeeperState, 'destination' | 'copy' | 'seen' | 'drift' | 'edition'>, wanted: Wanted): CopyReason | undefined {
  if (copy === undefined) return 'NotCopied';
  if (edition !== undefined && !mayShare(destination, copy.image, wanted.image)) return 'NotCopied';
  // what somebody else wrote there is theirs: other settings wait until it is gone, or a person asks
  const isForeign = drift?.destination !== undefined && wanted.drift !== 'sync' && seen?.digest !== 'missing';
  if (seen?.digest === 'missing') return 'CopyGone';
  if (copy.outcome.plan !== wanted.plan) return isForeign ? undefined : 'SettingsChanged';
  if (wanted.drift !== 'sync' || seen === undefined) return undefined;

  if (seen.digest !== copy.outcome.digest) return 'DestinationChanged';
  const { digest, sourceDigest = edition === undefined ? undefined : digest } = copy.outcome;
  // an origin that no longer answers never harms a copy
  const isMoved = sourceDigest !== undefined && seen.origin !== undefined && seen.origin !== 'missing' && seen.origin !== sourceDigest;
  return isMoved ? 'OriginMoved' : undefined;
}

function copyTask(state: KeeperState, wanted: Wanted, reason: CopyReason): Omit<CopyTask, 'keeper'> {
  const { destination, searchable, pace } = state;
  const { publishAs, image, cluster, clusters, sources, rules, platforms, copy, referrers, plan } = wanted;
  const urgency = reason === 'Asked' ? 'waiting' : 'normal';
  return { v: 1, destination, publishAs, image, cluster, clusters, sources, rules, platforms, copy, referrers, ...knownOf(state, wanted, reason), urgency, plan, searchable, pace };
}

/** What is known of the copy that is there, and whether the tag is followed. Another image's copy is nothing to go by. */
function knownOf(state: KeeperState, wanted: Wanted, reason: CopyReason): Pick<CopyTask, 'recorded' | 'sourceDigest' | 'keeps'> {
  const { destination, copy } = state;
  const keeps = reason === 'Asked' || wanted.drift === 'sync' ? {} : ({ keeps: true } as const);
  if (copy === undefined) return keeps;
  if (!mayShare(destination, copy.image, wanted.image)) return { recorded: 'foreign' };
  return { recorded: recordedOf(copy.outcome), ...keeps, ...sourceOf(state, wanted, reason) };
}

function recordedOf({ digest, sourceDigest, strategy, platforms, missingPlatforms, warnings }: CopyOutcome): Published {
  return { digest, ...(sourceDigest === undefined ? {} : { sourceDigest }), strategy, platforms, missingPlatforms, ...(warnings === undefined ? {} : { warnings }) };
}

/** Other settings are no reason to follow a tag that moved; a person who asks for a copy, and `drift: sync`, are. */
function sourceOf(state: KeeperState, wanted: Wanted, reason: CopyReason): Pick<CopyTask, 'sourceDigest'> {
  const sourceDigest = state.copy?.outcome.sourceDigest;
  const follows = reason === 'Asked' || wanted.drift === 'sync' || copyNeed(state, wanted) !== 'SettingsChanged';
  return follows || sourceDigest === undefined ? {} : { sourceDigest };
}

function lookDue({ copy, lookAt }: KeeperState): number {
  return copy === undefined ? Infinity : (lookAt ?? Infinity);
}

/** Clusters whose record does not say yet what this keeper knows. */
function untold(state: KeeperState, wanted: Wanted, now: number): Told[] {
  const report = reportOf(state, wanted);
  const all = [
    ...(report === undefined ? [] : wanted.clusters.map((cluster) => ({ cluster, image: wanted.image, report }))),
    ...wanted.refused.map(({ cluster, image }) => ({ cluster, image, report: refusalOf(state.destination, wanted.image) })),
    ...displaced(state, wanted, now),
    ...(state.turnedAway ?? []).map(({ cluster, image }) => ({ cluster, image, report: { state: 'failed', failure: tooMany(wanted) } as const })),
  ];
  return all.filter((each) => !state.told.includes(toldKey(each)));
}

/** Clusters that want the place for another image, while the one whose copy is there is retained and nobody claims it. */
function refusals(state: KeeperState, now: number): Told[] {
  const holder = state.edition === undefined ? undefined : holderOf(state, now);
  if (holder === undefined) return [];
  const refused = liveClaims(state.claims, now).filter((held) => isForAnother(held, state.destination, holder));
  return refused.map(({ cluster, claim: { image } }) => ({ cluster, image, report: refusalOf(state.destination, holder) }));
}

/** Clusters that let the place go before another image took it: what their records say of a copy is over. */
function displaced({ destination, claims, copy, edition }: KeeperState, wanted: Wanted, now: number): Told[] {
  if (edition === undefined || copy === undefined || !mayShare(destination, copy.image, wanted.image)) return [];
  return claims.flatMap((held) => {
    const isOver = held.forgotten !== true && !isLive(held, now) && isForAnother(held, destination, copy.image);
    return isOver && held.claim !== undefined ? [{ cluster: held.cluster, image: held.claim.image, report: { state: 'deleted' } as const }] : [];
  });
}

function reportOf({ destination, copy, failure, drift, edition }: KeeperState, wanted: Wanted): Report | undefined {
  const own = copy !== undefined && (edition === undefined || mayShare(destination, copy.image, wanted.image)) ? copy.outcome : undefined;
  // a record that was lost learns of both
  if (failure !== undefined) return { state: 'failed', failure: failure.info, ...triedBy(failure), ...(own === undefined ? {} : { outcome: own }) };
  return own === undefined ? undefined : { state: 'copied', outcome: own, ...(drift === undefined ? {} : { drift }) };
}

/** Told later, it is still what that cluster saw then. */
function triedBy({ cluster, failedAt }: HeldFailure): { readonly by?: string; readonly failedAt?: string } {
  return cluster === undefined || failedAt === undefined ? {} : { by: cluster, failedAt };
}

function refusalOf(destination: PlaceId, holder: ImageName): Report {
  return { state: 'failed', failure: { code: 'conflict', side: 'destination', message: `${destination} holds the copy of ${holder}; layout: host keeps them apart` }, holder };
}

function tooMany({ destination }: Wanted): FailureInfo {
  return { code: 'conflict', side: 'destination', message: `${mostClusters} clusters already claim ${destination}; give the others a mirror of their own` };
}

function deletion(state: KeeperState, now: number, run: RunFacts): Step | undefined {
  const due = deletionDue(state, now);
  if (!run.deletes || state.copy === undefined || due === undefined || due.at > now) return undefined;
  return { kind: 'task', operation: 'delete', task: deleteTask(state, state.copy, now), reason: due.reason };
}

function renewal(state: KeeperState, now: number, run: RunFacts): Step | undefined {
  if (run.isFull) return { kind: 'renew', reason: 'HistoryFull' };
  if (now >= renewAt(state, run)) return { kind: 'renew', reason: 'WeekOver' };
  const isIdle = run.events > smallHistory && now - state.lastMessageAt >= days * state.pace;
  return isIdle ? { kind: 'renew', reason: 'Idle' } : undefined;
}

function renewAt(state: KeeperState, run: RunFacts): number {
  return run.startedAt + spreadMs(7 * days * state.pace, shareOf(state.destination));
}

function end(state: KeeperState, now: number): Step | undefined {
  if (liveClaims(state.claims, now).length > 0) return undefined;
  const expiry = expiryOfCopy(state, now);
  if (expiry === undefined) return now < state.bornAt + newcomerMs * state.pace ? undefined : { kind: 'done', reason: 'NeverClaimed' };
  if (state.copy === undefined) return { kind: 'done', reason: state.deletedAt === undefined ? 'NeverCopied' : 'Deleted' };
  return expiry.cleanup ? undefined : { kind: 'done', reason: 'CopyStays' };
}

type Wake = { readonly at: number; readonly reason: WaitReason };

function wait(state: KeeperState, wanted: Wanted | undefined, now: number, run: RunFacts): Step {
  const events: Wake[] = [{ at: renewAt(state, run), reason: state.paused ? 'Paused' : 'Renewal' }];
  if (!state.paused) events.push(...wakesOf(state, wanted, now, run));

  const first = events.reduce((one, other) => (other.at < one.at ? other : one));
  return { kind: 'wait', ms: Math.max(1, Math.ceil(first.at - now)), ...first };
}

function wakesOf(state: KeeperState, wanted: Wanted | undefined, now: number, run: RunFacts): Wake[] {
  if (wanted === undefined) return [unclaimedWake(state, now, run)];
  const due = copyDue(state, wanted, now, run);
  return [
    ...(due === undefined ? [] : [{ at: due.at, reason: 'SlowRetry' as const }]),
    { at: lookDue(state), reason: 'NextLook' },
    ...liveClaims(state.claims, now).map(({ expiresAt }) => ({ at: expiresAt, reason: 'LeaseEnds' as const })),
  ];
}

function unclaimedWake(state: KeeperState, now: number, run: RunFacts): Wake {
  const due = deletionDue(state, now);
  if (due === undefined) return { at: state.bornAt + newcomerMs * state.pace, reason: 'FirstClaim' };
  if (!run.deletes && now >= due.at) return { at: now + days * state.pace, reason: 'DeletionNotYet' };
  return { at: due.at, reason: state.blocked === undefined ? 'RetentionEnds' : 'DeletionRetry' };
}

/** What people read of a keeper in one word. */
export function phaseOf(state: KeeperState, now: number): Phase {
  if (state.paused) return 'Paused';
  if (state.running !== undefined) return state.running.kind === 'delete' ? 'Deleting' : 'Copying';
  if (liveClaims(claimsOfCopy(state, now), now).length === 0 && state.copy !== undefined) return 'Expiring';
  if (state.failure !== undefined) return 'Failed';
  return state.copy === undefined ? 'Pending' : 'Mirrored';
}
