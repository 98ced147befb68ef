/** Turns answers and transport errors into `Failure`: the only place that does. */
import { Failure, type FailureCode, type FailureInfo } from '../../domain/failure.js';
import type { Call, Identity } from '../registry.js';
import { headerOf, type Answer, type RegistryError } from './answer.js';
import type { Silence } from './pace/breaker.js';
import { parseChallenges } from './challenge.js';
import { redact } from './redact.js';
import { parseRetryAfter } from './retry-after.js';

/** What was asked for, in the words of a message. */
export interface Asked {
  /** `host[:port]` of the registry */
  readonly host: string;
  /** `manifest library/nginx:1.27`, `blob sha256:... of library/nginx` */
  readonly what: string;
}

/** A registry that limits us without saying for how long is left alone for this long. */
export const unspecifiedWaitMs = 15 * 60_000;

/** Codes that registries use for content below a manifest that is absent. */
const absentBelow = ['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN'];
const byStatus: Readonly<Record<number, FailureCode>> = {
  401: 'unauthorized',
  403: 'denied',
  404: 'missing',
  405: 'unsupported',
  408: 'unreachable',
  409: 'conflict',
  412: 'conflict',
  413: 'too-large',
  414: 'too-large',
  415: 'unsupported',
  429: 'throttled',
  431: 'too-large',
  499: 'unreachable',
  501: 'unsupported',
};

/** Whether a registry or token service says that we ask too often: under any status, and before anything else. */
export function isThrottled(answer: Pick<Answer, 'status' | 'errors'>): boolean {
  return answer.status === 429 || answer.errors.some(({ code }) => code === 'TOOMANYREQUESTS');
}

/** The failure code of a refused request: the first row that applies. */
export function codeOf(answer: Pick<Answer, 'status' | 'errors'>): FailureCode {
  if (isThrottled(answer)) return 'throttled';
  const known = byStatus[answer.status];
  if (known !== undefined) return known;
  if (answer.status >= 500) return 'unreachable';
  return codeOfBadRequest(answer.errors);
}

function codeOfBadRequest(errors: readonly RegistryError[]): FailureCode {
  const codes = errors.map(({ code }) => code);
  if (codes.some((code) => absentBelow.includes(code))) return 'missing';
  if (codes.some((code) => code === 'DIGEST_INVALID' || code === 'SIZE_INVALID')) return 'corrupt';
  if (codes.some((code) => code === 'MANIFEST_INVALID' || code === 'UNSUPPORTED')) return 'unsupported';
  return 'invalid';
}

/**
 * The failure a refused answer stands for.
 *
 * @param now milliseconds since the epoch, for `Retry-After`
 */
export function failureOf(answer: Pick<Answer, 'status' | 'errors' | 'headers' | 'credential' | 'sent' | 'hint'>, asked: Asked, call: Call, now: number): Failure {
  const code = wantsAnotherScheme(answer) ? 'unsupported' : codeOf(answer);
  const waitMs = parseRetryAfter(headerOf(answer.headers, 'retry-after'), now) ?? (code === 'throttled' ? unspecifiedWaitMs : undefined);
  const said = answer.errors.map((error) => `${error.code} ${error.message}`.trim()).find((text) => text !== '');
  const detail = redact(said === undefined ? `${answer.status}` : `${answer.status} ${said}`, [answer.credential], answer.sent);
  const hint = answer.hint === undefined || (code !== 'unauthorized' && code !== 'denied') ? '' : `; ${answer.hint}`;
  return failure(code, `${asked.what} ${verdicts[code]} ${call.side} ${asked.host}: ${detail}${hint}`, asked, call, waitMs === undefined ? {} : { retryAfterMs: waitMs });
}

/** A registry that offers neither Bearer nor Basic cannot be answered, whatever the credentials. */
function wantsAnotherScheme({ status, headers }: Pick<Answer, 'status' | 'headers'>): boolean {
  const schemes = status === 401 ? parseChallenges(headers['www-authenticate']).map(({ scheme }) => scheme) : [];
  return schemes.length > 0 && !schemes.includes('bearer') && !schemes.includes('basic');
}

const verdicts: Readonly<Record<FailureCode, string>> = {
  missing: 'missing on',
  unauthorized: 'not found or no access on',
  denied: 'denied on',
  throttled: 'refused for now by',
  unreachable: 'not served by',
  timeout: 'not served in time by',
  tls: 'not asked for on',
  corrupt: 'arrived damaged at or from',
  unsupported: 'not supported by',
  conflict: 'refused as a conflict by',
  'too-large': 'too large for',
  invalid: 'refused by',
};

/** A failure that the client itself found. */
export function failure(code: FailureCode, message: string, asked: Pick<Asked, 'host'>, call: Pick<Call, 'side'>, more: Pick<FailureInfo, 'retryAfterMs' | 'isUnasked' | 'isRepeated'> & { readonly cause?: unknown } = {}): Failure {
  const { cause, ...info } = more;
  return new Failure({ code, side: call.side, host: asked.host, message, ...info }, cause === undefined ? undefined : { cause });
}

