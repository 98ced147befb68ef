import type { ClusterEvent } from './cluster.js';

/** What becomes of an event: written, counted silently, or added to the series of one that was written. */
export type EventStep =
  | { readonly step: 'create' }
  | { readonly step: 'count' }
  | { readonly step: 'update'; readonly name: string; readonly count: number };

interface Series {
  name?: string;
  count: number;
  writtenAt: number;
}

const quietMs = 5 * 60 * 1000; // at most one write per object and reason in five minutes
const forgottenMs = 55 * 60 * 1000; // the API server drops events after an hour; a later one starts a new series
const mostSeries = 10_000; // about 2 MiB; beyond it the oldest are forgotten, which costs one event each

/** Decides which events are worth a write. */
export class EventSeries {
  readonly #series = new Map<string, Series>();

  /** @param now milliseconds, any origin */
  next(event: ClusterEvent, now: number): EventStep {
    const key = seriesKey(event);
    const known = this.#series.get(key);

    if (known === undefined || now - known.writtenAt > forgottenMs) {
      this.#start(key, now);
      return { step: 'create' };
    }
    known.count += 1;
    if (now - known.writtenAt < quietMs || known.name === undefined) return { step: 'count' };

    known.writtenAt = now;
    return { step: 'update', name: known.name, count: known.count };
  }

  /** Tells under which object name a created event is stored. */
  created(event: ClusterEvent, name: string): void {
    const series = this.#series.get(seriesKey(event));
    if (series !== undefined) series.name = name;
  }

  /** Forgets a series whose event could not be written or is gone: the next one is written at once. */
  forget(event: ClusterEvent): void {
    this.#series.delete(seriesKey(event));
  }

  #start(key: string, now: number): void {
    this.#series.delete(key); // a Map keeps insertion order: the first key is the oldest series
    this.#series.set(key, { count: 1, writtenAt: now });
    const oldest = this.#series.keys().next().value;
    if (this.#series.size > mostSeries && oldest !== undefined) this.#series.delete(oldest);
  }
}

function seriesKey({ regarding, reason }: ClusterEvent): string {
  return [regarding.kind, regarding.namespace ?? '', regarding.name, regarding.uid ?? '', reason].join('/');
}
