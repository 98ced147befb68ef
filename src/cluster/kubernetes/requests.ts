import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { isFailure } from '../../domain/failure.js';
import { connectionFailure, corruptFailure, refusalFailure, type Intent, type Verb } from './api-failure.js';
import { pathOf } from './resources.js';

/** One request to the API server. */
export interface ApiCall extends Intent {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** of the body; plain JSON unless given */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

export interface RequestsOptions {
  /** milliseconds without a byte after which a connection counts as dead */
  readonly idleMs?: number;
  /** milliseconds a whole plain answer may take */
  readonly answerMs?: number;
}

const idleMs = 90_000; // the API server sends a quiet watch one bookmark a minute; half a minute more is silence
const answerMs = 60_000; // the API server itself gives up after 60 s
const probeAfterMs = 15_000; // TCP keep-alive: dropped packets are noticed after 15 s and ten probes, one a second
const longestAnswer = 128 * 1024 * 1024; // a page of 500 objects at 256 KiB

const methods: Readonly<Record<Verb, string>> = { get: 'GET', list: 'GET', watch: 'GET', create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE' };

/**
 * Authenticated requests to one API server. Certificates, tokens, token files and exec plugins come from the
 * kubeconfig and are looked at for every request, so a rotated credential is used with the next one.
 */
export class Requests {
  readonly #config: KubeConfig;
  readonly #idleMs: number;
  readonly #answerMs: number;
  readonly #server: URL;
  readonly #agent: http.Agent;

  constructor(config: KubeConfig, options: RequestsOptions = {}) {
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new TypeError('the kubeconfig names no cluster in its current context');
    this.#config = config;
    this.#idleMs = options.idleMs ?? idleMs;
    this.#answerMs = options.answerMs ?? answerMs;
    this.#server = new URL(server);
    // our own agent: the kubeconfig's keeps no connection alive, and pins the client certificate it saw first
    this.#agent = this.#server.protocol === 'http:' ? new http.Agent({ keepAlive: true }) : new https.Agent({ keepAlive: true });
  }

  /**
   * A whole JSON answer.
   *
   * @throws Failure side `cluster`; an abort by the call's signal passes through
   */
  async json(call: ApiCall): Promise<unknown> {
    return parse(await this.text(call), call);
  }

  /** The same of an answer that is no JSON, such as a log. */
  async text(call: ApiCall): Promise<string> {
    const deadline = AbortSignal.timeout(this.#answerMs);
    const signal = call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]);
    try {
      const answer = await this.open({ ...call, signal });
      return await readText(answer, longestAnswer, call);
    } catch (error) {
      if (deadline.aborted && !call.signal?.aborted) throw connectionFailure(call, deadline.reason);
      throw error;
    }
  }

  /**
   * The same, where absence is an answer.
   *
   * @returns undefined for 404
   */
  async jsonOrNothing(call: ApiCall): Promise<unknown> {
    try {
      return await this.json(call);
    } catch (error) {
      if (isFailure(error) && error.code === 'missing') return undefined;
      throw error;
    }
  }

  /** An answer whose body is still to come; only of status 2xx. Body errors are the reader's to map. */
  async open(call: ApiCall): Promise<http.IncomingMessage> {
    const answer = await this.#send(call, call.verb !== 'create');
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;

    const text = await readText(answer, 64 * 1024, call).catch(() => '');
    throw refusalFailure(call, { code: status, message: statusMessage(text), retryAfter: retryAfterOf(answer) });
  }

  /** Ends idle connections; running requests end by their signals. */
  close(): void {
    this.#agent.destroy();
  }

  async #send(call: ApiCall, mayRepeat: boolean): Promise<http.IncomingMessage> {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const options = await this.#options(call, body);
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const client = this.#server.protocol === 'http:' ? http : https;
    const request = client.request(options, resolve);

    request.setTimeout(this.#idleMs, () => request.destroy(new DOMException(`no byte for ${this.#idleMs} ms`, 'TimeoutError')));
    request.on('socket', (socket) => socket.setKeepAlive(true, probeAfterMs));
    request.on('error', reject);
    request.end(body);

    try {
      return await promise;
    } catch (error) {
      if (call.signal?.aborted) throw error;
      // a kept connection that the server closed just now: it has read nothing of this request
      if (mayRepeat && request.reusedSocket && isReset(error as NodeJS.ErrnoException)) return this.#send(call, false);
      throw connectionFailure(call, error);
    }
  }

  async #options(call: ApiCall, body: string | undefined): Promise<https.RequestOptions> {
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'kuik' };
    if (body !== undefined) {
      headers['content-type'] = call.contentType ?? 'application/json';
      headers['content-length'] = String(Buffer.byteLength(body)); // Node frames the body of a DELETE not at all unless told
    }
    const options: https.RequestOptions = {
      method: methods[call.verb],
      protocol: this.#server.protocol,
      hostname: this.#server.hostname.replace(/^\[|\]$/g, ''),
      port: this.#server.port,
      path: this.#server.pathname.replace(/\/$/, '') + pathOf(call.type, call) + queryText(call.query),
      headers,
      signal: call.signal,
    };
    try {
      await this.#config.applyToHTTPSOptions(options);
      const token = await this.#tokenFromFile();
      if (token !== undefined) options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
    } catch (error) {
      throw connectionFailure(call, error); // an unreadable certificate or token file, a failing exec plugin
    }
    if (!this.#config.getCurrentCluster()?.proxyUrl) options.agent = this.#agent;
    return options;
  }

  /** The client reads it once a minute and with its line end; a rotated token is worth a look every time. */
  async #tokenFromFile(): Promise<string | undefined> {
    const provider = this.#config.getCurrentUser()?.authProvider as TokenFileProvider | null | undefined;
    const file = provider?.config?.tokenFile;
    return file === undefined ? undefined : (await readFile(file, 'utf8')).trim();
  }
}

interface TokenFileProvider {
  readonly config?: { readonly tokenFile?: string };
}

/** Reads a body to its end. */
async function readText(answer: http.IncomingMessage, longest: number, intent: Intent): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > longest) throw corruptFailure(intent, `answer above ${longest} bytes`);
    }
  } catch (error) {
    throw answer.errored === null ? error : connectionFailure(intent, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string, intent: Intent): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw corruptFailure(intent, 'unreadable answer');
  }
}

function statusMessage(text: string): string | undefined {
  try {
    const status: unknown = JSON.parse(text);
    return typeof status === 'object' && status !== null && 'message' in status && typeof status.message === 'string' ? status.message : undefined;
  } catch {
    return undefined;
  }
}

/** The API server speaks in whole seconds. */
function retryAfterOf(answer: http.IncomingMessage): number | undefined {
  const seconds = Number(answer.headers['retry-after'] ?? Number.NaN);
  return Number.isInteger(seconds) && seconds >= 0 ? seconds : undefined;
}

function queryText(query: ApiCall['query'] = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  return params.size === 0 ? '' : `?${params.toString()}`;
}

function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}
