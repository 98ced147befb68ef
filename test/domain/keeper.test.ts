import { describe, expect, test } from '@jest/globals';
import type { Claim } from '../../src/domain/claim.js';
import type { FailureCode } from '../../src/domain/failure.js';
import { nextStep, phaseOf } from '../../src/domain/keeper.js';
import type { KeeperState } from '../../src/domain/keeper-state.js';
import { statusOf, storyOf } from '../../src/domain/keeper-story.js';
import {
  acceptBlindness,
  acceptClaim,
  acceptEnding,
  acceptObserved,
  acceptPause,
  acceptRelease,
  acceptResume,
  acceptResync,
  acceptRetry,
  acceptSight,
  acceptTold,
  compact,
  noteDrift,
  noteUnwritten,
  beginCopy,
  nameRun,
} from '../../src/domain/keeper-messages.js';
import type { Release } from '../../src/domain/task.js';
import { aClaim, afterCopy, aKeeper, aRun, copied, days, digestOf, failed, hours, minutes, stepAt, t0 } from '../support/keeper.js';

const mirrored = (state = aKeeper(aClaim())): KeeperState => afterCopy(state, copied(), t0);
const release = { v: 1, cluster: 'berlin', generation: 2 } as const;

describe('a keeper copies', () => {
  test.each<[string, () => KeeperState, string]>([
    ['what is claimed and not there', () => aKeeper(aClaim()), 'NotCopied'],
    ['again when somebody asks, although it is there', () => acceptRetry(mirrored(), t0), 'Asked'],
    ['again when the tag has vanished from the mirror', () => acceptSight(mirrored(), { digest: 'missing' }, t0), 'CopyGone'],
    ['again when another platform is wanted', () => acceptClaim(mirrored(), aClaim({ generation: 2, platforms: [{ architecture: 'arm64' }] }), t0).state, 'SettingsChanged'],
    ['again when the copy strategy changes', () => acceptClaim(mirrored(), aClaim({ generation: 2, copy: 'all' }), t0).state, 'SettingsChanged'],
    ['at once after a failure, when the settings change', () => acceptClaim(afterCopy(aKeeper(aClaim()), failed('missing'), t0), aClaim({ generation: 2, copy: 'all' }), t0).state, 'NotCopied'],
    ['at once after a failure, when somebody asks', () => acceptRetry(afterCopy(aKeeper(aClaim()), failed('denied'), t0), t0), 'Asked'],
    ['when a drifting tag is to be followed', () => acceptSight(mirrored(aKeeper(aClaim({ drift: 'sync' }))), { digest: digestOf('a'), origin: digestOf('b') }, t0), 'OriginMoved'],
    ['over foreign content, when the mirror is to follow', () => acceptSight(mirrored(aKeeper(aClaim({ drift: 'sync' }))), { digest: digestOf('c') }, t0), 'DestinationChanged'],
    ['when it works again after a pause', () => acceptResume(acceptPause(aKeeper(aClaim()), t0), t0), 'NotCopied'],
  ])('%s', (_sentence, state, reason) => {
    expect(stepAt(state(), t0)).toMatchObject({ kind: 'task', operation: 'copy', reason });
  });

  test.each<[string, () => KeeperState]>([
    ['while it is paused', () => acceptPause(aKeeper(aClaim()), t0)],
    ['what is there already', () => mirrored()],
    ['because a tag moved, unless it is to follow', () => acceptSight(mirrored(), { digest: digestOf('a'), origin: digestOf('b') }, t0)],
    ['because an origin no longer answers', () => acceptSight(mirrored(aKeeper(aClaim({ drift: 'sync' }))), { digest: digestOf('a'), origin: 'missing' }, t0)],
    ['over content somebody else wrote', () => acceptSight(mirrored(), { digest: digestOf('c') }, t0)],
    ['what failed a moment ago', () => afterCopy(aKeeper(aClaim()), failed('unreachable'), t0)],
  ])('but not %s', (_sentence, state) => {
    expect(stepAt(state(), t0)).toMatchObject({ kind: 'wait' });
  });

  test('names what activities need, and the plan the copy will answer with', () => {
    const step = stepAt(aKeeper(aClaim(), aClaim({ cluster: 'paris', platforms: [{ architecture: 'arm64' }] })), t0);

    expect(step).toMatchObject({ task: { cluster: 'berlin', clusters: ['berlin', 'paris'], platforms: [{ architecture: 'arm64' }, { os: 'linux', architecture: 'amd64' }], urgency: 'normal' } });
  });
});

