/**
 * Where we may connect. Addresses are checked as they are connected to, so that a name which resolves differently
 * the second time gains nothing; what may be reached depends on who named the host. Through a proxy only literals
 * can be checked: names are resolved by the proxy.
 */
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import { AddressList, kindOf, type AddressKind } from './addresses.js';
import { guardCode } from './errors.js';
import { isLoopbackName, type Endpoint } from './settings.js';

/**
 * Who named a host: the operator, in settings of its own; a rule or Pod; or an answer of a registry (realm, redirect,
 * location), which counts as `vouched` where the operator allows it.
 */
export type NamedBy = 'operator' | 'rule' | 'vouched' | 'answer';

/** `registries.network`: networks as CIDRs, before the table below. */
export interface NetworkRules {
  /** reachable in spite of `deny` and of the table; what is forbidden only for hosts with settings of their own */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  /** addresses of the API server, which is nobody's registry */
  readonly apiServer?: readonly string[];
}

/** answers name hosts of any length; messages are cut, and should end with what to do */
const longestHost = 80;
const everybody: readonly NamedBy[] = ['operator', 'rule', 'vouched', 'answer'];
const reach: Readonly<Record<AddressKind, readonly NamedBy[]>> = {
  public: everybody,
  private: ['operator', 'rule', 'vouched'],
  loopback: ['operator', 'rule'],
  forbidden: [],
};
const reachIfAllowed: Readonly<Record<AddressKind, readonly NamedBy[]>> = {
  public: everybody,
  private: everybody,
  loopback: everybody,
  forbidden: ['operator'],
};

/** Names the rule that was broken; its text reaches users. */
export class GuardError extends Error {
  readonly code = guardCode;

  constructor(
    readonly rule: 'address' | 'network' | 'scheme' | 'downgrade' | 'redirects',
    message: string,
  ) {
    super(message);
  }
}

export class Guard {
  readonly #allow: AddressList;
  readonly #deny: AddressList;
  readonly #apiServer: AddressList;
  /** the kinds of addresses that names had when they were last connected to */
  readonly #seen = new LRUCache<string, readonly AddressKind[]>({ max: 1000 });

  /** @throws RangeError for what is no network */
  constructor({ allow = [], deny = [], apiServer = [] }: NetworkRules = {}) {
    this.#allow = new AddressList(allow);
    this.#deny = new AddressList(deny);
    this.#apiServer = new AddressList(apiServer);
  }

  /**
   * Who named the host of a URL that is asked on behalf of a registry. An answer may name the registry's own host,
   * what `allowHosts` permits, and anything private where the operator has configured a registry that is private.
   */
  namedBy(url: URL, registry: Endpoint): NamedBy {
    if (isOwnHost(url, registry)) return registry.settings.isConfigured === true ? 'operator' : 'rule';
    if (isAllowedHost(url, registry)) return 'vouched';
    return registry.settings.isConfigured === true && this.#isPrivate(new URL(registry.origin).hostname) ? 'vouched' : 'answer';
  }

  /** @throws GuardError when one of the addresses that a name has may not be connected to */
  checkName(name: string, addresses: readonly string[], namedBy: NamedBy): void {
    this.#seen.set(name, addresses.map((address) => this.#kindOf(address)));
    for (const address of addresses) this.#check(address, namedBy, name);
  }

  /** Checks a host written as an address, for which no name is ever looked up. */
  checkLiteral(url: URL, namedBy: NamedBy): void {
    const literal = literalOf(url.hostname);
    if (literal !== undefined) this.#check(literal, namedBy, url.host);
  }

  #check(address: string, namedBy: NamedBy, host: string): void {
    const kind = this.#kindOf(address);
    if (this.#allow.has(address) && reachIfAllowed[kind].includes(namedBy)) return;
    if (this.#deny.has(address)) throw new GuardError('network', `${host.slice(0, longestHost)} is at ${address}, which registries.network.deny refuses`);
    if (!reach[kind].includes(namedBy)) throw new GuardError('address', `${host.slice(0, longestHost)} is at ${address}, ${why(kind, namedBy)}`);
  }

  #kindOf(address: string): AddressKind {
    return this.#apiServer.has(address) ? 'forbidden' : kindOf(address);
  }

  #isPrivate(hostname: string): boolean {
    const literal = literalOf(hostname);
    const kinds = literal === undefined ? (this.#seen.get(hostname) ?? []) : [this.#kindOf(literal)];
    return kinds.length > 0 && kinds.every((kind) => kind === 'private');
  }
}

/** The reason and the setting that permits it, where one does. */
function why(kind: AddressKind, namedBy: NamedBy): string {
  if (kind === 'forbidden') {
    const what = 'a link-local, metadata, multicast or API server address';
    return namedBy === 'operator' ? `${what}; registries.network.allow permits it` : `${what}; registries.network.allow permits it for registries with settings of their own`;
  }
  const setting = kind === 'private' ? 'its allowHosts, or registries.network.allow, permits it' : 'registries.network.allow permits it';
  return `a ${kind} address that only the registry's answer names; ${setting}`;
}

/** Refuses to leave TLS: a realm, redirect or location of an https registry is https. */
export function checkDowngrade(url: URL, registry: Endpoint): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new GuardError('scheme', `${registry.host} points to ${url.protocol}, a scheme that registries do not use`);
  if (registry.origin.startsWith('https:') && url.protocol === 'http:') throw new GuardError('downgrade', `${registry.host} points to ${url.host.slice(0, longestHost)} over plain http; an https registry may only point to https`);
}

/** Whether a credential of the registry may be shown here: scheme, host and port are the registry's. */
export function isOrigin(url: URL, registry: Endpoint): boolean {
  return url.origin === registry.origin;
}

/** Whether the operator lets a registry point here: `allowHosts` holds names, `host:port`, or `*.domain`. */
export function isAllowedHost({ hostname, host }: URL, { settings }: Endpoint): boolean {
  return (settings.allowHosts ?? []).some((allowed) => (allowed.startsWith('*.') ? hostname.endsWith(allowed.slice(1)) : hostname === allowed || host === allowed));
}

/** On loopback every name is the same machine. */
function isOwnHost(url: URL, registry: Endpoint): boolean {
  const own = new URL(registry.origin).hostname;
  return url.hostname === own || (isLoopbackName(url.hostname) && isLoopbackName(own));
}

/** The address that a hostname is, as `URL` normalises it: `2130706433`, `0x7f.1` and `127.1` are 127.0.0.1. */
function literalOf(hostname: string): string | undefined {
  const literal = hostname.replace(/^\[|\]$/g, '');
  return isIP(literal) === 0 ? undefined : literal;
}
