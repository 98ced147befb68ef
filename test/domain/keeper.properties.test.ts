import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Claim } from '../../src/domain/claim.js';
import { liveClaims } from '../../src/domain/claims.js';
import { failureCodes } from '../../src/domain/failure.js';
import { nextStep } from '../../src/domain/keeper.js';
import type { KeeperState } from '../../src/domain/keeper-state.js';
import { beginDeletion, consentTo } from '../../src/domain/keeper-deletion.js';
import {
  acceptAnswered,
  acceptBlindness,
  acceptClaim,
  acceptDeletionEnding,
  acceptEnding,
  acceptObserved,
  acceptPause,
  acceptRelease,
  acceptResume,
  acceptResync,
  acceptRetry,
  acceptSight,
  acceptTold,
  beginCopy,
  compact,
  nameRun,
} from '../../src/domain/keeper-messages.js';
import { blockReasons, type DeletionOutcome, type FailedOutcome, type Outcome, type Release } from '../../src/domain/task.js';
import { aClaim, aKeeper, aRun, copied, days, digestOf, failed, hours, t0 } from '../support/keeper.js';

const cluster = fc.constantFrom('berlin', 'paris', 'rome');
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constantFrom(copied(), copied({ digest: digestOf('b') })),
  fc.record({ code: fc.constantFrom(...failureCodes), side: fc.constantFrom('source', 'destination', 'cluster') }).map(({ code, side }) => failed(code, { side })),
);
type Deletion = DeletionOutcome | FailedOutcome;

const deletion: fc.Arbitrary<Deletion> = fc.oneof(
  fc.constantFrom<Deletion>({ v: 1, result: 'deleted', digest: digestOf('a') }, { v: 1, result: 'absent', digest: digestOf('a') }),
  fc.constantFrom(...blockReasons).map((reason): Deletion => ({ v: 1, result: 'blocked', block: { reason, message: reason } })),
  fc.constantFrom(...failureCodes).map((code): Deletion => failed(code)),
);
const sight = fc.record({ digest: fc.constantFrom(digestOf('a'), digestOf('b'), 'missing' as const), origin: fc.option(fc.constantFrom(digestOf('a'), digestOf('c'), 'missing' as const), { nil: undefined }) });
const settings = fc.record({
  cleanup: fc.boolean(),
  drift: fc.constantFrom('keep', 'warn', 'sync'),
  copy: fc.constantFrom('auto', 'all'),
  retentionMs: fc.constantFrom(0, days, 30 * days),
  shared: fc.boolean(),
  connected: fc.boolean(),
  ttlMs: fc.constantFrom(hours, 3 * days),
});

type Happening = (state: KeeperState, now: number) => KeeperState;

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.tuple(cluster, fc.nat(20), settings).map(([name, generation, some]): Happening => (state, now) => acceptClaim(state, aClaim({ cluster: name, generation, ...some }), now).state),
  fc.tuple(cluster, fc.nat(20)).map(([name, generation]): Happening => (state, now) => acceptRelease(state, { v: 1, cluster: name, generation }, now)),
  fc.tuple(fc.stringMatching(/^[a-d]$/), outcome).map(([runId, told]): Happening => (state, now) => acceptObserved(state, { v: 1, runId, kind: 'copy', outcome: told }, now)),
  fc.tuple(fc.stringMatching(/^[a-d]$/), deletion).map(([runId, told]): Happening => (state, now) => acceptObserved(state, { v: 1, runId, kind: 'delete', outcome: told }, now)),
  fc.constantFrom(digestOf('a'), digestOf('b')).map((digest): Happening => (state, now) => acceptObserved(state, { v: 1, runId: 'asks', kind: 'delete', asking: true, digest }, now)),
  cluster.map((name): Happening => (state, now) => acceptRelease(state, { v: 1, cluster: name, generation: 0, forget: true }, now)),
  fc.constantFrom<Happening>(acceptRetry, acceptResync, acceptPause, acceptResume, (state, now) => compact(state, now)),
);

