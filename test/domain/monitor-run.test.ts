import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isMonitorSettings, readCheckNow } from '../../src/domain/monitor-door.js';
import {
  acceptCheckNow,
  acceptChecks,
  acceptChecksFailure,
  acceptMonitorPause,
  acceptSettings,
  nextMonitorStep,
  reviveMonitor,
  type ChecksReport,
  type MonitorState,
} from '../../src/domain/monitor-run.js';
import { monitorStatusOf, monitorStoryOf, monitorSummary } from '../../src/domain/monitor-story.js';

const t0 = Date.parse('2026-11-20T12:00:00Z');
const minutes = 60_000;
const hour = 60 * minutes;
const settings = { v: 1, intervalMs: hour, maxPerInterval: 6 } as const;
const run = { startedAt: t0, isFull: false };
const report = (rest: Partial<ChecksReport> = {}): ChecksReport => ({ v: 1, places: 212, checked: 1, counts: { Available: 200, NotFound: 12 }, nextDelayMs: 10 * minutes, ...rest });
const born = (): MonitorState => reviveMonitor({ v: 1, cluster: 'berlin', registry: 'docker.io', searchable: true }, t0);
const configured = (): MonitorState => acceptSettings(born(), settings, t0);
const every = (intervalMs: number): MonitorState => acceptSettings(born(), { v: 1, intervalMs, maxPerInterval: 1 }, t0);
const checkedOnce = (rest: Partial<ChecksReport> = {}): MonitorState => acceptChecks(configured(), report(rest), undefined, t0);
const emptyTwice = (): MonitorState => acceptChecks(checkedOnce({ places: 0 }), report({ places: 0 }), undefined, t0);
const failure = { code: 'unreachable', side: 'cluster', message: 'no connection to the api server' } as const;
const asking = (image: string): MonitorState => acceptCheckNow(checkedOnce({ nextDelayMs: 12 * hour }), image);
const step = (state: MonitorState, now = t0) => nextMonitorStep(state, now, run);

function many(count: number): MonitorState {
  let state = checkedOnce();
  for (let image = 0; image < count; image++) state = acceptCheckNow(state, `image-${image}`);
  return state;
}

function batchOf(state: MonitorState): readonly string[] | undefined {
  const planned = step(state);
  return planned.kind === 'check' ? planned.task.asked : undefined;
}

