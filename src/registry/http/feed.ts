/**
 * The source side of one upload: opened beside the upload session, hashed, counted, watched.
 *
 * The bytes can be had again from any offset, without reading the whole source again: every few mebibytes the state of
 * the hash is kept, and the source is opened at the last one before the offset.
 */
import type { Hash } from 'node:crypto';
import { digestFrom, hashFor } from '../hash.js';
import type { BlobSource, Call, Descriptor } from '../registry.js';
import { failure, type Asked } from './errors.js';
import type { Time } from './pace/time.js';
import { Watchdog } from './watchdog.js';

/** After the last byte a registry may hash or move the blob. */
export const commitMs = 300_000;
/** 64 snapshots of a hash, of some hundred bytes each: as far back as any connection has bytes under way */
const snapshotEveryBytes = 1024 * 1024;
const mostSnapshots = 64;

export interface FeedDeps {
  /** what is uploaded where: failures name it */
  readonly asked: Asked;
  readonly call: Call;
  readonly time: Time;
  /** without a byte taken for this long, the destination has stalled */
  readonly stallMs: number;
  /** told when the source is not what its digest says */
  readonly onCorrupt?: () => void;
}

interface Snapshot {
  readonly at: number;
  readonly hash: Hash;
}

/** One opening of the source, from a snapshot on. */
interface Reading {
  readonly stop: AbortController;
  readonly chunks: AsyncIterator<Uint8Array>;
  readonly hash: Hash;
  next: Promise<IteratorResult<Uint8Array>>;
  /** bytes from the start of the blob that the hash has seen */
  hashed: number;
  /** read, and not handed on yet */
  rest: Uint8Array;
}

export class Feed {
  /** what the source, or the check of it, failed with: then the upload's own error is only a consequence */
  failure: unknown;
  readonly #watchdog: Watchdog;
  #snapshots: Snapshot[];
  #reading: Reading;
  /** a slice that was broken off may still wait for the source: its reading is not used again */
  #isBusy = false;
  #reported = 0;

  constructor(
    readonly source: BlobSource,
    readonly of: Descriptor,
    readonly deps: FeedDeps,
  ) {
    this.#watchdog = new Watchdog(deps.time, deps.stallMs, deps.call.signal);
    this.#snapshots = [{ at: 0, hash: hashFor(of.digest) }];
    this.#reading = this.#openAt(this.#snapshots[0]!);
  }

  /** Bytes that were handed to the destination, from the start of the blob. */
  get given(): number {
    return this.#reading.hashed - this.#reading.rest.length;
  }

  /**
   * For one request: aborts with the caller, and when the destination stalls. The time that the source takes does not
   * count against the destination.
   */
  watched(): AbortSignal {
    return this.#watchdog.watch();
  }

  /** The bytes between two offsets, each chunk handed on once the one before it was taken. */
  async *slice(from: number, until: number): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#isBusy || from !== this.given) this.#rewind(from);
    const reading = this.#reading;
    this.#isBusy = true;
    for (let at = this.given; at < until; ) {
      const chunk = await this.#take(reading, at < from ? from - at : until - at);
      at += chunk.length;
      if (at <= from) continue; // between the snapshot and the offset
      this.#expect(at === until);
      yield chunk;
      if (reading !== this.#reading) return;
      this.#watchdog.rest();
      this.report(at);
    }
    // the answer is still to come
    this.#expect(true);
    this.#isBusy = false;
  }

