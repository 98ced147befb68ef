/** Connection pools: one per origin, TLS identity, who named the host, and proxy; shared by the whole process. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Dispatcher } from 'undici';
import { guardedLookup, tlsOptions, verified, verifiedConnector, withoutSessions, type Resolve } from './connector.js';
import { ceilingOf, lanes } from './governor.js';
import type { Guard, NamedBy } from './guard.js';
import type { Proxies } from './proxy.js';
import type { HostSettings } from './settings.js';
import { Pool, ProxyAgent } from './undici.js';

/** More origins than this are never busy at once; the oldest is closed when it is idle. */
const mostPools = 256;
const connectTimeoutMs = 5000;

export interface PoolDeps {
  readonly guard: Guard;
  readonly proxies: Proxies;
  /** the system's resolver unless a test has its own */
  readonly resolve?: Resolve;
}

/** A way to an origin, and the `host:port` of the proxy that it takes. */
export interface Way {
  readonly pool: Dispatcher;
  readonly proxy: string | undefined;
}

export class Pools {
  readonly #pools = new LRUCache<string, Dispatcher>({ max: mostPools, dispose: (pool) => void pool.close().catch(() => undefined) });

  constructor(readonly deps: PoolDeps) {}

  /** The pool for a URL's origin, opened when there is none: a fresh connection costs two round trips. */
  to(url: URL, settings: HostSettings, namedBy: NamedBy): Way {
    const proxy = this.deps.proxies.for(url);
    const key = `${url.origin} ${namedBy} ${tlsIdentity(settings)} ${proxy?.origin ?? ''}`;
    const pool = this.#pools.get(key) ?? (proxy === undefined ? this.#direct(url, settings, namedBy) : throughProxy(url, settings, proxy));
    this.#pools.set(key, pool);
    return { pool, proxy: proxy?.host };
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    await Promise.all(pools.map(async (pool) => pool.destroy()));
    this.#pools.clear();
  }

  #direct(url: URL, settings: HostSettings, namedBy: NamedBy): Pool {
    const lookup = guardedLookup(this.deps.guard, namedBy, this.deps.resolve);
    const connect = verifiedConnector({ timeout: connectTimeoutMs, allowH2: false, autoSelectFamily: true, lookup, ...tlsOptions(settings) }, settings, url.host);
    return new Pool(url.origin, { ...poolOptions(settings), connect });
  }
}

/** CONNECT for https, the absolute form for http. The proxy is the operator's: its own address is not guarded. */
function throughProxy(url: URL, settings: HostSettings, proxy: URL): ProxyAgent {
  const options = poolOptions(settings);
  return new ProxyAgent({
    ...options,
    uri: proxy.href,
    connectTimeout: connectTimeoutMs,
    proxyTls: { autoSelectFamily: true, minVersion: 'TLSv1.2' },
    requestTls: { ...tlsOptions(settings), ...withoutSessions },
    factory: (origin, given) => {
      const { connect, ...rest } = given as Pool.Options;
      return new Pool(origin, { ...options, ...rest, ...(typeof connect === 'function' ? { connect: verified(connect, settings, url.host) } : {}) });
    },
  });
}

function poolOptions(settings: HostSettings): Pool.Options {
  return {
    connections: connectionsFor(settings),
    // blobs want several TCP connections, not one flow-control window
    allowH2: false,
    keepAliveTimeout: 30_000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 32_768,
  };
}

/** One for every request that the governor lets pass, 16 unless ceilings are set: below that, the pool would be a second queue. */
function connectionsFor(settings: HostSettings): number {
  let places = 0;
  for (const lane of lanes) places += ceilingOf(lane, settings);
  return places;
}

/** Settings are read once and stay: what of them makes a connection is not hashed again for every request. */
const tlsIdentities = new WeakMap<HostSettings, string>();

function tlsIdentity(settings: HostSettings): string {
  const known = tlsIdentities.get(settings);
  if (known !== undefined) return known;
  const { ca, cert, key, insecureSkipVerify } = settings;
  const identity = createHash('sha256').update(JSON.stringify([ca, cert, key, insecureSkipVerify])).digest('hex').slice(0, 16);
  tlsIdentities.set(settings, identity);
  return identity;
}
