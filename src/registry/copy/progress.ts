import type { EngineCall, Part } from '../engine.js';

/** Counts what one part has moved and says so after every change. */
export class PartProgress {
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

  #say(): void {
    this.call.onProgress?.({ v: 1, blobsDone: this.#blobs, blobsTotal: this.part.blobs, bytesDone: this.#bytes, bytesTotal: this.part.bytes });
  }
}
