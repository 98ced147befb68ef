/** How connections are made: addresses checked by the guard, certificates by us, so that a refusal can say which one. */
import { lookup as lookUp, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { checkServerIdentity, createSecureContext, getCACertificates, TLSSocket, type DetailedPeerCertificate, type SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { tlsCode } from './errors.js';
import type { Guard, NamedBy } from './guard.js';
import type { HostSettings } from './settings.js';
import { buildConnector } from './undici.js';

/** All addresses of a name. */
export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

/** A certificate that is not accepted; its text says which, and what to do. */
export class CertificateError extends Error {
  readonly code = tlsCode;
}

const minVersion = 'TLSv1.2';
const nameTtlMs = 30_000;

/** What every TLS handshake of a registry is made with. The verdict on the certificate is left to `verified`. */
export function tlsOptions(settings: HostSettings): { readonly minVersion: typeof minVersion; readonly rejectUnauthorized: false; readonly secureContext?: SecureContext } {
  // Node verifies after the handshake either way; here the verdict is read one step later, with the certificate at hand
  return { minVersion, rejectUnauthorized: false, ...trustAndCertificate(settings) };
}

/** Read once per pool: as options they would be read again for every connection, all roots of the system included. */
function trustAndCertificate({ ca, cert, key }: HostSettings): { readonly secureContext?: SecureContext } {
  if (ca === undefined && cert === undefined) return {};
  return { secureContext: createSecureContext({ minVersion, cert, key, ...(ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }) }) };
}

/**
 * Connects, and takes a TLS session up again where one was accepted before. Sessions are kept here and not by undici: Node
 * compares no name when a session is resumed, and undici also keeps those of servers that were refused for theirs.
 */
export function verifiedConnector(options: buildConnector.BuildOptions, settings: HostSettings, host: string): buildConnector.connector {
  let session: Buffer | undefined;
  const keep = (socket: TLSSocket): void => {
    session = socket.getSession() ?? session; // TLS 1.2 has it by now
    socket.on('session', (ticket: Buffer) => void (session = ticket)); // TLS 1.3 gets it later
  };
  return (target, callback) => {
    const connect = buildConnector({ ...options, ...withoutSessions, session });
    verified(connect, settings, host, keep)(target, callback);
  };
}

/** For connectors that live long: no session is taken up again. */
export const withoutSessions = { maxCachedSessions: 0 } as const;

/**
 * Hands a TLS connection on only when its certificate is trusted and names the host. The connector may offer no other
 * sessions than those of connections that were handed on.
 *
 * @param host `host[:port]` of the registry, for the message
 */
export function verified(connect: buildConnector.connector, { insecureSkipVerify }: HostSettings, host: string, accepted: (socket: TLSSocket) => void = () => undefined): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      if (!(socket instanceof TLSSocket) || insecureSkipVerify === true) return callback(null, socket);
      const problem = problemOf(socket, options.servername || options.hostname, host);
      if (problem !== undefined) {
        socket.on('error', () => undefined).destroy();
        return callback(new CertificateError(problem), null);
      }
      accepted(socket);
      callback(null, socket);
    });
}

function problemOf(socket: TLSSocket, name: string, host: string): string | undefined {
  // the certificate of a session is not there any more; it was looked at when the session began
  if (socket.authorized && socket.isSessionReused()) return undefined;
  const certificate = socket.getPeerCertificate(true);
  const differs = certificate.subject === undefined ? undefined : checkServerIdentity(name.replace(/^\[|\]$/g, ''), certificate);
  if (socket.authorized && certificate.subject !== undefined && differs === undefined) return undefined;
  const code = String(socket.authorizationError ?? differs?.name ?? 'none');
  return describe(code, certificate, name, host);
}

function describe(code: string, certificate: DetailedPeerCertificate, name: string, host: string): string {
  const chain = chainOf(certificate);
  const ended = chain.find(({ valid_to: end }) => Date.parse(end) < Date.now());
  const early = chain.find(({ valid_from: start }) => Date.parse(start) > Date.now());
  if (code === 'CERT_HAS_EXPIRED' && ended !== undefined) return `the certificate ${nameOf(ended)} ended on ${dateOf(ended.valid_to)}`;
  if (code === 'CERT_NOT_YET_VALID' && early !== undefined) return `the certificate ${nameOf(early)} is valid only from ${dateOf(early.valid_from)}`;
  if (certificate.subject === undefined) return `no certificate was presented (${code})`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'Error') return `the certificate ${nameOf(certificate)} is for ${(certificate.subjectaltname ?? 'no name').slice(0, 120)}, not for ${name}`;
  const issuer = certificate.issuer?.CN ?? certificate.issuer?.O ?? 'an unknown authority';
  return `the certificate ${nameOf(certificate)} is signed by ${String(issuer).slice(0, 64)}, which is not trusted (${code}); name its authority in registries.items.${host}.caFile`;
}

/** From the server's own certificate to the last one known; a self-signed one is its own issuer. */
function chainOf(certificate: DetailedPeerCertificate): readonly DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  for (let next: DetailedPeerCertificate | undefined = certificate; next?.subject !== undefined && !chain.includes(next); next = next.issuerCertificate) chain.push(next);
  return chain;
}

function nameOf({ subject, serialNumber }: DetailedPeerCertificate): string {
  return `${String(subject.CN ?? subject.O ?? 'without a name').slice(0, 64)} (serial ${serialNumber.slice(0, 40)})`;
}

function dateOf(text: string): string {
  return new Date(text).toISOString();
}

/** Looks a name up, at most every 30 s, and checks every address it may be connected to. */
export function guardedLookup(guard: Guard, namedBy: NamedBy, resolve: Resolve = resolveBySystem): LookupFunction {
  const known = new LRUCache<string, readonly LookupAddress[]>({ max: 16, ttl: nameTtlMs });
  const find = async (name: string): Promise<readonly LookupAddress[]> => {
    const addresses = known.get(name) ?? (await resolve(name));
    known.set(name, addresses, { noUpdateTTL: true });
    guard.checkName(name, addresses.map(({ address }) => address), namedBy);
    return addresses;
  };
  return (name, options, callback) => {
    find(name).then(
      (addresses) => (options.all === true ? callback(null, [...addresses]) : callback(null, addresses[0]?.address ?? '', addresses[0]?.family)),
      (error: unknown) => callback(error as NodeJS.ErrnoException, ''),
    );
  };
}

function resolveBySystem(name: string): Promise<readonly LookupAddress[]> {
  return new Promise((found, failed) => lookUp(name, { all: true }, (error, addresses) => (error === null ? found(addresses) : failed(error))));
}
