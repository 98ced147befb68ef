/** A registry that asks for more counts as down and is asked again hourly. */
export const longestWaitMs = 60 * 60_000;

/**
 * Reads how long a registry asks us to wait.
 *
 * @param header value of `Retry-After`: whole seconds (`120`) or an HTTP date
 * @param now milliseconds since the epoch
 * @returns milliseconds from `now`, between 0 and one hour; undefined when the header is absent or unreadable
 * @see RFC 9110, section 10.2.3
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), longestWaitMs);
}
