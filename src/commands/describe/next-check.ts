import { checksAt } from '../../domain/check-order.js';
import { tickMs, untilNextMs, type Pace } from '../../domain/check-pace.js';
import type { ImageName } from '../../domain/image-ref.js';
import type { TrackedImage } from '../../domain/monitor.js';
import type { ImageDescriptionList } from '../documents/describe.js';

type NextCheck = NonNullable<ImageDescriptionList['items'][number]['nextCheck']>;

/**
 * When an image's turn comes at the earliest: one check per tick and registry, so its place in the row tells. What
 * fails and has a second turn meanwhile, what is asked of the registry besides, and what it throttles, makes it later.
 *
 * @param now milliseconds since the epoch
 * @returns undefined when no rule monitors it
 */
export function nextCheckOf(image: ImageName, tracked: readonly TrackedImage[], paceOf: (host: string) => Pace, now: number): NextCheck | undefined {
  const host = tracked.find((each) => each.image === image)?.ref.host;
  if (host === undefined) return undefined;
  const row = checksAt(host, tracked, now);
  const at = row.findIndex(({ images }) => images.includes(image));
  if (at === -1) return undefined;
  const pace = paceOf(host);
  const last = Math.max(...row.map(({ checkedAt }) => checkedAt ?? -Infinity));
  const waitMs = untilNextMs(pace, last === -Infinity ? undefined : last, now) + at * tickMs(pace);
  return { at: new Date(now + waitMs).toISOString(), place: at + 1, of: row.length };
}
