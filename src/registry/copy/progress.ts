import type { EngineCall, Part } from '../copy-engine.js';

/** Is told what moves. */
export interface Tally {
  moved(bytes: number): void;
  /** A blob is there, however it came. */
  done(sizeBytes: number, how: 'present' | 'mounted' | 'uploaded'): void;
}

/** Counts what one part has moved and says so after every change. */
export class PartProgress implements Tally {
  #blobs = 0;
  #bytes = 0;
  /** bytes that went over the wire to the destination */
  sent = 0;

  constructor(
    readonly part: Pick<Part, 'blobs' | 'bytes'>,
    readonly call: Pick<EngineCall, 'onProgress'>,
  ) {}

  moved(bytes: number): void {
    this.#bytes += bytes;
    this.sent += bytes;
    this.#say();
  }

  /** A blob is there, however it came. */
  done(sizeBytes: number, how: 'present' | 'mounted' | 'uploaded'): void {
    this.#blobs++;
    if (how !== 'uploaded') this.#bytes += sizeBytes;
    this.#say();
  }

  /** Counts what goes over the wire for things nobody knew the size of: they are no part of the total. */
  aside(): Tally {
    return { moved: (bytes) => void (this.sent += bytes), done: () => undefined };
  }

  /** All is there that could be had. */
  finish(): void {
    [this.#blobs, this.#bytes] = [this.part.blobs, this.part.bytes];
    this.#say();
  }

  #say(): void {
    this.call.onProgress?.({ v: 1, blobsDone: this.#blobs, blobsTotal: this.part.blobs, bytesDone: this.#bytes, bytesTotal: this.part.bytes });
  }
}
