/** One request on the wire, redirects included: pools, guards, headers, retries of broken connections. */
import type { Dispatcher } from 'undici';
import type { Call } from '../registry.js';
import { headerOf, type Headers } from './answer.js';
import { usualStallMs } from './drip.js';
import { guardCode, isBroken, ProxiedError } from './errors.js';
import { checkDowngrade, GuardError, isOrigin } from './guard.js';
import type { Pools } from './pools.js';
import type { Endpoint, HostSettings, SettingsOf } from './settings.js';

/** Bytes to send, and how many. A stream is sent once; nothing repeats it. */
export type Body = { readonly bytes: Uint8Array } | { readonly stream: AsyncIterable<Uint8Array>; readonly length: number };

export interface WireRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  readonly authorization: string | undefined;
  /** milliseconds until the answer's headers; 0 waits as long as the caller does */
  readonly headersTimeoutMs?: number;
  /** called when the registry itself answers, with whatever: a redirect leads elsewhere, and what happens there says nothing of it */
  readonly onAnswer?: () => void;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly url: URL;
  /** it came from, or by way of, another origin than the registry's: its challenges are not answered */
  readonly isForeign: boolean;
  readonly body: Dispatcher.ResponseData['body'];
}

export interface WireDeps {
  readonly pools: Pools;
  readonly settings: SettingsOf;
  readonly userAgent: string;
}

const mostRedirects = 5;
const headersTimeoutMs = 30_000;
const redirects: Readonly<Record<string, readonly number[]>> = {
  GET: [301, 302, 303, 307, 308],
  HEAD: [301, 302, 303, 307, 308],
  // a body that has started cannot be sent again; the POST that opens an upload has none
  POST: [307, 308],
};

/**
 * Sends a request and follows where the registry points, at most five times. At another origin than the
 * registry's the request goes on without credentials and configured headers, and never gets them back.
 */
export async function exchange(deps: WireDeps, registry: Endpoint, request: WireRequest, call: Pick<Call, 'signal'>): Promise<WireAnswer> {
  let url = request.url;
  let isTrusted = isOrigin(url, registry);
  for (let hop = 0; ; hop++) {
    const answer = await sendOnce(deps, registry, { ...request, url, ...(isTrusted ? {} : { authorization: undefined }) }, isTrusted, call);
    if (hop === 0) request.onAnswer?.();
    const location = headerOf(answer.headers, 'location');
    const follows = redirects[request.method]?.includes(answer.status) === true && location !== undefined && !(request.body && 'stream' in request.body);
    if (!follows) return { status: answer.statusCode, headers: answer.headers, url, isForeign: !isTrusted, body: answer.body };

    drop(answer.body);
    if (hop === mostRedirects) throw new GuardError('redirects', `${registry.host} redirects more than ${mostRedirects} times`);
    if (!URL.canParse(location, url.href)) throw new GuardError('redirects', `${registry.host} redirects to something that is no URL`);
    url = new URL(location, url);
    checkDowngrade(url, registry);
    isTrusted &&= isOrigin(url, registry);
  }
}

/**
 * Asks a token service: one request, no redirect. Whether it may see the credentials was decided before.
 */
export async function askRealm(deps: WireDeps, registry: Endpoint, request: WireRequest, signal: AbortSignal): Promise<WireAnswer> {
  checkDowngrade(request.url, registry);
  const isOwn = isOrigin(request.url, registry);
  const { status, headers, body } = await sendOnce(deps, registry, request, isOwn, { signal });
  return { status, headers, body, url: request.url, isForeign: !isOwn };
}

/** Drops what was not read of an answer, so that its connection is free again; a long rest closes it. */
export function drop(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => undefined);
  void body.dump({ limit: 65_536 }).catch(() => undefined);
}

interface Sent extends Dispatcher.ResponseData {
  readonly status: number;
}

async function sendOnce(deps: WireDeps, registry: Endpoint, request: WireRequest, isTrusted: boolean, call: Pick<Call, 'signal'>): Promise<Sent> {
  const { url } = request;
  const { guard } = deps.pools.deps;
  const namedBy = guard.namedBy(url, registry);
  guard.checkLiteral(url, namedBy);
  const { pool, proxy } = deps.pools.to(url, settingsFor(url, deps, registry), namedBy);

  const options = {
    // a pool knows its own; the agent of a proxy asks
    origin: url.origin,
    method: request.method,
    path: url.pathname + url.search,
    headers: headersOf(request, isTrusted ? registry.settings.headers : undefined, deps.userAgent),
    body: bodyOf(request.body),
    signal: call.signal,
    // a HEAD closes its connection otherwise: five checks, five handshakes
    reset: false,
    headersTimeout: request.headersTimeoutMs ?? headersTimeoutMs,
    bodyTimeout: registry.settings.stallTimeoutMs ?? usualStallMs,
  } as const;
  const send = async (): Promise<Sent> => {
    const answer = await pool.request(options);
    return Object.assign(answer, { status: answer.statusCode });
  };
  try {
    return await send().catch((error: unknown) => {
      // the server closed an idle connection just as we used it: nobody has seen the request
      const isSafe = request.method === 'GET' || request.method === 'HEAD';
      if (!isSafe || call.signal.aborted || !isBroken(error)) throw error;
      return send();
    });
  } catch (error) {
    throw proxy === undefined ? error : new ProxiedError(proxy, error);
  }
}

/** Another host has its own settings, but never a client certificate: that is a credential, and somebody else named the host. */
function settingsFor(url: URL, { settings }: WireDeps, registry: Endpoint): HostSettings {
  return isOrigin(url, registry) ? registry.settings : { ...settings(url.host), cert: undefined, key: undefined };
}

function headersOf(request: WireRequest, extra: Readonly<Record<string, string>> | undefined, userAgent: string): Record<string, string> {
  return {
    ...extra,
    // digests are over stored bytes
    'accept-encoding': 'identity',
    'user-agent': userAgent,
    ...request.headers,
    ...(request.authorization === undefined ? {} : { authorization: request.authorization }),
    ...lengthOf(request),
  };
}

function lengthOf({ body, method }: WireRequest): Record<string, string> {
  if (body !== undefined) return { 'content-length': String('bytes' in body ? body.bytes.length : body.length) };
  return method === 'GET' || method === 'HEAD' ? {} : { 'content-length': '0' };
}

function bodyOf(body: Body | undefined): Dispatcher.DispatchOptions['body'] {
  if (body === undefined) return null;
  // undici takes any iterable; its types name only streams
  return 'bytes' in body ? body.bytes : (body.stream as unknown as Dispatcher.DispatchOptions['body']);
}

export function isGuardError(error: unknown): error is GuardError {
  return error instanceof Error && 'code' in error && error.code === guardCode;
}