/** Lets a keeper perform what it decides, as the shell would, with the world answering as it likes. */
function perform(state: KeeperState, now: number, world: { readonly outcome: Outcome; readonly deletion: Deletion; readonly sight: ReturnType<typeof sight.generate>['value']; readonly loses: boolean; readonly runId: string }): KeeperState {
  const step = nextStep(state, now, aRun({ startedAt: now }));
  if (step.kind === 'look') return step.what === 'tell' ? acceptTold(state, step.reports) : world.loses ? acceptBlindness(state, now) : acceptSight(state, world.sight, now);
  if (step.kind === 'answer') return acceptAnswered(state);
  if (step.kind !== 'task') return state;
  if (step.operation === 'delete') {
    const running = nameRun(beginDeletion(state, step.task, now), world.runId);
    return world.loses ? acceptDeletionEnding(running, world.deletion, now) : acceptObserved(running, { v: 1, runId: world.runId, kind: 'delete', outcome: world.deletion }, now);
  }
  const running = nameRun(beginCopy(state, step.task, now), world.runId);
  const told = { ...world.outcome, plan: step.task.plan };
  return world.loses ? acceptEnding(running, told, now) : acceptObserved(running, { v: 1, runId: world.runId, kind: 'copy', outcome: told }, now);
}

const world = fc.record({ outcome, deletion, sight, loses: fc.boolean(), runId: fc.uuid() });
const moment = fc.record({ happens: fc.option(happening, { nil: undefined }), after: fc.integer({ min: 0, max: 2 * days }), world });
const life = fc.array(moment, { maxLength: 40 });

/** In the end everybody gives the copy up, and days pass, in which this and that may happen. */
const givenUp = fc
  .tuple(life, fc.tuple(world, world, world), fc.array(fc.record({ happens: fc.option(happening, { nil: undefined, freq: 1 }), after: fc.integer({ min: 0, max: 20 * days }), world }), { minLength: 2, maxLength: 10 }))
  .map(([before, worlds, afterwards]) => [...before, ...['berlin', 'paris', 'rome'].map((name, index) => ({ happens: releaseOf(name), after: 0, world: worlds[index]! })), ...afterwards]);

function releaseOf(name: string): Happening {
  return (state, now) => acceptRelease(state, { v: 1, cluster: name, generation: 1_000 }, now);
}

function live(through: (state: KeeperState, now: number) => void, moments: ReadonlyArray<{ readonly happens?: Happening; readonly after: number; readonly world: Parameters<typeof perform>[2] }>): void {
  let state = aKeeper(aClaim());
  let now = t0;
  for (const moment of moments) {
    now += moment.after;
    state = moment.happens === undefined ? state : moment.happens(state, now);
    through(state, now);
    state = perform(state, now, moment.world);
    through(state, now);
  }
}

test('a keeper never ends while a claim lives', () => {
  fc.assert(
    fc.property(life, (moments) => {
      live((state, now) => {
        const step = nextStep(state, now, aRun({ startedAt: now }));
        if (step.kind === 'done') expect(liveClaims(state.claims, now)).toEqual([]);
      }, moments);
    }),
  );
});

test('a failed copy that is still claimed always has a next time, within six hours', () => {
  fc.assert(
    fc.property(life, (moments) => {
      live((state, now) => {
        if (state.failure === undefined) return;
        expect(state.failure.nextAt).toBeLessThanOrEqual(now + 6 * hours);
        const step = nextStep(state, now, aRun({ startedAt: now }));
        if (step.kind === 'wait' && !state.paused && liveClaims(state.claims, now).length > 0) expect(step.at).toBeGreaterThan(now);
      }, moments);
    }),
  );
});

test('what a keeper waits for is never in the past, and never for ever', () => {
  fc.assert(
    fc.property(life, (moments) => {
      live((state, now) => {
        const step = nextStep(state, now, aRun({ startedAt: now }));
        if (step.kind !== 'wait') return;
        expect(step.ms).toBeGreaterThanOrEqual(1);
        expect(step.ms).toBeLessThanOrEqual(7 * days);
      }, moments);
    }),
  );
});

