/**
 * One question to a registry, asked until it has an answer. From the outside in:
 *
 * 1. a place in the governor's queue, and its word before each exchange;
 * 2. the credentials in order, the next one only where the answer may depend on who asks;
 * 3. a token, when the registry wants one: at most two for one 401;
 * 4. again after what heals by itself, at most twice, never for a probe;
 * 5. the exchange, redirects included.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { anonymous, type CredentialId } from '../../domain/availability.js';
import type { Failure } from '../../domain/failure.js';
import type { Call, Credential, Identity } from '../registry.js';
import { headerOf, readErrors, type Answer } from './answer.js';
import { Auth, namesMore, type Standing } from './auth.js';
import { parseChallenges } from './challenge.js';
import { failure, failureOf, failureOfError, isConnectionError, isThrottled, silenceOf, unspecifiedWaitMs, type Asked } from './errors.js';
import type { Resolve } from './connector.js';
import { drop, exchange, isGuardError, type WireAnswer, type WireDeps } from './exchange.js';
import { Governor, type Lane } from './governor.js';
import { Guard, isAllowedHost, type NetworkRules } from './guard.js';
import { Identities } from './identities.js';
import type { Observer } from './observer.js';
import { longestWaitInsideMs, type HostPace, type PaceSeen } from './pace/host-pace.js';
import type { Attempt, Refused } from './pace/breaker.js';
import { Place } from './pace/place.js';
import { priorityOf, type Priority } from './pace/priority.js';
import { parseRateLimit } from './pace/rate-limit.js';
import { sleep, type Time } from './pace/time.js';
import { beforeDeadline, lingering, within } from './patience.js';
import { Pools } from './pools.js';
import { Proxies, type ProxySettings } from './proxy.js';
import { isPublishing, isRepeatable, routeOf, urlOf, type Request } from './request.js';
import { parseRetryAfter } from './retry-after.js';
import { endpointOf, type Endpoint, type SettingsOf } from './settings.js';
import { tokenSender } from './token-sender.js';
import { TokenCache, TokenRefused } from './tokens.js';

export interface AskerOptions {
  readonly settings: SettingsOf;
  /** milliseconds since the epoch */
  readonly clock: () => number;
  readonly userAgent: string;
  /** networks that may, or may not, be connected to */
  readonly network?: NetworkRules;
  readonly proxy?: ProxySettings;
  /** looks names up; the system's resolver unless told */
  readonly resolve?: Resolve;
  /** waits; a real timer unless told */
  readonly sleep?: Time['sleep'];
  /** between 0 and 1, for the jitter of retries */
  readonly random?: () => number;
  readonly observer?: Observer;
}

const retriedStatus: readonly number[] = [408, 499, 500, 502, 503, 504, 522];
const mostRetries = 2;
const firstPauseMs = 200;

/** One credential's way to one registry, while one request is asked. */
interface Ask {
  readonly registry: Endpoint;
  readonly request: Request;
  readonly credential: Credential | undefined;
  readonly call: Call;
  readonly pace: HostPace;
  readonly priority: Priority;
  /** undefined when the caller holds one */
  readonly place: Place | undefined;
}

export class Asker {
  readonly clock: () => number;
  readonly observe: Observer;
  readonly time: Time;
  readonly #governor: Governor;
  readonly #identities = new Identities();
  readonly #pools: Pools;
  readonly #auth: Auth;
  readonly #wire: WireDeps;

  constructor(readonly options: AskerOptions) {
    this.clock = options.clock;
    this.observe = options.observer ?? (() => undefined);
    this.time = { now: options.clock, sleep: options.sleep ?? sleep };
    this.#governor = new Governor(this.time, (registry, circuit) => this.observe({ type: 'circuit', registry, circuit }));
    this.#pools = new Pools({ guard: new Guard(options.network), proxies: new Proxies(options.proxy), resolve: options.resolve });
    this.#wire = { pools: this.#pools, settings: options.settings, userAgent: options.userAgent };
    this.#auth = new Auth(new TokenCache(options.clock), (result) => this.observe({ type: 'cache', cache: 'token', result }));
  }

  /**
   * Asks, and returns the last word whatever its status. `close` gives back the connection and the place in
   * the queue: call it.
   *
   * @throws Failure when there is no answer, or was none lately (`unreachable`, `timeout`, `tls`), a guard refuses
   *   (`invalid`), or the registry asked to be left alone for longer than 5 s (`throttled`)
   */
  async ask(request: Request, as: Identity, call: Call): Promise<Answer> {
    const registry = this.#endpoint(request.host);
    const pace = this.#governor.of(registry);
    const priority = priorityOf(call, isPublishing(request));
    const place = request.isPlaceHeld === true ? undefined : new Place(pace.lane(request.lane), priority, call.signal);
    const shown = mayShow(registry) ? as : [];
    try {
      this.#checkCircuit(pace.breaker.refusal(), request, call);
      await beforeDeadline(place?.enter(), request, call);
      const resource = `${request.host} ${request.scopes.join(' ')}`;
      const answer = await this.#identities.firstThatWorks(shown, resource, (credential) => this.#withToken({ registry, request, credential, call, pace, priority, place }), request.tryNextOn);
      return { ...answer, close: () => (answer.close(), void nextTurn().then(() => place?.leave())) };
    } catch (error) {
      place?.leave();
      if (isGuardError(error)) this.observe({ type: 'guard', registry: request.host, rule: error.rule });
      throw failureOfError(error, request, call, as);
    }
  }