test('a claim that rests keeps what is there: no copy is made of it, unless a person asks', () => {
  const resting = aKeeper(aClaim({ rests: true }));
  const gone = acceptSight({ ...afterCopy(aKeeper(aClaim()), copied(), t0), claims: resting.claims }, { digest: 'missing' }, t0);

  expect(stepAt(resting, t0 + days)).toMatchObject({ kind: 'wait' });
  expect(stepAt(gone, t0)).not.toMatchObject({ kind: 'task' });
  expect(stepAt(acceptRetry(gone, t0), t0)).toMatchObject({ kind: 'task', reason: 'Asked' });
});

describe('what a keeper knows of a copy', () => {
  const warnings = ['signatures of index sha256:1 cannot verify'];

  test('goes with the next one, which then need not look for itself', () => {
    const asked = acceptRetry(mirrored(), t0);
    const again = acceptRetry(afterCopy(aKeeper(aClaim()), copied({ strategy: 'rewrite', warnings }), t0), t0);

    expect(stepAt(asked, t0)).toMatchObject({ task: { recorded: { digest: digestOf('a'), strategy: 'all', platforms: ['linux/amd64'], missingPlatforms: [] } } });
    expect(stepAt(again, t0)).toMatchObject({ task: { recorded: { strategy: 'rewrite', warnings } } });
  });

  test('sends it back to what it was made of when only settings changed, but not when somebody asks, or the tag is followed', () => {
    const sourceDigest = digestOf('b');
    const keeps = (drift: 'keep' | 'sync') => afterCopy(aKeeper(aClaim({ drift })), copied({ sourceDigest }), t0);
    const changed = (state: KeeperState, drift: 'keep' | 'sync') => acceptClaim(state, aClaim({ generation: 2, drift, platforms: [{ os: 'linux', architecture: 'arm64' }] }), t0).state;
    const settings = changed(keeps('keep'), 'keep');

    expect(stepAt(settings, t0)).toMatchObject({ reason: 'SettingsChanged', task: { sourceDigest, recorded: { sourceDigest } } });
    expect(stepAt(afterCopy(settings, failed('unreachable'), t0), t0 + 1 * days)).toMatchObject({ reason: 'SlowRetry', task: { sourceDigest } });
    for (const state of [acceptRetry(settings, t0), changed(keeps('sync'), 'sync')]) expect((stepAt(state, t0) as { task: object }).task).not.toHaveProperty('sourceDigest');
  });

  test('tells a record that was lost of the copy as well, when something is missing', () => {
    const settings = acceptClaim(mirrored(), aClaim({ generation: 2, platforms: [{ architecture: 'arm64' }] }), t0).state;
    const failing = { ...afterCopy(settings, failed('unreachable'), t0), told: [] };

    expect(stepAt(failing, t0)).toMatchObject({ what: 'tell', reports: [{ report: { state: 'failed', outcome: { digest: digestOf('a') } } }] });
  });

  test('is nothing to go back to once the copy is gone', () => {
    const gone = acceptSight(afterCopy(aKeeper(aClaim()), copied({ sourceDigest: digestOf('b') }), t0), { digest: 'missing' }, t0);
    const step = stepAt(acceptClaim(gone, aClaim({ generation: 2, platforms: [{ architecture: 'arm64' }] }), t0).state, t0);

    expect(step).toMatchObject({ operation: 'copy', reason: 'CopyGone' });
    expect((step as { task: object }).task).not.toHaveProperty('sourceDigest');
  });

  test('is looked at as seldom as is asked for', () => {
    const seldom = afterCopy(aKeeper(aClaim({ verifyEveryMs: 7 * days, ttlMs: 60 * days })), copied(), t0);

    expect(seldom.lookAt).toBeGreaterThan(t0 + 5 * days);
  });

  test('that was adopted while its origin was down follows its tag, where it is to', () => {
    const adopted = afterCopy(aKeeper(aClaim({ drift: 'sync' })), copied({ result: 'adopted', strategy: 'adopted', sourceDigest: undefined }), t0);

    expect(stepAt(acceptSight(adopted, { digest: digestOf('a'), origin: digestOf('b') }, t0), t0)).toMatchObject({ reason: 'OriginMoved' });
    expect(stepAt(acceptSight(adopted, { digest: digestOf('a'), origin: digestOf('a') }, t0), t0)).toMatchObject({ kind: 'wait' });
  });

  test('is nothing before the first', () => {
    expect((stepAt(aKeeper(aClaim()), t0) as { task: object }).task).not.toHaveProperty('recorded');
  });

  test('is told to people, warnings included', () => {
    const state = afterCopy(aKeeper(aClaim()), copied({ warnings }), t0);
    expect(storyOf(statusOf(state, stepAt(state, t0), t0))).toContain(`Warning: ${warnings[0]}`);
  });
});