  /** All of it, for blobs small enough to keep. */
  async bytes(): Promise<Uint8Array> {
    if (this.#isBusy || this.given > 0) this.#rewind(0);
    this.#isBusy = true;
    const chunks: Uint8Array[] = [];
    while (this.given < this.of.size) chunks.push(await this.#take(this.#reading, this.of.size));
    if (this.of.size === 0) this.#check(this.#reading);
    this.#isBusy = false;
    return Buffer.concat(chunks);
  }

  /** Says how much of the blob has moved; less than before when it has to move again. */
  report(at: number): void {
    if (at !== this.#reported) this.deps.call.onProgress?.(at - this.#reported);
    this.#reported = at;
  }

  /** Ends the source, wherever it is. */
  stop(): void {
    this.#watchdog.end();
    close(this.#reading);
  }

  #rewind(from: number): void {
    close(this.#reading);
    this.failure = undefined;
    this.#snapshots = this.#snapshots.filter(({ at }) => at <= from);
    // the last ones may all lie behind it
    if (this.#snapshots.length === 0) this.#snapshots = [{ at: 0, hash: hashFor(this.of.digest) }];
    this.#reading = this.#openAt(this.#snapshots.at(-1)!);
    this.report(from);
  }

  #openAt({ at, hash }: Snapshot): Reading {
    const stop = new AbortController();
    const chunks = this.source.open(at, AbortSignal.any([this.deps.call.signal, stop.signal]))[Symbol.asyncIterator]();
    const reading = { stop, chunks, hash: hash.copy(), hashed: at, rest: new Uint8Array(0) };
    return Object.assign(reading, { next: this.#ask(reading) });
  }

  /** At most so many of the bytes that come next. */
  async #take(reading: Reading, most: number): Promise<Uint8Array> {
    while (reading.rest.length === 0) reading.rest = await this.#pull(reading);
    const piece = reading.rest.subarray(0, most);
    reading.rest = reading.rest.subarray(piece.length);
    return piece;
  }

  /** The next chunk, hashed; the last one only when everything is right: nothing wrong may complete the upload. */
  async #pull(reading: Reading): Promise<Uint8Array> {
    const next = await reading.next;
    if (next.done === true) throw this.#corrupt(reading);
    const { value } = next;
    reading.hashed += value.length;
    if (reading.hashed > this.of.size) throw this.#corrupt(reading);
    reading.hash.update(value);
    if (reading.hashed === this.of.size) this.#check(reading);
    else {
      this.#remember(reading);
      reading.next = this.#ask(reading);
    }
    return value;
  }

  #ask(reading: Pick<Reading, 'chunks' | 'stop'>): Promise<IteratorResult<Uint8Array>> {
    const next = reading.chunks.next().catch((error: unknown) => {
      if (!reading.stop.signal.aborted) this.failure ??= error;
      throw error;
    });
    // asked for ahead of need: an error waits until somebody looks
    next.catch(() => undefined);
    return next;
  }

  #remember(reading: Reading): void {
    if (reading !== this.#reading || reading.hashed - this.#snapshots.at(-1)!.at < snapshotEveryBytes) return;
    this.#snapshots.push({ at: reading.hashed, hash: reading.hash.copy() });
    if (this.#snapshots.length > mostSnapshots) this.#snapshots.shift();
  }

  #check(reading: Reading): void {
    if (digestFrom(reading.hash, this.of.digest) !== this.of.digest) throw this.#corrupt(reading);
  }

  #corrupt(reading: Reading): unknown {
    const { asked, onCorrupt } = this.deps;
    const wrong = failure('corrupt', `${asked.what} did not arrive as its digest says`, { host: this.source.host ?? asked.host }, { side: 'source' });
    if (reading === this.#reading) {
      this.failure ??= wrong;
      onCorrupt?.();
    }
    return wrong;
  }

  #expect(isLast: boolean): void {
    const { asked, call, stallMs } = this.deps;
    const afterMs = isLast ? Math.max(commitMs, stallMs) : stallMs;
    this.#watchdog.expect(afterMs, () => failure('timeout', `${asked.what}: ${call.side} ${asked.host} ${isLast ? 'did not answer' : 'took no bytes'} for ${afterMs / 1000} s`, asked, call));
  }
}

/** One for all: an abort without a reason makes an error with a stack for each blob. */
const closed = new Error('the source is not needed any more');

function close({ stop, chunks }: Reading): void {
  stop.abort(closed);
  void chunks.return?.().catch(() => undefined);
}
