/** Connection pools: one per origin, TLS identity and trust, shared by the whole process. */
import { createHash } from 'node:crypto';
import { lookup as lookUp } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { Pool } from 'undici';
import { ceilingOf, lanes } from './governor.js';
import { checkAddress, type Trust } from './guard.js';
import type { HostSettings } from './settings.js';

/** More origins than this are never busy at once; the oldest is closed when it is idle. */
const mostPools = 256;
const nameTtlMs = 30_000;
const minVersion = 'TLSv1.2';

export class Pools {
  readonly #pools = new LRUCache<string, Pool>({ max: mostPools, dispose: (pool) => void pool.close().catch(() => undefined) });

  /** The pool for an origin, opened when there is none: a fresh connection costs two round trips. */
  to(origin: string, settings: HostSettings, trust: Trust): Pool {
    const key = `${origin} ${trust} ${tlsIdentity(settings)}`;
    const pool = this.#pools.get(key) ?? openPool(origin, settings, trust);
    this.#pools.set(key, pool);
    return pool;
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    await Promise.all(pools.map(async (pool) => pool.destroy()));
    this.#pools.clear();
  }
}

function openPool(origin: string, settings: HostSettings, trust: Trust): Pool {
  return new Pool(origin, {
    connections: connectionsFor(settings),
    // blobs want several TCP connections, not one flow-control window
    allowH2: false,
    keepAliveTimeout: 30_000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 32_768,
    connect: {
      timeout: 5000,
      autoSelectFamily: true,
      lookup: guardedLookup(trust),
      minVersion,
      rejectUnauthorized: settings.insecureSkipVerify !== true,
      ...trustAndCertificate(settings),
    },
  });
}

/** One for every request that the governor lets pass, 16 unless ceilings are set: below that, the pool would be a second queue. */
function connectionsFor(settings: HostSettings): number {
  let places = 0;
  for (const lane of lanes) places += ceilingOf(lane, settings);
  return places;
}

/** Read once per pool: as options they would be read again for every connection, all roots of the system included. */
function trustAndCertificate({ ca, cert, key }: HostSettings): { readonly secureContext?: SecureContext } {
  if (ca === undefined && cert === undefined) return {};
  return { secureContext: createSecureContext({ minVersion, cert, key, ...(ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }) }) };
}

function tlsIdentity({ ca, cert, key, insecureSkipVerify }: HostSettings): string {
  return createHash('sha256').update(JSON.stringify([ca, cert, key, insecureSkipVerify])).digest('hex').slice(0, 16);
}

/** Looks a name up, at most every 30 s, and checks every address it may be connected to. */
function guardedLookup(trust: Trust): LookupFunction {
  const known = new LRUCache<string, { address: string; family: number }[]>({ max: 16, ttl: nameTtlMs });
  return (hostname, options, callback) => {
    const answer = (addresses: { address: string; family: number }[]): void => {
      try {
        for (const { address } of addresses) checkAddress(address, trust, hostname);
      } catch (error) {
        return callback(error as NodeJS.ErrnoException, '', 0);
      }
      const [first] = addresses;
      if (options.all === true || first === undefined) callback(null, addresses, 0);
      else callback(null, first.address, first.family);
    };

    const remembered = known.get(hostname);
    if (remembered !== undefined) return answer(remembered);
    lookUp(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      known.set(hostname, addresses);
      answer(addresses);
    });
  };
}
