/** Which proxy a request goes through: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, read as Go programs read them. */
import { isIP } from 'node:net';
import { AddressList, kindOf } from './addresses.js';

/** Values of the environment variables; `config` reads them. */
export interface ProxySettings {
  readonly http?: string;
  readonly https?: string;
  readonly no?: string;
}

type Exception = (target: Target) => boolean;

interface Target {
  /** name in lower case, or an address without brackets */
  readonly name: string;
  readonly port: string;
}

export class Proxies {
  readonly #http: URL | undefined;
  readonly #https: URL | undefined;
  readonly #exceptions: readonly Exception[];

  /** @throws Error naming the variable that is no URL of a proxy; the value may hold a password and is not shown */
  constructor({ http, https, no }: ProxySettings = {}) {
    this.#http = readProxy('HTTP_PROXY', http);
    this.#https = readProxy('HTTPS_PROXY', https);
    this.#exceptions = (no ?? '').split(',').flatMap((text) => readException(text.trim().toLowerCase()) ?? []);
  }

  /** The proxy for a URL; undefined goes straight there. Loopback is never proxied. */
  for(url: URL): URL | undefined {
    const proxy = url.protocol === 'https:' ? this.#https : this.#http;
    if (proxy === undefined) return undefined;
    const target: Target = { name: withoutBrackets(url.hostname.toLowerCase()), port: url.port || (url.protocol === 'https:' ? '443' : '80') };
    if (target.name === 'localhost' || (isIP(target.name) !== 0 && kindOf(target.name) === 'loopback')) return undefined;
    return this.#exceptions.some((excepts) => excepts(target)) ? undefined : proxy;
  }
}

/** `http://user:password@proxy.example.com:3128`; without a scheme it is http. */
function readProxy(variable: string, text: string | undefined): URL | undefined {
  if (!text) return undefined;
  const written = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new Error(`${variable} is no URL of an http or https proxy; write one such as http://proxy.example.com:3128`);
  }
  return url;
}

/**
 * One item of `NO_PROXY`: `*`, a network, an address or a name, the last two perhaps with a port. `example.com` covers
 * itself and what is below; `.example.com` and `*.example.com` only what is below.
 *
 * @returns undefined for what is empty
 * @see golang.org/x/net/http/httpproxy, Config.NoProxy
 */
function readException(text: string): Exception | undefined {
  if (text === '') return undefined;
  if (text === '*') return () => true;
  const network = readNetwork(text);
  if (network !== undefined) return ({ name }) => network.has(name);

  const [, written = text, port] = isIP(text) === 0 ? (/^(.+?)(?::(\d+))?$/.exec(text) ?? []) : [text, text];
  const name = withoutBrackets(written);
  const below = name.replace(/^\*(?=\.)/, '');
  const isNamed = below.startsWith('.') ? (target: Target) => target.name.endsWith(below) : (target: Target) => target.name === name || (isIP(name) === 0 && target.name.endsWith(`.${name}`));
  return (target) => isNamed(target) && (port === undefined || port === target.port);
}

function readNetwork(text: string): AddressList | undefined {
  if (!text.includes('/') && isIP(text) === 0) return undefined;
  try {
    return new AddressList([text]);
  } catch {
    return undefined; // as Go: what is no network is a name that matches nothing
  }
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
