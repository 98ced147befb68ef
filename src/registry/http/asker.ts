/**
 * One question to a registry, asked until it has an answer. From the outside in:
 *
 * 1. a place in the governor's queue;
 * 2. the credentials in order, the next one only where the answer may depend on who asks;
 * 3. a token, when the registry wants one: at most two for one 401;
 * 4. again after what heals by itself, at most twice, never for a probe;
 * 5. the exchange, redirects included.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { anonymous, type CredentialId } from '../../domain/availability.js';
import type { Failure } from '../../domain/failure.js';
import type { Call, Credential, Identity } from '../registry.js';
import { headerOf, readErrors, readText, type Answer } from './answer.js';
import { Auth, namesMore, type Standing, type TokenSender } from './auth.js';
import { parseChallenges } from './challenge.js';
import { failure, failureOf, failureOfError, isConnectionError, isThrottled, unspecifiedWaitMs, type Asked } from './errors.js';
import { askRealm, drop, exchange, isGuardError, type Body, type WireAnswer, type WireDeps } from './exchange.js';
import { Governor, type Lane } from './governor.js';
import { checkDowngrade } from './guard.js';
import { Identities } from './identities.js';
import type { Observer } from './observer.js';
import { Pools } from './pools.js';
import { parseRetryAfter } from './retry-after.js';
import type { Scope } from './scope.js';
import { endpointOf, type Endpoint, type SettingsOf } from './settings.js';
import { TokenCache, TokenRefused } from './tokens.js';

/** What is asked of a registry. */
export interface Request extends Asked {
  readonly method: Dispatcher.HttpMethod;
  /** below `/v2/`, or an absolute URL that the registry gave */
  readonly path: string | URL;
  readonly scopes: readonly Scope[];
  readonly lane: Lane;
  /** the caller has entered that lane already */
  readonly isPlaceHeld?: true;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** sent at most once, whatever happens to it; a fresh token is no repetition, since nothing was done */
  readonly once?: true;
  /** refusals after which the next credential is tried; 401, 403 and 404 unless said otherwise */
  readonly tryNextOn?: readonly number[];
  readonly headersTimeoutMs?: number;
}

export interface AskerOptions {
  readonly settings: SettingsOf;
  /** milliseconds since the epoch */
  readonly clock: () => number;
  readonly userAgent: string;
  /** between 0 and 1, for the jitter of retries */
  readonly random?: () => number;
  readonly observer?: Observer;
}

const retriedStatus: readonly number[] = [408, 499, 500, 502, 503, 504, 522];
const mostRetries = 2;
const firstPauseMs = 200;
/** longer waits that a registry asks for are the caller's: a worker slot must not sleep */
const longestPauseMs = 5000;
const longestTokenAnswer = 64 * 1024;
const tokenTimeoutMs = 30_000;

/** One credential's way to one registry, while one request is asked. */
interface Ask {
  readonly registry: Endpoint;
  readonly request: Request;
  readonly credential: Credential | undefined;
  readonly call: Call;
}

export class Asker {
  readonly clock: () => number;
  readonly observe: Observer;
  readonly #governor = new Governor();
  readonly #identities = new Identities();
  readonly #pools = new Pools();
  readonly #auth: Auth;
  readonly #wire: WireDeps;

  constructor(readonly options: AskerOptions) {
    this.clock = options.clock;
    this.observe = options.observer ?? (() => undefined);
    this.#wire = { pools: this.#pools, settings: options.settings, userAgent: options.userAgent };
    this.#auth = new Auth(new TokenCache(options.clock));
  }

  /**
   * Asks, and returns the last word whatever its status. `close` gives back the connection and the place in
   * the queue: call it.
   *
   * @throws Failure when there is no answer (`unreachable`, `timeout`, `tls`), a guard refuses (`invalid`), or
   *   the registry asked to be left alone (`throttled`)
   */
  async ask(request: Request, as: Identity, call: Call): Promise<Answer> {
    const registry = this.#endpoint(request.host);
    const lane = this.#governor.lane(registry, request.lane);
    let release = (): void => undefined;
    try {
      if (request.isPlaceHeld !== true) release = await lane.enter(call.purpose, call.signal);
      const resource = `${request.host} ${request.scopes.join(' ')}`;
      const answer = await this.#identities.firstThatWorks(as, resource, (credential) => this.#withToken({ registry, request, credential, call }), request.tryNextOn);
      if (isThrottled(answer) || answer.status === 503) lane.refused();
      else lane.succeeded();
      return { ...answer, close: () => (answer.close(), void nextTurn().then(release)) };
    } catch (error) {
      release();
      if (isGuardError(error)) this.observe({ type: 'guard', registry: request.host, rule: error.rule });
      throw failureOfError(error, request, call);
    }
  }

