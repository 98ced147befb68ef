import { describe, expect, test } from '@jest/globals';
import { holdRelease, mostClusters } from '../../src/domain/claims.js';
import { nextStep, phaseOf } from '../../src/domain/keeper.js';
import { revive, type KeeperState, type OlderState } from '../../src/domain/keeper-state.js';
import { beginDeletion, cancelDeletion, fenceMs as fenceAt, isUnwanted } from '../../src/domain/keeper-deletion.js';
import {
  acceptAnswered,
  acceptClaim,
  acceptDeletionEnding,
  acceptObserved,
  acceptPause,
  acceptRelease,
  acceptResync,
  acceptRetry,
  acceptSight,
  acceptTold,
  nameRun,
} from '../../src/domain/keeper-messages.js';
import { statusOf, storyOf } from '../../src/domain/keeper-story.js';
import type { Block, DeletionOutcome, FailedOutcome } from '../../src/domain/task.js';
import { aClaim, afterCopy, aKeeper, aRun, copied, days, digestOf, failed, hours, minutes, place, stepAt, t0 } from '../support/keeper.js';

const due = t0 + 30 * days;
const fenceMs = fenceAt(1);
const release = { v: 1, cluster: 'berlin', generation: 2 } as const;
const mirrored = (state = aKeeper(aClaim())): KeeperState => afterCopy(state, copied(), t0);
const unclaimed = (state = mirrored()): KeeperState => acceptRelease(state, release, t0);
const deleted: DeletionOutcome = { v: 1, result: 'deleted', digest: digestOf('a') };
const refused = (some: Partial<Block> = {}): DeletionOutcome => ({ v: 1, result: 'blocked', block: { reason: 'in-use', message: 'pod shop/web pulls from it', ...some } });
const question = { v: 1, runId: 'ours', kind: 'delete', asking: true, digest: digestOf('a') } as const;

/** A deletion that has begun as its keeper decided. */
function deleting(state: KeeperState, now = due): KeeperState {
  const step = stepAt(state, now);
  if (step.kind !== 'task' || step.operation !== 'delete') throw new Error(`no deletion is due: ${step.kind} ${step.reason}`);
  return nameRun(beginDeletion(state, step.task, now), 'ours');
}

function after(state: KeeperState, outcome: DeletionOutcome | FailedOutcome, now = due): KeeperState {
  const runId = `delete-${state.ended}`;
  return acceptObserved(nameRun(deleting(state, now), runId), { v: 1, runId, kind: 'delete', outcome }, now);
}

