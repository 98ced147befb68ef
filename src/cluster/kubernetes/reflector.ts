/**
 * Keeps a picture equal to a collection of the API server, for ever:
 *
 * 1. List everything, page by page; what is new or changed is delivered, then what has gone since the last list.
 * 2. Watch from the version of that list. Every event and bookmark moves the version on.
 * 3. The server ends the watch after some minutes: watch again from the last version.
 * 4. When that version is too old (410), when a line makes no sense, or when the last list is older than the
 *    resync period: begin again at 1. Nothing is lost, because 1 compares with what was delivered.
 * 5. On any other error: pause, then go on at 3, or at 1 if no list was completed.
 *
 * Objects are not kept, only their keys and versions.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { failureInfo, isFailure, Failure, type FailureInfo } from '../../domain/failure.js';
import type { Change, WatchHealth } from '../cluster.js';
import { Backoff, type BackoffOptions } from './backoff.js';
import { Breath } from './breath.js';
import { Expired, type ListWatch, type RawObject } from './list-watch.js';

export interface ReflectorOptions extends BackoffOptions {
  /** seconds a watch may last, at least and at most: spread, so that watches do not end together */
  readonly watchSeconds?: readonly [number, number];
  /** milliseconds after which everything is listed and compared again */
  readonly resyncMs?: number;
  /** milliseconds between two rounds at least, however friendly their end: never more than two requests a second */
  readonly paceMs?: number;
  /** milliseconds since the epoch */
  readonly now?: () => number;
}

/** How the objects of one kind are read. */
export interface Projection<T> {
  /** Takes what we need and lets go of the rest; an error leaves the object out. */
  readonly project: (object: RawObject) => T;
  /** `namespace/name`, or `name` */
  readonly keyOf: (projected: T) => string;
}

/** A version, kept small: the usual ones are numbers, which cost 50,000 Pods nothing. */
type Mark = string | number;

const redeliver: Mark = ''; // no object has this version: the next list delivers the object again

export class Reflector<T> {
  readonly #source: Pick<ListWatch, 'pages' | 'watch'>;
  readonly #projection: Projection<T>;
  readonly #onChange: (change: Change<T>) => void;
  readonly #options: Required<Omit<ReflectorOptions, keyof BackoffOptions>>;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #breath = new Breath();
  /** version of each object that was delivered, by key */
  readonly #known = new Map<string, Mark>();
  readonly #unreadable = new Set<string>();
  /** where the next watch goes on; undefined asks for a list */
  #version: string | undefined;
  #listedAt: number | undefined;
  #connected = false;
  #lastError: FailureInfo | undefined;
  #handlerErrors = 0;
  #steadySince: number | undefined;

  constructor(
    source: Pick<ListWatch, 'pages' | 'watch'>,
    projection: Projection<T>,
    onChange: (change: Change<T>) => void,
    options: ReflectorOptions = {},
  ) {
    this.#source = source;
    this.#projection = projection;
    this.#onChange = onChange;
    this.#options = { watchSeconds: [300, 600], resyncMs: 10 * 60 * 1000, paceMs: 500, now: Date.now, ...options };
    this.#random = options.random ?? Math.random;
    this.#backoff = new Backoff(options);
  }

