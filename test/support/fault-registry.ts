/**
 * A scripted registry: an honest one first, with faults as data, a second origin for redirected blobs, a token
 * service, and a log of every request, so that tests can say what was not sent.
 *
 *     const registry = await startFaultRegistry({ dialect: 'harbor' });
 *     registry.fault({ on: { route: 'blob', method: 'GET' }, does: { cutAnswerAfter: 1000 } });
 *
 * That it is honest is checked by the same table that real registries are held to: `test/conformance/oci.ts`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { headerOf, refuse, type Ask, type Reply } from './fault-registry/ask.js';
import { Door, needsOf, tokenReply, type Access } from './fault-registry/auth.js';
import { signedBlob } from './fault-registry/blobs.js';
import { dialects, type Dialect } from './fault-registry/dialects.js';
import { Script, type Damage, type Fault, type Route } from './fault-registry/faults.js';
import { listen } from './fault-registry/listen.js';
import type { Manners } from './fault-registry/manners.js';
import { routeOf, serve } from './fault-registry/routes.js';
import { Store } from './fault-registry/store.js';
import { receive, send } from './fault-registry/wire.js';

export { dialects, type Dialect } from './fault-registry/dialects.js';
export type { Access } from './fault-registry/auth.js';
export type { Damage, Fault, Route } from './fault-registry/faults.js';
export type { Manners } from './fault-registry/manners.js';

/** One request as it arrived. */
export interface Logged {
  /** when it arrived, in milliseconds: `performance.now()` of this process */
  readonly at: number;
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
  /** whom it acts; single manners beside it win */
  readonly dialect?: Dialect;
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
  fault(...faults: readonly Fault[]): void;
  /** forgets faults and the log, keeps content */
  calm(): void;
  /** `GET manifest`, `PUT upload`, ... in order of arrival */
  log(): readonly string[];
  /** the requests that carried this text, in path or headers: what was, or was not, sent */
  carried(text: string): readonly Logged[];
  /** connections open now, at both origins */
  connections(): number;
  close(): Promise<void>;
}

export async function startFaultRegistry(options: FaultRegistryOptions = {}): Promise<FaultRegistry> {
  const store = new Store();
  const script = new Script();
  const requests: Logged[] = [];
  const connections = new Map<Socket, number>();
  const door: Door = new Door(options.access ?? { type: 'open' }, () => `http://${registry.host}/token`);
  const manners: Manners = {
    ...(options.dialect === undefined ? {} : dialects[options.dialect]),
    ...options,
    ...(options.blobsAt === 'second' ? { redirectBlobsTo: () => `http://${second.host}` } : {}),
    ...(options.locations === 'absolute' ? { locationBase: () => `http://${registry.host}` } : {}),
  };

  const handle = async (message: IncomingMessage, response: ServerResponse, where: 'registry' | 'second'): Promise<void> => {
    const at = performance.now();
    const { method = 'GET', socket, headers } = message;
    const url = new URL(message.url ?? '/', `http://${registry.host}`);
    const route = where === 'second' ? 'second' : routeOf(url, method);
    const path = url.pathname + url.search;
    const damage = script.next(route, method, path);
    const connection = connections.get(socket) ?? connections.size + 1;
    connections.set(socket, connection);
    const logged: Logged = { at, route, method, path, headers, status: 0, connection, bodyBytes: 0 };
    requests.push(logged);

    const { body, how } = await receive(message, damage, manners.bodyLimit ?? Infinity);
    Object.assign(logged, { bodyBytes: body.length });
    const ask: Ask = { method, url, headers, body, isCut: how === 'cut' };
    if (how === 'cut') {
      if (route === 'upload') serve(store, manners, ask); // what arrived may stay
      return void socket.destroy();
    }
    await Promise.all([damage.after, damage.delayMs === undefined ? undefined : sleep(damage.delayMs, undefined, { ref: false })]);
    if (damage.reset === true) return void socket.destroy();
    const reply = scripted(damage, url) ?? (body.length > (manners.bodyLimit ?? Infinity) ? refuse([413, 'SIZE_INVALID']) : answer(ask, route));
    if (damage.silent === true) return void socket.destroy();
    logged.status = reply.status;
    await send(response, method, reply, damage);
    if (how === 'early') message.resume();
  };

  const scripted = (damage: Damage, url: URL): Reply | undefined => {
    if (damage.redirect === 'second') return { status: 307, headers: { location: `http://${second.host}${url.pathname}${url.search}` } };
    return damage.status === undefined ? undefined : { status: damage.status, body: Buffer.from(damage.body ?? '') };
  };

  const answer = (ask: Ask, route: Route): Reply => {
    if (route === 'second') return ask.url.pathname.startsWith('/signed/') ? signedBlob(store, ask) : serve(store, { ...manners, redirectBlobsTo: undefined }, ask);
    if (route === 'token') return tokenReply(door, ask);
    const challenge = door.refuses({ authorization: headerOf(ask, 'authorization'), needs: needsOf(ask, door.access) });
    if (challenge === undefined) return serve(store, manners, ask);
    const refusal = refuse([401, 'UNAUTHORIZED']);
    return { ...refusal, headers: { ...refusal.headers, 'www-authenticate': challenge } };
  };

  const registry = await listen((message, response) => handle(message, response, 'registry'));
  const second = await listen((message, response) => handle(message, response, 'second'));
  return {
    host: registry.host,
    second: second.host,
    requests,
    store,
    door,
    fault: (...faults) => faults.forEach((fault) => script.add(fault)),
    calm: () => (script.clear(), void requests.splice(0)),
    log: () => requests.map(({ method, route }) => `${method} ${route}`),
    carried: (text) => requests.filter(({ path, headers }) => JSON.stringify([path, headers]).includes(text)),
    connections: () => registry.open() + second.open(),
    close: async () => void (await Promise.all([registry.close(), second.close()])),
  };
}