describe('a deletion is due', () => {
  test.each<[string, KeeperState, number]>([
    ['when the retention is over', unclaimed(), due],
    ['when a lease ran out and the retention after it', mirrored(), due + 3 * days],
    ['at once when the rule goes with all it copied', acceptRelease(mirrored(aKeeper(aClaim({ cleanup: false }))), { ...release, purge: true }, t0), t0],
    ['with a retention of zero as soon as nobody claims it', unclaimed(mirrored(aKeeper(aClaim({ retentionMs: 0 })))), t0],
    ['on a shared mirror where everybody meets, never before 48 hours', unclaimed(mirrored(aKeeper(aClaim({ retentionMs: 0, shared: true, connected: true })))), t0 + 48 * hours],
    ['there 48 hours after its database lost something: other clusters may have claimed it since', acceptRelease(unclaimed(mirrored(aKeeper(aClaim({ retentionMs: 0, shared: true, connected: true })))), { ...release, generation: 3, anew: true }, t0 + 20 * days), t0 + 22 * days],
    ['also when that is heard of a claim that has ended by then', acceptRelease(acceptClaim(mirrored(aKeeper(aClaim({ retentionMs: 0, shared: true, connected: true }))), aClaim({ generation: 2, retentionMs: 0, shared: true, connected: true, anew: true }), t0 + 20 * days).state, { ...release, generation: 3 }, t0 + 20 * days + hours), t0 + 22 * days + hours],
    ['after the longest retention of all clusters', acceptRelease(unclaimed(mirrored(aKeeper(aClaim(), aClaim({ cluster: 'paris', retentionMs: 60 * days })))), { ...release, cluster: 'paris' }, t0), t0 + 60 * days],
  ])('%s', (_sentence, state, at) => {
    expect(stepAt(state, at - 1)).not.toMatchObject({ kind: 'task' });
    expect(stepAt(state, at)).toMatchObject({ kind: 'task', operation: 'delete' });
  });

  test.each<[string, KeeperState, object]>([
    ['while any cluster claims it', unclaimed(mirrored(aKeeper(aClaim(), aClaim({ cluster: 'paris', ttlMs: 365 * days })))), {}],
    ['while it is paused', acceptPause(unclaimed(), due), { kind: 'wait' }],
    ['where one cluster wants the copy to stay', acceptRelease(unclaimed(mirrored(aKeeper(aClaim(), aClaim({ cluster: 'paris', cleanup: false })))), { ...release, cluster: 'paris' }, t0), { kind: 'done', reason: 'CopyStays' }],
    ['on a shared mirror of a cluster that does not meet the others', unclaimed(mirrored(aKeeper(aClaim({ shared: true })))), { kind: 'done', reason: 'CopyStays' }],
    ['of what was never copied', unclaimed(aKeeper(aClaim())), { kind: 'done', reason: 'NeverCopied' }],
  ])('but never %s', (_sentence, state, step) => {
    const next = stepAt(state, due);

    expect(next).not.toMatchObject({ operation: 'delete' });
    expect(next).toMatchObject(step);
  });
});

test('a deletion names what was copied, how long to wait, and every cluster that may use it', () => {
  const both = mirrored(aKeeper(aClaim({ tombstoneMs: 20 * minutes }), aClaim({ cluster: 'paris', tombstoneMs: 30 * minutes })));
  const step = stepAt(acceptRelease(acceptRelease(both, release, t0), { ...release, cluster: 'paris' }, t0), due);

  expect(step).toMatchObject({
    task: { destination: place, publishAs: place, digest: digestOf('a'), tombstoneMs: 30 * minutes, clusters: [{ cluster: 'berlin' }, { cluster: 'paris' }] },
  });
});

describe('a cluster is waited for', () => {
  const clustersAt = (state: KeeperState, now: number): object => {
    const step = stepAt(state, now);
    return step.kind === 'task' && step.operation === 'delete' ? step.task.clusters.map(({ cluster, isLost }) => [cluster, isLost ?? false]) : step;
  };
  const paris = aClaim({ cluster: 'paris', retentionMs: days });
  const both = unclaimed(mirrored(aKeeper(aClaim({ retentionMs: days }), paris)));

  test.each<[string, KeeperState, number, boolean]>([
    ['when it released the copy', acceptRelease(both, { ...release, cluster: 'paris' }, t0), t0 + days, false],
    ['when its lease ran out, which only starts the clock', both, t0 + 4 * days - 1, true],
    ['no longer when it has been silent for the whole retention', both, t0 + 4 * days, true],
    ['no longer when somebody says that it is gone', acceptRelease(both, { ...release, cluster: 'paris', forget: true }, t0), t0 + days, true],
  ])('%s', (_sentence, state, now, isLost) => {
    const isDue = stepAt(state, now).kind === 'task';
    if (!isDue) return expect(stepAt(state, now)).toMatchObject({ kind: 'wait', reason: 'RetentionEnds' });

    expect(clustersAt(state, now)).toEqual([
      ['berlin', isLost && now >= t0 + 4 * days],
      ['paris', isLost],
    ]);
  });

  test('anew when it kept the copy from being deleted, though nothing there claims it', () => {
    const released = acceptRelease(both, { ...release, cluster: 'paris' }, t0);
    const refusedAt = t0 + 30 * days; // day after day until then
    const blocked = after(released, { ...refused(), by: ['paris'] } as DeletionOutcome, refusedAt);
    const clusters = (now: number): object => clustersAt(acceptRetry(blocked, now), now);

    expect(clusters(refusedAt + 4 * days - 1)).toEqual([['berlin', true], ['paris', false]]);
    expect(clusters(refusedAt + 4 * days)).toEqual([['berlin', true], ['paris', true]]);
  });

  test('that is forgotten keeps its word on retention, and is back when it claims again', () => {
    const forgotten = acceptRelease(mirrored(aKeeper(aClaim(), aClaim({ cluster: 'paris', retentionMs: 60 * days }))), { ...release, cluster: 'paris', forget: true }, t0);
    const again = acceptClaim(forgotten, aClaim({ cluster: 'paris', renewal: true }), t0 + days).state;

    expect(statusOf(unclaimed(forgotten), stepAt(unclaimed(forgotten), t0), t0)).toMatchObject({ claims: [{ state: 'released' }, { state: 'forgotten' }], expiresAt: new Date(t0 + 60 * days).toISOString() });
    expect(again.claims.find(({ cluster }) => cluster === 'paris')).not.toHaveProperty('forgotten');
    expect(holdRelease([], { ...release, forget: true }, t0)).toEqual([]);
  });
});

