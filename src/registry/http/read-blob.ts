/** Blobs: streamed, verified before their last chunk is handed on, resumed where they broke. */
import { Readable } from 'node:stream';
import type { Repository } from '../../domain/image-ref.js';
import { digestFrom, hashFor } from '../hash.js';
import type { Call, Descriptor, Identity } from '../registry.js';
import { headerOf, type Answer } from './answer.js';
import type { Asker } from './asker.js';
import type { Request } from './request.js';
import { notDripping } from './drip.js';
import { failure, failureOfError, isSlow } from './errors.js';
import { checkEncoding } from './read-manifest.js';
import { readScope } from './scope.js';

const mostResumes = 5;
/** a connection may be stuck: another one is tried, once; a registry that is slow twice is slow */
const mostSlowResumes = 1;
/** this much progress gives all resumes back */
const progressBytes = 16 * 1024 * 1024;
/** a registry without ranges starts again: more than this is not worth reading twice here */
const longestRereadBytes = 8 * 1024 * 1024;

export class BlobReader {
  constructor(readonly asker: Asker) {}

  /**
   * The bytes of a blob. From the start they are verified: size and digest are compared before the last chunk is
   * handed on, so that whoever passes them on never completes something damaged. From an offset only the size is.
   */
  async *read(from: Repository, of: Descriptor, as: Identity, call: Call, offset = 0): AsyncGenerator<Uint8Array, void, undefined> {
    const request = requestOf(from, of);
    const check = new Check(this.asker, of, offset, request, call);
    let resumes = 0;
    let slow = 0;
    let mark = offset;

    for (;;) {
      const answer = await this.#open(request, as, call, of, check.have);
      const before = check.have;
      let cut: unknown;
      try {
        yield* check.pass(this.#bodyOf(answer, check.have, request, call));
        if (check.isComplete) return;
      } catch (error) {
        if (call.signal.aborted || error === check.failure) throw failureOfError(error, request, call);
        cut = error;
      } finally {
        answer.close();
        if (call.purpose === 'copy') this.asker.observe({ type: 'read', registry: from.host, bytes: check.have - before });
      }

      if (check.have - mark >= progressBytes) [resumes, slow, mark] = [0, 0, check.have];
      if (++resumes > mostResumes || (isSlow(cut) && ++slow > mostSlowResumes)) throw failureOfError(cut ?? brokenOff(request, call), request, call);
      this.asker.observe({ type: 'blob', registry: from.host, how: 'resumed', sizeBytes: of.size - check.have });
    }
  }

  #bodyOf(answer: Answer, have: number, request: Request, call: Call): AsyncIterable<Uint8Array> {
    return notDripping(bodyFrom(answer, have), this.asker.options.settings(request.host), this.asker.clock, request, call);
  }

  /** The answer from `have` on, as far as headers can tell. A signed URL is never used again: the registry is asked each time. */
  async #open(request: Request, as: Identity, call: Call, of: Descriptor, have: number): Promise<Answer> {
    const ranged: Request = have === 0 ? request : { ...request, headers: { range: `bytes=${have}-` } };
    const answer = await this.asker.ask(ranged, as, call);
    try {
      if (answer.status === 416 || (answer.status === 200 && have > longestRereadBytes)) throw restart(request, call);
      if (answer.status !== 200 && answer.status !== 206) throw this.asker.refusal(answer, request, call);
      checkEncoding(answer, request, call);
      checkLength(answer, of, have, request, call);
      return answer;
    } catch (error) {
      answer.close();
      throw error;
    }
  }
}

/** Counts and hashes what passes, over all answers that make up one blob. */
class Check {
  have: number;
  isComplete = false;
  failure: unknown;
  readonly #hash;

  constructor(
    readonly asker: Asker,
    readonly of: Descriptor,
    offset: number,
    readonly request: Request,
    readonly call: Call,
  ) {
    this.have = offset;
    this.#hash = offset === 0 && call.isHashedByCaller !== true ? hashFor(of.digest) : undefined;
  }

  /** Passes chunks on; the last one only when the whole is right and nothing follows it. */
  async *pass(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    let last: Uint8Array | undefined;
    try {
      for await (const chunk of body) {
        if (this.have + chunk.length > this.of.size) throw this.#corrupt('is longer than its size');
        this.#hash?.update(chunk);
        this.have += chunk.length;
        if (this.have < this.of.size) yield chunk;
        else last = last === undefined ? chunk : Buffer.concat([last, chunk]);
      }
    } catch (error) {
      // complete and verified below: how the connection ended does not matter then
      if (error === this.failure || this.have < this.of.size) throw error;
    }
    if (this.have < this.of.size) return;
    if (this.#hash !== undefined && digestFrom(this.#hash, this.of.digest) !== this.of.digest) throw this.#corrupt('differs from its digest');
    this.isComplete = true;
    if (last !== undefined) yield last;
  }

  #corrupt(how: string): unknown {
    this.asker.observe({ type: 'corrupt', registry: this.request.host, side: this.call.side });
    this.failure = failure('corrupt', `${this.request.what} from ${this.call.side} ${this.request.host} ${how}`, this.request, this.call);
    return this.failure;
  }
}

/** The body from `have` on: what a registry without ranges sends again is read and dropped. */
function bodyFrom(answer: Answer, have: number): AsyncIterable<Uint8Array> {
  const body: AsyncIterable<Uint8Array> = answer.body ?? Readable.from([]);
  return answer.status === 206 || have === 0 ? body : skip(body, have);
}

async function* skip(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = bytes;
  for await (const chunk of body) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** A length that is wrong already fails before the first byte is read. */
function checkLength(answer: Answer, of: Descriptor, have: number, request: Request, call: Call): void {
  if (answer.status === 206 && !(headerOf(answer.headers, 'content-range') ?? '').startsWith(`bytes ${have}-`)) {
    throw failure('corrupt', `${request.what} from ${call.side} ${request.host} continues at another place than asked`, request, call);
  }
  const length = headerOf(answer.headers, 'content-length');
  const expected = answer.status === 206 ? of.size - have : of.size;
  if (length !== undefined && Number(length) !== expected) {
    throw failure('corrupt', `${request.what} from ${call.side} ${request.host} has ${length} bytes to come, not ${expected}`, request, call);
  }
}

function brokenOff(request: Request, call: Call): unknown {
  return failure('unreachable', `${request.what} from ${call.side} ${request.host} broke off ${mostResumes + 1} times`, request, call);
}

/** A blob that cannot go on where it broke; whoever passes it on begins again. */
function restart(request: Request, call: Call): unknown {
  return failure('unreachable', `${request.what} from ${call.side} ${request.host} broke off, and the registry serves no ranges`, request, call);
}

function requestOf(from: Repository, of: Descriptor): Request {
  return { method: 'GET', host: from.host, path: `${from.path}/blobs/${of.digest}`, what: `blob ${of.digest} of ${from.path}`, scopes: [readScope(from)], lane: 'download' };
}
