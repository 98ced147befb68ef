/** What `Authorization` a request carries: learned from challenges, remembered per origin and credential. */
import { LRUCache } from 'lru-cache';
import type { Credential } from '../registry.js';
import type { Challenge } from './challenge.js';
import { mayAuthenticate } from './realms.js';
import { covers, splitScopes, type Scope } from './scope.js';
import type { Endpoint } from './settings.js';
import { basic, identityKey, type TokenAnswer, type TokenAsk, type TokenCache, type TokenRequest } from './tokens.js';

/** How a registry wants one credential to be shown. */
type Way = { readonly scheme: 'basic' } | { readonly scheme: 'bearer'; readonly realm: URL; readonly service: string | undefined };

/** One request's standing with a registry. */
export interface Standing {
  readonly registry: Endpoint;
  readonly credential: Credential | undefined;
  readonly scopes: readonly Scope[];
}

export interface Renewal {
  readonly header: string;
  readonly scopes: readonly Scope[];
}

/** Reaches a token service: the client's guarded exchange. */
export type TokenSender = (request: TokenRequest) => Promise<TokenAnswer>;

export class Auth {
  readonly #ways = new LRUCache<string, Way>({ max: 1000 });

  /** @param looked told whether a token was at hand */
  constructor(
    readonly tokens: TokenCache,
    readonly looked: (result: 'hit' | 'miss') => void = () => undefined,
  ) {}

  /** The header to send at once; undefined when nothing is known yet, and for registries that ask for nothing. */
  async header(standing: Standing, send: TokenSender): Promise<string | undefined> {
    const way = this.#ways.get(wayKey(standing));
    if (way === undefined) return undefined;
    if (way.scheme === 'basic') return standing.credential === undefined ? undefined : basic(standing.credential);
    return this.#bearer(way, standing, standing.scopes, send);
  }

  /**
   * What to try after a 401; undefined when there is no other way in.
   *
   * @param url what answered with the challenges
   * @param sent what the refused request carried
   * @returns a header, and the scopes that it was made for
   */
  async renewed(challenges: readonly Challenge[], url: URL, standing: Standing, sent: string | undefined, send: TokenSender): Promise<Renewal | undefined> {
    const way = wayOf(challenges, url, standing.credential);
    if (way === undefined) return undefined;
    this.#ways.set(wayKey(standing), way);

    if (way.scheme === 'basic') {
      const header = standing.credential === undefined ? undefined : basic(standing.credential);
      return header === undefined || header === sent ? undefined : { header, scopes: standing.scopes };
    }
    const challenged = challengedScopes(challenges);
    const scopes = covers(standing.scopes, challenged) ? standing.scopes : merge(challenged, standing.scopes);
    if (sent?.startsWith('Bearer ')) this.tokens.drop(this.#ask(way, standing, scopes), sent.slice('Bearer '.length));
    const header = await this.#bearer(way, standing, scopes, send);
    return header === sent ? undefined : { header, scopes };
  }

  /** Why a refusal may be ours: a token service that may not see the credential was asked as nobody. */
  hint({ registry, credential }: Pick<Standing, 'registry' | 'credential'>): string | undefined {
    const way = this.#ways.get(wayKey({ registry, credential }));
    if (credential === undefined || way?.scheme !== 'bearer' || credential.registryToken !== undefined || mayAuthenticate(way.realm, registry)) return undefined;
    return `its token service ${way.realm.host} is another domain's and was asked without the credential; registries.items.${registry.host}.allowHosts permits it`;
  }

  async #bearer(way: Way & { scheme: 'bearer' }, standing: Standing, scopes: readonly Scope[], send: TokenSender): Promise<string> {
    const { credential } = standing;
    // a ready token is shown to the registry alone, like a password
    if (credential?.registryToken !== undefined) return `Bearer ${credential.registryToken}`;
    const ask = this.#ask(way, standing, scopes);
    const held = this.tokens.held(ask);
    this.looked(held === undefined ? 'miss' : 'hit');
    const token = held ?? (await this.tokens.ask(ask, send));
    return `Bearer ${token.value}`;
  }

  /** A realm that may not see the credential is asked as nobody. */
  #ask(way: Way & { scheme: 'bearer' }, { registry, credential }: Standing, scopes: readonly Scope[]): TokenAsk {
    return { realm: way.realm, service: way.service, scopes, credential: mayAuthenticate(way.realm, registry) ? credential : undefined };
  }
}

/** Whether a challenge names a scope that was not asked for: worth a second token, once. */
export function namesMore(challenges: readonly Challenge[], scopes: readonly Scope[]): boolean {
  return !covers(scopes, challengedScopes(challenges));
}

function challengedScopes(challenges: readonly Challenge[]): readonly Scope[] {
  return splitScopes(challenges.find(({ scheme }) => scheme === 'bearer')?.parameters.scope);
}

function wayKey({ registry, credential }: Pick<Standing, 'registry' | 'credential'>): string {
  return `${registry.origin} ${identityKey(credential)}`;
}

/** Bearer before Basic; Basic is no use without a credential. */
function wayOf(challenges: readonly Challenge[], url: URL, credential: Credential | undefined): Way | undefined {
  const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.realm !== undefined);
  const realm = bearer?.parameters.realm === undefined ? undefined : parseUrl(bearer.parameters.realm, url);
  if (realm !== undefined) return { scheme: 'bearer', realm, service: bearer?.parameters.service };
  const offersBasic = challenges.some(({ scheme }) => scheme === 'basic');
  return offersBasic && credential?.username !== undefined ? { scheme: 'basic' } : undefined;
}

/** The challenge's scopes first: some servers honour only the first. */
function merge(first: readonly Scope[], then: readonly Scope[]): readonly Scope[] {
  return [...first, ...then.filter((scope) => !covers(first, [scope]))];
}

function parseUrl(text: string, base: URL): URL | undefined {
  return URL.canParse(text, base.href) ? new URL(text, base) : undefined;
}
