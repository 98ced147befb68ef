/** Which token services may see the credentials of a registry. */
import { isIP } from 'node:net';
import { isAllowedHost } from './guard.js';
import type { Endpoint } from './settings.js';

/** Registries whose token service stands under another domain. */
const knownRealms: Readonly<Record<string, readonly string[]>> = {
  'registry-1.docker.io': ['auth.docker.io'],
};

/**
 * Domains below which strangers are neighbours, although they have two labels: sharing one of these says nothing.
 * Short on purpose: what is missing here is covered by the registry having been trusted with the credential.
 */
const sharedDomains: readonly string[] = [
  'co.uk', 'org.uk', 'com.au', 'com.br', 'com.cn', 'co.jp', 'co.kr', 'co.in', 'com.tr', 'co.nz', 'co.za',
  'amazonaws.com', 'azurecr.io', 'azurewebsites.net', 'cloudfront.net', 'run.app', 'web.app', 'appspot.com', 'pkg.dev',
  'github.io', 'gitlab.io', 'pages.dev', 'workers.dev', 'vercel.app', 'herokuapp.com', 'fly.dev', 'nip.io', 'sslip.io',
];

/**
 * Whether a token service may see the credentials: the registry's own host, a shared parent domain of two labels, a
 * known pair, or `allowHosts`.
 */
export function mayAuthenticate(realm: URL, registry: Endpoint): boolean {
  const own = new URL(registry.origin).hostname;
  return realm.hostname === own || sharesParent(realm.hostname, own) || (knownRealms[own] ?? []).includes(realm.hostname) || isAllowedHost(realm, registry);
}

/** `registry.example.com` and `auth.example.com` do, `example.com` and `a.example.com` too; addresses, and `a.com` with `b.com`, do not. */
function sharesParent(one: string, other: string): boolean {
  if (isAddress(one) || isAddress(other)) return false;
  const parents = (name: string): readonly string[] => name.split('.').map((_, index, labels) => labels.slice(index).join('.'));
  return parents(one).some((parent) => parent.includes('.') && !sharedDomains.includes(parent) && parents(other).includes(parent));
}

function isAddress(hostname: string): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
}
