import type { TrackedImage } from '../domain/monitor.js';

/**
 * What is tracked everywhere, as it was a few seconds ago: goes of many registries look again and again, and each look
 * goes through every Pod and every record.
 */
export class TrackedLately {
  readonly #look: () => readonly TrackedImage[];
  readonly #oldestMs: number;
  #byHost: ReadonlyMap<string, readonly TrackedImage[]> = new Map();
  #lookedAt = -Infinity;

  /** @param oldestMs how old what is told may be, in milliseconds */
  constructor(look: () => readonly TrackedImage[], oldestMs: number) {
    this.#look = look;
    this.#oldestMs = oldestMs;
  }

  /** @param now milliseconds since the epoch; a clock that was set back counts by its distance */
  at(host: string, now: number): readonly TrackedImage[] {
    if (Math.abs(now - this.#lookedAt) >= this.#oldestMs) {
      this.#byHost = Map.groupBy(this.#look(), ({ ref }) => ref.host);
      this.#lookedAt = now;
    }
    return this.#byHost.get(host) ?? [];
  }
}