describe('a monitor', () => {
  test.each<[string, MonitorState, number, string]>([
    ['waits until it is told its pace', born(), t0, 'wait NotConfigured'],
    ['checks at once when it is told', configured(), t0, 'check Turn'],
    ['waits for the next turn', checkedOnce(), t0, 'wait Turn'],
    ['checks when it has come', checkedOnce(), t0 + 10 * minutes, 'check Turn'],
    ['leaves a registry alone that asked for it', checkedOnce({ throttled: true, nextDelayMs: hour }), t0 + 10 * minutes, 'wait Throttled'],
    ['looks again after a minute when nothing was left to check: who looked may be late', checkedOnce({ places: 0, nextDelayMs: 0 }), t0 + minutes - 1, 'wait Turn'],
    ['which it then does', checkedOnce({ places: 0, nextDelayMs: 0 }), t0 + minutes, 'check Turn'],
    ['ends when nothing is left to check a second time', emptyTwice(), t0, 'done NothingToCheck'],
    ['goes on when there was something after all', acceptChecks(checkedOnce({ places: 0 }), report(), undefined, t0), t0 + 10 * minutes, 'check Turn'],
    ['goes on when it is told again that there is something', acceptSettings(emptyTwice(), settings, t0), t0 + 10 * minutes, 'check Turn'],
    ['does nothing while it is paused, not even end', acceptMonitorPause(emptyTwice(), true), t0 + hour, 'wait Paused'],
    ['goes on when it is resumed', acceptMonitorPause(acceptMonitorPause(configured(), true), false), t0, 'check Turn'],
    ['checks out of turn when somebody asks', acceptCheckNow(checkedOnce(), 'docker.io/library/nginx:1.27'), t0, 'check Asked'],
    ['tries again a minute after nobody could look', acceptChecksFailure(every(minutes), failure, undefined, t0), t0 + minutes - 1, 'wait Failed'],
    ['which it then does', acceptChecksFailure(every(minutes), failure, undefined, t0), t0 + minutes, 'check Turn'],
    ['but no sooner than a tick: what was asked before is not known', acceptChecksFailure(configured(), failure, undefined, t0), t0 + 10 * minutes - 1, 'wait Failed'],
    ['begins a new history after a week', checkedOnce(), t0 + 7 * 24 * hour, 'renew WeekOver'],
  ])('%s', (_sentence, state, now, expected) => {
    const { kind, reason } = step(state, now);

    expect(`${kind} ${reason}`).toBe(expected);
  });

  test('begins a new history when the server suggests it, paused or not', () => {
    expect(nextMonitorStep(acceptMonitorPause(configured(), true), t0, { ...run, isFull: true })).toEqual({ kind: 'renew', reason: 'HistoryFull' });
  });

  test('hands what somebody asked for to whoever checks, each once, and forgets it when that is done', () => {
    const asked = acceptCheckNow(acceptCheckNow(acceptCheckNow(checkedOnce(), 'a'), 'b'), 'a');
    const planned = step(asked);
    const meanwhile = acceptCheckNow(asked, 'c');

    expect(planned).toMatchObject({ task: { registry: 'docker.io', intervalMs: hour, maxPerInterval: 6, asked: ['a', 'b'] } });
    expect(acceptChecks(meanwhile, report(), asked.asked, t0).asked).toEqual(['c']);
  });

  test('whoever asked without a name, while checks were made on nobody\'s behalf, gets another check', () => {
    const meanwhile = acceptCheckNow(configured(), undefined);

    expect(step(acceptChecks(meanwhile, report(), undefined, t0))).toMatchObject({ kind: 'check', reason: 'Asked', task: { asked: [] } });
  });

  test('nobody could look: what was asked for stays, the first of it last, and is tried a minute later', () => {
    const asked = many(25);
    const failed = acceptChecksFailure(asked, failure, batchOf(asked), t0);

    expect(failed.asked).toEqual([...asked.asked!.slice(1), 'image-0']);
    expect(step(failed)).toMatchObject({ kind: 'wait', reason: 'Failed', ms: minutes });
    expect(nextMonitorStep(failed, t0 + minutes, run)).toMatchObject({ kind: 'check', reason: 'Asked', task: { asked: failed.asked!.slice(0, 20) } });
  });

  test('what cannot be made is tried less and less often, at least once an hour, until it is made', () => {
    const tries: number[] = [];
    let state = asking('a');
    for (let now = t0; now <= t0 + 4 * hour; ) {
      const next = nextMonitorStep(state, now, run);
      if (next.kind === 'wait') now += next.ms;
      else if (next.kind === 'check' && next.task.asked !== undefined) {
        tries.push((now - t0) / minutes);
        state = acceptChecksFailure(state, failure, next.task.asked, now);
      } else state = acceptChecks(state, report(), undefined, now);
    }

    expect(tries).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    expect(acceptChecks(state, report(), ['a'], t0)).not.toHaveProperty('asked');
  });

  test('what cannot be made keeps nothing else from its turn, however fast turns come', () => {
    let state = acceptCheckNow(every(1_000), 'a');
    let turns = 0;
    for (let now = t0; now <= t0 + hour; ) {
      const next = nextMonitorStep(state, now, run);
      if (next.kind === 'wait') now += next.ms;
      else if (next.kind === 'check' && next.task.asked !== undefined) state = acceptChecksFailure(state, failure, next.task.asked, now);
      else {
        turns += 1;
        now += minutes; // a go of a minute
        state = acceptChecks(state, report({ nextDelayMs: 0 }), undefined, now);
      }
    }

    expect(turns).toBeGreaterThan(45);
    expect(state.asked).toEqual(['a']);
  });

  test('while nobody can do anything, turns tell when somebody can: what was asked for is tried then, and not beside them', () => {
    let state = acceptCheckNow(every(1_000), 'a');
    const tries: string[] = [];
    let now = t0;
    for (; now <= t0 + 20 * minutes; ) {
      const next = nextMonitorStep(state, now, run);
      if (next.kind === 'wait') now += next.ms;
      else if (next.kind === 'check') {
        tries.push(`${(now - t0) / minutes} ${next.task.asked === undefined ? 'Turn' : 'Asked'}`);
        state = acceptChecksFailure(state, failure, next.task.asked, now);
      }
    }

    expect(tries).toEqual(['0 Asked', '1 Turn', '3 Turn', '7 Turn', '15 Turn']);
    expect(nextMonitorStep(acceptChecks(state, report(), undefined, now), now + hour, run)).toMatchObject({ kind: 'check', task: { asked: ['a'] } });
  });

  test('who asks for more has it tried at once, before what could not be made', () => {
    const failed = acceptChecksFailure(asking('a'), failure, ['a'], t0);
    const more = acceptCheckNow(failed, 'b');
    const again = acceptChecksFailure(more, failure, ['a', 'b'], t0);

    expect(step(more)).toMatchObject({ kind: 'check', reason: 'Asked', task: { asked: ['a', 'b'] } });
    expect(nextMonitorStep(again, t0 + 2 * minutes, run)).toMatchObject({ kind: 'check', task: { asked: ['b', 'a'] } });
  });

  test('what somebody asks for in the middle of a turn that comes to nothing is tried at once, and stays', () => {
    const meanwhile = acceptChecksFailure(acceptCheckNow(configured(), 'a'), failure, undefined, t0);

    expect(step(meanwhile)).toMatchObject({ kind: 'check', reason: 'Asked', task: { asked: ['a'] } });
    expect(step(acceptChecksFailure(meanwhile, failure, ['a'], t0))).toMatchObject({ kind: 'wait', reason: 'Failed' });
  });

  test('a wish that names nothing stays, too', () => {
    const asked = acceptCheckNow(checkedOnce(), undefined);
    const failed = acceptChecksFailure(asked, failure, asked.asked, t0);

    expect(nextMonitorStep(failed, t0 + minutes, run)).toMatchObject({ kind: 'check', reason: 'Asked', task: { asked: [] } });
  });

  test('of earlier releases forgets what could not be made, all of it where there was more', () => {
    const before = { keepsWishes: false };

    expect(acceptChecksFailure(asking('a'), failure, ['a'], t0, before)).not.toHaveProperty('asked');
    expect(acceptChecksFailure(many(25), failure, batchOf(many(25)), t0, before)).not.toHaveProperty('asked');
  });

  test('a faster pace counts at once, and not before the registry wants to hear of us again', () => {
    const fast = { ...settings, maxPerInterval: 60 };

    expect(acceptSettings(checkedOnce(), fast, t0).dueAt).toBe(t0 + minutes);
    expect(acceptSettings(checkedOnce({ throttled: true, nextDelayMs: hour }), fast, t0).dueAt).toBe(t0 + hour);
  });

  test.each<[string, Partial<ChecksReport>, number]>([
    ['a faster pace that comes in the middle of checks counts from their end', {}, minutes],
    ['also when it was not their turn', { checked: 0 }, minutes],
    ['but not before the registry wants to hear of us again', { throttled: true }, 10 * minutes],
  ])('%s', (_sentence, rest, expected) => {
    const planned = step(configured());
    const meanwhile = acceptSettings(configured(), { ...settings, maxPerInterval: 60 }, t0);

    const state = acceptChecks(meanwhile, report(rest), undefined, t0, { madeAt: planned.kind === 'check' ? planned.task : undefined });

    expect(state.dueAt - t0).toBe(expected);
  });

  test('a slower pace that comes in the middle of checks is minded by who looks next', () => {
    const meanwhile = acceptSettings(configured(), { ...settings, maxPerInterval: 1 }, t0);

    expect(acceptChecks(meanwhile, report(), undefined, t0, { madeAt: settings }).dueAt - t0).toBe(10 * minutes);
  });

  test('waits longer after each failure in a row, an hour at most, and heals', () => {
    let state = every(minutes);
    const waits = [1, 2, 3, 4, 5, 6, 7, 8].map(() => (state = acceptChecksFailure(state, failure, undefined, t0)).dueAt - t0);

    expect(waits.map((ms) => ms / minutes)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(acceptChecks(state, report(), undefined, t0).failure).toBeUndefined();
  });

  test('has many that somebody asked for checked a few at a time, until all are', () => {
    let state = many(45);

    const goes: number[] = [];
    for (let next = step(state); next.kind === 'check'; next = step(state)) {
      goes.push(next.task.asked?.length ?? 0);
      state = acceptChecks(state, report(), next.task.asked, t0);
    }

    expect(goes).toEqual([20, 20, 5]);
  });

  test('forgets what was asked for when the registry wants to be left alone: all of it has its turn later', () => {
    const state = many(45);

    expect(acceptChecks(state, report({ throttled: true }), state.asked?.slice(0, 20), t0).asked).toBeUndefined();
  });

  test('keeps of what somebody asked for what the go did not come to, since its worker ended, and has it checked at once', () => {
    let state = many(25);

    state = acceptChecks(state, report({ checked: 3 }), state.asked?.slice(0, 20), t0, { unmade: 17 });

    expect(state.asked).toEqual(Array.from({ length: 22 }, (_, index) => `image-${index + 3}`));
    expect(step(state)).toMatchObject({ kind: 'check', reason: 'Asked', task: { asked: state.asked?.slice(0, 20) } });
  });

  test.each([
    ['named', 'a'],
    ['that named nothing', undefined],
  ])('keeps a wish %s that got no turn, and tries again a few seconds later', (_sentence, image) => {
    const asked = acceptCheckNow(checkedOnce(), image);

    const state = acceptChecks(asked, report({ checked: 0 }), asked.asked, t0, { unmade: 1 });

    expect(step(state)).toMatchObject({ kind: 'wait', reason: 'Turn', ms: 10_000 });
    expect(nextMonitorStep(state, t0 + 10_000, run)).toMatchObject({ kind: 'check', reason: 'Asked', task: { asked: asked.asked } });
    expect(step(acceptCheckNow(state, 'b'))).toMatchObject({ kind: 'check', reason: 'Asked' });
    expect(step(acceptMonitorPause(state, true))).toMatchObject({ kind: 'wait', reason: 'Paused' });
  });

  test('a wish that waits has its check with the next turn, where that comes sooner', () => {
    const asked = acceptCheckNow(checkedOnce(), 'a');

    const state = acceptChecks(asked, report({ checked: 0, nextDelayMs: 1_000 }), asked.asked, t0, { unmade: 1 });

    expect(step(state)).toMatchObject({ kind: 'wait', ms: 1_000 });
    expect(nextMonitorStep(state, t0 + 1_000, run)).toMatchObject({ kind: 'check', task: { asked: ['a'] } });
  });

  test('holds no more of what people ask than a state may', () => {
    let state = checkedOnce();
    for (let index = 0; index < 5000; index++) state = acceptCheckNow(state, `${'x'.repeat(1000)}-${index}`);

    expect(JSON.stringify(state).length).toBeLessThan(2_000_000);
  });

  test('whatever comes in whatever order: never stuck, never earlier than the registry asked', () => {
    const happening = fc.oneof(
      fc.constant((state: MonitorState, now: number) => acceptSettings(state, settings, now)),
      fc.constant((state: MonitorState) => acceptCheckNow(state, 'a')),
      fc.boolean().map((paused) => (state: MonitorState) => acceptMonitorPause(state, paused)),
      fc
        .record({ places: fc.nat(3), checked: fc.nat(1), nextDelayMs: fc.nat(hour), throttled: fc.constantFrom(undefined, true as const), unmade: fc.constantFrom(undefined, 1) })
        .map(({ unmade, ...rest }) => (state: MonitorState, now: number) => acceptChecks(state, report(rest), state.asked, now, { unmade })),
      fc.constant((state: MonitorState, now: number) => acceptChecksFailure(state, failure, state.asked, now)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(happening, fc.nat(hour)), { maxLength: 40 }), (happenings) => {
        let state = born();
        let now = t0;
        for (const [happen, laterMs] of happenings) {
          state = JSON.parse(JSON.stringify(happen(state, now))) as MonitorState; // as it crosses continue-as-new
          now += laterMs;
          const next = nextMonitorStep(state, now, { startedAt: now, isFull: false });
          if (next.kind === 'wait') expect(next.ms).toBeGreaterThan(0);
          if (next.kind === 'check' && next.reason === 'Turn') expect(state.dueAt).toBeLessThanOrEqual(now);
          if (state.paused) expect(next.kind).toBe('wait');
        }
      }),
    );
  });
});

