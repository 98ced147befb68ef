/** Where metrics are served: over plain HTTP, or with `-metrics-secure` over HTTPS to tokens that a role lets read them. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { AccessReview } from '../../cluster/kubernetes/access.js';
import { servePages, type Admission, type Pages, type PageServer } from '../../telemetry/http.js';
import { isPair, issueLeaf, makeAuthority, validityOf, type KeyPair } from '../../webhook/x509.js';
import { StartProblems, type Base } from './base.js';

/** As the Go project's: a role that is taken away is noticed within a minute, and one that is given within seconds. */
const allowedMs = 60_000;
const refusedMs = 10_000;
const mostRemembered = 1_000;
/** A mounted Secret is swapped under us without notice. */
const usualLookMs = 10_000;
/** Nobody can check whom we made for ourselves, so nothing is gained by hurry. */
const selfSignedMs = 365 * 24 * 60 * 60 * 1000;

export type MetricsBase = { readonly flags: Pick<Base['flags'], 'metricsBindAddress' | 'metricsSecure' | 'metricsCertificate'>; readonly log: Pick<Base['log'], 'info' | 'warn'> } & { readonly cluster: Pick<Base['cluster'], 'reviewAccess'> };

/**
 * @param lookEveryMs how often the files of the certificate are looked at
 * @throws StartProblems when they cannot be used; and when the address cannot be listened on
 */
export async function serveMetrics(base: MetricsBase, pages: Pages, lookEveryMs = usualLookMs): Promise<PageServer | undefined> {
  const { metricsBindAddress, metricsSecure } = base.flags;
  if (!metricsSecure || metricsBindAddress === '0') return servePages(metricsBindAddress, pages);

  const read = certificateSource(base);
  const first = await read();
  const server = await servePages(metricsBindAddress, pages, { certificate: first, admit: createAdmit(base) });
  if (server === undefined) return undefined;
  const end = new AbortController();
  const following = follow(first, { read, server, base, lookEveryMs, signal: end.signal });
  return {
    ...server,
    close: async () => {
      end.abort();
      await following;
      await server.close();
    },
  };
}

/** @returns the certificate as it is to be served now */
function certificateSource({ flags }: MetricsBase): () => Promise<KeyPair> {
  const { folder, certificate, key } = flags.metricsCertificate;
  if (folder === '') return createSelfSigned();
  return async () => {
    const pair = { certificate: await readPart(join(folder, certificate)), privateKey: await readPart(join(folder, key)) };
    if (!isPair(pair)) throw new StartProblems([`flag -metrics-cert-path: ${certificate} and ${key} in ${folder} do not belong together`]);
    return pair;
  };
}

async function readPart(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new StartProblems([`flag -metrics-cert-path: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/** One that nobody can check, as the Go project makes it: what is sent is hidden all the same. Another at two thirds of its life. */
function createSelfSigned(): () => Promise<KeyPair> {
  let made: { readonly pair: KeyPair; readonly until: number } | undefined;
  return async () => {
    const now = Date.now();
    if (made === undefined || now >= made.until) {
      const authority = await makeAuthority('kuik metrics', now, selfSignedMs);
      made = { pair: await issueLeaf(authority, { dns: [hostname(), 'localhost'], ips: [] }, now, selfSignedMs), until: now + (selfSignedMs * 2) / 3 };
    }
    return made.pair;
  };
}

interface Following {
  readonly read: () => Promise<KeyPair>;
  readonly server: PageServer;
  readonly base: MetricsBase;
  readonly lookEveryMs: number;
  readonly signal: AbortSignal;
}

async function follow(first: KeyPair, { read, server, base, lookEveryMs, signal }: Following): Promise<void> {
  let served = first;
  while (!signal.aborted) {
    await wait(lookEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const found = await read();
      if (found.certificate === served.certificate && found.privateKey === served.privateKey) continue;
      server.renew(found);
      served = found;
      base.log.info({ notAfter: new Date(validityOf(found.certificate)?.notAfter ?? 0).toISOString() }, 'certificate of metrics is loaded');
    } catch (error) {
      base.log.warn({ err: error }, 'certificate of metrics cannot be read, going on with the one before');
    }
  }
}

/** Answers are remembered by the digest of the token, never by the token; when nobody can be asked, nobody is let in. */
function createAdmit({ cluster, log }: MetricsBase): Admission {
  const known = new LRUCache<string, AccessReview['verdict']>({ max: mostRemembered });
  return async (token, path) => {
    if (token === undefined) return 'unauthenticated';
    const key = createHash('sha256').update(`${path} ${token}`).digest('base64');
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    try {
      const review = await cluster.reviewAccess(token, path);
      if (review.verdict === 'forbidden') log.info({ user: review.user, path }, 'may not read metrics: no role lets them get this path');
      known.set(key, review.verdict, { ttl: review.verdict === 'allowed' ? allowedMs : refusedMs });
      return review.verdict;
    } catch (error) {
      log.warn({ err: error }, 'nobody can say who may read metrics');
      return 'unknown';
    }
  };
}
