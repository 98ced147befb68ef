/**
 * Checks images of one registry, one after the other at its pace, and writes down what each answer says. Which images
 * there are, and whose turn it is, is looked up here at every go, so that no history holds them.
 */
import { Context } from '@temporalio/activity';
import { anonymous, type AvailabilityState, type CredentialId } from '../domain/availability.js';
import { goMs, placesAtOnce, tickMs, untilNextMs } from '../domain/check-pace.js';
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

export interface MonitorDeps {
  /** what this cluster tracks at a registry at this moment */
  readonly tracked: (host: string) => readonly TrackedImage[];
  readonly settings: (host: string) => CheckSettings;
  readonly credentials: CheckCredentials;
  readonly registry: Pick<Registry, 'head' | 'manifest'>;
  readonly cluster: Pick<Cluster, 'changePlace'>;
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
const recordsMs = 5_000; // a pass of the watchers, and the way of a watch
const longestWaitInsideMs = 5_000; // a longer wait is the workflow's: it holds no slot
const longestTimeoutMs = 10 * 60_000; // of the 15 minutes an attempt may take

export function createMonitorActivities(deps: MonitorDeps): MonitorActivities {
  const turns = new MonitorTurns();
  return { checkBatch: (task) => new Go(task, deps, turns).run() };
}

/** The API server was away, or somebody else between us and a record: nothing is wrong with what was checked. */
function isOutage(error: unknown): boolean {
  const failure = failureInfo(error);
  return failure?.side === 'cluster' && failures[failure.code].retry === 'again';
}

/** One go: checks until its share is done, or the registry asks to be left alone. */
class Go {
  readonly #task: ChecksTask;
  readonly #deps: MonitorDeps;
  readonly #turns: MonitorTurns;
  readonly #context = Context.current();
  readonly #checks: readonly Check[];
  /** what somebody asked for: checked first, and out of turn */
  readonly #asked: ReadonlySet<PlaceId>;
  /** what had its check */
  readonly #made = new Set<PlaceId>();
  /** something waits for its record, which comes in a moment */
  readonly #awaits: boolean;
  readonly #startedAt = Date.now();
  #checked = 0;
  /** when the last check began, whoever made it: milliseconds since the epoch */
  #beganAt: number | undefined;

  constructor(task: ChecksTask, deps: MonitorDeps, turns: MonitorTurns) {
    this.#task = task;
    this.#deps = deps;
    this.#turns = turns;
    const tracked = deps.tracked(task.registry);
    const due = checksAt(task.registry, tracked, Date.now(), turns.tried);
    this.#awaits = awaitsRecords(task.registry, tracked);
    const asked = askedAmong(due, task.asked);
    this.#asked = new Set(asked.map(({ place }) => place));
    this.#checks = [...asked, ...due.filter(({ place }) => !this.#asked.has(place))];
    // whoever checked last may have been another monitor, or a worker that was lost: records tell
    this.#beganAt = lastAskedAt(due.filter(({ askedAt }) => this.#isPast(askedAt)));
  }

  async run(): Promise<ChecksReport> {
    const states = new Map(this.#checks.map(({ place, state }) => [place, state]));
    let stopped: FailureInfo | undefined;
    const stop = this.#keepBeating();
    try {
      for (const check of this.#share()) {
        if (this.#isOver(check)) break;
        await this.#turn(check);
        const finding = await this.#check(check).catch((error: unknown) => {
          if (isOutage(error)) this.#turns.giveBack(this.#task.registry, check.place);
          throw error;
        });
        if (finding.asked) states.set(check.place, finding.state);
        stopped = pauseOf(finding);
        if (stopped !== undefined) break;
      }
    } catch (error) {
      // what was found is written down, and the next go, of another worker, looks again: nothing failed
      if (this.#context.cancellationDetails?.workerShutdown !== true) throw error;
    } finally {
      stop();
    }
    const isThrottled = stopped?.code === 'throttled' || stopped?.retryAfterMs !== undefined;
    const unmade = isThrottled ? 0 : this.#unmade();
    return {
      v: 1,
      places: this.#checks.length + Number(this.#awaits),
      turns: roundTurns(this.#checks.map((check) => ({ ...check, state: states.get(check.place) ?? check.state }))),
      checked: this.#checked,
      counts: countStates(states.values()),
      nextDelayMs: Math.max(this.#untilNextMs(stopped?.retryAfterMs), this.#checks.length === 0 && this.#awaits ? recordsMs : 0),
      ...(isThrottled ? { throttled: true } : {}),
      ...(unmade > 0 ? { unmade } : {}),
    };
  }

  /** From the first that had no check: they are made in the order in which they were asked for. */
  #unmade(): number {
    const { asked } = this.#task;
    const waiting = this.#checks.filter(({ place }) => this.#asked.has(place) && !this.#made.has(place));
    if (asked === undefined || waiting.length === 0) return 0;
    return asked.length === 0 ? 1 : asked.length - asked.findIndex((text) => waiting.some((check) => isOf(check, text)));
  }

  /** None while it is another's turn for longer than a slot should be held. */
  #share(): readonly Check[] {
    const isTurn = this.#asked.size > 0 || this.#untilNextMs() <= longestWaitInsideMs;
    const share = Math.max(placesAtOnce(this.#task, this.#checks.length), this.#asked.size);
    return this.#checks.slice(0, isTurn ? share : 0);
  }

  /** A registry that takes long to answer holds a slot no longer than one that does not. */
  #isOver({ place }: Check): boolean {
    return Date.now() - this.#startedAt >= goMs && !this.#asked.has(place);
  }

  async #turn({ place }: Check): Promise<void> {
    while (!this.#asked.has(place) && this.#untilNextMs() > 0) await this.#context.sleep(this.#untilNextMs());
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
      this.#made.add(check.place);
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
