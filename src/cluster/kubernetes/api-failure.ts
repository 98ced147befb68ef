import { Failure, type FailureCode } from '../../domain/failure.js';
import { addressText, type Address, type ResourceType } from './resources.js';

/** What RBAC calls the things one can do. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/** Who wanted what: failures name it, so that a missing right can be granted. */
export interface Intent extends Address {
  readonly verb: Verb;
  readonly type: ResourceType;
}

/** An answer of the API server that is no success, or its like inside a watch. */
export interface Refusal {
  /** HTTP status */
  readonly code: number;
  /** the `Status` object's message */
  readonly message?: string;
  /** seconds */
  readonly retryAfter?: number;
}

const longestMessage = 256;

/**
 * @returns `denied` names the missing verb and resource; the server's own words follow where they help
 * @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#http-status-codes
 */
export function refusalFailure(intent: Intent, refusal: Refusal): Failure {
  const code = codeOf(refusal.code);
  const retryAfterMs = refusal.retryAfter === undefined ? undefined : refusal.retryAfter * 1000;
  return new Failure({ code, side: 'cluster', message: messageOf(intent, refusal, code), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }, { cause: refusal });
}

/** The HTTP status behind a failure, for the few that the closed list of codes does not tell apart. */
export function statusOf(error: unknown): number | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'number' ? cause.code : undefined;
}

/** What went wrong before there was an answer. */
export function connectionFailure(intent: Intent, error: unknown): Failure {
  const reason = errorCode(error);
  const code = isTls(reason) ? 'tls' : isTimeout(error, reason) ? 'timeout' : 'unreachable';
  const words = { tls: 'certificate of the API server refused', timeout: 'no answer from the API server', unreachable: 'API server not reachable' };
  return new Failure({ code, side: 'cluster', message: `${words[code]} to ${intentText(intent)}${reason === '' ? '' : ` (${reason})`}` }, { cause: error });
}

export function corruptFailure(intent: Intent, what: string): Failure {
  return new Failure({ code: 'corrupt', side: 'cluster', message: `${what} to ${intentText(intent)}` });
}

/** `list pods`, `patch secrets default/copy` */
export function intentText(intent: Intent): string {
  return `${intent.verb} ${addressText(intent.type, intent)}`;
}

function codeOf(status: number): FailureCode {
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'denied';
    case 404:
      return 'missing';
    case 409:
      return 'conflict';
    case 413:
      return 'too-large';
    case 415:
      return 'unsupported';
    case 429:
      return 'throttled';
    case 408:
    case 504:
      return 'timeout';
    default:
      return status >= 500 ? 'unreachable' : 'invalid';
  }
}

function messageOf(intent: Intent, refusal: Refusal, code: FailureCode): string {
  if (code === 'denied') {
    const group = intent.type.group === '' ? '' : ` in API group ${intent.type.group}`;
    return cut(`not allowed to ${intentText(intent)}: grant verb ${intent.verb} on ${addressText(intent.type, { subresource: intent.subresource })}${group}`);
  }
  if (code === 'unauthorized') return `the API server does not accept our identity to ${intentText(intent)}`;
  return cut(`API server answered ${refusal.code} to ${intentText(intent)}${refusal.message === undefined ? '' : `: ${refusal.message}`}`);
}

function cut(text: string): string {
  return text.length <= longestMessage ? text : `${text.slice(0, longestMessage - 1)}…`;
}

function errorCode(error: unknown): string {
  return textOf(error, 'code');
}

/** By property, not by class: errors of Node itself may come from another realm. */
function textOf(error: unknown, property: 'code' | 'name'): string {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, property) : undefined;
  return typeof value === 'string' ? value : '';
}

/** OpenSSL's verification errors, as Node names them, and TLS alerts. */
function isTls(reason: string): boolean {
  return /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/.test(reason);
}

function isTimeout(error: unknown, reason: string): boolean {
  return reason === 'ETIMEDOUT' || textOf(error, 'name') === 'TimeoutError';
}
