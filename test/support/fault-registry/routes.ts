/** An honest registry: the OCI distribution specification 1.1 over a store. */
import type { Ask, Reply } from './ask.js';
import { blobs } from './blobs.js';
import { untag } from './deletion.js';
import { listReferrers, listTags } from './discovery.js';
import type { Route } from './faults.js';
import { manifests } from './manifests.js';
import type { Manners } from './manners.js';
import type { Store } from './store.js';
import { uploads } from './uploads.js';

type Handler = (store: Store, manners: Manners, ask: Ask, name: string, rest: string) => Reply;

const table: readonly (readonly [pattern: RegExp, handler: Handler])[] = [
  [/^\/v2\/(.+)\/manifests\/([^/]+)$/, manifests],
  [/^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/, uploads],
  [/^\/v2\/(.+)\/blobs\/([^/]+)$/, blobs],
  [/^\/v2\/(.+)\/tags\/list$/, listTags],
  [/^\/v2\/(.+)\/referrers\/([^/]+)$/, listReferrers],
  // paths of vendors, for one tag
  [/^\/v2\/(.+)\/tags\/reference\/([^/]+)$/, vendorUntag('gitlab')],
  [/^\/acr\/v1\/(.+)\/_tags\/([^/]+)$/, vendorUntag('acr')],
];

export function serve(store: Store, manners: Manners, ask: Ask): Reply {
  for (const [pattern, handler] of table) {
    const [, name, rest = ''] = pattern.exec(ask.url.pathname) ?? [];
    if (name !== undefined) return handler(store, manners, ask, name, decodeURIComponent(rest));
  }
  return { status: ask.url.pathname === '/v2/' ? 200 : 404 };
}

function vendorUntag(path: 'acr' | 'gitlab'): Handler {
  return (store, { deletes = {} }, ask, name, tag) => (ask.method === 'DELETE' && deletes.vendorPath === path ? untag(store.find(name), deletes, tag) : { status: 404 });
}

/** What a request is about, for faults and the log. */
export function routeOf(url: URL, method: string): Route {
  if (url.pathname === '/token') return 'token';
  if (url.pathname.includes('/manifests/')) return 'manifest';
  if (url.pathname.includes('/blobs/uploads/')) return method === 'POST' && url.searchParams.has('mount') ? 'mount' : 'upload';
  if (url.pathname.includes('/blobs/')) return 'blob';
  if (url.pathname.includes('/referrers/')) return 'referrers';
  return url.pathname.endsWith('/tags/list') ? 'tags' : 'other';
}
