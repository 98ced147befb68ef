/** Who may enter the scripted registry: nobody is asked, a password, or a token from its own token service. */
import { createHash } from 'node:crypto';
import { headerOf, type Ask, type Reply } from './ask.js';

export type Access =
  | { readonly type: 'open' }
  | { readonly type: 'basic'; readonly accounts: Readonly<Record<string, string>> }
  | {
      readonly type: 'bearer';
      readonly accounts: Readonly<Record<string, string>>;
      /** repositories everybody may read with an anonymous token */
      readonly isPublic?: boolean;
      /** seconds; tokens end for real then, by the registry's clock */
      readonly expiresIn?: number;
      /** refresh tokens by account */
      readonly refreshTokens?: Readonly<Record<string, string>>;
      /** milliseconds since the epoch */
      readonly clock?: () => number;
      /** what of the asked scopes a token opens; all of them, unless told */
      readonly grants?: (asked: readonly string[]) => readonly string[];
      /** what a scope with `delete` is refused with; `needed` refuses who comes without it */
      readonly deleteScope?: 'needed' | 400 | 403;
      /** what a refresh grant is refused with */
      readonly refreshRefused?: 400 | 401 | 404 | 405;
      /** name of the token in the answer; `token` unless told */
      readonly tokenField?: 'token' | 'access_token' | 'both';
      /** edits the answer of the token service before it goes out: lies about lifetimes and clocks, garbage */
      readonly lies?: (honest: Readonly<Record<string, unknown>>) => object;
    };

interface Token {
  readonly scopes: readonly string[];
  readonly until: number;
}

/** What is read of a request. */
export interface Knock {
  readonly authorization: string | undefined;
  /** `pull`, or `pull,push`, of which repository */
  readonly needs: readonly string[];
}

export class Door {
  readonly #tokens = new Map<string, Token>();
  /** tokens issued, in order */
  readonly issued: string[] = [];

  constructor(
    readonly access: Access,
    readonly realm: () => string,
  ) {}

  /** The challenge that refuses a request; undefined lets it in. */
  refuses({ authorization, needs }: Knock): string | undefined {
    if (this.access.type === 'open') return undefined;
    if (this.access.type === 'basic') return this.account(authorization) === undefined ? 'Basic realm="test registry, with a comma"' : undefined;
    const token = authorization?.startsWith('Bearer ') === true ? this.#tokens.get(authorization.slice(7)) : undefined;
    const isGood = token !== undefined && token.until > this.#now() && needs.every((need) => token.scopes.some((scope) => allows(scope, need)));
    return isGood ? undefined : `Bearer realm="${this.realm()}",service="test-registry",scope="${needs.join(' ')}"`;
  }

  /** Ends every token, as a restart of the token service with a new key does. */
  revokeAll(): void {
    this.#tokens.clear();
  }

  /** The token service's answer. */
  token(authorization: string | undefined, scopes: readonly string[], refreshToken?: string): { readonly status: number; readonly body: object } {
    if (this.access.type !== 'bearer') return { status: 404, body: {} };
    if (refreshToken !== undefined && this.access.refreshRefused !== undefined) return { status: this.access.refreshRefused, body: {} };
    const user = refreshToken === undefined ? this.account(authorization) : this.#refreshed(refreshToken);
    if (user === undefined && (authorization !== undefined || refreshToken !== undefined)) return { status: 401, body: {} };
    if (user === undefined && this.access.isPublic !== true) return { status: 401, body: {} };
    if (typeof this.access.deleteScope === 'number' && scopes.some((scope) => /[:,]delete$/.test(scope))) return { status: this.access.deleteScope, body: {} };
    const granted = this.#granted(user, scopes);
    const value = createHash('sha256').update(`token ${this.issued.length}`).digest('base64url');
    const expiresIn = this.access.expiresIn ?? 300;
    this.#tokens.set(value, { scopes: granted, until: this.#now() + expiresIn * 1000 });
    this.issued.push(value);
    const honest = { ...namedBy(this.access.tokenField, value), ...(this.access.expiresIn === undefined ? {} : { expires_in: expiresIn }) };
    return { status: 200, body: this.access.lies?.(honest) ?? honest };
  }

  account(authorization: string | undefined): string | undefined {
    if (this.access.type === 'open' || authorization?.startsWith('Basic ') !== true) return undefined;
    const [user = '', ...password] = Buffer.from(authorization.slice(6), 'base64').toString().split(':');
    return this.access.accounts[user] === password.join(':') ? user : undefined;
  }

  #granted(user: string | undefined, scopes: readonly string[]): readonly string[] {
    const allowed = user === undefined ? scopes.map((scope) => scope.replace(/:[^:]*$/, ':pull')) : scopes;
    return this.access.type === 'bearer' && this.access.grants !== undefined ? this.access.grants(allowed) : allowed;
  }

  #refreshed(refreshToken: string): string | undefined {
    if (this.access.type !== 'bearer') return undefined;
    return Object.entries(this.access.refreshTokens ?? {}).find(([, token]) => token === refreshToken)?.[0];
  }

  #now(): number {
    return this.access.type === 'bearer' && this.access.clock !== undefined ? this.access.clock() : 0;
  }
}

/** The token service: GET with Basic, or the refresh grant as a form. */
export function tokenReply(door: Door, ask: Ask): Reply {
  const form = new URLSearchParams(ask.body.toString());
  const scopes = ask.method === 'POST' ? (form.get('scope') ?? '').split(' ') : ask.url.searchParams.getAll('scope');
  const { status, body } = door.token(headerOf(ask, 'authorization'), scopes, form.get('refresh_token') ?? undefined);
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) };
}

/** The scopes a request needs. */
export function needsOf(ask: Ask, access: Access): readonly string[] {
  const name = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(ask.url.pathname)?.[1]?.replace(/\/blobs$/, '') ?? '';
  const isDeletion = ask.method === 'DELETE' && !ask.url.pathname.includes('/blobs/uploads/');
  const needsDelete = isDeletion && access.type === 'bearer' && access.deleteScope === 'needed';
  const actions = ask.method === 'GET' || ask.method === 'HEAD' ? 'pull' : needsDelete ? 'delete' : 'pull,push';
  const from = ask.url.searchParams.get('from');
  return [`repository:${name}:${actions}`, ...(from === null ? [] : [`repository:${from}:pull`])];
}

function namedBy(field: 'token' | 'access_token' | 'both' = 'token', value: string): Readonly<Record<string, string>> {
  return { ...(field === 'access_token' ? {} : { token: value }), ...(field === 'token' ? {} : { access_token: value }) };
}

function allows(scope: string, need: string): boolean {
  const colon = (text: string): number => text.lastIndexOf(':');
  const actions = scope.slice(colon(scope) + 1).split(',');
  return scope.slice(0, colon(scope)) === need.slice(0, colon(need)) && need.slice(colon(need) + 1).split(',').every((action) => actions.includes(action));
}
