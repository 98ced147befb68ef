import type { WatchHealth } from '../cluster/cluster.js';

/**
 * Whether this manager has been able to read its cluster for long enough to be believed when it says that nobody
 * uses something.
 *
 * @param forMs how long every watch must have been without an error: milliseconds
 * @returns what stands against it; undefined when nothing does
 */
export function unsteadyWatch(watches: readonly WatchHealth[], now: number, forMs: number): string | undefined {
  if (watches.length === 0) return 'nothing is watched yet';
  for (const { kind, connected, steadySince, unreadable, lastError } of watches) {
    if (lastError !== undefined) return `${kind} objects cannot be read: ${lastError.message}`;
    // a watch ends and begins again every few minutes; without an error in between it is steady all the same
    if (steadySince === undefined) return connected ? `a change of ${kind} objects could not be handled` : `${kind} objects have not been read yet`;
    if (unreadable > 0) return `${unreadable} ${kind} objects make no sense`;
    if (now - steadySince < forMs) return `${kind} objects have been read for ${Math.floor((now - steadySince) / 1000)} s only`;
  }
  return undefined;
}
