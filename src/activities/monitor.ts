/**
 * Checks images of one registry, one after the other at its pace, and writes down what each answer says. Which images
 * there are, and whose turn it is, is looked up here at every go, so that no history holds them.
 */
import { Context } from '@temporalio/activity';
import { anonymous, type AvailabilityState, type CredentialId } from '../domain/availability.js';
import { tickMs, turnsAtOnce, untilNextMs, usualGoMs } from '../domain/check-pace.js';
import type { Digest } from '../domain/digest.js';
import { Failure, failureInfo, failures, type FailureInfo } from '../domain/failure.js';
import { placeIdentity, type ImageName, type ImageRef, type PlaceId } from '../domain/image-ref.js';
import { checksAt, lastAskedAt, laterOf, roundTurns, type Check } from '../domain/check-order.js';
import { awaitsRecords, type TrackedImage } from '../domain/monitor.js';
import { countStates, type ChecksReport, type ChecksTask } from '../domain/monitor-run.js';
import { referenceOf } from '../domain/record-plan.js';
import type { PlaceRecord } from '../domain/record.js';
import type { Cluster } from '../cluster/cluster.js';
import type { Call, Registry, Seen } from '../registry/registry.js';
import type { MonitorActivities } from '../temporal/activities.js';
import type { CheckAccess, CheckCredentials } from './monitor-credentials.js';
import { MonitorTurns } from './monitor-turns.js';
import { TrackedLately } from './tracked-lately.js';

export interface MonitorDeps {
  /** what this cluster tracks at this moment, at one registry or everywhere */
  readonly tracked: (host?: string) => readonly TrackedImage[];
  readonly settings: (host: string) => CheckSettings;
  readonly credentials: CheckCredentials;
  readonly registry: Pick<Registry, 'head' | 'manifest'>;
  readonly cluster: Pick<Cluster, 'changePlace'>;
  /** milliseconds that a go at a fast pace lasts; a minute unless told */
  readonly goMs?: number;
}

/** How the images of one registry are asked for. */
export interface CheckSettings {
  readonly method: 'HEAD' | 'GET';
  readonly timeoutMs: number;
  /** asks for the digest a tag names, too */
  readonly resolveDigest: boolean;
}

/** What one check found, or that nothing was asked. */
export type Finding =
  | { readonly asked: true; readonly state: AvailabilityState; readonly identity: CredentialId; readonly digest?: Digest; readonly failure?: FailureInfo }
  | { readonly asked: false; readonly failure: FailureInfo };

const beatMs = 5_000; // several times within the timeout of 30 s
const lookAgainMs = 5_000; // patterns of thousands of images take a while, and nobody minds a check too many
const recordsMs = 5_000; // a pass of the watchers, and the way of a watch
const longestWaitInsideMs = 5_000; // before the first check, or at the gate; a longer wait is the workflow's: it holds no slot
const longestTimeoutMs = 10 * 60_000; // of the 15 minutes an attempt may take

export function createMonitorActivities(deps: MonitorDeps): MonitorActivities {
  const turns = new MonitorTurns();
  const lately = new TrackedLately(() => deps.tracked(), lookAgainMs);
  return { checkBatch: (task) => new Go(task, deps, { turns, lately }).run() };
}

/** The API server was away, or somebody else between us and a record: nothing is wrong with what was checked. */
function isOutage(error: unknown): boolean {
  const failure = failureInfo(error);
  return failure?.side === 'cluster' && failures[failure.code].retry === 'again';
}

/** What the goes of one process know of each other. */
interface Shared {
  readonly turns: MonitorTurns;
  readonly lately: TrackedLately;
}

