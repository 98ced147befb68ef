/**
 * The webhook's certificate authority, from the Secret that all replicas share, by one rule: publish first, serve
 * later. A rotation passes four states, and a crash in any of them resumes, because each follows from the Secret
 * and the time:
 *
 * 1. only `current`; clients trust it; it signs leaves;
 * 2. `next` is there too, and clients trust both once the bundle is `published`; `current` still signs;
 * 3. a settle time later `next` signs; clients trust both;
 * 4. when the last leaf of `current` must have ended, `next` becomes `current`.
 */
import { isAuthority, validityOf, type KeyPair } from './x509.js';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

export const authorityLifetimeMs = 365 * dayMs;
export const leafLifetimeMs = 7 * dayMs;
/** API servers take a changed configuration within seconds; several of them may lag behind each other. */
export const settleMs = 5 * minuteMs;

export interface Authorities {
  readonly current: KeyPair;
  readonly next?: KeyPair;
  /** when the API server confirmed a bundle with both: milliseconds since the epoch */
  readonly published?: number;
}

export type CertificateStep =
  | { readonly do: 'make'; readonly reason: 'Absent' | 'Unreadable' | 'Expired' }
  /** somebody deleted or spoiled the Secret, but we remember a good one: nobody has to learn a new authority */
  | { readonly do: 'restore'; readonly remembered: Authorities }
  | { readonly do: 'introduce' }
  | { readonly do: 'publish' }
  | { readonly do: 'promote' }
  /** nothing to write before `until` */
  | { readonly do: 'keep'; readonly until: number };

/**
 * Says what to do about the authority.
 *
 * @param stored what the Secret holds; `unreadable` when that is no authority of ours
 * @param now milliseconds since the epoch
 * @param remembered what the Secret held when it was last good
 */
export function nextCertificateStep(stored: Authorities | 'absent' | 'unreadable', now: number, remembered?: Authorities): CertificateStep {
  if (typeof stored === 'string' || !isUsable(stored)) {
    if (remembered !== undefined && !hasEnded(remembered, now)) return { do: 'restore', remembered };
    return { do: 'make', reason: stored === 'absent' ? 'Absent' : 'Unreadable' };
  }
  if (hasEnded(stored, now)) return { do: 'make', reason: 'Expired' };
  if (stored.next === undefined) return dueAt(stored.current) <= now ? { do: 'introduce' } : { do: 'keep', until: dueAt(stored.current) };
  if (stored.published === undefined) return { do: 'publish' };

  const replaced = stored.published + settleMs + leafLifetimeMs;
  return replaced <= now ? { do: 'promote' } : { do: 'keep', until: replaced };
}

/** Who signs leaves now. */
export function signerOf({ current, next, published }: Authorities, now: number): KeyPair {
  return next !== undefined && published !== undefined && published + settleMs <= now ? next : current;
}

/** What clients must trust: PEM, one certificate or two. */
export function bundleOf({ current, next }: Authorities): string {
  return next === undefined ? endLine(current.certificate) : endLine(current.certificate) + endLine(next.certificate);
}

/** A certificate is renewed when two thirds of its life have passed. */
export function dueAt(pair: KeyPair): number {
  const { notBefore, notAfter } = validityOf(pair.certificate) ?? { notBefore: 0, notAfter: 0 };
  return notBefore + ((notAfter - notBefore) * 2) / 3;
}

function isUsable({ current, next }: Authorities): boolean {
  return isAuthority(current) && (next === undefined || isAuthority(next));
}

function hasEnded(authorities: Authorities, now: number): boolean {
  const { notAfter } = validityOf(signerOf(authorities, now).certificate) ?? { notAfter: 0 };
  return notAfter <= now;
}

function endLine(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}