describe('after a failed copy', () => {
  test.each<[FailureCode, number]>([
    ['unreachable', 15 * minutes],
    ['timeout', 15 * minutes],
    ['throttled', 15 * minutes],
    ['corrupt', 6 * hours],
    ['missing', 6 * hours],
    ['unauthorized', 6 * hours],
    ['tls', 6 * hours],
  ])('%s is tried again after its time, less a jitter', (code, ms) => {
    const step = stepAt(afterCopy(aKeeper(aClaim()), failed(code), t0), t0);

    expect(step).toMatchObject({ kind: 'wait', reason: 'SlowRetry' });
    if (step.kind !== 'wait') return;
    expect(step.ms).toBeGreaterThan(ms * 0.8);
    expect(step.ms).toBeLessThanOrEqual(ms);
  });

  test('the wait doubles up to six hours', () => {
    let state = aKeeper(aClaim({ ttlMs: 90 * days }));
    const waits: number[] = [];
    for (let now = t0, attempt = 0; attempt < 8; attempt++) {
      state = afterCopy(state, failed('unreachable'), now);
      const step = stepAt(state, now);
      if (step.kind !== 'wait') throw new Error(step.kind);
      waits.push(step.ms / minutes);
      now = step.at;
    }

    expect(waits.map((each, index) => each <= Math.min(360, 15 * 2 ** index) && each > 0.8 * Math.min(360, 15 * 2 ** index))).toEqual(Array(8).fill(true));
    expect(state.failure?.attempts).toBe(8);
  });

  test('a throttled registry is not asked before the time it gave', () => {
    const state = afterCopy(aKeeper(aClaim()), failed('throttled', { retryAfterMs: 55 * minutes }), t0);

    expect(stepAt(state, t0)).toMatchObject({ kind: 'wait', ms: 55 * minutes });
  });

  test('a deaf cluster hands over to the next at once, and is asked again when all are deaf', () => {
    const deaf = failed('unreachable', { side: 'cluster' });
    const first = afterCopy(aKeeper(aClaim(), aClaim({ cluster: 'paris' })), deaf, t0);
    const both = afterCopy(first, deaf, t0);

    expect(stepAt(first, t0)).toMatchObject({ kind: 'task', reason: 'OtherCluster', task: { cluster: 'paris' } });
    expect(stepAt(both, t0)).toMatchObject({ kind: 'wait', reason: 'SlowRetry' });
  });

  test('a deaf cluster that claims again is back, and copies at once; one that only claimed before is not', () => {
    const deaf = failed('unreachable', { side: 'cluster' });
    const lost = afterCopy(aKeeper(aClaim()), deaf, t0);
    const back = acceptClaim(lost, aClaim({ generation: 2 }), t0 + minutes).state;
    const lostAgain = afterCopy(back, deaf, t0 + minutes);

    expect(stepAt(lost, t0 + minutes)).toMatchObject({ kind: 'wait', reason: 'SlowRetry' });
    expect(stepAt(back, t0 + minutes)).toMatchObject({ kind: 'task', reason: 'ClusterBack', task: { cluster: 'berlin' } });
    expect(stepAt(lostAgain, t0 + minutes)).toMatchObject({ kind: 'wait', reason: 'SlowRetry' });
  });

  test('a claim that came while the copy of a deaf cluster waited says that it is back as well', () => {
    const step = stepAt(aKeeper(aClaim()), t0);
    if (step.kind !== 'task' || step.operation !== 'copy') throw new Error(step.kind);
    const waiting = nameRun(beginCopy(aKeeper(aClaim()), step.task, t0), 'unheard');
    const claimed = acceptClaim(waiting, aClaim({ generation: 2 }), t0 + minutes).state;
    const ended = acceptObserved(claimed, { v: 1, runId: 'unheard', kind: 'copy', outcome: failed('unreachable', { side: 'cluster' }) }, t0 + 5 * minutes);

    expect(stepAt(ended, t0 + 5 * minutes)).toMatchObject({ kind: 'task', reason: 'ClusterBack' });
  });

  test('a run that began before keepers heard that a cluster is back waits for the slow retry', () => {
    const lost = afterCopy(aKeeper(aClaim()), failed('unreachable', { side: 'cluster' }), t0);
    const back = acceptClaim(lost, aClaim({ generation: 2 }), t0 + minutes).state;

    expect(nextStep(back, t0 + minutes, aRun({ startedAt: t0, hears: false }))).toMatchObject({ kind: 'wait', reason: 'SlowRetry' });
  });

  describe('for a rule', () => {
    const again = { ...aClaim().rules[0]!, uid: 'uid-of-the-next' };
    const after = (some: Partial<Claim>, code: FailureCode = 'invalid'): KeeperState => acceptClaim(afterCopy(aKeeper(aClaim()), failed(code), t0), aClaim({ generation: 2, ...some }), t0).state;

    test.each<[string, KeeperState, string, string]>([
      ['that was made again it is tried at once', after({ rules: [again] }), 'task', 'RuleChanged'],
      ['that comes before the others it is tried at once', after({ rules: [again, ...aClaim().rules] }), 'task', 'RuleChanged'],
      ['that comes after the others it is not', after({ rules: [...aClaim().rules, again] }), 'wait', 'SlowRetry'],
      ['that stayed the same it is not', after({ retentionMs: days }), 'wait', 'SlowRetry'],
      ['of a cluster that does not copy it is not', after({ cluster: 'paris', rules: [again] }), 'look', 'NewCluster'],
      ['that was made again it is not, where the registry limits us', after({ rules: [again] }, 'throttled'), 'wait', 'SlowRetry'],
    ])('%s', (_sentence, state, kind, reason) => {
      expect(stepAt(state, t0)).toMatchObject({ kind, reason });
    });

    test('that was made again while the copy ran it is tried at once', () => {
      const step = stepAt(aKeeper(aClaim()), t0);
      if (step.kind !== 'task' || step.operation !== 'copy') throw new Error(step.reason);
      const running = nameRun(beginCopy(aKeeper(aClaim()), step.task, t0), 'run');
      const claimed = acceptClaim(running, aClaim({ generation: 2, rules: [again] }), t0).state;
      const ended = acceptObserved(claimed, { v: 1, runId: 'run', kind: 'copy', outcome: { ...failed('invalid'), plan: step.task.plan } }, t0);

      expect(stepAt(ended, t0)).toMatchObject({ kind: 'task', reason: 'RuleChanged' });
    });

    test('that fails for it as well it waits, and in a run of an older release it always waits', () => {
      const next = after({ rules: [again] });

      expect(stepAt(afterCopy(next, failed('invalid'), t0), t0)).toMatchObject({ kind: 'wait', reason: 'SlowRetry' });
      expect(nextStep(next, t0, aRun({ minds: 'settings' }))).toMatchObject({ kind: 'wait', reason: 'SlowRetry' });
    });
  });

  test('a good look ends the failure', () => {
    const gone = acceptSight(mirrored(), { digest: 'missing' }, t0);
    const lost = afterCopy(gone, failed('unreachable'), t0);

    expect(phaseOf(lost, t0)).toBe('Failed');
    expect(phaseOf(acceptSight(lost, { digest: digestOf('a') }, t0), t0)).toBe('Mirrored');
  });
});