  get health(): Omit<WatchHealth, 'kind'> {
    return {
      connected: this.#connected,
      objects: this.#known.size,
      handlerErrors: this.#handlerErrors,
      unreadable: this.#unreadable.size,
      ...(this.#steadySince === undefined ? {} : { steadySince: this.#steadySince }),
      ...(this.#listedAt === undefined ? {} : { listedAt: this.#listedAt }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  /** Resolves when the signal aborts, and not before. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pause = await this.#round(signal);
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
    this.#connected = false;
  }

  /** @returns milliseconds until the next round */
  async #round(signal: AbortSignal): Promise<number> {
    const started = this.#options.now();
    try {
      if (this.#version === undefined || this.#untilResync() <= 0) this.#version = await this.#list(signal);
      await this.#watch(this.#version, signal);
      return Math.max(0, this.#options.paceMs - (this.#options.now() - started));
    } catch (error) {
      if (signal.aborted) return 0;
      if (error instanceof Expired || isCorrupt(error)) this.#version = undefined;
      this.#lastError = describe(error);
      this.#steadySince = undefined;
      return Math.max(this.#backoff.next(error), this.#options.paceMs - (this.#options.now() - started));
    } finally {
      this.#connected = false;
    }
  }

  /** @returns the version of the list */
  async #list(signal: AbortSignal): Promise<string> {
    const seen = new Set<string>();
    let version = '';
    for await (const page of this.#source.pages(signal)) {
      for (const object of page.items) {
        const key = rawKey(object);
        seen.add(key);
        if (this.#known.get(key) !== markOf(object)) this.#put(key, object);
        if (this.#breath.isDue) await this.#breath.take();
      }
      version = page.version;
    }
    for (const key of [...this.#known.keys(), ...this.#unreadable]) if (!seen.has(key)) this.#gone(key);

    const isFirst = this.#listedAt === undefined;
    this.#listedAt = this.#options.now();
    if (isFirst) this.#deliver({ type: 'synced' });
    return version;
  }

  async #watch(version: string, signal: AbortSignal): Promise<void> {
    const started = this.#options.now();
    let isSilent = true;
    const events = await this.#source.watch(version, this.#watchSeconds(), signal);
    this.#connected = true;
    this.#lastError = undefined;
    this.#steadySince ??= this.#options.now();

    for await (const { type, object } of events) {
      if (isSilent) this.#backoff.reset();
      isSilent = false;
      if (type === 'DELETED') this.#gone(rawKey(object));
      else if (type !== 'BOOKMARK') this.#put(rawKey(object), object);
      this.#version = object.metadata.resourceVersion;
      if (this.#breath.isDue) await this.#breath.take();
    }
    if (!isSilent) return;
    if (this.#options.now() - started < 1_000) throw new Failure({ code: 'unreachable', side: 'cluster', message: 'watch ended at once' });
    this.#backoff.reset();
  }

  #put(key: string, object: RawObject): void {
    let projected: T;
    try {
      projected = this.#projection.project(object);
    } catch {
      if (this.#known.has(key)) this.#gone(key); // what it was before is no longer true
      this.#unreadable.add(key);
      return;
    }
    this.#unreadable.delete(key);
    const ownKey = this.#projection.keyOf(projected); // the same text as `key`, but kept only once
    const isDelivered = this.#deliver({ type: 'put', key: ownKey, object: projected });
    this.#known.set(ownKey, isDelivered ? markOf(object) : redeliver);
  }

  #gone(key: string): void {
    this.#unreadable.delete(key);
    if (!this.#known.has(key)) return;
    if (this.#deliver({ type: 'gone', key })) this.#known.delete(key);
    else this.#known.set(key, redeliver);
  }

  /** @returns whether the handler took it; a watch outlives its handlers' mistakes */
  #deliver(change: Change<T>): boolean {
    try {
      this.#onChange(change);
      return true;
    } catch {
      this.#handlerErrors += 1;
      this.#steadySince = undefined; // until the next watch begins
      return false;
    }
  }

  #untilResync(): number {
    return this.#options.resyncMs - (this.#options.now() - (this.#listedAt ?? 0));
  }

  /** Ends in time for the next resync. */
  #watchSeconds(): number {
    const [least, most] = this.#options.watchSeconds;
    const spread = least + this.#random() * (most - least);
    return Math.max(1, Math.ceil(Math.min(spread, this.#untilResync() / 1000)));
  }
}

function markOf({ metadata: { resourceVersion } }: RawObject): Mark {
  const number = Number(resourceVersion);
  return Number.isSafeInteger(number) && String(number) === resourceVersion ? number : resourceVersion; // opaque, so compared as text
}

function rawKey({ metadata }: RawObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

function isCorrupt(error: unknown): boolean {
  return isFailure(error) && error.code === 'corrupt';
}

function describe(error: unknown): FailureInfo {
  if (error instanceof Expired) return { code: 'conflict', side: 'cluster', message: 'the API server has forgotten our version, listing again' };
  return failureInfo(error) ?? { code: 'invalid', side: 'cluster', message: `unexpected: ${error instanceof Error ? error.message : String(error)}` };
}
