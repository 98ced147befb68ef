/** Manifests: HEAD first, bytes verified, no digest fetched twice. */
import { LRUCache } from 'lru-cache';
import { parseDigest, type Digest } from '../../domain/digest.js';
import { isFailure } from '../../domain/failure.js';
import type { ImageRef } from '../../domain/image-ref.js';
import { digestBytes } from '../hash.js';
import { viewerOf, type BlobLocations } from '../locations.js';
import { isProblem, manifestLimitBytes, readManifest } from '../manifest.js';
import { acceptManifests, bareType, isManifestType } from '../media-types.js';
import type { Call, Identity, Manifest, Seen } from '../registry.js';
import { headerOf, readBytes, type Answer } from './answer.js';
import type { Asker } from './asker.js';
import type { Request } from './request.js';
import { failure } from './errors.js';
import { isUsedUp } from './pace/rate-limit.js';
import { readScope } from './scope.js';

const cacheBytes = 32 * 1024 * 1024;
const unreliableMs = 60 * 60_000;

export class ManifestReader {
  readonly #cache = new LRUCache<string, Manifest>({ maxSize: cacheBytes, sizeCalculation: ({ bytes }) => bytes.length + 1024 });
  /** hosts whose HEAD says too little */
  readonly #headless = new LRUCache<string, true>({ max: 1000, ttl: unreliableMs });

  constructor(
    readonly asker: Asker,
    readonly locations: BlobLocations,
  ) {}

  /** One HEAD; a GET where the registry's HEAD does not say what we need. */
  async head(at: ImageRef, as: Identity, call: Call): Promise<Seen | 'missing'> {
    const seen = await this.#head(at, as, call);
    if (call.side === 'destination') this.locations.repositories.looked(at, viewerOf(as), seen === 'missing' ? 'nothing' : 'something');
    return seen;
  }

  async #head(at: ImageRef, as: Identity, call: Call): Promise<Seen | 'missing'> {
    if (this.#headless.has(at.host)) return this.#headByGet(at, as, call);
    const request = requestOf('HEAD', at);
    const seen = await this.asker.use(request, as, call, (answer) => {
      if (answer.status === 404) return 'missing';
      if (answer.status === 405 || answer.status === 501) return 'unreliable';
      if (answer.status !== 200) throw this.asker.refusal(answer, request, call);
      this.#watchQuota(answer, request, call);
      return seenOf(answer, at) ?? 'unreliable';
    });
    if (seen === 'missing' || (seen !== 'unreliable' && isManifestType(seen.mediaType))) return seen;
    // an odd type is a matter of this manifest: what it is, its body says
    if (seen === 'unreliable') this.#headless.set(at.host, true);
    return this.#headByGet(at, as, call);
  }

