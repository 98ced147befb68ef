/** A request as a relay sees it. */
export interface RequestSeen {
  readonly method: string;
  /** with its query */
  readonly path: string;
  /** what followed its head, framing of chunks included */
  bodyBytes: number;
}

const requestLine = /^(GET|HEAD|POST|PUT|PATCH|DELETE) (\/\S*) HTTP\/1\.1\r\n/;
const endOfHead = '\r\n\r\n';

/**
 * Finds the requests in what one client sends over one connection of plain HTTP/1.1. No client here pipelines, so a request
 * starts a chunk, and everything up to the next one is its own; noise of a blob never looks like a request line.
 */
export class RequestReader {
  #current: RequestSeen | undefined;
  /** the last bytes of a head that has not ended; undefined in a body */
  #head: Buffer | undefined;

  /** @param log takes what is found, of all connections in the order they ask */
  constructor(private readonly log: RequestSeen[]) {}

  read(chunk: Buffer): void {
    const [, method, path] = requestLine.exec(chunk.toString('latin1', 0, 2048)) ?? [];
    if (method !== undefined && path !== undefined) this.#begin({ method, path, bodyBytes: 0 });
    if (this.#current !== undefined) this.#current.bodyBytes += this.#bodyBytesOf(chunk);
  }

  #begin(request: RequestSeen): void {
    this.#current = request;
    this.#head = Buffer.alloc(0);
    this.log.push(request);
  }

  #bodyBytesOf(chunk: Buffer): number {
    if (this.#head === undefined) return chunk.length;
    const read = Buffer.concat([this.#head, chunk]);
    const end = read.indexOf(endOfHead);
    this.#head = end === -1 ? read.subarray(-endOfHead.length + 1) : undefined;
    return end === -1 ? 0 : read.length - end - endOfHead.length;
  }
}