test('a deletion is only ever due, or agreed to, when nobody claims the copy, everybody cleans up, and retention is over', () => {
  const reached = { due: 0, agreed: 0 };
  fc.assert(
    fc.property(fc.oneof(life, givenUp), (moments) => {
      live((state, now) => {
        const step = nextStep(state, now, aRun({ startedAt: now }));
        const consent = consentTo({ v: 1, runId: 'asks', kind: 'delete', asking: true, digest: digestOf('a') }, state, now);
        const isDue = step.kind === 'task' && step.operation === 'delete';
        if (isDue) reached.due += 1;
        if (consent.refused === undefined) reached.agreed += 1;
        if (!isDue && consent.refused !== undefined) return;

        expect(liveClaims(state.claims, now)).toEqual([]);
        const known = state.claims.flatMap(({ claim, releasedAt, expiresAt }) => (claim === undefined ? [] : [{ claim, endedAt: Math.min(releasedAt ?? expiresAt, expiresAt) }]));
        expect(known.length).toBeGreaterThan(0);
        expect(known.every(({ claim }) => claim.cleanup && (!claim.shared || claim.connected === true))).toBe(true);
        for (const { claim } of known) expect(now - Math.max(...known.map(({ endedAt }) => endedAt))).toBeGreaterThanOrEqual(claim.retentionMs);
        if (known.some(({ claim }) => claim.shared)) expect(now - state.bornAt).toBeGreaterThanOrEqual(2 * days);
        expect(state.copy).toBeDefined();
        expect(state.paused).toBe(false);
      }, moments);
    }),
    { numRuns: 500 },
  );
  // or it would say nothing: both are reached again and again
  expect(reached.due).toBeGreaterThan(50);
  expect(reached.agreed).toBeGreaterThan(50);
});

test('after a deletion that ended without a word nothing starts until its requests are over', () => {
  fc.assert(
    fc.property(life, (moments) => {
      let fencedUntil = 0;
      live((state, now) => {
        if (now < fencedUntil) expect(nextStep(state, now, aRun({ startedAt: now })).kind).not.toBe('task');
        fencedUntil = Math.max(fencedUntil, state.fencedUntil ?? 0);
      }, moments);
    }),
  );
});

test('nothing starts while a keeper is paused', () => {
  fc.assert(
    fc.property(life, (moments) => {
      live((state, now) => {
        if (state.paused) expect(['wait', 'renew', 'answer']).toContain(nextStep(state, now, aRun({ startedAt: now })).kind);
      }, moments);
    }),
  );
});

test('the state survives being written as JSON and read again', () => {
  fc.assert(
    fc.property(life, (moments) => {
      live((state, now) => {
        const read = JSON.parse(JSON.stringify(state)) as KeeperState;
        expect(nextStep(read, now, aRun({ startedAt: now }))).toEqual(nextStep(state, now, aRun({ startedAt: now })));
      }, moments);
    }),
  );
});

type Message = { readonly claim: Claim } | { readonly release: Release };

/** What one cluster after another says, each message with a generation of its own. */
const messages: fc.Arbitrary<Message[]> = fc
  .array(fc.tuple(cluster, fc.boolean(), settings), { maxLength: 12 })
  .map((all) => all.map(([name, releases, some], index) => (releases ? { release: { v: 1, cluster: name, generation: index } } : { claim: aClaim({ cluster: name, generation: index, ...some }) })));

const hear = (state: KeeperState, message: Message): KeeperState => ('claim' in message ? acceptClaim(state, message.claim, t0).state : acceptRelease(state, message.release, t0));

test('claims and releases that come twice or in another order change nothing', () => {
  fc.assert(
    fc.property(
      messages.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length }))),
      ([inOrder, shuffled]) => {
        expect(shuffled.reduce(hear, aKeeper()).claims).toEqual(inOrder.reduce(hear, aKeeper()).claims);
      },
    ),
  );
});
