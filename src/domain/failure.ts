import type { AvailabilityState } from './availability.js';

/** On which side of the work something can fail. */
export const sides = ['source', 'destination', 'cluster'] as const;

export type Side = (typeof sides)[number];

/** What follows from a failure code; a code without consequences does not compile. */
export interface Consequence {
  /** inside one operation: `again` with back-off, `once` more, or `final` */
  readonly retry: 'again' | 'once' | 'final';
  /** milliseconds before the first slow retry of a failed copy */
  readonly slowRetryMs: number;
  /** what a check reports; `unchanged` where only pushes can fail so */
  readonly state: AvailabilityState | 'unchanged';
  /** condition reason */
  readonly reason: string;
  /** one sentence for the reference page: what it means and what to do */
  readonly help: string;
}

const minutes = 60_000;
const hours = 60 * minutes;

export const failures = {
  missing: { retry: 'final', slowRetryMs: 6 * hours, state: 'NotFound', reason: 'SourceMissing', help: 'The registry answers, but holds no such image or repository. Check the name; push it, or create the repository.' },
  unauthorized: { retry: 'final', slowRetryMs: 6 * hours, state: 'InvalidAuth', reason: 'Unauthorized', help: 'The credentials were refused, or none were sent; some registries also answer so for images that do not exist. Check the Secret.' },
  denied: { retry: 'final', slowRetryMs: 6 * hours, state: 'InvalidAuth', reason: 'Denied', help: 'The credentials are valid, but not for this repository or action, or storage is used up. Grant the right, or raise the quota.' },
  throttled: { retry: 'again', slowRetryMs: 15 * minutes, state: 'QuotaExceeded', reason: 'RateLimited', help: 'The registry limits how often we may ask. Work goes on at the time it gave; credentials with a higher quota help.' },
  unreachable: { retry: 'again', slowRetryMs: 15 * minutes, state: 'Unreachable', reason: 'Unreachable', help: 'No connection, or the registry answered with a server error. Tried again by itself.' },
  timeout: { retry: 'again', slowRetryMs: 15 * minutes, state: 'Unreachable', reason: 'Timeout', help: 'The registry did not answer, or not fast enough. Tried again by itself.' },
  tls: { retry: 'final', slowRetryMs: 6 * hours, state: 'Unreachable', reason: 'TLSFailed', help: 'The certificate or handshake was refused. Add the CA under registries.items.<host>.caFile, or renew the certificate.' },
  corrupt: { retry: 'once', slowRetryMs: 6 * hours, state: 'Unreachable', reason: 'Corrupt', help: 'Content does not match its digest or size. Nothing of it was published; look at the registry, or a proxy before it.' },
  unsupported: { retry: 'final', slowRetryMs: 6 * hours, state: 'Unreachable', reason: 'Unsupported', help: 'The registry or the image lacks what is asked for: a media type, a platform, a way to delete. The message names it.' },
  conflict: { retry: 'final', slowRetryMs: 6 * hours, state: 'unchanged', reason: 'Conflict', help: 'The destination is taken: an immutable tag, or another image wants the same name. layout: host avoids the latter.' },
  'too-large': { retry: 'final', slowRetryMs: 6 * hours, state: 'unchanged', reason: 'TooLarge', help: 'The destination refuses something of this size. Raise the limit of the registry or of the proxy before it.' },
  invalid: { retry: 'final', slowRetryMs: 6 * hours, state: 'Unreachable', reason: 'Invalid', help: 'A reference or an answer does not parse, or a guard refused where it points. The message names the guard.' },
} as const satisfies Record<string, Consequence>;

export type FailureCode = keyof typeof failures;

export const failureCodes = Object.keys(failures) as readonly FailureCode[];

export function isFailureCode(text: string): text is FailureCode {
  return Object.hasOwn(failures, text);
}

/** A failure as data: what a record, a workflow result or a signal carries. */
export interface FailureInfo {
  readonly code: FailureCode;
  readonly side: Side;
  /** the registry's `host[:port]`, when one took part */
  readonly host?: string;
  /** lower case, no full stop, no secret, no query string */
  readonly message: string;
  /** milliseconds the registry asked us to wait */
  readonly retryAfterMs?: number;
  /** nothing was asked: the registry wants to be left alone, or our turn did not come in time. Says nothing of what was to be asked */
  readonly isUnasked?: true;
  /** nothing was asked: the host did not answer lately, and what that was stands for it. The wait is then our own, not the registry's wish */
  readonly isRepeated?: true;
}

/** What could not be done. Built only at the edges; matched by `code`, never by message. */
export class Failure extends Error implements FailureInfo {
  readonly code: FailureCode;
  readonly side: Side;
  readonly host?: string;
  readonly retryAfterMs?: number;
  readonly isUnasked?: true;
  readonly isRepeated?: true;

  constructor(info: FailureInfo, options?: { readonly cause?: unknown }) {
    super(info.message, options);
    this.name = 'Failure';
    this.code = info.code;
    this.side = info.side;
    this.host = info.host;
    this.retryAfterMs = info.retryAfterMs;
    this.isUnasked = info.isUnasked;
    this.isRepeated = info.isRepeated;
  }
}

/** Recognises a failure by its code, across bundles and class copies. */
export function isFailure(error: unknown): error is Failure {
  return error instanceof Error && error.name === 'Failure' && 'code' in error && isFailureCode(String(error.code));
}

/** The data of a failure, for records and results; undefined when it is something else. */
export function failureInfo(error: unknown): FailureInfo | undefined {
  if (!isFailure(error)) return undefined;
  const { code, side, host, message, retryAfterMs, isUnasked, isRepeated } = error;
  return {
    code,
    side,
    message,
    ...(host === undefined ? {} : { host }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(isUnasked === undefined ? {} : { isUnasked }),
    ...(isRepeated === undefined ? {} : { isRepeated }),
  };
}