const timeouts: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  ETIMEDOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stalled',
};
const network: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve now',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  EHOSTUNREACH: 'no route',
  ENETUNREACH: 'no route',
  UND_ERR_SOCKET: 'connection closed',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer ended early',
};

/** Whether a connection broke, as it does when a server closes just as we send. */
export function isBroken(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(errorCode(error));
}

/** Whether a request may never have arrived: worth another try. */
export function isConnectionError(error: unknown): boolean {
  const code = errorCode(error);
  return network[code] !== undefined || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT';
}

/** Whether a body stalled, or came too slowly to be worth waiting for. */
export function isSlow(error: unknown): boolean {
  return timeouts[errorCode(error)] !== undefined || (error instanceof Failure && error.code === 'timeout');
}

/**
 * What a thrown transport error says of the host: that it did not answer, and why. Undefined when it says nothing: the
 * caller gave up, a guard refused, the other side of a copy failed. A deadline that passes while we wait for an answer
 * counts.
 */
export function silenceOf(error: unknown, call: Pick<Call, 'signal'>): Silence | undefined {
  if (call.signal.aborted) return isDeadline(call.signal) ? { code: 'timeout', why: 'no answer before the deadline' } : undefined;
  const code = errorCode(error);
  const cause = withoutSecrets(error);
  if (timeouts[code] !== undefined) return { code: 'timeout', why: timeouts[code], cause };
  return network[code] === undefined ? undefined : { code: 'unreachable', why: network[code], cause };
}

/**
 * What a thrown transport error stands for. An abort by the caller passes through as it is; the caller's own
 * deadline becomes a `timeout`.
 */
export function failureOfError(error: unknown, asked: Asked, call: Call, as: Identity = []): unknown {
  if (error instanceof Failure) return error;
  if (call.signal.aborted) return isDeadline(call.signal) ? failure('timeout', `${asked.what} not served by ${call.side} ${asked.host} before the deadline`, asked, call) : call.signal.reason;

  const [code, why] = diagnose(error);
  return failure(code, `${asked.what} not served by ${call.side} ${asked.host}: ${redact(why, as)}`, asked, call, { cause: withoutSecrets(error, as) });
}

/** `AbortSignal.timeout` aborts so; matched by name, since its class may be another realm's. */
export function isDeadline(signal: AbortSignal): boolean {
  const reason: unknown = signal.reason;
  return typeof reason === 'object' && reason !== null && 'name' in reason && reason.name === 'TimeoutError';
}

function diagnose(error: unknown): [FailureCode, string] {
  const code = errorCode(error);
  if (error instanceof ProxiedError) {
    const [itsCode, why] = diagnose(error.cause);
    // a message of the tunnel is its status; nothing else of it is foreign text
    const refused = code === 'UND_ERR_ABORTED' || code === 'UND_ERR_INVALID_ARG' ? `refused (${/\((\d{3})\)/.exec(error.message)?.[1] ?? code})` : why;
    return [itsCode, `through the proxy ${error.proxy}: ${refused}`];
  }
  if (code === guardCode) return ['invalid', (error as Error).message];
  if (code === tlsCode) return ['tls', (error as Error).message];
  if (timeouts[code] !== undefined) return ['timeout', timeouts[code]];
  if (network[code] !== undefined) return ['unreachable', network[code]];
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return ['too-large', 'the headers of the answer are larger than 32 KiB'];
  if (/CERTIFICATE_REQUIRED|ALERT_(?:HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE)|UNSUPPORTED_CERTIFICATE/.test(code)) return ['tls', `the handshake was refused (${code}); a registry that wants a client certificate needs certFile and keyFile`];
  if (code.startsWith('ERR_OSSL')) return ['tls', `caFile, certFile or keyFile is not usable (${code})`];
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) return ['tls', 'no TLS handshake; a registry that speaks plain http needs plainHTTP: true'];
  if (code.startsWith('ERR_TLS') || /CERT|ISSUER|LEAF_SIGNATURE/.test(code)) return ['tls', `certificate refused (${code})`];
  return ['unreachable', code === '' ? 'connection failed' : `connection failed (${code})`];
}

/** Mark errors of the address guard and of the check of certificates, which come back through the connector. */
export const guardCode = 'KUIK_GUARD';
export const tlsCode = 'KUIK_TLS';

/** What went wrong on the way through a proxy. It keeps the code, by which retries are decided. */
export class ProxiedError extends Error {
  readonly code: string;

  /** @param proxy `host:port`, never the user or password */
  constructor(
    readonly proxy: string,
    override readonly cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : 'no connection');
    this.code = errorCode(cause);
  }
}

function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  // every address of a name was tried: the first one tells
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) return errorCode(error.errors[0]);
  return 'code' in error ? String(error.code) : '';
}

/** Keeps what helps to find the cause, its code included: probes tell a dead host from a failing one by it. The whole error may hold addresses with a query. */
function withoutSecrets(error: unknown, as: Identity = []): Error {
  const code = errorCode(error);
  return Object.assign(new Error(redact(error instanceof Error ? error.message : String(error), as)), code === '' ? {} : { code });
}
