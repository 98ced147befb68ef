/**
 * The monitor of one registry: everything it remembers, and what it does next. Which images there are, and which of
 * them is due, is looked up at every turn by whoever checks: nothing of that is remembered here.
 *
 * 1. renew, when the history has grown or a week has passed;
 * 2. wait, while it is paused, or was not told its pace yet;
 * 3. check what somebody asked for now; where that could not be done before, not while it is the registry's turn after a
 *    failure: a turn tells whether anything can be done again, and what cannot be done keeps nothing else from its turn;
 * 4. done, when nothing was left to check, twice in a row: who looked may have been the last to hear of it;
 * 5. check, when it is the registry's turn; else wait for it.
 */
import type { AvailabilityState } from './availability.js';
import { tickMs, type Pace } from './check-pace.js';
import type { FailureInfo } from './failure.js';

/** What a monitor starts with. */
export interface MonitorBirth {
  readonly v: 1;
  readonly cluster: string;
  /** `host[:port]` */
  readonly registry: string;
  /** the server knows our search attributes */
  readonly searchable: boolean;
  /** scale of fixed delays: 1, or less in tests; checks keep the pace they are given */
  readonly pace?: number;
}

/** What the manager tells a monitor, whole, each time. */
export interface MonitorSettings extends Pace {
  readonly v: 1;
}

/** What a monitor remembers; small, and without any image beside those that somebody asked for. Times are milliseconds since the epoch. */
export interface MonitorState extends MonitorBirth {
  readonly settings?: MonitorSettings;
  readonly paused: boolean;
  /** texts of images that somebody wants checked now; none: whichever is next */
  readonly asked?: readonly string[];
  /** not before, beside its turn: nobody came to anything of `asked`, or nobody could */
  readonly askedAt?: number;
  /** how often in a row nobody could do what was asked for; absent after something was */
  readonly askedFailures?: number;
  /** not before: it is another's turn, or the registry asked to be left alone */
  readonly dueAt: number;
  readonly waitsFor: 'Turn' | 'Throttled' | 'Failed';
  readonly last?: ChecksReport & { readonly at: number };
  /** how often in a row nothing was left to check */
  readonly empty?: number;
  readonly failure?: FailureInfo & { readonly attempts: number };
}

/** What checks tell; numbers only, since it stands in a history. */
export interface ChecksReport {
  readonly v: 1;
  /** places of the registry that are to be checked, now or once a record speaks of them */
  readonly places: number;
  /** turns until each of them has had one; what is in use and fails has several */
  readonly turns?: number;
  readonly checked: number;
  /** places by what is known of them now */
  readonly counts: Counts;
  /** milliseconds until the next check may begin, from the end of this one */
  readonly nextDelayMs: number;
  /** the registry asked for that delay: for its quota, or because it serves nobody */
  readonly throttled?: true;
  /** so many of those that were asked for, the last ones, had no check: who makes them stopped working, or had no turn. 1 where nothing was named */
  readonly unmade?: number;
}

export type Counts = Readonly<Partial<Record<AvailabilityState, number>>>;