/** One go: checks round after round until its time is over, it is called off, or the registry asks to be left alone. */
class Go {
  readonly #task: ChecksTask;
  readonly #deps: MonitorDeps;
  readonly #turns: MonitorTurns;
  readonly #lately: TrackedLately;
  readonly #context = Context.current();
  readonly #goMs: number;
  /** what somebody asked for, in that order: nothing else is checked then, and out of turn */
  readonly #asked: readonly Check[];
  /** what had its check, and what was found last */
  readonly #found = new Map<PlaceId, AvailabilityState>();
  readonly #startedAt = Date.now();
  /** everything that is tracked, next one first, and when that was looked up */
  #checks: readonly Check[] = [];
  #lookedAt = 0;
  /** something waits for its record, which comes in a moment */
  #awaits = false;
  #checked = 0;
  /** when the last check began, whoever made it: milliseconds since the epoch */
  #beganAt: number | undefined;

  constructor(task: ChecksTask, deps: MonitorDeps, { turns, lately }: Shared) {
    this.#task = task;
    this.#deps = deps;
    this.#turns = turns;
    this.#lately = lately;
    this.#goMs = deps.goMs ?? usualGoMs;
    // records of this moment: another manager may have checked a moment ago
    this.#look(deps.tracked(task.registry));
    this.#asked = askedAmong(this.#checks, task.asked);
    // whoever checked last may have been another monitor, or a worker that was lost: records tell
    this.#beganAt = lastAskedAt(this.#checks.filter(({ askedAt }) => this.#isPast(askedAt)));
  }

  async run(): Promise<ChecksReport> {
    let stopped: FailureInfo | undefined;
    const stop = this.#keepBeating();
    try {
      for (const check of this.#next()) {
        await this.#turn(check);
        const finding = await this.#check(check).catch((error: unknown) => {
          if (isOutage(error) || this.#isCalledOff()) this.#turns.giveBack(this.#task.registry, check.place);
          throw error;
        });
        stopped = pauseOf(finding);
        if (stopped !== undefined) break;
      }
    } catch (error) {
      // what was found is written down, and the next go, perhaps of another worker, looks again: nothing failed
      if (!this.#isCalledOff() && !this.#leavesTheRest(error)) throw error;
    } finally {
      stop();
    }
    return this.#report(stopped);
  }

  #report(stopped: FailureInfo | undefined): ChecksReport {
    const checks = this.#checks.map((check) => ({ ...check, state: this.#found.get(check.place) ?? check.state }));
    const isThrottled = stopped?.code === 'throttled' || stopped?.retryAfterMs !== undefined;
    const unmade = isThrottled ? 0 : this.#unmade();
    return {
      v: 1,
      places: checks.length + Number(this.#awaits),
      turns: roundTurns(checks),
      checked: this.#checked,
      counts: countStates(checks.map(({ state }) => state)),
      nextDelayMs: Math.max(this.#untilNextMs(stopped?.retryAfterMs), checks.length === 0 && this.#awaits ? recordsMs : 0),
      ...(isThrottled ? { throttled: true } : {}),
      ...(unmade > 0 ? { unmade } : {}),
    };
  }

  /** The worker shuts down, or somebody wants something else of the monitor. */
  #isCalledOff(): boolean {
    const { workerShutdown, cancelRequested } = this.#context.cancellationDetails ?? {};
    return workerShutdown === true || cancelRequested === true;
  }

