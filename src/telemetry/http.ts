import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One thing a process needs before it can do its work: `true`, or why not yet. */
export interface Check {
  readonly name: string;
  ready(): true | string;
}

export interface PlainServer {
  /** the port it listens on, also when any free one was asked for */
  readonly port: number;
  close(): Promise<void>;
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

/**
 * Serves pages over plain HTTP.
 *
 * @param address `[host]:port`; `:0` takes any free port, and `0` serves nothing
 * @returns undefined for `0`
 * @throws when the address does not parse, or cannot be listened on
 */
export async function servePages(address: string, pages: Pages): Promise<PlainServer | undefined> {
  if (address === '0') return undefined;
  const server = createServer(answerWith(pages));
  await listen(server, parseBindAddress(address));
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
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

function answerWith(pages: Pages): RequestListener {
  return (request, response) => {
    void answer(pages, request.method ?? '', request.url ?? '')
      .catch(() => plain(500, 'internal error\n'))
      .then((found) => send(response, found));
  };
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
