import type { Dispatcher } from 'undici';
import type { Asked } from './errors.js';
import type { Body } from './exchange.js';
import type { Lane } from './governor.js';
import { checkDowngrade } from './guard.js';
import type { Scope } from './scope.js';
import type { Endpoint } from './settings.js';

/** What is asked of a registry. */
export interface Request extends Asked {
  readonly method: Dispatcher.HttpMethod;
  /** below `/v2/`, or an absolute URL that the registry gave */
  readonly path: string | URL;
  readonly scopes: readonly Scope[];
  readonly lane: Lane;
  /** the caller has entered that lane already */
  readonly isPlaceHeld?: true;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** sent at most once, whatever happens to it; a fresh token is no repetition, since nothing was done */
  readonly once?: true;
  /** once sent, its answer is awaited for a while though the caller has left: it may name something that has to be closed */
  readonly opens?: true;
  /** refusals after which the next credential is tried; 401, 403 and 404 unless said otherwise */
  readonly tryNextOn?: readonly number[];
  readonly headersTimeoutMs?: number;
}

export function isRepeatable({ body }: Request): boolean {
  return body === undefined || 'bytes' in body;
}

/** A manifest on its way to the destination: all below it is there already. */
export function isPublishing({ method, lane }: Request): boolean {
  return method === 'PUT' && lane === 'metadata';
}

/** URLs are built from parsed parts, or are the registry's own. */
export function urlOf(registry: Endpoint, { method, path }: Request): URL {
  const url = typeof path === 'string' ? new URL(`${registry.origin}${registry.prefix}/v2/${path}`) : path;
  if (typeof path !== 'string') checkDowngrade(path, registry);
  return isPull(method, url) && registry.settings.proxies === true ? naming(registry, url) : url;
}

/** Tells a proxy which registry is meant. @see containerd, docs/hosts.md, "Registry Host Namespace" */
function naming({ host }: Endpoint, url: URL): URL {
  if (url.searchParams.has('ns')) return url;
  return new URL(`${url.href}${url.search === '' ? '?' : '&'}ns=${encodeURIComponent(host)}`);
}

function isPull(method: string, { pathname }: URL): boolean {
  return (method === 'GET' || method === 'HEAD') && !pathname.includes('/blobs/uploads/');
}

/** The part of the registry's API a URL belongs to, for a label: `blobs`, `manifests`, `uploads`, `tags`, `other`. */
export function routeOf({ pathname }: URL): string {
  return ['/blobs/uploads', '/blobs/', '/manifests/', '/tags/'].find((part) => pathname.includes(part))?.split('/').findLast((word) => word !== '') ?? 'other';
}
