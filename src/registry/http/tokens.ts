/** Bearer tokens: asked for once, kept while they live, never shared between identities. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import * as z from 'zod';
import type { Credential } from '../registry.js';
import { covers, withoutDelete, type Scope } from './scope.js';

/** What a token service is asked. */
export interface TokenAsk {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly Scope[];
  /** whose token; undefined asks for an anonymous one */
  readonly credential: Credential | undefined;
}

export interface Token {
  readonly value: string;
  readonly scopes: readonly Scope[];
  /** milliseconds since the epoch from which it is asked for anew */
  readonly renewAt: number;
}

/** The service's answer, and how to ask it. */
export interface TokenAnswer {
  readonly status: number;
  readonly text: string;
  /** value of `Retry-After` */
  readonly retryAfter?: string;
}
export interface TokenRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A token service that says no, or nothing that can be read. */
export class TokenRefused extends Error {
  constructor(
    readonly answer: Pick<TokenAnswer, 'status' | 'retryAfter'>,
    host: string,
  ) {
    super(answer.status === 200 ? `the token service ${host} answered without a token` : `the token service ${host} answered ${answer.status}`);
  }
}

/** A refusal is remembered this long: Docker Hub answers repeated bad logins with `toomanyrequests`. */
const refusalMs = 5000;
const shortestLifeMs = 60_000;
const clientId = 'kube-image-keeper';

interface Key {
  readonly service: string;
  readonly exact: string;
}

export class TokenCache {
  readonly #held = new LRUCache<string, readonly Token[]>({ max: 1000 });
  readonly #flights = new Map<string, Promise<Token>>();
  readonly #refused = new LRUCache<string, { readonly error: TokenRefused; readonly until: number }>({ max: 1000 });

  /** @param clock milliseconds since the epoch */
  constructor(readonly clock: () => number) {}

  /** A living token that allows at least these scopes. */
  held(ask: TokenAsk): Token | undefined {
    const now = this.clock();
    return this.#held.get(keyOf(ask).service)?.find((token) => token.renewAt > now && covers(token.scopes, ask.scopes));
  }

  /**
   * A new token; equal asks at the same time share one request.
   *
   * @param send performs one request to the token service
   * @throws TokenRefused when the service says no, and for a few seconds afterwards without asking again
   */
  ask(ask: TokenAsk, send: (request: TokenRequest) => Promise<TokenAnswer>): Promise<Token> {
    const key = keyOf(ask);
    const refused = this.#refused.get(key.exact);
    if (refused !== undefined && refused.until > this.clock()) return Promise.reject(refused.error);

    const flying = this.#flights.get(key.exact);
    if (flying !== undefined) return flying;
    const flight = this.#fetch(ask, key, send).finally(() => this.#flights.delete(key.exact));
    this.#flights.set(key.exact, flight);
    return flight;
  }

  /** Forgets a token that a registry did not accept. */
  drop(ask: TokenAsk, value: string): void {
    const key = keyOf(ask).service;
    this.#held.set(key, (this.#held.get(key) ?? []).filter((token) => token.value !== value));
  }

  async #fetch(ask: TokenAsk, key: Key, send: (request: TokenRequest) => Promise<TokenAnswer>): Promise<Token> {
    const answer = await askPatiently(ask, send);
    if (answer.status !== 200) {
      const error = new TokenRefused(answer, ask.realm.host);
      if (answer.status < 500) this.#refused.set(key.exact, { error, until: this.clock() + refusalMs });
      throw error;
    }
    const token = readToken(answer.text, ask.scopes, this.clock());
    if (token === undefined) throw new TokenRefused(answer, ask.realm.host);
    this.#keep(key.service, token);
    return token;
  }

  #keep(key: string, token: Token): void {
    const now = this.clock();
    const others = (this.#held.get(key) ?? []).filter((other) => other.renewAt > now && !covers(token.scopes, other.scopes));
    this.#held.set(key, [token, ...others].slice(0, 200));
  }
}

/** A service that refuses the action `delete` is asked once more without it; the registry decides then. */
async function askPatiently(ask: TokenAsk, send: (request: TokenRequest) => Promise<TokenAnswer>): Promise<TokenAnswer> {
  const answer = await exchange(ask, send);
  const scopes = ask.scopes.map(withoutDelete);
  const isRefused = (answer.status === 400 || answer.status === 403) && scopes.some((scope, index) => scope !== ask.scopes[index]);
  return isRefused ? exchange({ ...ask, scopes }, send) : answer;
}

/** An identity token goes by POST where the service knows that, everything else by GET. */
async function exchange(ask: TokenAsk, send: (request: TokenRequest) => Promise<TokenAnswer>): Promise<TokenAnswer> {
  if (ask.credential?.identityToken === undefined) return send(getRequest(ask));
  const answer = await send(refreshRequest(ask, ask.credential.identityToken));
  return [400, 401, 404, 405].includes(answer.status) ? send(getRequest(ask)) : answer;
}

/** @see distribution, docs/spec/auth/token.md */
function getRequest({ realm, service, scopes, credential }: TokenAsk): TokenRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  url.searchParams.set('client_id', clientId);
  if (credential?.username) url.searchParams.set('account', credential.username);
  return { method: 'GET', url, headers: credential?.username === undefined ? {} : { authorization: basic(credential) } };
}

/** @see distribution, docs/spec/auth/oauth.md */
function refreshRequest({ realm, service, scopes }: TokenAsk, refreshToken: string): TokenRequest {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, scope: scopes.join(' '), refresh_token: refreshToken });
  if (service !== undefined) form.set('service', service);
  return { method: 'POST', url: new URL(realm), headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form.toString() };
}

export function basic(credential: Pick<Credential, 'username' | 'password'>): string {
  return `Basic ${Buffer.from(`${credential.username ?? ''}:${credential.password ?? ''}`).toString('base64')}`;
}

const TokenDoor = z.object({
  token: z.string().min(1).optional(),
  access_token: z.string().min(1).optional(),
  expires_in: z.number().optional().catch(undefined),
  issued_at: z.string().optional().catch(undefined),
});

function readToken(text: string, scopes: readonly Scope[], now: number): Token | undefined {
  const parsed = TokenDoor.safeParse(parseJson(text));
  const value = parsed.data?.access_token ?? parsed.data?.token;
  if (value === undefined || /[\r\n]/.test(value)) return undefined;
  return { value, scopes, renewAt: renewalOf(parsed.data?.expires_in, parsed.data?.issued_at, now) };
}

/** A clock that is wrong on either side must not make a fresh token expired, nor an old one live. */
function renewalOf(expiresIn: number | undefined, issuedAt: string | undefined, now: number): number {
  const lifeMs = Math.max((expiresIn ?? 0) * 1000, shortestLifeMs);
  const issued = Date.parse(issuedAt ?? '');
  const from = Number.isNaN(issued) || issued > now || issued + lifeMs <= now ? now : issued;
  return from + lifeMs - Math.max(5000, lifeMs / 10);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function keyOf({ realm, service, scopes, credential }: TokenAsk): Key {
  const of = JSON.stringify([realm.href, service, identityKey(credential)]);
  return { service: of, exact: JSON.stringify([of, [...scopes].sort()]) };
}

/**
 * Tells credentials apart in memory: two items of one Secret share an id. Never leaves the process.
 */
export function identityKey(credential: Credential | undefined): string {
  if (credential === undefined) return 'anonymous';
  const { id, username, password, identityToken, registryToken } = credential;
  return createHash('sha256').update(JSON.stringify([id, username, password, identityToken, registryToken])).digest('hex');
}
