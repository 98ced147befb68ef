/** Builders around keepers: claims, states and outcomes, with what a test is about in front. */
import type { Claim } from '../../src/domain/claim.js';
import type { Digest } from '../../src/domain/digest.js';
import type { FailureCode } from '../../src/domain/failure.js';
import type { ImageName, PlaceId } from '../../src/domain/image-ref.js';
import { nextStep, type RunFacts, type Step } from '../../src/domain/keeper.js';
import { revive, type KeeperState } from '../../src/domain/keeper-state.js';
import { acceptClaim, acceptObserved, beginCopy, nameRun } from '../../src/domain/keeper-messages.js';
import type { CopyOutcome, FailedOutcome, Outcome } from '../../src/domain/task.js';

export const minutes = 60_000;
export const hours = 60 * minutes;
export const days = 24 * hours;

/** Some Tuesday. */
export const t0 = Date.UTC(2026, 8, 1, 12);

export const nginx = 'docker.io/library/nginx:1.27' as ImageName;
export const place = 'registry.example.com/mirror/library/nginx:1.27' as PlaceId;

export function digestOf(letter: string): Digest {
  return `sha256:${letter.repeat(64)}` as Digest;
}

export function aClaim(some: Partial<Claim> = {}): Claim {
  return {
    v: 1,
    cluster: 'berlin',
    generation: 1,
    destination: place,
    publishAs: place as string as ImageName,
    image: nginx,
    rules: [{ kind: 'ClusterImageSetMirror', name: 'all', uid: 'uid-of-all' }],
    sources: [nginx],
    platforms: [{ os: 'linux', architecture: 'amd64' }],
    copy: 'auto',
    referrers: 'auto',
    retentionMs: 30 * days,
    cleanup: true,
    drift: 'keep',
    shared: false,
    ...some,
  };
}

/** A keeper that was just born, after these claims. */
export function aKeeper(...claims: readonly Claim[]): KeeperState {
  const born: KeeperState = { ...revive({ v: 1, destination: place, taskId: `task/${place}`, searchable: true }, t0), edition: 2 };
  return claims.reduce((state, claim) => acceptClaim(state, claim, t0).state, born);
}

/** A run of the keeper that has just begun. */
export function aRun(some: Partial<RunFacts> = {}): RunFacts {
  return { startedAt: t0, events: 10, isFull: false, deletes: true, hears: true, minds: 'rules', ...some };
}

export function copied(some: Partial<CopyOutcome> = {}): CopyOutcome {
  return { v: 1, result: 'copied', digest: digestOf('a'), sourceDigest: digestOf('a'), strategy: 'all', platforms: ['linux/amd64'], missingPlatforms: [], bytes: 1000, mirroredAt: new Date(t0).toISOString(), ...some };
}

export function failed(code: FailureCode, some: Partial<FailedOutcome['failure']> = {}): FailedOutcome {
  return { v: 1, result: 'failed', failure: { code, side: 'source', host: 'docker.io', message: `${code} at docker.io`, ...some } };
}

/** Performs the copy that is due, as the shell would; the keeper must want one. */
export function afterCopy(state: KeeperState, outcome: Outcome, now: number, runId = `run-${state.ended}`): KeeperState {
  const step = nextStep(state, now, aRun({ startedAt: now }));
  if (step.kind !== 'task' || step.operation !== 'copy') throw new Error(`no copy is due: ${step.kind} ${step.reason}`);
  const running = nameRun(beginCopy(state, step.task, now), runId);
  return acceptObserved(running, { v: 1, runId, kind: 'copy', outcome: { ...outcome, plan: step.task.plan } }, now);
}

/** What a keeper does next, when only the time passes. */
export function stepAt(state: KeeperState, now: number): Step {
  return nextStep(state, now, aRun({ startedAt: now }));
}
