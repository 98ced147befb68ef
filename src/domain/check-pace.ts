/**
 * How often a registry is asked on behalf of monitor rules: one check per tick, evenly spread, so that no interval of
 * any kind holds more than it may. A check begins at the earliest one tick after the one before, whoever made it.
 */

/** At most so many checks in so much time. */
export interface Pace {
  /** milliseconds, above 0 */
  readonly intervalMs: number;
  /** at least 1 */
  readonly maxPerInterval: number;
}

/** Milliseconds from the beginning of one check to that of the next. */
export function tickMs({ intervalMs, maxPerInterval }: Pace): number {
  return Math.max(1, Math.ceil(intervalMs / maxPerInterval));
}

/** Milliseconds that so many turns take. */
export function cycleMs(pace: Pace, turns: number): number {
  return turns * tickMs(pace);
}

/** A fast pace checks for this long in one go: each go costs some ten events of a history. */
export const usualGoMs = 60_000;

/** How many turns come in one go, however few places there are to share them. */
export function turnsAtOnce(pace: Pace, goMs = usualGoMs): number {
  return Math.max(1, Math.floor(goMs / tickMs(pace)));
}

/**
 * How long the next check has to wait.
 *
 * @param beganAt when the last check began, milliseconds since the epoch; undefined before the first
 * @param askedMs what the registry asked for since, from `now`; at most an hour counts
 */
export function untilNextMs(pace: Pace, beganAt: number | undefined, now: number, askedMs = 0): number {
  const tick = tickMs(pace);
  // a clock that was set back must not lengthen the wait
  const turnMs = beganAt === undefined ? 0 : Math.min(tick, Math.max(0, beganAt + tick - now));
  return Math.max(turnMs, Math.min(askedMs, longestAskedMs));
}

const longestAskedMs = 60 * 60_000;
