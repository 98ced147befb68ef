/**
 * Checks images of one registry, one after the other at its pace, and writes down what each answer says. Which images
 * there are, and whose turn it is, is looked up here at every go, so that no history holds them.
 */
import { Context } from '@temporalio/activity';
import { anonymous, type AvailabilityState, type CredentialId } from '../domain/availability.js';
import { placesAtOnce, untilNextMs } from '../domain/check-pace.js';
import type { Digest } from '../domain/digest.js';
import { Failure, failureInfo, failures, type FailureInfo } from '../domain/failure.js';
import { placeIdentity, type ImageName, type ImageRef } from '../domain/image-ref.js';
import { checksAt, type Check, type TrackedImage } from '../domain/monitor.js';
import { countStates, type ChecksReport, type ChecksTask } from '../domain/monitor-run.js';
import { referenceOf } from '../domain/record-plan.js';
import type { PlaceRecord } from '../domain/record.js';
import type { Cluster } from '../cluster/cluster.js';
import type { Call, Registry, Seen } from '../registry/registry.js';
import type { MonitorActivities } from '../temporal/activities.js';
import type { CheckAccess, CheckCredentials } from './monitor-credentials.js';

export interface MonitorDeps {
  /** what this cluster tracks at this moment */
  readonly tracked: () => readonly TrackedImage[];
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
const longestTimeoutMs = 10 * 60_000; // of the 15 minutes an attempt may take

/** How far a go came, so that another attempt neither begins anew nor hurries. */
interface Cursor {
  readonly checked: number;
  /** milliseconds since the epoch: when the last check began */
  readonly beganAt?: number;
}

export function createMonitorActivities(deps: MonitorDeps): MonitorActivities {
  return { checkBatch: (task) => new Go(task, deps).run() };
}

/** One go: checks until its share is done, or the registry asks to be left alone. */
class Go {
  readonly #task: ChecksTask;
  readonly #deps: MonitorDeps;
  readonly #context = Context.current();
  #cursor: Cursor;

  constructor(task: ChecksTask, deps: MonitorDeps) {
    this.#task = task;
    this.#deps = deps;
    this.#cursor = (this.#context.info.heartbeatDetails as Cursor | undefined) ?? { checked: 0 };
  }

  async run(): Promise<ChecksReport> {
    const checks = this.#inOrder(checksAt(this.#task.registry, this.#deps.tracked()));
    const states = new Map(checks.map(({ place, state }) => [place, state]));
    const share = Math.max(placesAtOnce(this.#task, checks.length), this.#askedAmong(checks)) - this.#cursor.checked;
    let stopped: FailureInfo | undefined;

    const stop = this.#keepBeating();
    try {
      for (const check of checks.slice(0, Math.max(0, share))) {
        await this.#turn();
        const finding = await this.#check(check);
        if (finding.asked) states.set(check.place, finding.state);
        stopped = pauseOf(finding);
        if (stopped !== undefined) break;
      }
    } finally {
      stop();
    }
    return {
      v: 1,
      places: checks.length,
      checked: this.#cursor.checked,
      counts: countStates(states.values()),
      nextDelayMs: untilNextMs(this.#task, this.#cursor.beganAt, Date.now(), stopped?.retryAfterMs),
      ...(stopped === undefined ? {} : { throttled: true }),
    };
  }

  /** What somebody asked for goes first. */
  #inOrder(checks: readonly Check[]): readonly Check[] {
    const isAsked = (check: Check): boolean => this.#isAsked(check);
    return [...checks.filter(isAsked), ...checks.filter((check) => !isAsked(check))];
  }

  #isAsked({ images }: Check): boolean {
    return this.#task.asked?.some((text) => images.includes(text as ImageName)) === true;
  }

  #askedAmong(checks: readonly Check[]): number {
    return checks.filter((check) => this.#isAsked(check)).length;
  }

  /** The first begins at once: whoever planned this go has waited for it. */
  async #turn(): Promise<void> {
    const { beganAt } = this.#cursor;
    const waitMs = beganAt === undefined ? 0 : untilNextMs(this.#task, beganAt, Date.now());
    if (waitMs > 0) await this.#context.sleep(waitMs);
    this.#cursor = { checked: this.#cursor.checked, beganAt: Date.now() };
  }

  async #check(check: Check): Promise<Finding> {
    const access = await this.#deps.credentials(check.images, check.ref);
    const finding = await look(check.ref, access, this.#callFor(check.ref), this.#deps);
    if (finding.asked) await this.#write(check, finding, new Date(Date.now()).toISOString());
    this.#cursor = { ...this.#cursor, checked: this.#cursor.checked + 1 };
    this.#context.heartbeat(this.#cursor);
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
    const timer = setInterval(() => this.#context.heartbeat(this.#cursor), beatMs);
    return () => clearInterval(timer);
  }
}

/** The registry asked to be left alone, or has no turn for us: no use in going on. */
function pauseOf(finding: Finding): FailureInfo | undefined {
  const { failure } = finding;
  return failure !== undefined && (!finding.asked || failure.code === 'throttled') ? failure : undefined;
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
