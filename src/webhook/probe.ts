import { LRUCache } from 'lru-cache';
import { anonymous, type CredentialId, type Fact } from '../domain/availability.js';
import { failureInfo, failures, type FailureCode } from '../domain/failure.js';
import type { ImageRef, PlaceId } from '../domain/image-ref.js';
import type { Identity, Registry, Seen } from '../registry/registry.js';
import type { Clock } from './clock.js';

/** One place, and the credentials a Pod would pull with. */
export interface Asked {
  readonly place: PlaceId;
  readonly ref: ImageRef;
  readonly as: Identity;
}

export interface ProbeSettings {
  /** bounds one place with all its credentials and its digest step */
  readonly timeoutMs: number;
  readonly positiveTtlMs: number;
  readonly negativeTtlMs: number;
  /** asks for the digest a tag names, too */
  readonly resolveDigest: boolean;
}

export interface ProberDeps {
  readonly registry: Pick<Registry, 'head'>;
  readonly settings: ProbeSettings;
  readonly clock: Clock;
  /** between 0 and 1: lifetimes are shortened by up to a tenth, so that facts learnt together do not end together */
  readonly random: () => number;
  /** whether an answer was at hand */
  readonly observe?: (result: 'hit' | 'miss') => void;
}

/** Of one process, at once; what comes on top is taken for unavailable. A burst of Pods shares its probes, so this is far away. */
const mostFlights = 256;
const mostFacts = 20_000;
const mostHosts = 1_000;

interface Remembered {
  readonly fact: Fact;
  readonly until: number;
}

/**
 * Sees whether places answer. A fact belongs to a place *and* the credentials it was seen with; it is remembered
 * for a short time, and equal questions of concurrent reviews are asked once. Never retries, never rejects.
 */
export class Prober {
  readonly #deps: ProberDeps;
  readonly #facts = new LRUCache<string, Remembered>({ max: mostFacts });
  /** hosts nobody could connect to, whatever the credentials */
  readonly #silent = new LRUCache<string, Remembered>({ max: mostHosts });
  readonly #flights = new Map<string, Promise<Fact>>();

  constructor(deps: ProberDeps) {
    this.#deps = deps;
  }

  /** What is known without asking; undefined when a probe is needed. */
  known({ place, ref, as }: Asked): Fact | undefined {
    const ids = identitiesOf(as);
    const fact = this.#fresh(this.#facts.get(keyOf(place, ids))) ?? this.#seenWithOneOf(place, ids) ?? this.#fresh(this.#silent.get(ref.host));
    if (fact !== undefined) this.#deps.observe?.('hit');
    return fact;
  }

  /** Probes, or joins whoever probes already: the probe goes on when this caller has no time left, and its answer serves the next. */
  ask(asked: Asked): Promise<Fact> {
    const known = this.known(asked);
    if (known !== undefined) return Promise.resolve(known);
    this.#deps.observe?.('miss');

    const key = keyOf(asked.place, identitiesOf(asked.as));
    const flight = this.#flights.get(key) ?? this.#start(key, asked);
    return flight;
  }

  /** Any credential a Pod holds opens a door that was seen open with it; a closed door says nothing of the other credentials. */
  #seenWithOneOf(place: PlaceId, ids: readonly CredentialId[]): Fact | undefined {
    if (ids.length === 1) return undefined;
    return ids.map((id) => this.#fresh(this.#facts.get(keyOf(place, [id])))).find((fact) => fact?.state === 'Available');
  }