describe('after a deletion', () => {
  test.each<[string, DeletionOutcome]>([
    ['that deleted', deleted],
    ['that found nothing', { ...deleted, result: 'absent' }],
  ])('%s, the keeper ends when nobody claims the place', (_sentence, outcome) => {
    expect(stepAt(after(unclaimed(), outcome), due)).toEqual({ kind: 'done', reason: 'Deleted' });
  });

  test('and copies again when somebody came meanwhile', () => {
    const claimed = acceptClaim(deleting(unclaimed()), aClaim({ generation: 3 }), due).state;
    const ended = acceptObserved(claimed, { v: 1, runId: 'ours', kind: 'delete', outcome: deleted }, due);

    expect(stepAt(ended, due)).toMatchObject({ kind: 'task', operation: 'copy', reason: 'NotCopied' });
  });

  test.each<[string, DeletionOutcome | FailedOutcome, number, number]>([
    ['that a guard refused, it is tried daily', refused(), 0.8 * 24 * hours, 24 * hours],
    ['that found the budget spent, when there is room, and an hour later at least', refused({ reason: 'budget', retryAfterMs: 5 * hours }), 5 * hours, 6 * hours],
    ['that found room in a minute, not before an hour', refused({ reason: 'budget', retryAfterMs: minutes }), hours, 1.2 * hours],
    ['that failed, after an hour at least', failed('unreachable'), hours, hours],
    ['that nobody may do, after six', failed('denied'), 0.8 * 6 * hours, 6 * hours],
  ])('%s', (_sentence, outcome, least, most) => {
    const step = stepAt(after(unclaimed(), outcome), due);

    expect(step).toMatchObject({ kind: 'wait', reason: 'DeletionRetry' });
    if (step.kind !== 'wait') return;
    expect(step.ms).toBeGreaterThanOrEqual(least);
    expect(step.ms).toBeLessThanOrEqual(most);
    expect(stepAt(after(unclaimed(), outcome), step.at)).toMatchObject({ kind: 'task', operation: 'delete', reason: 'BlockedRetry' });
  });

  test('that was refused, `retry` tries again now', () => {
    expect(stepAt(acceptRetry(after(unclaimed(), refused()), due), due)).toMatchObject({ kind: 'task', operation: 'delete', reason: 'Asked' });
  });

  test('that was refused, people read why, since when, and how to try again', () => {
    const first = after(unclaimed(), refused());
    const second = after(acceptRetry(first, due + hours), refused(), due + hours);
    const status = statusOf(second, stepAt(second, due + hours), due + hours);

    expect(status).toMatchObject({ phase: 'Expiring', blocked: { reason: 'in-use', attempts: 2, since: new Date(due).toISOString() } });
    expect(storyOf(status)).toContain('in-use, pod shop/web pulls from it. Send the signal `retry`');
  });

  test('that was refused, a claim ends the matter', () => {
    expect(acceptClaim(after(unclaimed(), refused()), aClaim({ generation: 3 }), due).state.blocked).toBeUndefined();
  });

  test('that ended without a word, nothing starts until its requests are over; then it looks before it believes', () => {
    const ended = acceptDeletionEnding(deleting(unclaimed()), failed('timeout', { side: 'cluster' }), due);
    const back = acceptClaim(ended, aClaim({ generation: 3 }), due).state;
    const tells = stepAt(back, due);
    if (tells.kind !== 'look' || tells.what !== 'tell') throw new Error(tells.kind);
    const told = acceptTold(back, tells.reports);

    expect(tells.reports).toMatchObject([{ cluster: 'berlin', report: { state: 'copied' } }]);
    expect(stepAt(acceptRetry(told, due), due)).toMatchObject({ kind: 'wait', at: due + fenceMs });
    expect(stepAt(acceptRetry(told, due), due + fenceMs)).toMatchObject({ kind: 'task', operation: 'copy' });
    expect(stepAt(told, due + fenceMs)).toMatchObject({ kind: 'look', what: 'verify' });
  });
});