describe('a run somebody else started', () => {
  const foreign = { v: 1, runId: 'by-hand', kind: 'copy' } as const;

  test('is only a hint: the keeper looks before it believes', () => {
    const failing = afterCopy(aKeeper(aClaim()), failed('missing'), t0);
    const outcome = copied({ plan: failing.failure?.plan });
    const told = acceptObserved(failing, { ...foreign, outcome }, t0);

    expect(stepAt(told, t0)).toMatchObject({ kind: 'look', what: 'verify', reason: 'RunOfSomebodyElse' });
    expect(phaseOf(acceptSight(told, { digest: outcome.digest }, t0), t0)).toBe('Mirrored');
    expect(phaseOf(acceptSight(told, { digest: digestOf('f') }, t0), t0)).toBe('Failed');
  });

  test('that failed does not move the next attempt', () => {
    const failing = afterCopy(aKeeper(aClaim()), failed('missing'), t0);
    const told = acceptSight(acceptObserved(failing, { ...foreign, outcome: failed('denied') }, t0), { digest: 'missing' }, t0);

    expect(told.failure).toMatchObject({ info: { code: 'denied' }, nextAt: failing.failure?.nextAt });
  });

  test('ends the wait for a run that will never report', () => {
    const step = stepAt(aKeeper(aClaim()), t0);
    if (step.kind !== 'task' || step.operation !== 'copy') throw new Error(step.kind);
    const waiting = nameRun(beginCopy(aKeeper(aClaim()), step.task, t0), 'ours');

    expect(acceptObserved(waiting, { ...foreign, outcome: copied() }, t0).running).toBeUndefined();
  });
});

