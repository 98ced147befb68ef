import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** One thing a process needs before it can do its work: `true`, or why not yet. */
export interface Check {
  readonly name: string;
  ready(): true | string;
}

export interface PageServer {
  /** the port it listens on, also when any free one was asked for */
  readonly port: number;
  /** Takes another certificate into use, where there is one. */
  readonly renew: (pair: PagePair) => void;
  readonly close: () => Promise<void>;
}

type Answer = { readonly status: number; readonly type: string; readonly body: string };
/** What each path answers, without its query. */
export type Pages = Readonly<Record<string, (query: URLSearchParams) => Answer | Promise<Answer>>>;

/** `/metrics` in the Prometheus text format. */
export function metricsPages(metrics: { readonly contentType: string; text(): Promise<string> }): Pages {
  return { '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }) };
}

/** `/healthz`: the process answers. `/readyz`: every check passes; the body lists them as Kubernetes does. */
export function healthPages(checks: readonly Check[]): Pages {
  return { '/healthz': () => plain(200, 'ok\n'), '/readyz': () => readiness(checks) };
}

/** A certificate chain and its key, both PEM. */
export interface PagePair {
  readonly certificate: string;
  readonly privateKey: string;
}

/**
 * Whether somebody may read a path; never rejects. `unknown`: nobody can be asked.
 *
 * @param token that of `Authorization: Bearer`; undefined without one
 */
export type Admission = (token: string | undefined, path: string) => Promise<'allowed' | 'unauthenticated' | 'forbidden' | 'unknown'>;

export interface PageSecurity {
  readonly certificate: PagePair;
  readonly admit: Admission;
}

/**
 * Serves pages over plain HTTP, or over HTTPS to those who may read them.
 *
 * @param address `[host]:port`; `:0` takes any free port, and `0` serves nothing
 * @returns undefined for `0`
 * @throws when the address does not parse, or cannot be listened on
 */
export async function servePages(address: string, pages: Pages, security?: PageSecurity): Promise<PageServer | undefined> {
  if (address === '0') return undefined;
  const { server, renew } = security === undefined ? plainServer(pages) : secureServer(pages, security);
  await listen(server, parseBindAddress(address));
  return { port: (server.address() as AddressInfo).port, renew, close: () => close(server) };
}

type Made = { readonly server: Server } & Pick<PageServer, 'renew'>;

function plainServer(pages: Pages): Made {
  return { server: createServer(answerWith(pages)), renew: () => undefined };
}

function secureServer(pages: Pages, { certificate: first, admit }: PageSecurity): Made {
  const context = ({ certificate, privateKey }: PagePair) => ({ cert: certificate, key: privateKey, minVersion: 'TLSv1.2' as const });
  const server = createSecureServer(context(first), answerWith(pages, admit));
  return { server, renew: (pair) => server.setSecureContext(context(pair)) };
}

/** @throws when it is no `[host]:port` */
export function parseBindAddress(address: string): { readonly host?: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, Math.max(colon, 0)).replace(/^\[(.*)\]$/, '$1');
  const port = Number(address.slice(colon + 1));
  if (colon === -1 || !/^\d+$/.test(address.slice(colon + 1)) || port > 65_535) throw new Error(`not an address to listen on: ${JSON.stringify(address)}; use host:port, :port, or 0 for off`);
  return host === '' ? { port } : { host, port };
}

function readiness(checks: readonly Check[]): Answer {
  const states = checks.map((check) => ({ name: check.name, state: check.ready() }));
  const isReady = states.every(({ state }) => state === true);
  const lines = states.map(({ name, state }) => (state === true ? `[+]${name} ok` : `[-]${name} ${state}`));
  return plain(isReady ? 200 : 503, `${[...lines, isReady ? 'ready' : 'not ready'].join('\n')}\n`);
}

function answerWith(pages: Pages, admit?: Admission): RequestListener {
  return (request, response) => {
    void refusal(request, admit)
      .then((refused) => refused ?? answer(pages, request.method ?? '', request.url ?? ''))
      .catch(() => plain(500, 'internal error\n'))
      .then((found) => send(response, found));
  };
}

/** Before anything else: whoever may not read learns not even what there is. */
async function refusal({ url = '', headers }: IncomingMessage, admit?: Admission): Promise<Answer | undefined> {
  if (admit === undefined) return undefined;
  const [, token] = /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? '') ?? [];
  const [path = ''] = url.split('?', 1);
  switch (await admit(token, path)) {
    case 'allowed':
      return undefined;
    case 'unauthenticated':
      return plain(401, 'unauthorized: send the token of somebody who may read this, as Authorization: Bearer\n');
    case 'forbidden':
      return plain(403, `forbidden: give the sender a role with nonResourceURLs [${JSON.stringify(path)}] and verbs [get]\n`);
    case 'unknown':
      return plain(503, 'the API server cannot be asked who may read this\n');
  }
}

async function answer(pages: Pages, method: string, target: string): Promise<Answer> {
  const [path = '', query = ''] = target.split('?', 2); // new URL() throws at targets such as //
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) return plain(404, 'not found\n');
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET\n');
  return page(new URLSearchParams(query));
}

function plain(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body };
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}

function listen(server: Server, { host, port }: { readonly host?: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => resolve());
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
