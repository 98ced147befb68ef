/**
 * Pods that were admitted while a place did not answer say so in an annotation. The keepers of what their images have
 * on mirrors are asked to look again: a copy that vanished is made again today, not at the daily look. It is a hint;
 * what is missed here costs a day.
 */
import type { ImageName, PlaceId } from '../domain/image-ref.js';
import type { RouteReason } from '../domain/names.js';
import { imagesDecided } from '../domain/original.js';
import type { ImageRecord } from '../domain/record.js';
import type { Pod } from '../domain/usage.js';

export interface SightingsDeps {
  readonly record: (image: ImageName) => Pick<ImageRecord, 'places'> | undefined;
  /** has the keeper of a destination look at the registry again; whether there is a keeper does not matter here */
  readonly resync: (destination: PlaceId) => Promise<unknown>;
  readonly v1ProxyPort: number;
  /** keepers that are asked at once, and milliseconds one of them may take */
  readonly maxConcurrent: number;
  readonly timeoutMs: number;
  readonly onError: (error: unknown) => void;
  /** milliseconds since the epoch */
  readonly now: () => number;
  /** resolves after so many milliseconds, or when the signal aborts */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

const tellingReasons: readonly RouteReason[] = ['PreferredUnavailable', 'OriginUnavailable', 'NoPlaceAvailable'];
/** A rollout tells the same of one destination a thousand times; a keeper that cannot see looks again by itself. */
const quietMs = 5 * 60_000;

export class Sightings {
  readonly #deps: SightingsDeps;
  /** UIDs of Pods that were counted; those there are at the first look are not new */
  #counted: ReadonlySet<string> | undefined;
  readonly #due = new Set<PlaceId>();
  /** milliseconds since the epoch */
  readonly #askedAt = new Map<PlaceId, number>();
  #isAsking = false;

  constructor(deps: SightingsDeps) {
    this.#deps = deps;
  }

  /** Counts the Pods that are new since the last look, and asks in the background. Only the leader calls it. */
  look(pods: Iterable<Pod>): void {
    const before = this.#counted;
    const counted = new Set<string>();
    this.#forgetOld();
    for (const pod of pods) {
      counted.add(pod.uid);
      if (before !== undefined && !before.has(pod.uid)) this.#count(pod);
    }
    this.#counted = counted;
    void this.#askAll();
  }

  /** Begins anew: somebody else leads, or did. */
  forget(): void {
    this.#counted = undefined;
    this.#due.clear();
  }

  #count(pod: Pod): void {
    const images = imagesDecided(pod, tellingReasons, this.#deps.v1ProxyPort);
    // where nothing was copied yet somebody is at it
    const copies = images.flatMap((image) => this.#deps.record(image)?.places ?? []).filter(({ role, mirroredAt }) => role === 'mirror' && mirroredAt !== undefined);
    for (const { reference } of copies) {
      const destination = reference as string as PlaceId;
      if (!this.#askedAt.has(destination)) this.#due.add(destination);
    }
  }

  #forgetOld(): void {
    const now = this.#deps.now();
    for (const [destination, at] of this.#askedAt) if (now - at >= quietMs) this.#askedAt.delete(destination);
  }

  /** In turns; ends with the first in which somebody cannot be told, who then waits for the next look. */
  async #askAll(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    while (this.#due.size > 0) {
      const turn = [...this.#due].slice(0, this.#deps.maxConcurrent);
      const results = await Promise.allSettled(turn.map((destination) => this.#ask(destination)));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed === undefined) continue;
      this.#deps.onError(failed.reason);
      break;
    }
    this.#isAsking = false;
  }

  async #ask(destination: PlaceId): Promise<void> {
    const { resync, sleep, timeoutMs, now } = this.#deps;
    const answered = new AbortController();
    const late = sleep(timeoutMs, answered.signal).then(() => {
      if (!answered.signal.aborted) throw new Error(`the keeper of ${destination} was not reached within ${timeoutMs} ms`);
    });
    try {
      await Promise.race([resync(destination), late]);
    } finally {
      answered.abort();
    }
    this.#askedAt.set(destination, now());
    this.#due.delete(destination);
  }
}