  /** Takes a place in a lane for a request that is asked later; the returned function gives it back. */
  async enter(host: string, lane: Lane, call: Call): Promise<() => void> {
    return this.#governor.of(this.#endpoint(host)).lane(lane).enter(priorityOf(call), call.signal);
  }

  /** The pace of every registry that was asked something. */
  pace(): readonly PaceSeen[] {
    return this.#governor.see();
  }

  /** Asks, uses the answer, and gives everything back. */
  async use<T>(request: Request, as: Identity, call: Call, use: (answer: Answer) => Promise<T> | T): Promise<T> {
    const answer = await this.ask(request, as, call);
    try {
      return await use(answer);
    } catch (error) {
      throw failureOfError(error, request, call);
    } finally {
      answer.close();
      // undici frees a connection one turn after its answer: whoever asks sooner opens another one
      await nextTurn();
    }
  }

  /** The failure that a refused answer stands for. */
  refusal(answer: Answer, asked: Asked, call: Call): Failure {
    return failureOf(answer, asked, call, this.clock());
  }

  async close(): Promise<void> {
    await this.#pools.close();
  }

  #endpoint(host: string): Endpoint {
    return endpointOf(host, this.options.settings(host));
  }

  async #withToken(ask: Ask): Promise<Answer> {
    const { registry, request, credential, call } = ask;
    let standing: Standing = { registry, credential, scopes: request.scopes };
    const send = tokenSender(this.#wire, registry, (result) => this.observe({ type: 'token', registry: request.host, result }));
    try {
      let sent = await within(this.#auth.header(standing, send), call.signal);
      let answer = await this.#patiently(ask, sent);
      for (let renewals = 0; answer.status === 401 && answer.isForeign !== true && renewals < 2 && isRepeatable(request); renewals++) {
        const challenges = parseChallenges(answer.headers['www-authenticate']);
        if (renewals > 0 && !namesMore(challenges, standing.scopes)) break;
        const renewal = await within(this.#auth.renewed(challenges, answer.url, standing, sent, send), call.signal);
        if (renewal === undefined) break;
        standing = { ...standing, scopes: renewal.scopes };
        sent = renewal.header;
        answer = await this.#patiently(ask, sent);
      }
      return { ...answer, sent, hint: this.#auth.hint(standing) };
    } catch (error) {
      if (error instanceof TokenRefused) return { ...this.#refusedByRealm(ask, error), hint: this.#auth.hint(standing) };
      throw error;
    }
  }

  async #patiently(ask: Ask, authorization: string | undefined): Promise<Answer> {
    const { request, call } = ask;
    const retries = call.purpose === 'probe' || request.once === true || !isRepeatable(request) ? 0 : mostRetries;
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await this.#once(ask, authorization);
        const waitMs = parseRetryAfter(headerOf(answer.headers, 'retry-after'), this.clock());
        if (attempt === retries || !heals(answer) || (waitMs ?? 0) > longestWaitInsideMs) return answer;
        await this.#pause(ask, attempt, waitMs);
      } catch (error) {
        if (attempt === retries || call.signal.aborted || !isConnectionError(error)) throw error;
        await this.#pause(ask, attempt);
      }
    }
  }

  /** Full jitter, doubling; a wait that the registry names is taken as it is. Others have the place meanwhile. */
  async #pause({ request, call, place }: Ask, attempt: number, askedMs?: number): Promise<void> {
    this.observe({ type: 'retry', registry: request.host, code: 'unreachable' });
    const jitterMs = (this.options.random ?? Math.random)() * firstPauseMs * 2 ** attempt;
    const rest = (): Promise<void> => this.time.sleep(askedMs ?? jitterMs, call.signal);
    await (place === undefined ? rest() : place.outside(rest));
  }

  async #once(ask: Ask, authorization: string | undefined): Promise<Answer> {
    const { registry, request, call } = ask;
    const identity = authorization === undefined ? anonymous : idOf(ask.credential);
    const url = urlOf(registry, request);
    const attempt = await this.#leave(ask, identity);
    const startedAt = this.clock();
    const seen = (status: number): void =>
      this.observe({ type: 'exchange', registry: request.host, method: request.method, route: routeOf(url), status, purpose: call.purpose, tookMs: this.clock() - startedAt, identity });
    const patience = request.opens === true ? lingering(call.signal) : { signal: call.signal };
    try {
      const { method, headers, body, headersTimeoutMs } = request;
      const answer = await exchange(this.#wire, registry, { method, url, headers, body, headersTimeoutMs, authorization, onAnswer: () => attempt.answered() }, patience);
      seen(answer.status);
      return this.#learn(ask, await this.#read(ask, answer, identity));
    } catch (error) {
      if (!isGuardError(error)) seen(0); // nothing was sent
      const silence = silenceOf(error, call);
      if (silence === undefined) attempt.left();
      else attempt.failed(silence);
      throw error;
    }
  }

  /** Waits for the governor's word to one exchange. A long wait that the registry asked for is the caller's, and so is a host that does not answer. */
  async #leave({ request, call, pace, priority, place }: Ask, identity: CredentialId): Promise<Attempt> {
    const leave = await beforeDeadline(pace.leave({ identity, priority, place, signal: call.signal }), request, call);
    if (leave.verdict === 'go') return leave.attempt;
    if (leave.verdict === 'silent') this.#checkCircuit(leave.refused, request, call);
    const retryAfterMs = leave.verdict === 'throttled' ? leave.forMs : undefined;
    throw failure('throttled', `${request.what} not asked for: ${call.side} ${request.host} asked to be left alone`, request, call, { retryAfterMs, isUnasked: true });
  }

  /** @throws the last failure again while the circuit is open */
  #checkCircuit(refused: Refused | undefined, asked: Asked, call: Call): void {
    if (refused === undefined) return;
    const { silence: { code, why, cause }, forMs } = refused;
    throw failure(code, `${asked.what} not asked for: ${call.side} ${asked.host} does not answer (${why})`, asked, call, { retryAfterMs: forMs, isRepeated: true, cause });
  }

  /** A refused answer is read whole, so that nobody below has to think of its connection. */
  async #read({ credential }: Ask, answer: WireAnswer, identity: CredentialId): Promise<Answer> {
    const close = (): void => drop(answer.body);
    if (answer.status < 400) return { ...answer, errors: [], identity, credential, close };
    const read: Answer = { ...answer, errors: await readErrors(answer.body), identity, credential, close };
    close();
    await nextTurn();
    return read;
  }

  /** What an answer says of the registry's patience. */
  #learn({ request, pace, priority }: Ask, answer: Answer): Answer {
    const lane = pace.lane(request.lane);
    const isThrottling = isThrottled(answer);
    if (isThrottling || answer.status === 503) lane.refused();
    else lane.succeeded();

    const limit = parseRateLimit(answer.headers);
    if (limit !== undefined) this.observe({ type: 'quota', registry: request.host, remaining: limit.remaining });
    if (isThrottling) this.#leaveAlone(pace, answer.identity, headerOf(answer.headers, 'retry-after'));
    else pace.quota(answer.identity).answered(limit, priority, this.clock());
    if (answer.isForeign !== true) this.#learnRest(pace, answer.status, headerOf(answer.headers, 'retry-after'), priority);
    return answer;
  }

  /** A registry, or its token service, that serves nobody and says for how long is left alone by all but probes. */
  #learnRest(pace: HostPace, status: number, retryAfter: string | undefined, priority: Priority): void {
    const waitMs = status === 503 ? (parseRetryAfter(retryAfter, this.clock()) ?? 0) : 0;
    if (waitMs > 0) pace.rest.close(waitMs, this.clock());
    else pace.rest.answered(undefined, priority, this.clock());
  }

  #leaveAlone(pace: HostPace, identity: CredentialId, retryAfter: string | undefined): void {
    const waitMs = parseRetryAfter(retryAfter, this.clock()) ?? unspecifiedWaitMs;
    pace.quota(identity).close(waitMs, this.clock());
  }

  /** What a token service refuses, the registry refuses: so that the next credential gets its turn. */
  #refusedByRealm(ask: Ask, { answer, message }: TokenRefused): Answer {
    const identity = idOf(ask.credential);
    const status = answer.status === 429 || answer.status >= 500 ? answer.status : 401;
    if (status === 429) this.#leaveAlone(ask.pace, identity, answer.retryAfter);
    else this.#learnRest(ask.pace, status, answer.retryAfter, ask.priority);
    return {
      status,
      headers: { 'retry-after': answer.retryAfter },
      url: new URL(ask.registry.origin),
      identity,
      credential: ask.credential,
      errors: [{ code: '', message }],
      body: undefined,
      close: () => undefined,
    };
  }
}

function idOf(credential: Credential | undefined): CredentialId {
  return credential?.id ?? anonymous;
}

function heals(answer: Answer): boolean {
  return retriedStatus.includes(answer.status) && !isThrottled(answer);
}

/** Whoever stands for a registry is not the registry. */
function mayShow(registry: Endpoint): boolean {
  const { endpoint, proxies } = registry.settings;
  return endpoint === undefined || proxies !== true || isAllowedHost(new URL(registry.origin), registry);
}