describe('what moved behind our back', () => {
  const under = (drift: 'keep' | 'warn' | 'sync'): KeeperState => afterCopy(aKeeper(aClaim({ drift })), copied(), t0);
  const looking = (state: KeeperState, sight: Parameters<typeof acceptSight>[1]): KeeperState => noteDrift(acceptSight(state, sight, t0), sight, t0);
  const [ours, theirs, moved] = [digestOf('a'), digestOf('c'), digestOf('b')];

  test.each<[string, KeeperState, Parameters<typeof acceptSight>[1], KeeperState['drift']]>([
    ['nothing, while all is as it was', under('warn'), { digest: ours, origin: ours }, undefined],
    ['the tag of the origin, where the rules say warn', under('warn'), { digest: ours, origin: moved }, { origin: moved }],
    ['not the tag of the origin, where they say keep', under('keep'), { digest: ours, origin: moved }, undefined],
    ['not an origin that is gone', under('warn'), { digest: ours, origin: 'missing' }, undefined],
    ['content at the destination that is not ours', under('keep'), { digest: theirs }, { destination: theirs }],
    ['both', under('warn'), { digest: theirs, origin: moved }, { origin: moved, destination: theirs }],
    ['not a copy that is gone: it is made again', under('keep'), { digest: 'missing' }, undefined],
    ['nothing that is copied again anyway', under('sync'), { digest: theirs, origin: moved }, undefined],
    ['what moved before, while the origin does not answer', looking(under('warn'), { digest: ours, origin: moved }), { digest: ours }, { origin: moved }],
  ])('is %s', (_sentence, state, sight, drift) => {
    expect(looking(state, sight).drift).toEqual(drift);
  });

  test('is told to every cluster, once, and so is its end', () => {
    const drifted = looking(under('keep'), { digest: theirs });
    const report = { state: 'copied', outcome: expect.objectContaining({ digest: ours }), drift: { destination: theirs } };
    expect(stepAt(drifted, t0)).toEqual({ kind: 'look', what: 'tell', reason: 'NewCluster', reports: [{ cluster: 'berlin', image: drifted.copy?.image, report }] });
    const told = acceptTold(drifted, [{ cluster: 'berlin', image: drifted.copy?.image as never, report: report as never }]);
    expect(stepAt(looking(told, { digest: theirs }), t0)).toMatchObject({ kind: 'wait' });

    expect(stepAt(looking(told, { digest: ours }), t0)).toMatchObject({ kind: 'look', what: 'tell', reports: [{ report: { state: 'copied' } }] });
  });

  test('keeps other settings waiting while somebody else’s content is there, and no longer', () => {
    const other = acceptClaim(looking(under('keep'), { digest: theirs }), aClaim({ generation: 2, copy: 'all' }), t0).state;

    expect(stepAt(acceptTold(other, [{ cluster: 'berlin', image: other.copy?.image as never, report: {} as never }]), t0)).toMatchObject({ kind: 'wait' });
    expect(stepAt(looking(other, { digest: ours }), t0)).toMatchObject({ kind: 'task', reason: 'SettingsChanged' });
    expect(stepAt(looking(other, { digest: 'missing' }), t0)).toMatchObject({ kind: 'task', reason: 'CopyGone' });
    expect(stepAt(acceptRetry(other, t0), t0)).toMatchObject({ kind: 'task', reason: 'Asked' });
  });

  test('is shown to people', () => {
    const state = looking(under('warn'), { digest: theirs, origin: moved });
    const story = storyOf(statusOf(state, stepAt(state, t0), t0));

    expect(story).toContain(moved);
    expect(story).toContain(theirs);
  });
});