  /** Takes a place in a lane for a request that is asked later; the returned function gives it back. */
  async enter(host: string, lane: Lane, call: Call): Promise<() => void> {
    return this.#governor.lane(this.#endpoint(host), lane).enter(call.purpose, call.signal);
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
    const send = this.#tokenSender(ask);
    try {
      let sent = await within(this.#auth.header(standing, send), call.signal);
      let answer = await this.#patiently(ask, sent);
      for (let renewals = 0; answer.status === 401 && renewals < 2 && isRepeatable(request); renewals++) {
        const challenges = parseChallenges(answer.headers['www-authenticate']);
        if (renewals > 0 && !namesMore(challenges, standing.scopes)) break;
        const renewal = await within(this.#auth.renewed(challenges, answer.url, standing, sent, send), call.signal);
        if (renewal === undefined) break;
        standing = { ...standing, scopes: renewal.scopes };
        sent = renewal.header;
        answer = await this.#patiently(ask, sent);
      }
      return answer;
    } catch (error) {
      if (error instanceof TokenRefused) return this.#refusedByRealm(ask, error);
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
        if (attempt === retries || !heals(answer) || (waitMs ?? 0) > longestPauseMs) return answer;
        await this.#pause(ask, attempt, waitMs);
      } catch (error) {
        if (attempt === retries || call.signal.aborted || !isConnectionError(error)) throw error;
        await this.#pause(ask, attempt);
      }
    }
  }

  /** Full jitter, doubling; a wait that the registry names is taken as it is. */
  async #pause({ request, call }: Ask, attempt: number, askedMs?: number): Promise<void> {
    this.observe({ type: 'retry', registry: request.host, code: 'unreachable' });
    const jitterMs = (this.options.random ?? Math.random)() * firstPauseMs * 2 ** attempt;
    await sleep(askedMs ?? jitterMs, undefined, { signal: call.signal });
  }

  async #once(ask: Ask, authorization: string | undefined): Promise<Answer> {
    const { registry, request, call } = ask;
    const identity = authorization === undefined ? anonymous : idOf(ask.credential);
    await this.#turn(ask, identity);

    const url = urlOf(registry, request.path);
    const startedAt = this.clock();
    const seen = (status: number): void =>
      this.observe({ type: 'exchange', registry: request.host, method: request.method, route: routeOf(url), status, purpose: call.purpose, tookMs: this.clock() - startedAt, identity });
    try {
      const { method, headers, body, headersTimeoutMs } = request;
      const answer = await exchange(this.#wire, registry, { method, url, headers, body, headersTimeoutMs, authorization }, call);
      seen(answer.status);
      return await this.#read(ask, answer, identity);
    } catch (error) {
      seen(0);
      throw error;
    }
  }

  /** Stays away while the registry asked us to: a short while here, a long one as `throttled`. */
  async #turn({ registry, request, call }: Ask, identity: CredentialId): Promise<void> {
    const waitMs = this.#governor.closedForMs(registry, identity, call, this.clock());
    if (waitMs > longestPauseMs) throw failure('throttled', `${request.what} not asked for: ${call.side} ${request.host} asked to be left alone`, request, call, { retryAfterMs: waitMs });
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: call.signal });
  }

  /** A refused answer is read whole, so that nobody below has to think of its connection. */
  async #read(ask: Ask, answer: WireAnswer, identity: CredentialId): Promise<Answer> {
    const close = (): void => drop(answer.body);
    if (answer.status < 400) return { ...answer, errors: [], identity, credential: ask.credential, close };
    const read: Answer = { ...answer, errors: await readErrors(answer.body), identity, credential: ask.credential, close };
    close();
    await nextTurn();
    if (isThrottled(read)) this.#leaveAlone(ask, identity, headerOf(answer.headers, 'retry-after'));
    return read;
  }

  #leaveAlone({ registry }: Ask, identity: CredentialId, retryAfter: string | undefined): void {
    const waitMs = parseRetryAfter(retryAfter, this.clock()) ?? unspecifiedWaitMs;
    this.#governor.close(registry, identity, this.clock() + waitMs);
  }

  /** Token requests take no place in the queue, since whoever needs one holds a place, and have their own deadline. */
  #tokenSender({ registry, request }: Ask): TokenSender {
    return async ({ method, url, headers: { authorization, ...headers }, body }) => {
      const bytes = body === undefined ? undefined : { bytes: Buffer.from(body) };
      const answer = await askRealm(this.#wire, registry, { method, url, headers, body: bytes, authorization }, AbortSignal.timeout(tokenTimeoutMs));
      try {
        this.observe({ type: 'token', registry: request.host, result: answer.status === 200 ? 'granted' : 'refused' });
        return { status: answer.status, text: (await readText(answer.body, longestTokenAnswer)) ?? '', retryAfter: headerOf(answer.headers, 'retry-after') };
      } finally {
        drop(answer.body);
      }
    };
  }

  /** What a token service refuses, the registry refuses: so that the next credential gets its turn. */
  #refusedByRealm(ask: Ask, { answer, message }: TokenRefused): Answer {
    const identity = idOf(ask.credential);
    const status = answer.status === 429 || answer.status >= 500 ? answer.status : 401;
    if (status === 429) this.#leaveAlone(ask, identity, answer.retryAfter);
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

function isRepeatable({ body }: Request): boolean {
  return body === undefined || 'bytes' in body;
}

function heals(answer: Answer): boolean {
  return retriedStatus.includes(answer.status) && !isThrottled(answer);
}

/** URLs are built from parsed parts, or are the registry's own. */
function urlOf(registry: Endpoint, path: string | URL): URL {
  if (typeof path === 'string') return new URL(`${registry.origin}${registry.prefix}/v2/${path}`);
  checkDowngrade(path, registry);
  return path;
}

function routeOf({ pathname }: URL): string {
  return ['/blobs/uploads', '/blobs/', '/manifests/', '/tags/'].find((part) => pathname.includes(part))?.split('/').findLast((word) => word !== '') ?? 'other';
}

/** Waits for something shared no longer than this caller can wait. */
function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