  /** Of what somebody asked for some is made: that is told. What could not be is the first of the next go, which fails and says why. */
  #leavesTheRest(error: unknown): boolean {
    return this.#task.asked !== undefined && this.#checked > 0 && failureInfo(error) !== undefined;
  }

  #look(tracked: readonly TrackedImage[]): void {
    const { registry } = this.#task;
    this.#lookedAt = Date.now();
    this.#checks = checksAt(registry, tracked, this.#lookedAt, this.#turns.tried);
    this.#awaits = awaitsRecords(registry, tracked);
  }

  /** From the first that had no check: they are made in the order in which they were asked for. */
  #unmade(): number {
    const { asked } = this.#task;
    const waiting = this.#asked.filter(({ place }) => !this.#found.has(place));
    if (asked === undefined || waiting.length === 0) return 0;
    return asked.length === 0 ? 1 : asked.length - asked.findIndex((text) => waiting.some((check) => isOf(check, text)));
  }

  /** Who had a turn has another one where more fall into the time of a go: any other wait than for these is the workflow's. */
  *#next(): Generator<Check, void> {
    if (this.#task.asked !== undefined) return yield* this.#nextAsked();
    if (!this.#isTurnSoon()) return;
    const most = turnsAtOnce(this.#task, this.#goMs);
    let next = 0;
    for (let turns = 0; turns < most && (turns === 0 || this.#isTurnWithinGo()); turns++) {
      if (Date.now() - this.#lookedAt >= lookAgainMs) {
        this.#look(this.#lately.at(this.#task.registry, Date.now()));
        next = 0; // what was checked since comes last now
      }
      const check = this.#checks[next++ % this.#checks.length];
      if (check === undefined) return;
      yield check;
      if (this.#isOver()) return;
    }
  }

  *#nextAsked(): Generator<Check, void> {
    for (const check of this.#asked) {
      yield check;
      if (this.#isOver()) return;
    }
  }

  #isTurnSoon(): boolean {
    return this.#untilNextMs() <= longestWaitInsideMs;
  }

  #isTurnWithinGo(): boolean {
    return Date.now() + this.#untilNextMs() < this.#startedAt + this.#goMs;
  }

  /** A registry that takes long to answer holds a slot no longer than one that does not. */
  #isOver(): boolean {
    return Date.now() - this.#startedAt >= this.#goMs;
  }

  async #turn({ place }: Check): Promise<void> {
    while (this.#task.asked === undefined && this.#untilNextMs() > 0) await this.#context.sleep(this.#untilNextMs());
    const now = Date.now();
    this.#beganAt = now;
    this.#turns.take(this.#task.registry, place, now);
  }

  #untilNextMs(askedMs?: number): number {
    const times = [this.#beganAt, this.#turns.beganAt(this.#task.registry)].filter((at) => this.#isPast(at));
    return untilNextMs(this.#task, laterOf(times[0], times[1]), Date.now(), askedMs);
  }

  /** What lies more than a tick ahead is by a clock that was set back since: nobody waits for it. */
  #isPast(at: number | undefined): boolean {
    return at !== undefined && at <= Date.now() + tickMs(this.#task);
  }

  async #check(check: Check): Promise<Finding> {
    const access = await this.#deps.credentials(check.images, check.ref);
    const finding = await look(check.ref, access, this.#callFor(check.ref), this.#deps);
    if (finding.asked) await this.#write(check, finding, new Date(this.#beganAt ?? Date.now()).toISOString());
    if (finding.asked) {
      this.#checked += 1;
      this.#found.set(check.place, finding.state);
    }
    this.#beat();
    return finding;
  }

  #callFor({ host }: ImageRef): Call {
    const deadline = AbortSignal.timeout(Math.min(this.#deps.settings(host).timeoutMs, longestTimeoutMs));
    return { signal: AbortSignal.any([this.#context.cancellationSignal, deadline]), purpose: 'check', side: 'source' };
  }

  async #write({ place, records }: Check, finding: Extract<Finding, { asked: true }>, at: string): Promise<void> {
    for (const record of records) await this.#deps.cluster.changePlace(record, referenceOf(place), 'kuik-monitor', (known) => checked(known, finding, at));
  }

  #keepBeating(): () => void {
    const timer = setInterval(() => this.#beat(), beatMs);
    return () => clearInterval(timer);
  }

  /** Tells people how far it came, and the server that it is alive. */
  #beat(): void {
    this.#context.heartbeat({ checked: this.#checked });
  }
}

/**
 * @param asked texts of images; none: whichever is next; undefined: nobody asked
 * @returns in the order of these, each once
 */
function askedAmong(due: readonly Check[], asked: ChecksTask['asked']): readonly Check[] {
  if (asked === undefined) return [];
  return asked.length === 0 ? due.slice(0, 1) : [...new Set(asked.flatMap((text) => due.filter((check) => isOf(check, text))))];
}

function isOf({ images }: Check, text: string): boolean {
  return images.includes(text as ImageName);
}

/** The registry asked to be left alone, or has no turn for us: no use in going on. A short rest is spent at its gate, like that of a silent host. */
function pauseOf({ asked, failure }: Finding): FailureInfo | undefined {
  if (failure === undefined) return undefined;
  const wantsRest = failure.isRepeated !== true && (failure.retryAfterMs ?? 0) > longestWaitInsideMs;
  return !asked || failure.code === 'throttled' || wantsRest ? failure : undefined;
}

/** A place after a check. What is not known any more is taken away by saying undefined; of what does not answer the last digest stays. */
export function checked(place: PlaceRecord, { state, identity, digest, failure }: Extract<Finding, { asked: true }>, at: string): PlaceRecord {
  return { ...place, state, checkedAt: at, identity, checkFailure: failure?.message.slice(0, longestMessage), digest: digest ?? place.digest };
}

const longestMessage = 256;

/** Asks for one image. What the registry says, or that it says nothing, is a finding. */
export async function look(ref: ImageRef, access: CheckAccess, call: Call, { registry, settings }: Pick<MonitorDeps, 'registry' | 'settings'>): Promise<Finding> {
  const { method, resolveDigest } = settings(ref.host);
  const at = ref.digest === undefined ? ref : { host: ref.host, path: ref.path, digest: ref.digest };
  const ask = (what: ImageRef): Promise<SeenHere | 'missing'> => (method === 'GET' ? registry.manifest(what, access.as, call) : registry.head(what, access.as, call));
  try {
    const seen = await ask(at);
    if (seen === 'missing') throw missing(ref, `not found on ${ref.host}: ${placeIdentity(ref).slice(ref.host.length + 1)}`);
    if (resolveDigest && ref.digest === undefined) await resolve(seen, ref, method, ask);
    return { asked: true, state: 'Available', identity: seen.identity, digest: seen.digest };
  } catch (error) {
    const failure = failureInfo(error);
    if (failure === undefined) throw error;
    return failure.isUnasked === true ? { asked: false, failure } : found(failure, access);
  }
}

type SeenHere = Pick<Seen, 'digest' | 'identity'>;

/** Caches answer for tags whose content is gone. A registry that has no HEAD by digest cannot be asked so. */
async function resolve({ digest }: SeenHere, ref: ImageRef, method: CheckSettings['method'], ask: (what: ImageRef) => Promise<SeenHere | 'missing'>): Promise<void> {
  try {
    if ((await ask({ host: ref.host, path: ref.path, digest })) === 'missing') throw disagreement(ref, digest);
  } catch (error) {
    const failure = failureInfo(error);
    if (failure?.code === 'missing') throw disagreement(ref, digest);
    if (failure?.code !== 'unsupported' || method === 'GET') throw error;
  }
}

function disagreement(ref: ImageRef, digest: Digest): Failure {
  return missing(ref, `tag and digest disagree on ${ref.host}: the tag names ${digest}, which is not there`);
}

function missing({ host }: ImageRef, message: string): Failure {
  return new Failure({ code: 'missing', side: 'source', host, message });
}

function found(failure: FailureInfo, { as, problem }: CheckAccess): Finding {
  const identity = as[0]?.id ?? anonymous;
  const isLocked = failure.code === 'unauthorized' || failure.code === 'denied';
  if (problem !== undefined && isLocked) return { asked: true, state: 'UnavailableSecret', identity, failure: { ...failure, code: 'unauthorized', side: 'cluster', message: problem } };
  const { state } = failures[failure.code];
  return { asked: true, state: state === 'unchanged' ? 'Unreachable' : state, identity, failure };
}