describe('a deletion that asks', () => {
  const answerTo = (state: KeeperState, asked = question, now = due): object => stepAt(acceptObserved(state, asked, now), now);

  test('gets consent for its run', () => {
    expect(answerTo(deleting(unclaimed()))).toEqual({ kind: 'answer', consent: { v: 1, runId: 'ours' }, reason: 'Consent' });
  });

  test('gets it whoever started it, when the keeper wants the deletion anyway', () => {
    expect(answerTo(unclaimed(), { ...question, runId: 'by-hand' } as never)).toMatchObject({ consent: { runId: 'by-hand' }, reason: 'Consent' });
  });

  test.each<[string, KeeperState, object, string]>([
    ['a claim came meanwhile', acceptClaim(deleting(unclaimed()), aClaim({ generation: 3 }), due).state, question, 'claimed'],
    ['the retention is not over', unclaimed(), question, 'claimed'],
    ['the keeper is paused', acceptPause(deleting(unclaimed()), due), question, 'claimed'],
    ['it would delete something else', deleting(unclaimed()), { ...question, digest: digestOf('b') }, 'digest-changed'],
    ['nobody wants the copy deleted', unclaimed(mirrored(aKeeper(aClaim({ cleanup: false })))), question, 'claimed'],
  ])('is refused when %s', (_sentence, state, asked, reason) => {
    const now = state.running === undefined ? t0 + days : due;

    expect(answerTo(state, asked as never, now)).toMatchObject({ kind: 'answer', consent: { refused: { reason } }, reason: 'Refusal' });
  });

  test('is answered once', () => {
    const asked = acceptObserved(deleting(unclaimed()), question, due);

    expect(acceptAnswered(asked).asking).toBeUndefined();
    expect(acceptObserved(acceptAnswered(asked), { v: 1, runId: 'ours', kind: 'delete', outcome: deleted }, due).copy).toBeUndefined();
  });
});