describe('a keeper looks', () => {
  test.each([
    ['daily', mirrored(), 24 * hours],
    ['after an hour when it could not see', acceptBlindness(mirrored(), t0), 1 * hours],
  ])('%s', (_sentence, state, ms) => {
    const step = stepAt(state, t0);

    expect(step).toMatchObject({ kind: 'wait', reason: 'NextLook' });
    if (step.kind !== 'wait') return;
    expect(step.ms).toBeLessThanOrEqual(ms);
    expect(stepAt(state, step.at)).toMatchObject({ kind: 'look', what: 'verify', reason: 'TimeToLook' });
  });

  test('at once when told to resync, and forgets failures', () => {
    const failing = acceptResync(afterCopy(aKeeper(aClaim()), failed('missing'), t0), t0);

    expect(stepAt(acceptResync(mirrored(), t0), t0)).toMatchObject({ kind: 'look', what: 'verify' });
    expect(stepAt(failing, t0)).toMatchObject({ kind: 'task', reason: 'NotCopied' });
  });

  describe('when told to resync after a failure tries again at once, but not as if a person had asked', () => {
    const widened = acceptClaim(mirrored(), aClaim({ generation: 2, platforms: [{ architecture: 'arm64' }] }), t0).state;
    const failing = acceptSight(afterCopy(widened, failed('unauthorized'), t0), { digest: digestOf('a') }, t0);

    test('content is that of the copy that is there, wherever the tag has gone', () => {
      expect(stepAt(failing, t0 + 1)).not.toMatchObject({ kind: 'task' });
      expect(stepAt(acceptResync(failing, t0), t0)).toMatchObject({ kind: 'task', reason: 'SettingsChanged', task: { sourceDigest: digestOf('a'), urgency: 'normal' } });
    });

    test('what somebody else wrote there is not overwritten', () => {
      const theirs = noteDrift(failing, { digest: digestOf('c') }, t0);

      expect(stepAt(acceptResync(theirs, t0), t0)).toMatchObject({ kind: 'look', what: 'verify' });
    });

    test('nothing is copied while the rule rests', () => {
      const resting = acceptClaim(failing, aClaim({ generation: 3, platforms: [{ architecture: 'arm64' }], rests: true }), t0).state;

      expect(stepAt(acceptResync(resting, t0), t0)).toMatchObject({ kind: 'look', what: 'verify' });
    });
  });

  test('and tells a cluster that claims what is there already', () => {
    const joined = acceptClaim(mirrored(), aClaim({ cluster: 'paris' }), t0).state;
    const step = stepAt(joined, t0);

    expect(step).toMatchObject({ kind: 'look', what: 'tell', reports: [{ cluster: 'paris', report: { state: 'copied' } }] });
    if (step.kind !== 'look' || step.what !== 'tell') return;
    expect(stepAt(acceptTold(joined, step.reports), t0)).toMatchObject({ kind: 'wait' });
  });

  test.each([
    ['as what the cluster that tried saw then', { by: 'berlin', failedAt: '2026-09-01T11:00:00.000Z' }, '2026-09-01T11:00:00.000Z'],
    ['as of now where the run ended without a word', {}, new Date(t0).toISOString()],
  ])('and tells a cluster of a failure that is there already, %s', (_sentence, who, failedAt) => {
    const failing = afterCopy(aKeeper(aClaim()), { ...failed('unauthorized'), ...who }, t0);

    const step = stepAt(acceptClaim(failing, aClaim({ cluster: 'paris' }), t0 + minutes).state, t0 + minutes);

    expect(step).toMatchObject({ kind: 'look', what: 'tell', reports: [{ cluster: 'paris', report: { state: 'failed', failure: { code: 'unauthorized' }, by: 'berlin', failedAt } }] });
  });

  test('and tells a cluster once more that the copy itself could not tell', () => {
    const claimed = aKeeper(aClaim(), aClaim({ cluster: 'paris' }));
    const step = stepAt(claimed, t0);
    if (step.kind !== 'task' || step.operation !== 'copy') throw new Error(step.kind);
    const running = nameRun(beginCopy(claimed, step.task, t0), 'ours');
    const ended = acceptObserved(running, { v: 1, runId: 'ours', kind: 'copy', outcome: copied({ plan: step.task.plan }), untold: ['paris'] }, t0);

    expect(stepAt(ended, t0)).toMatchObject({ kind: 'look', what: 'tell', reports: [{ cluster: 'paris', report: { state: 'copied' } }] });
  });

  test('and tells a cluster that could not be told when it claims again, and only that one', () => {
    const joined = acceptClaim(mirrored(), aClaim({ cluster: 'paris' }), t0).state;
    const step = stepAt(joined, t0);
    if (step.kind !== 'look' || step.what !== 'tell') throw new Error(step.kind);
    const lost = noteUnwritten(acceptTold(joined, step.reports), step.reports);
    const again = (cluster: string): KeeperState => acceptClaim(lost, aClaim({ cluster, generation: 2 }), t0 + hours).state;

    expect(stepAt(lost, t0)).toMatchObject({ kind: 'wait' });
    expect(stepAt(again('berlin'), t0 + hours)).toMatchObject({ kind: 'wait' });
    expect(stepAt(again('paris'), t0 + hours)).toMatchObject({ kind: 'look', what: 'tell', reports: [{ cluster: 'paris' }] });
    expect(stepAt(acceptTold(again('paris'), step.reports), t0 + hours)).toMatchObject({ kind: 'wait' });
  });

  test('and tells a cluster whose image wants a taken name', () => {
    const joined = acceptClaim(mirrored(), aClaim({ cluster: 'paris', image: 'quay.io/library/nginx:1.27' as never }), t0).state;

    expect(stepAt(joined, t0)).toMatchObject({ kind: 'look', what: 'tell', reports: [{ cluster: 'paris', report: { state: 'failed', failure: { code: 'conflict' } } }] });
  });
});

