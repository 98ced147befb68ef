/**
 * A scripted registry: an honest one first, with faults as data, a second origin for redirected blobs, a token
 * service, and a log of every request, so that tests can say what was not sent.
 *
 *     const registry = await startFaultRegistry();
 *     registry.fault({ on: { route: 'blob', method: 'GET' }, does: { cutAnswerAfter: 1000 } });
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Door, type Access } from './fault-registry/auth.js';
import { Script, type Damage, type Fault, type Route } from './fault-registry/faults.js';
import { blobBytes, serve, type Ask, type Manners, type Reply } from './fault-registry/routes.js';
import { Store } from './fault-registry/store.js';

export type { Fault, Route } from './fault-registry/faults.js';

/** One request as it arrived. */
export interface Logged {
  readonly route: Route;
  readonly method: string;
  /** path and query */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** 0 when the connection was ended instead */
  status: number;
  /** which connection carried it, counted from 1 */
  readonly connection: number;
  readonly bodyBytes: number;
}

export interface FaultRegistryOptions extends Omit<Manners, 'redirectBlobsTo' | 'locationBase'> {
  readonly access?: Access;
  /** where blobs are served: `second` redirects there */
  readonly blobsAt?: 'here' | 'second';
  readonly locations?: 'relative' | 'absolute';
}

export interface FaultRegistry {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** the other origin */
  readonly second: string;
  readonly requests: readonly Logged[];
  readonly store: Store;
  readonly door: Door;
  fault(fault: Fault): void;
  /** forgets faults and the log, keeps content */
  calm(): void;
  /** `GET manifest`, `PUT upload`, ... in order of arrival */
  log(): readonly string[];
  close(): Promise<void>;
}

export async function startFaultRegistry(options: FaultRegistryOptions = {}): Promise<FaultRegistry> {
  const store = new Store();
  const script = new Script();
  const requests: Logged[] = [];
  const connections = new Map<Socket, number>();
  const door: Door = new Door(options.access ?? { type: 'open' }, () => `http://${host}/token`);
  const manners: Manners = {
    ...options,
    ...(options.blobsAt === 'second' ? { redirectBlobsTo: () => `http://${second}` } : {}),
    ...(options.locations === 'absolute' ? { locationBase: () => `http://${host}` } : {}),
  };

  const handle = async (message: IncomingMessage, response: ServerResponse, where: 'registry' | 'second'): Promise<void> => {
    const url = new URL(message.url ?? '/', `http://${host}`);
    const route = where === 'second' ? 'second' : routeOf(url, message.method ?? 'GET');
    const path = url.pathname + url.search;
    const damage = script.next(route, message.method ?? 'GET', path);
    const { socket } = message;
    const connection = connections.get(socket) ?? connections.size + 1;
    connections.set(socket, connection);
    const logged: Logged = { route, method: message.method ?? 'GET', path, headers: message.headers, status: 0, connection, bodyBytes: 0 };
    requests.push(logged);

    const body = await receive(message, damage);
    if (body === undefined) return void socket.destroy();
    Object.assign(logged, { bodyBytes: body.length });
    await damage.after;
    if (damage.reset === true) return void socket.destroy();
    const ask: Ask = { method: logged.method, url, headers: message.headers, body };
    const reply = damage.status === undefined ? answer(ask, route) : { status: damage.status, body: Buffer.from(damage.body ?? '') };
    logged.status = reply.status;
    send(response, logged.method, reply, damage);
  };

  const answer = (ask: Ask, route: Route): Reply => {
    if (route === 'second') return signedBlob(store, ask);
    if (route === 'token') return tokenReply(door, ask);
    const challenge = door.refuses({ authorization: text(ask.headers.authorization), needs: needsOf(ask) });
    if (challenge !== undefined) return { status: 401, headers: { 'www-authenticate': challenge }, body: Buffer.from('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}') };
    return serve(store, manners, ask);
  };

  const servers = (['registry', 'second'] as const).map((where) => createServer((message, response) => void handle(message, response, where)));
  const [host, second] = (await Promise.all(servers.map(listen))) as [string, string];
  return {
    host,
    second,
    requests,
    store,
    door,
    fault: (fault) => script.add(fault),
    calm: () => (script.clear(), void requests.splice(0)),
    log: () => requests.map(({ method, route }) => `${method} ${route}`),
    close: async () => void (await Promise.all(servers.map(close))),
  };
}

function routeOf(url: URL, method: string): Route {
  if (url.pathname === '/token') return 'token';
  if (url.pathname.includes('/manifests/')) return 'manifest';
  if (url.pathname.includes('/blobs/uploads/')) return method === 'POST' && url.searchParams.has('mount') ? 'mount' : 'upload';
  if (url.pathname.includes('/blobs/')) return 'blob';
  return url.pathname.endsWith('/tags/list') ? 'tags' : 'other';
}

/** @returns undefined when the connection is to end in the middle */
async function receive(message: IncomingMessage, damage: Damage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (damage.cutRequestAfter !== undefined && length >= damage.cutRequestAfter) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined; // the client went away
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, method: string, reply: Reply, damage: Damage): void {
  const body = damaged(reply.body ?? Buffer.alloc(0), damage);
  const headers: Record<string, string | number | undefined> = { 'content-length': body.length, ...reply.headers, ...damage.headers };
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
  response.writeHead(reply.status);
  if (method === 'HEAD') return void response.end();
  if (damage.cutAnswerAfter === undefined) return void response.end(body);
  response.write(body.subarray(0, damage.cutAnswerAfter), () => response.socket?.destroy());
}

function damaged(body: Buffer, damage: Damage): Buffer {
  const copy = Buffer.concat([body, Buffer.from(damage.append ?? '')]);
  if (damage.spoil === true && copy.length > 0) copy.writeUInt8(copy.readUInt8(copy.length >> 1) ^ 0xff, copy.length >> 1);
  return copy;
}

function signedBlob(store: Store, ask: Ask): Reply {
  const [, name = '', digest = ''] = /^\/signed\/(.+)\/([^/]+)$/.exec(ask.url.pathname) ?? [];
  const bytes = store.find(name)?.blobs.get(digest);
  // object storage answers so when a signed URL comes with credentials
  if (ask.headers.authorization !== undefined) return { status: 400 };
  return bytes === undefined ? { status: 404 } : blobBytes(bytes, digest, ask, true);
}

function tokenReply(door: Door, ask: Ask): Reply {
  const form = new URLSearchParams(ask.body.toString());
  const scopes = ask.method === 'POST' ? (form.get('scope') ?? '').split(' ') : ask.url.searchParams.getAll('scope');
  const { status, body } = door.token(text(ask.headers.authorization), scopes, form.get('refresh_token') ?? undefined);
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) };
}

function needsOf(ask: Ask): readonly string[] {
  const name = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(ask.url.pathname)?.[1]?.replace(/\/blobs$/, '') ?? '';
  const actions = ask.method === 'GET' || ask.method === 'HEAD' ? 'pull' : 'pull,push';
  const from = ask.url.searchParams.get('from');
  return [`repository:${name}:${actions}`, ...(from === null ? [] : [`repository:${from}:pull`])];
}

function text(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`)));
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