  #fresh(remembered: Remembered | undefined): Fact | undefined {
    const now = this.#deps.clock.now();
    // a clock that was set back must not keep facts alive
    return remembered !== undefined && now < remembered.until && now >= remembered.fact.checkedAt ? remembered.fact : undefined;
  }

  #start(key: string, asked: Asked): Promise<Fact> {
    if (this.#flights.size >= mostFlights) return Promise.resolve(this.#fact(asked, { code: 'unreachable', message: 'too many probes are under way' }));
    const flight = this.#probe(asked).finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  async #probe(asked: Asked): Promise<Fact> {
    const { clock, settings } = this.#deps;
    const started = clock.now();
    const ended = new AbortController();
    const call = new AbortController();
    const timeout = clock.sleep(settings.timeoutMs, ended.signal).then(() => ({ code: 'timeout' as const, message: `no answer within ${settings.timeoutMs}ms` }));
    // the race holds even for a registry that does not notice the abort
    const answer = await Promise.race([this.#head(asked, call.signal), timeout]);
    ended.abort();
    // named as deadlines are, so that the client can tell a host that does not answer from a caller who has enough
    call.abort(new DOMException('the time of the probe is over', 'TimeoutError'));
    const fact = this.#fact(asked, answer, started);
    this.#remember(asked, fact, answer);
    return fact;
  }

  async #head({ ref, as }: Asked, signal: AbortSignal): Promise<Answer> {
    const { registry, settings } = this.#deps;
    const call = { signal, purpose: 'probe', side: 'source' } as const;
    const pinned = ref.digest === undefined ? ref : { host: ref.host, path: ref.path, digest: ref.digest };
    try {
      const seen = await registry.head(pinned, as, call);
      if (seen === 'missing') return { code: 'missing', message: `not found on ${ref.host}` };
      if (!settings.resolveDigest || ref.digest !== undefined) return seen;
      const resolved = await registry.head({ host: ref.host, path: ref.path, digest: seen.digest }, as, call);
      return resolved === 'missing' ? { code: 'missing', message: `tag and digest disagree on ${ref.host}: the tag names ${seen.digest}, which is not there` } : seen;
    } catch (error) {
      return problemOf(error);
    }
  }

  #fact({ as }: Pick<Asked, 'as'>, answer: Answer, started = this.#deps.clock.now()): Fact {
    const now = this.#deps.clock.now();
    const seen = { checkedAt: now, tookMs: now - started };
    if (!('code' in answer)) return { ...seen, state: 'Available', identity: answer.identity, digest: answer.digest };

    const state = failures[answer.code].state;
    return {
      ...seen,
      state: state === 'unchanged' ? 'Unreachable' : state,
      identity: identitiesOf(as)[0] ?? anonymous,
      code: answer.code,
      message: answer.message,
      ...(answer.retryAfterMs !== undefined && { until: now + answer.retryAfterMs }),
    };
  }

  #remember({ place, ref, as }: Asked, fact: Fact, answer: Answer): void {
    const { positiveTtlMs, negativeTtlMs } = this.#deps.settings;
    const lifetime = (fact.state === 'Available' ? positiveTtlMs : negativeTtlMs) * (1 - this.#deps.random() / 10);
    const remembered = { fact, until: fact.checkedAt + lifetime };
    this.#facts.set(keyOf(place, identitiesOf(as)), remembered);
    if (fact.state === 'Available') this.#facts.set(keyOf(place, [fact.identity]), remembered);
    if ('code' in answer && answer.noConnection === true) this.#silent.set(ref.host, remembered);
  }
}

/** Names of the credentials, in order, each once; `anonymous` when there are none. */
export function identitiesOf(as: Identity): readonly CredentialId[] {
  return as.length === 0 ? [anonymous] : [...new Set(as.map(({ id }) => id))];
}

interface Problem {
  readonly code: FailureCode;
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly noConnection?: boolean;
}

type Answer = Seen | Problem;

function problemOf(error: unknown): Problem {
  const failure = failureInfo(error);
  if (failure === undefined) return { code: 'unreachable', message: 'the probe failed unexpectedly' };
  const { code, message, retryAfterMs } = failure;
  return { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }), noConnection: code === 'tls' || brokeBeforeAnAnswer(error) };
}

/** What the sockets of Node and undici say when nobody is there. A server error comes without: the host answers. */
const connectionErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_SOCKET']);
const deepestCause = 5;

function brokeBeforeAnAnswer(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < deepestCause && cause instanceof Error; depth++) {
    if ('code' in cause && connectionErrors.has(String(cause.code))) return true;
    cause = cause.cause;
  }
  return false;
}

function keyOf(place: PlaceId, ids: readonly CredentialId[]): string {
  return `${ids.join('+')} ${place}`;
}