export function countStates(states: Iterable<AvailabilityState>): Counts {
  const counts: Partial<Record<AvailabilityState, number>> = {};
  for (const state of states) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** What is asked of the activity. */
export interface ChecksTask extends Pace {
  readonly v: 1;
  readonly registry: string;
  /** texts of images that are checked first, out of turn and in this order; none: whichever is next */
  readonly asked?: readonly string[];
}

export type MonitorStep =
  | { readonly kind: 'check'; readonly task: ChecksTask; readonly reason: 'Turn' | 'Asked' }
  | { readonly kind: 'wait'; readonly at: number; readonly ms: number; readonly reason: WaitReason }
  | { readonly kind: 'renew'; readonly reason: 'HistoryFull' | 'WeekOver' }
  | { readonly kind: 'done'; readonly reason: 'NothingToCheck' };

type WaitReason = MonitorState['waitsFor'] | 'Paused' | 'NotConfigured';

/** What a run knows of itself. */
export interface MonitorRunFacts {
  /** milliseconds since the epoch */
  readonly startedAt: number;
  /** the server suggests to continue as new */
  readonly isFull: boolean;
}

const weekMs = 7 * 24 * 60 * 60_000;
const mostAsked = 1000; // an outage of a registry, all of it asked for at once: some 100 kB of a state that may hold 2 MB
const mostAskedAtOnce = 20; // a go that nobody waits for too long, and that no task grows by
const unmadeRestMs = 10_000; // checks of a cold start have all turns: a go in ten seconds, and no history full of them
const emptyTwice = 2;
const firstRestMs = 60_000;
const longestRestMs = 60 * 60_000;

export function reviveMonitor(input: MonitorBirth | MonitorState, now: number): MonitorState {
  return 'dueAt' in input ? input : { ...input, paused: false, dueAt: now, waitsFor: 'Turn' };
}

export function nextMonitorStep(state: MonitorState, now: number, run: MonitorRunFacts): MonitorStep {
  const { settings, paused, asked, askedAt = 0, askedFailures, empty = 0 } = state;
  const weekOver = run.startedAt + weekMs * (state.pace ?? 1);
  if (run.isFull) return { kind: 'renew', reason: 'HistoryFull' };
  if (weekOver <= now) return { kind: 'renew', reason: 'WeekOver' };
  const wait = (reason: WaitReason, at: number): MonitorStep => ({ kind: 'wait', at, ms: Math.max(1, Math.min(at, weekOver) - now), reason });
  if (paused) return wait('Paused', weekOver);
  if (settings === undefined) return wait('NotConfigured', weekOver);
  const isTurn = state.dueAt <= now;
  const tellsTurn = isTurn && state.failure !== undefined && askedFailures !== undefined;
  if (asked !== undefined && askedAt <= now && !tellsTurn) return { kind: 'check', task: taskOf(state, settings, asked), reason: 'Asked' };
  if (asked === undefined && empty >= emptyTwice) return { kind: 'done', reason: 'NothingToCheck' };
  if (isTurn) return { kind: 'check', task: taskOf(state, settings, askedFailures === undefined ? asked : undefined), reason: 'Turn' };
  return wait(state.waitsFor, asked === undefined ? state.dueAt : Math.min(state.dueAt, askedAt));
}

function taskOf({ registry }: MonitorState, { intervalMs, maxPerInterval }: MonitorSettings, asked: MonitorState['asked']): ChecksTask {
  return { v: 1, registry, intervalMs, maxPerInterval, ...(asked === undefined ? {} : { asked: asked.slice(0, mostAskedAtOnce) }) };
}

/** A faster pace counts at once, unless the registry asked to be left alone. What was nothing to check may be something now. */
export function acceptSettings(state: MonitorState, settings: MonitorSettings, now: number): MonitorState {
  const dueAt = state.waitsFor === 'Turn' ? Math.min(state.dueAt, now + tickMs(settings)) : state.dueAt;
  return { ...state, settings, dueAt, empty: undefined };
}

/** Tried at once, whatever failed before. @param image whatever somebody wrote; who checks finds out whether it is tracked */
export function acceptCheckNow(state: MonitorState, image: string | undefined): MonitorState {
  const asked = new Set([...(state.asked ?? []), ...(image === undefined ? [] : [image])]);
  return { ...state, asked: [...asked].slice(0, mostAsked), askedAt: undefined, askedFailures: undefined };
}

export function acceptMonitorPause(state: MonitorState, paused: boolean): MonitorState {
  return { ...state, paused };
}

/**
 * @param asked what the checks were asked for: the rest, and what came meanwhile, stays for the next go, unless the
 *   registry wants to be left alone. Then all of it has its turn later
 * @param options `madeAt`: their pace, where another one was told meanwhile; `unmade`: how many of `asked`, the last
 *   ones, had no check. They stay, and where nothing had any they wait a few seconds
 */
export function acceptChecks(state: MonitorState, report: ChecksReport, asked: MonitorState['asked'], now: number, { madeAt, unmade = 0 }: { readonly madeAt?: Pace; readonly unmade?: number } = {}): MonitorState {
  const isThrottled = report.throttled === true;
  const empty = report.places === 0 ? (state.empty ?? 0) + 1 : undefined;
  const restMs = empty === undefined ? 0 : firstRestMs * (state.pace ?? 1);
  const delayMs = isThrottled ? report.nextDelayMs : atNewPace(report.nextDelayMs, state.settings, madeAt);
  const wishes = asked === undefined && state.askedFailures !== undefined ? state : afterWishes(state, report, unmade, now);
  return {
    ...withoutAsked(wishes, isThrottled ? state.asked : madeOf(asked, unmade)),
    failure: undefined,
    empty,
    last: { ...report, at: now },
    dueAt: now + Math.max(delayMs, restMs),
    waitsFor: isThrottled ? 'Throttled' : 'Turn',
  };
}

function afterWishes(state: MonitorState, { checked }: ChecksReport, unmade: number, now: number): MonitorState {
  return { ...state, askedAt: unmade > 0 && checked === 0 ? now + unmadeRestMs * (state.pace ?? 1) : undefined, askedFailures: undefined };
}

/** What is done of those that were asked for; undefined where one that named nothing stays. */
function madeOf(asked: MonitorState['asked'], unmade: number): MonitorState['asked'] {
  return asked?.length === 0 && unmade > 0 ? undefined : asked?.slice(0, asked.length - unmade);
}

/** A faster pace counts at once; a slower one is minded by who looks next. */
function atNewPace(delayMs: number, pace: Pace | undefined, madeAt: Pace | undefined): number {
  return pace === undefined || madeAt === undefined || tickMs(pace) >= tickMs(madeAt) ? delayMs : Math.min(delayMs, tickMs(pace));
}

/**
 * Nobody could look, or write down what was seen: again after a minute, doubling to an hour, and no sooner than a tick:
 * a worker that was lost did not say when it asked last. What was asked for stays until somebody made it.
 *
 * @param options `keepsWishes`: not so in earlier releases, which forgot what could not be made
 */
export function acceptChecksFailure(state: MonitorState, info: FailureInfo, asked: MonitorState['asked'], now: number, { waitsATick = true, keepsWishes = true } = {}): MonitorState {
  const attempts = (state.failure?.attempts ?? 0) + 1;
  const restMs = Math.max(restAfter(attempts, state), waitsATick && state.settings !== undefined ? tickMs(state.settings) : 0);
  const wishes = keepsWishes ? withFailed(state, asked, attempts, now) : forgetting(state, asked);
  return { ...wishes, failure: { ...info, attempts }, dueAt: now + restMs, waitsFor: 'Failed' };
}

function restAfter(attempts: number, { pace = 1 }: MonitorState): number {
  return Math.min(longestRestMs, firstRestMs * 2 ** Math.min(attempts - 1, 16)) * pace;
}

/**
 * What could not be made rests, like everything else when nothing can be done, and longer each time. The first of it is
 * last from now on: it may be the only one that cannot be made. What nobody tried yet does not rest.
 */
function withFailed(state: MonitorState, tried: MonitorState['asked'], attempts: number, now: number): MonitorState {
  const { asked, askedFailures = 0 } = state;
  if (asked === undefined || (tried === undefined && askedFailures === 0)) return state;
  const times = askedFailures + (tried === undefined ? 0 : 1);
  const [first, ...others] = asked;
  return {
    ...state,
    ...(first !== undefined && first === tried?.[0] ? { asked: [...others, first] } : {}),
    askedAt: now + restAfter(Math.max(times, attempts), state),
    askedFailures: times,
  };
}

/** Of many that were asked for the rest would fail one batch after the other, at once. */
function forgetting(state: MonitorState, asked: MonitorState['asked']): MonitorState {
  return withoutAsked(state, asked !== undefined && asked.length >= mostAskedAtOnce ? state.asked : asked);
}

function withoutAsked(state: MonitorState, done: MonitorState['asked']): MonitorState {
  if (done === undefined) return state;
  const { asked, ...rest } = state;
  const left = asked?.filter((image) => !done.includes(image)) ?? [];
  return left.length === 0 ? { ...rest, askedFailures: undefined } : { ...rest, asked: left };
}