  /** Verified bytes; by digest from memory when this identity has read them before. Damaged once is asked for once more. */
  async manifest(at: ImageRef, as: Identity, call: Call): Promise<Manifest> {
    // a check wants to know whether it is still there
    const known = at.digest === undefined || call.purpose === 'check' ? undefined : this.#cache.get(cacheKey(at, at.digest, as));
    if (known !== undefined) {
      this.asker.observe({ type: 'cache', cache: 'manifest', result: 'hit' });
      return known;
    }
    this.asker.observe({ type: 'cache', cache: 'manifest', result: 'miss' });
    return this.#get(at, as, call).catch((error: unknown) => {
      if (!isFailure(error) || error.code !== 'corrupt' || call.purpose === 'probe') throw error;
      return this.#get(at, as, call);
    });
  }

  async #headByGet(at: ImageRef, as: Identity, call: Call): Promise<Seen | 'missing'> {
    try {
      const { digest, mediaType, bytes, identity } = await this.#get(at, as, call);
      return { digest, mediaType, size: bytes.length, identity };
    } catch (error) {
      if (isFailure(error) && error.code === 'missing') return 'missing';
      throw error;
    }
  }

  async #get(at: ImageRef, as: Identity, call: Call): Promise<Manifest> {
    const request = requestOf('GET', at);
    const manifest = await this.asker.use(request, as, call, async (answer) => {
      if (answer.status !== 200) throw this.asker.refusal(answer, request, call);
      this.#watchQuota(answer, request, call);
      return this.#read(answer, at, request, call);
    });
    if (call.purpose === 'copy') this.asker.observe({ type: 'read', registry: at.host, bytes: manifest.bytes.length });
    this.#cache.set(cacheKey(at, manifest.digest, as), manifest);
    for (const blob of manifest.blobs) this.locations.hint(at, blob.digest, viewerOf(as));
    return manifest;
  }

  async #read(answer: Answer, at: ImageRef, request: Request, call: Call): Promise<Manifest> {
    checkEncoding(answer, request, call);
    const bytes = answer.body === undefined ? undefined : await readBytes(answer.body, manifestLimitBytes);
    if (bytes === undefined) throw failure('too-large', `${request.what} on ${call.side} ${at.host} is larger than 8 MiB`, request, call);
    const digest = this.#digestOf(bytes, answer, at, request, call);

    const view = readManifest(bytes, headerOf(answer.headers, 'content-type'));
    if (isProblem(view)) throw failure(view.code, `${request.what} on ${call.side} ${at.host} ${view.problem}`, request, call);
    return { ...view, digest, bytes, identity: answer.identity };
  }

  /** By digest the bytes must match; by tag our hash is the digest, and a header that disagrees is only counted. */
  #digestOf(bytes: Uint8Array, answer: Answer, at: ImageRef, request: Request, call: Call): Digest {
    const said = parseDigest(headerOf(answer.headers, 'docker-content-digest'));
    const digest = digestBytes(bytes, at.digest ?? said);
    if (at.digest !== undefined && digest !== at.digest) {
      this.asker.observe({ type: 'corrupt', registry: at.host, side: call.side });
      throw failure('corrupt', `${request.what} from ${call.side} ${at.host} differs from its digest`, request, call);
    }
    if (said !== undefined && said !== digest) this.asker.observe({ type: 'lied', registry: at.host, about: 'digest' });
    return digest;
  }

  /** The last request of a quota is quota, even on success: probes and checks report it, a copy that has its bytes goes on. */
  #watchQuota(answer: Answer, request: Request, call: Call): void {
    if (isUsedUp(answer.headers) && (call.purpose === 'probe' || call.purpose === 'check')) throw failure('throttled', `${request.what}: quota used up on ${call.side} ${request.host}`, request, call);
  }
}

/** Digests are over stored bytes: an encoded answer cannot be verified. */
export function checkEncoding(answer: Answer, request: Request, call: Call): void {
  const encoding = headerOf(answer.headers, 'content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw failure('corrupt', `${request.what} from ${call.side} ${request.host} came with a content encoding`, request, call);
}

function requestOf(method: 'HEAD' | 'GET', at: ImageRef): Request {
  const reference = at.digest ?? at.tag ?? 'latest';
  return {
    method,
    host: at.host,
    path: `${at.path}/manifests/${reference}`,
    what: `manifest ${at.path}${at.digest === undefined ? ':' : '@'}${reference}`,
    scopes: [readScope(at)],
    lane: 'metadata',
    headers: { accept: acceptManifests },
  };
}

/** What a HEAD says, when it says all of it; a digest other than the one asked for is a lie, and a GET finds out. */
function seenOf(answer: Answer, at: ImageRef): Seen | undefined {
  const digest = parseDigest(headerOf(answer.headers, 'docker-content-digest'));
  const mediaType = bareType(headerOf(answer.headers, 'content-type'));
  const size = Number(headerOf(answer.headers, 'content-length') ?? NaN);
  if (digest === undefined || mediaType === '' || !Number.isSafeInteger(size)) return undefined;
  if (at.digest !== undefined && at.digest !== digest) return undefined;
  return { digest, mediaType, size, identity: answer.identity };
}

/** A fact seen with one identity answers only for it. */
function cacheKey(at: ImageRef, digest: Digest, as: Identity): string {
  return `${at.host}/${at.path}@${digest} ${viewerOf(as)}`;
}