describe('what people read of it', () => {
  test.each<[string, MonitorState, readonly string[]]>([
    ['before the first check', born(), ['nothing checked yet', 'waits for the manager']],
    ['between two checks', checkedOnce(), ['**docker.io**: 212 places, one check every 10m, each once in 35h20m', '200 Available, 12 NotFound', 'next check at 2026-11-20T12:10:00.000Z']],
    ['while the registry wants to be left alone', checkedOnce({ throttled: true }), ['the registry asked to be left alone']],
    ['while it is paused', acceptMonitorPause(checkedOnce(), true), ['paused until somebody sends `resume`']],
    ['when nobody could look', acceptChecksFailure(configured(), failure, undefined, t0), ['failed 1 times: unreachable (cluster): no connection to the api server']],
  ])('%s', (_sentence, state, lines) => {
    const story = monitorStoryOf(monitorStatusOf(state, step(state)));

    for (const line of lines) expect(story).toContain(line);
  });

  test('its line in a list says the pace', () => {
    expect(monitorSummary('docker.io', settings)).toBe('checks images on docker.io, one every 10m');
  });
});

describe('what comes by signal', () => {
  test.each([
    [settings, true],
    [{ ...settings, more: 'of a later release' }, true],
    [{ ...settings, intervalMs: 0 }, false],
    [{ ...settings, intervalMs: 1e99 }, false],
    [{ ...settings, maxPerInterval: 0.5 }, false],
    [{ ...settings, intervalMs: '1h' }, false],
    [{ ...settings, v: 2 }, false],
    [undefined, false],
    ['1h', false],
  ])('%j reads as a pace: %s', (payload, expected) => {
    expect(isMonitorSettings(payload)).toBe(expected);
  });

  test.each([
    [undefined, {}],
    [{}, {}],
    [{ image: 'docker.io/library/nginx:1.27' }, { image: 'docker.io/library/nginx:1.27' }],
    [{ image: 7 }, false],
    [{ image: 'a'.repeat(2000) }, false],
    ['nginx', false],
  ])('%j reads as a wish to check: %j', (payload, expected) => {
    expect(readCheckNow(payload)).toEqual(expected);
  });
});
