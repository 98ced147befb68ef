/** The source side of one upload: opened beside the upload session, counted, checked, watched. */
import type { Hash } from 'node:crypto';
import type { Failure } from '../../domain/failure.js';
import { digestFrom, hashFor } from '../hash.js';
import type { BlobSource, Call, Descriptor } from '../registry.js';
import { failure, type Asked } from './errors.js';

/** Without a byte taken for this long, the destination has stalled. */
const stallMs = 60_000;
/** After the last byte a registry may hash or move the blob. */
export const commitMs = 300_000;

/**
 * One pass over a source. `signal` aborts when the destination stalls, and carries the caller's abort; the time
 * the source takes does not count against the destination.
 */
export class Feed {
  /** bytes handed to the destination */
  sent = 0;
  /** what the source, or the check of it, failed with: then the upload's own error is only a consequence */
  failure: unknown;
  readonly signal: AbortSignal;
  readonly #end = new AbortController();
  readonly #stalled = new AbortController();
  readonly #chunks: AsyncIterator<Uint8Array>;
  #next: Promise<IteratorResult<Uint8Array>>;
  #timer: NodeJS.Timeout | undefined;
  readonly #hash: Hash | undefined;

  constructor(
    source: BlobSource,
    readonly of: Descriptor,
    readonly asked: Asked,
    readonly call: Call,
  ) {
    this.signal = AbortSignal.any([call.signal, this.#stalled.signal]);
    this.#hash = source.verified === true ? undefined : hashFor(of.digest);
    this.#chunks = source.open(0, AbortSignal.any([call.signal, this.#end.signal]))[Symbol.asyncIterator]();
    this.#next = this.#pull();
  }

  /** The bytes, each chunk handed on once the one before it was taken. */
  async *stream(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let read = 0; ; ) {
      const next = await this.#next;
      if (next.done === true) return this.#check(read === this.of.size);
      const { value } = next;
      read += value.length;
      this.#hash?.update(value);
      // the last chunk completes the upload: nothing wrong may reach it
      if (read >= this.of.size) this.#check(read === this.of.size && this.#isRight());
      this.#next = this.#pull();
      this.#watch(read === this.of.size ? commitMs : stallMs, read === this.of.size ? 'did not commit' : 'took no bytes');
      yield value;
      if (read < this.of.size) clearTimeout(this.#timer);
      this.sent += value.length;
      this.call.onProgress?.(value.length);
    }
  }

  /** All of it, for blobs small enough to keep. */
  async bytes(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let read = 0;
    for (let next = await this.#next; next.done !== true; next = await this.#pull()) {
      chunks.push(next.value);
      this.#hash?.update(next.value);
      read += next.value.length;
      if (read > this.of.size) break;
    }
    this.#check(read === this.of.size && this.#isRight());
    return Buffer.concat(chunks);
  }

  /** Ends the source, wherever it is. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#end.abort();
    void this.#chunks.return?.().catch(() => undefined);
  }

  #pull(): Promise<IteratorResult<Uint8Array>> {
    const next = this.#chunks.next().catch((error: unknown) => {
      this.failure ??= error;
      throw error;
    });
    // asked for ahead of need: an error waits until somebody looks
    next.catch(() => undefined);
    return next;
  }

  #isRight(): boolean {
    return this.#hash === undefined || digestFrom(this.#hash, this.of.digest) === this.of.digest;
  }

  #check(isRight: boolean): void {
    if (isRight) return;
    this.failure = failure('corrupt', `${this.asked.what} did not arrive as its digest says`, this.asked, { side: 'source' });
    throw this.failure;
  }

  #watch(afterMs: number, what: string): void {
    clearTimeout(this.#timer);
    // the failure is made when it happens: this runs for every chunk, and a stack trace is dear
    const stalled = (): Failure => failure('timeout', `${this.asked.what}: ${this.call.side} ${this.asked.host} ${what} for ${afterMs / 1000} s`, this.asked, this.call);
    this.#timer = setTimeout(() => this.#stalled.abort(stalled()), afterMs);
    this.#timer.unref();
  }
}
