/**
 * Where we may connect, and where credentials may go. Addresses are checked as they are connected to, so that
 * a name which resolves differently the second time gains nothing.
 */
import { BlockList, isIP } from 'node:net';
import { guardCode } from './errors.js';
import { isLoopbackName, type Endpoint } from './settings.js';

/** `named` by an operator, rule or Pod; `answered` by a registry: a realm, a redirect, an upload location. */
export type Trust = 'named' | 'answered';

const addressKinds = {
  /** metadata services and addresses that are nobody's: refused for everybody */
  forbidden: blockList(['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '255.255.255.255/32', '100.100.100.200/32', '168.63.129.16/32'], ['::/128', 'fe80::/10', 'ff00::/8', 'fd00:ec2::254/128']),
  loopback: blockList(['127.0.0.0/8'], ['::1/128']),
  private: blockList(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'], ['fc00::/7']),
};

/** Names the rule that was broken; its text reaches users. */
export class GuardError extends Error {
  readonly code = guardCode;

  constructor(
    readonly rule: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Refuses an address. The kinds follow from the address itself; `named` hosts may be private or loopback,
 * since that is where people run registries.
 */
export function checkAddress(address: string, trust: Trust, host: string): void {
  const kind = kindOf(address);
  if (kind === 'forbidden') throw new GuardError('address', `${host} is at ${address}, a link-local, metadata or unspecified address`);
  if (kind !== 'public' && trust === 'answered') throw new GuardError('address', `${host} is at the ${kind} address ${address}, and only the registry's answer names it; allowHosts permits it`);
}

/** Checks a host written as an address, for which no name is ever looked up. */
export function checkLiteral(url: URL, trust: Trust): void {
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0) checkAddress(literal, trust, url.host);
}

/** How far an address that an answer names is trusted: as the registry itself when it is the same host or allowed. */
export function trustOf(url: URL, registry: Endpoint): Trust {
  return isOwnHost(url, registry) || isAllowed(url.hostname, registry) ? 'named' : 'answered';
}

/** Refuses to leave TLS: a realm, redirect or location of an https registry is https. */
export function checkDowngrade(url: URL, registry: Endpoint): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new GuardError('scheme', `${url.protocol} is not a scheme that registries use`);
  if (registry.origin.startsWith('https:') && url.protocol === 'http:') throw new GuardError('downgrade', `${registry.host} points to ${url.host} over plain http`);
}

/** Whether a credential of the registry may be shown here: scheme, host and port are the registry's. */
export function isOrigin(url: URL, registry: Endpoint): boolean {
  return url.origin === registry.origin;
}

/** Registries whose token service stands under another domain. */
const knownRealms: Readonly<Record<string, readonly string[]>> = { 'registry-1.docker.io': ['auth.docker.io'] };

/** Whether a token service may see the credentials: same host, a shared parent domain of two labels, a known pair, or allowed. */
export function mayAuthenticate(realm: URL, registry: Endpoint): boolean {
  const own = new URL(registry.origin).hostname;
  return realm.hostname === own || sharesParent(realm.hostname, own) || (knownRealms[own] ?? []).includes(realm.hostname) || isAllowed(realm.hostname, registry);
}

function isOwnHost(url: URL, registry: Endpoint): boolean {
  const own = new URL(registry.origin).hostname;
  return url.hostname === own || (isLoopbackName(url.hostname) && isLoopbackName(own));
}

function isAllowed(hostname: string, registry: Endpoint): boolean {
  return (registry.settings.allowHosts ?? []).some((allowed) => (allowed.startsWith('*.') ? hostname.endsWith(allowed.slice(1)) : hostname === allowed));
}

/** `registry.example.com` and `auth.example.com` do; `example.com` and `a.example.com` do; addresses and `a.com`, `b.com` do not. */
function sharesParent(one: string, other: string): boolean {
  if (isIP(one.replace(/^\[|\]$/g, '')) !== 0 || isIP(other.replace(/^\[|\]$/g, '')) !== 0) return false;
  const parents = (name: string): readonly string[] => name.split('.').map((_, index, labels) => labels.slice(index).join('.'));
  return parents(one).some((parent) => parent.split('.').length >= 2 && parents(other).includes(parent));
}

function kindOf(address: string): keyof typeof addressKinds | 'public' {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  for (const [kind, list] of Object.entries(addressKinds)) {
    if (list.check(address, family)) return kind as keyof typeof addressKinds;
  }
  return 'public';
}

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList();
  const add = (family: 'ipv4' | 'ipv6') => (range: string) => {
    const [network = '', bits = ''] = range.split('/');
    list.addSubnet(network, Number(bits), family);
  };
  ipv4.forEach(add('ipv4'));
  ipv6.forEach(add('ipv6'));
  return list;
}
