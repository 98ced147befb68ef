/** What a registry says about its quota, in the headers of any answer. */
import { headerOf, type Headers } from '../answer.js';

export interface RateLimit {
  /** requests left in the window */
  readonly remaining: number;
  /** requests per window; unknown where the registry does not say */
  readonly limit?: number;
  /** length of the window, milliseconds */
  readonly windowMs?: number;
  /** milliseconds until the whole quota is there again */
  readonly resetMs?: number;
}

/**
 * Reads the quota from `ratelimit-limit: 100;w=21600` and `ratelimit-remaining: 76;w=21600`, as Docker Hub sends them, or
 * from the forms of the IETF drafts: `ratelimit-limit: 100, 100;w=60` with `ratelimit-reset`, `ratelimit: limit=100,
 * remaining=50, reset=5`, and `ratelimit: "default";r=50;t=30` with `ratelimit-policy: "default";q=100;w=60`.
 *
 * @returns undefined when there is no number left to read
 * @see https://docs.docker.com/docker-hub/usage/pulls/, draft-ietf-httpapi-ratelimit-headers 03, 06 and 08
 */
export function parseRateLimit(headers: Headers): RateLimit | undefined {
  const together = headerOf(headers, 'ratelimit');
  const left = headerOf(headers, 'ratelimit-remaining');
  if (together === undefined && left === undefined) return undefined; // as most answers
  const policy = headerOf(headers, 'ratelimit-policy');
  const limit = headerOf(headers, 'ratelimit-limit');

  const remaining = leading(left) ?? parameter(together, 'remaining') ?? parameter(together, 'r');
  if (remaining === undefined) return undefined;
  const windowMs = seconds(parameter(left, 'w') ?? parameter(limit, 'w') ?? parameter(policy, 'w'));
  const resetMs = seconds(leading(headerOf(headers, 'ratelimit-reset')) ?? parameter(together, 'reset') ?? parameter(together, 't'));
  const whole = leading(limit) ?? parameter(together, 'limit') ?? parameter(policy, 'q') ?? leading(policy);
  return { remaining, ...(whole === undefined ? {} : { limit: whole }), ...(windowMs === undefined ? {} : { windowMs }), ...(resetMs === undefined ? {} : { resetMs }) };
}

/** Whether a manifest answer says that nothing is left: what probes and checks call `throttled`, even on success. */
export function isUsedUp(headers: Headers): boolean {
  const remaining = headerOf(headers, 'ratelimit-remaining')?.trim() ?? '';
  return remaining === '0' || remaining.startsWith('0;');
}

/** The number that a value begins with. */
function leading(value: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,15})(?=\s*(?:[;,]|$))/.exec(value ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** `w` of `76;w=21600`, `reset` of `limit=100, remaining=50, reset=5`; of several the first. */
function parameter(value: string | undefined, name: string): number | undefined {
  for (const part of (value ?? '').split(/[;,]/)) {
    const [key = '', text = ''] = part.split('=', 2);
    if (key.trim().toLowerCase() === name && /^\s*\d{1,15}\s*$/.test(text)) return Number(text);
  }
  return undefined;
}

function seconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 1000;
}
