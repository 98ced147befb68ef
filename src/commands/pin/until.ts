import { parseDuration } from '../../domain/duration.js';

/** RFC 3339, a day, `forever`; times without a zone would mean another time on another machine. */
const timeForm = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * Reads `--until`.
 *
 * @param now milliseconds since the epoch
 * @returns the value of the annotation: RFC 3339, or `forever`
 */
export function readUntil(text: string | undefined, now: number): { readonly value: string } | { readonly problem: string } {
  if (text === undefined || text === 'forever') return { value: 'forever' };
  const durationMs = parseDuration(text);
  const at = durationMs === undefined ? (timeForm.test(text) ? Date.parse(text) : Number.NaN) : now + durationMs;
  if (Number.isNaN(at)) return { problem: `--until ${text}: write a time (2027-01-31, 2027-01-31T12:00:00Z) or how long from now (720h; hours are the longest unit)` };
  if (at <= now) return { problem: `--until ${text}: that time is over; name one that lies ahead, or let go with kuik unpin` };
  return { value: new Date(at).toISOString() };
}
