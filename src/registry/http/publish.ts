/** Manifests on their way to the destination: exact bytes, children first is the caller's order. */
import { parseDigest } from '../../domain/digest.js';
import type { Failure } from '../../domain/failure.js';
import type { ImageRef } from '../../domain/image-ref.js';
import { viewerOf, type BlobLocations } from '../locations.js';
import { isForeign, isProblem, readManifest } from '../manifest.js';
import type { Call, Descriptor, Identity, Manifest } from '../registry.js';
import { headerOf, type Answer } from './answer.js';
import type { Asker } from './asker.js';
import type { Request } from './request.js';
import { failure } from './errors.js';
import type { ManifestReader } from './read-manifest.js';
import type { Referrers } from './referrers.js';
import { writeScope } from './scope.js';
import { absentRepository, isImmutableTag, refusedName, refusedWrite } from './write-refusal.js';

export class Publisher {
  constructor(
    readonly asker: Asker,
    readonly reader: ManifestReader,
    readonly locations: BlobLocations,
    readonly referrers: Pick<Referrers, 'taken'>,
  ) {}

  async putManifest(at: ImageRef, manifest: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>, as: Identity, call: Call): Promise<void> {
    const view = readManifest(manifest.bytes, manifest.mediaType);
    const blobs = isProblem(view) ? [] : view.blobs;
    const request = requestOf(at, manifest);

    const failed = await this.asker.use(request, as, call, (answer) => this.#outcome(answer, at, manifest, blobs, request, call));
    if (failed === undefined) {
      // a layer that lies elsewhere may be absent all the same
      for (const blob of blobs) if (!isForeign(blob)) this.locations.confirm(at, blob.digest, viewerOf(as));
      return;
    }
    if (failed.code === 'missing') for (const blob of blobs) this.locations.forget(at, blob.digest, viewerOf(as));
    if (failed.code === 'conflict' && (await this.#standsAlready(at, manifest, as, call))) return;
    throw failed;
  }

  #outcome(answer: Answer, at: ImageRef, manifest: Pick<Manifest, 'mediaType' | 'digest'>, blobs: readonly Descriptor[], request: Request, call: Call): Failure | undefined {
    if ([200, 201, 202].includes(answer.status)) {
      if (headerOf(answer.headers, 'oci-subject') !== undefined) this.referrers.taken(at);
      const digest = parseDigest(headerOf(answer.headers, 'docker-content-digest'));
      if (digest === undefined || digest === manifest.digest) return undefined;
      return failure('corrupt', `${request.what} became ${digest} on ${call.side} ${at.host}`, request, call);
    }
    const refused = refusedWrite(this.asker, answer, request, call);
    const foreign = blobs.find(isForeign);
    // distribution answers 500 to a layer that lies elsewhere
    if (refused.code === 'unreachable' && foreign !== undefined) return failure('unsupported', `${request.what} refused by ${call.side} ${at.host}, probably for layer ${foreign.digest}, which lies elsewhere`, request, call);
    if (at.tag !== undefined && isImmutableTag(answer)) return failure('conflict', refused.message, request, call);
    const named = refusedName(at, answer, refused, request, call);
    if (named !== undefined) return named;
    if (refused.code === 'unsupported' || (answer.status === 400 && refused.code === 'invalid')) return failure('unsupported', `${refused.message} (type ${manifest.mediaType})`, request, call);
    if (answer.status === 404 && answer.errors.some(({ code }) => code === 'NAME_UNKNOWN')) return absentRepository(at, request, call);
    return refused;
  }

  /** An immutable tag that holds what we bring is no conflict. */
  async #standsAlready(at: ImageRef, manifest: Pick<Manifest, 'digest'>, as: Identity, call: Call): Promise<boolean> {
    const seen = await this.reader.head(at, as, call);
    return seen !== 'missing' && seen.digest === manifest.digest;
  }
}

function requestOf(at: ImageRef, { bytes, mediaType, digest }: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>): Request {
  const reference = at.tag ?? at.digest ?? digest;
  return {
    method: 'PUT',
    host: at.host,
    path: `${at.path}/manifests/${reference}`,
    what: `manifest ${at.path}${at.tag === undefined ? '@' : ':'}${reference}`,
    scopes: [writeScope(at)],
    lane: 'metadata',
    headers: { 'content-type': mediaType },
    body: { bytes },
    tryNextOn: [401, 403],
  };
}