describe('a deletion is stopped', () => {
  test('by a claim, once; and what it says then is no refusal', () => {
    const claimed = acceptClaim(deleting(unclaimed()), aClaim({ generation: 3 }), due).state;
    const stopped = acceptObserved(cancelDeletion(claimed), { v: 1, runId: 'ours', kind: 'delete', outcome: refused({ reason: 'claimed' }) }, due);

    expect([isUnwanted(deleting(unclaimed()), due), isUnwanted(claimed, due), isUnwanted(cancelDeletion(claimed), due)]).toEqual([false, true, false]);
    expect(stopped.blocked).toBeUndefined();
    expect(phaseOf(claimed, due)).toBe('Deleting');
    expect(phaseOf(stopped, due)).toBe('Mirrored');
  });

  test('not by a pause: it ends when it asks', () => {
    expect(isUnwanted(acceptPause(deleting(unclaimed()), due), due)).toBe(false);
  });
});

describe('a run that took the place of a deletion', () => {
  test('ends the wait for one that will never report, and is only a hint', () => {
    const told = acceptObserved(deleting(unclaimed()), { v: 1, runId: 'reset', kind: 'delete', outcome: deleted }, due);

    expect(told).not.toHaveProperty('running');
    expect(told).toMatchObject({ copy: { outcome: { digest: digestOf('a') } } });
    expect(stepAt(told, due)).toMatchObject({ kind: 'wait' });
    expect(stepAt(told, due + fenceMs)).toMatchObject({ kind: 'task', operation: 'delete' });
  });

  test('and was refused counts as refused', () => {
    expect(acceptObserved(deleting(unclaimed()), { v: 1, runId: 'reset', kind: 'delete', outcome: refused() }, due).blocked).toMatchObject({ attempts: 1 });
  });

  test('or a copy reset in its place: nothing more before the fence', () => {
    const told = acceptObserved(deleting(unclaimed()), { v: 1, runId: 'reset', kind: 'copy', outcome: copied() }, due);

    expect(told).not.toHaveProperty('running');
    expect(told).toMatchObject({ fencedUntil: due + fenceMs });
  });

  test('says nothing to a keeper that waits for a copy', () => {
    expect(acceptObserved(mirrored(), { v: 1, runId: 'by-hand', kind: 'delete', outcome: deleted }, t0).copy).toBeDefined();
  });
});

test('what somebody else wrote is not overwritten, and its deletion finds out by itself', () => {
  const foreign = acceptRelease(acceptSight(mirrored(), { digest: digestOf('f') }, t0), release, t0);

  expect(stepAt(foreign, due)).toMatchObject({ operation: 'delete', task: { digest: digestOf('a') } });
});

test('a keeper that begins anew with a state of an older release knows how to delete', () => {
  const older: OlderState = { ...unclaimed(), v: 1 };

  expect(nextStep(revive(JSON.parse(JSON.stringify(older)) as OlderState, due), due, aRun({ startedAt: due }))).toMatchObject({ operation: 'delete' });
  expect(revive(older, due).v).toBe(2);
});

test('resync forgets nothing of a refused deletion but its time is kept', () => {
  expect(acceptResync(after(unclaimed(), refused()), due).blocked).toMatchObject({ attempts: 1 });
});

test('the sixty-fifth cluster is refused, told once in its record, and forgotten when there is room', () => {
  const full = mirrored(aKeeper(...Array.from({ length: mostClusters }, (_, index) => aClaim({ cluster: `cluster-${String(index).padStart(2, '0')}` }))));
  const known = acceptTold(full, full.claims.map(({ cluster }) => ({ cluster, image: aClaim().image, report: { state: 'copied', outcome: copied() } })));
  const { state, answer } = acceptClaim(known, aClaim({ cluster: 'one-too-many' }), t0);
  const step = stepAt(state, t0);

  expect(answer).toBe('too-many-clusters');
  expect(step).toMatchObject({ kind: 'look', what: 'tell', reports: [{ cluster: 'one-too-many', report: { state: 'failed', failure: { code: 'conflict' } } }] });
  if (step.kind !== 'look' || step.what !== 'tell') return;
  const told = acceptTold(acceptClaim(state, aClaim({ cluster: 'one-too-many' }), t0).state, step.reports);
  expect(stepAt(told, t0)).toMatchObject({ kind: 'wait' });
});