describe('when nobody claims a copy any more', () => {
  const unclaimed = acceptRelease(mirrored(), release, t0);

  test('with clean-up, the retention clock runs', () => {
    expect(phaseOf(unclaimed, t0)).toBe('Expiring');
    expect(stepAt(unclaimed, t0)).toMatchObject({ kind: 'wait', reason: 'Renewal' });
    expect(stepAt(unclaimed, t0 + 29 * days)).toMatchObject({ kind: 'wait', reason: 'RetentionEnds', at: t0 + 30 * days });
  });

  test('after the retention its deletion is due, unless this run began under a release that cannot delete', () => {
    const now = t0 + 31 * days;

    expect(stepAt(unclaimed, now)).toMatchObject({ kind: 'task', operation: 'delete', reason: 'RetentionOver' });
    expect(nextStep(unclaimed, now, aRun({ startedAt: now, deletes: false }))).toMatchObject({ kind: 'wait', reason: 'DeletionNotYet' });
  });

  test.each([
    ['without clean-up the copy stays and the keeper ends', acceptRelease(mirrored(aKeeper(aClaim({ cleanup: false }))), release, t0), 'CopyStays'],
    ['what was never copied needs no keeper', acceptRelease(aKeeper(aClaim()), release, t0), 'NeverCopied'],
  ])('%s', (_sentence, state, reason) => {
    expect(stepAt(state, t0)).toEqual({ kind: 'done', reason });
  });

  test('an expired lease starts the clock too, and a renewal stops it', () => {
    const later = t0 + 4 * days;
    const renewed = acceptClaim(mirrored(), aClaim({ renewal: true }), later).state;

    expect(phaseOf(mirrored(), later)).toBe('Expiring');
    expect(phaseOf(renewed, later)).toBe('Mirrored');
  });

  test('a keeper that nobody ever claimed waits a minute for its first claim', () => {
    expect(stepAt(aKeeper(), t0)).toMatchObject({ kind: 'wait', reason: 'FirstClaim' });
    expect(stepAt(aKeeper(), t0 + minutes)).toEqual({ kind: 'done', reason: 'NeverClaimed' });
  });
});

