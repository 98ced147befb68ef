import { failure, type Asked } from './errors.js';
import type { Call } from '../registry.js';
import type { HostSettings } from './settings.js';

/** A body without a byte for this long has stalled; a drip is measured over as much time. */
export const usualStallMs = 60_000;
const usualBytesPerSecond = 1024;

/**
 * Breaks a body off that drips: fewer bytes a second than the settings allow, over a stall timeout spent waiting for
 * them. Time in which nobody asks for bytes does not count, so a slow destination is not taken for a slow source.
 * No timer is needed: a body that does not come at all runs into the stall timer of the connection.
 *
 * @throws Failure `timeout`
 */
export async function* notDripping(body: AsyncIterable<Uint8Array>, settings: HostSettings, clock: () => number, asked: Asked, call: Call): AsyncGenerator<Uint8Array, void, undefined> {
  const { minBytesPerSecond = usualBytesPerSecond, stallTimeoutMs = usualStallMs } = settings;
  let [bytes, waitedMs, since] = [0, 0, clock()];
  for await (const chunk of body) {
    bytes += chunk.length;
    waitedMs += Math.max(0, clock() - since);
    if (waitedMs >= stallTimeoutMs) {
      if (bytes * 1000 < minBytesPerSecond * waitedMs) throw failure('timeout', `${asked.what} from ${call.side} ${asked.host} drips: ${bytes} bytes in ${Math.round(waitedMs / 1000)} s`, asked, call);
      [bytes, waitedMs] = [0, 0];
    }
    yield chunk;
    since = clock();
  }
}
