import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

/** An object of the collection; `metadata.resourceVersion` is set by the server. */
export interface Item {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion: string; readonly [more: string]: unknown };
  readonly [part: string]: unknown;
}

/** Answers instead of the server, once. */
export type Fault = (answer: http.ServerResponse) => void;

type Op = 'list' | 'watch';

/**
 * A small API server with one collection, that lists, watches and forgets as the real one does, and misbehaves on
 * request. It counts what it was asked.
 */
export class ScriptedApi {
  /** what was asked: `list`, `list more`, `watch 7` */
  readonly asked: string[] = [];
  readonly #faults: Record<Op, Fault[]> = { list: [], watch: [] };
  readonly #items = new Map<string, Item>();
  readonly #log: { readonly version: number; readonly line: string }[] = [];
  readonly #watches = new Set<http.ServerResponse>();
  readonly #server = http.createServer((request, answer) => this.#answer(request, answer));
  #version = 1;
  #forgotten = 0;

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get config(): KubeConfig {
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'scripted', server: this.url, skipTLSVerify: true }, { name: 'test', token: 'secret-token' });
    return config;
  }

  get names(): string[] {
    return [...this.#items.keys()].sort();
  }

  /** `name@version` of every object */
  get picture(): string[] {
    return [...this.#items.values()].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).sort();
  }

  put(name: string, more: object = {}, how: 'told' | 'silent' = 'told'): void {
    const type = this.#items.has(name) ? 'MODIFIED' : 'ADDED';
    this.#version += 1;
    const item = { metadata: { name, resourceVersion: String(this.#version) }, ...more };
    this.#items.set(name, item);
    if (how === 'told') this.#tell(type, item);
  }

  remove(name: string, how: 'told' | 'silent' = 'told'): void {
    const item = this.#items.get(name);
    if (item === undefined) return;
    this.#items.delete(name);
    this.#version += 1;
    if (how === 'told') this.#tell('DELETED', { ...item, metadata: { ...item.metadata, resourceVersion: String(this.#version) } });
  }

  bookmark(): void {
    this.#send(line('BOOKMARK', { metadata: { resourceVersion: String(this.#version) } }));
  }

  /** Sends raw text into every open watch. */
  say(text: string): void {
    this.#send(text);
  }

  /** Forgets all history, as etcd does by compaction: older versions are answered with 410. */
  compact(): void {
    this.#forgotten = this.#version;
    this.#log.length = 0;
  }

  /** Ends every open watch: politely, or by cutting the connection. */
  endWatches(how: 'politely' | 'cut'): void {
    for (const watch of this.#watches) {
      if (how === 'politely') watch.end();
      else watch.destroy();
    }
    this.#watches.clear();
  }

  /** The next request of this kind meets the fault instead of an answer. */
  next(op: Op, ...faults: readonly Fault[]): void {
    this.#faults[op].push(...faults);
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  #answer(request: http.IncomingMessage, answer: http.ServerResponse): void {
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    const op: Op = query.has('watch') ? 'watch' : 'list';
    this.asked.push(op === 'watch' ? `watch ${query.get('resourceVersion')}` : query.has('continue') ? 'list more' : 'list');

    const fault = this.#faults[op].shift();
    if (fault !== undefined) fault(answer);
    else if (op === 'watch') this.#watch(Number(query.get('resourceVersion')), answer);
    else this.#list(Number(query.get('limit') ?? 500), Number(query.get('continue') ?? 0), answer);
  }

  #list(limit: number, from: number, answer: http.ServerResponse): void {
    const items = [...this.#items.values()].slice(from, from + limit);
    const more = from + limit < this.#items.size ? String(from + limit) : undefined;
    json(answer, 200, { kind: 'List', metadata: { resourceVersion: String(this.#version), continue: more }, items });
  }

  #watch(from: number, answer: http.ServerResponse): void {
    if (from < this.#forgotten) return refuse(410, 'too old resource version')(answer);
    answer.writeHead(200, { 'content-type': 'application/json' });
    answer.flushHeaders();
    for (const { version, line: text } of this.#log) if (version > from) answer.write(text);
    this.#watches.add(answer);
    answer.on('close', () => this.#watches.delete(answer));
  }

  #tell(type: string, object: object): void {
    const text = line(type, object);
    this.#log.push({ version: this.#version, line: text });
    this.#send(text);
  }

  #send(text: string): void {
    for (const watch of this.#watches) watch.write(text);
  }
}

/** Answers with a `Status`. */
export function refuse(code: number, message: string, headers: Readonly<Record<string, string>> = {}): Fault {
  return (answer) => json(answer, code, { kind: 'Status', status: 'Failure', code, message }, headers);
}

/** Accepts the request and never says anything. */
export const silence: Fault = () => {};

/** Agrees to a watch, and then never says anything. */
export const silentWatch: Fault = (answer) => {
  answer.writeHead(200);
  answer.flushHeaders();
};

export const hangUp: Fault = (answer) => answer.destroy();

export function line(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

function json(answer: http.ServerResponse, code: number, body: object, headers: Readonly<Record<string, string>> = {}): void {
  answer.writeHead(code, { 'content-type': 'application/json', ...headers });
  answer.end(JSON.stringify(body));
}