describe('when a keeper renews, of the clusters that released a copy another one claims', () => {
  const paris = (some: Partial<Claim>): Claim => aClaim({ cluster: 'paris', generation: 7, retentionMs: 1 * days, ...some });
  const released = (claim: Claim, some: Partial<Release> = {}): KeeperState => acceptRelease(acceptClaim(mirrored(), claim, t0).state, { v: 1, cluster: 'paris', generation: 8, ...some }, t0);
  const remembers = (state: KeeperState): boolean => compact(acceptClaim(state, aClaim({ generation: 9 }), t0 + 30 * days).state, t0 + 30 * days).claims.some(({ cluster }) => cluster === 'paris');

  test.each<[string, KeeperState, boolean]>([
    ['one that wanted it cleaned up is left behind after its retention', released(paris({ cleanup: true })), false],
    ['one whose retention is not over is remembered', released(paris({ cleanup: true, retentionMs: 60 * days })), true],
    ['one that wanted no clean-up is remembered: its copy was to stay', released(paris({ cleanup: false })), true],
    ['one that gave it up with its rule is left behind', released(paris({ cleanup: false }), { purge: true }), false],
    ['one that a person declared gone is left behind', released(paris({ cleanup: false }), { forget: true }), false],
  ])('%s', (_sentence, state, expected) => {
    expect(remembers(state)).toBe(expected);
  });
});

describe('a keeper renews', () => {
  test.each([
    ['when the server suggests it', mirrored(), t0, { isFull: true }, 'HistoryFull'],
    ['after a week', mirrored(), t0 + 7 * days, {}, 'WeekOver'],
    ['after a week of pause', acceptPause(mirrored(), t0), t0 + 7 * days, {}, 'WeekOver'],
    ['after a quiet day with a long history', { ...mirrored(), lookAt: t0 + 3 * days }, t0 + 25 * hours, { events: 500 }, 'Idle'],
  ])('%s', (_sentence, state, now, run, reason) => {
    expect(nextStep(state, now, aRun(run))).toEqual({ kind: 'renew', reason });
  });

  test('but copies first', () => {
    expect(nextStep(aKeeper(aClaim()), t0, aRun({ isFull: true }))).toMatchObject({ kind: 'task' });
  });
});

test('a run that ends without a word counts as failed', () => {
  const step = stepAt(aKeeper(aClaim()), t0);
  if (step.kind !== 'task' || step.operation !== 'copy') throw new Error(step.kind);
  const ended = acceptEnding(beginCopy(aKeeper(aClaim()), step.task, t0), failed('timeout', { side: 'cluster' }), t0);

  expect(phaseOf(ended, t0)).toBe('Failed');
  expect(stepAt(ended, t0)).toMatchObject({ kind: 'wait', reason: 'SlowRetry' });
});

test('the eight last runs are remembered, so that a repeated word changes nothing', () => {
  const ended = mirrored();

  expect(acceptObserved(ended, { v: 1, runId: 'run-0', kind: 'copy', outcome: failed('missing') }, t0)).toBe(ended);
});
