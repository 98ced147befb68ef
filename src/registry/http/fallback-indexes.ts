/**
 * Lists of referrers kept by clients, on registries that keep none: an index under the tag `sha256-<hex>`.
 *
 * @see OCI distribution specification 1.1, "Referrers Tag Schema"
 */
import { isFailure } from '../../domain/failure.js';
import type { ImageRef } from '../../domain/image-ref.js';
import { describeReferrer, isProblem, manifestLimitBytes, readManifest } from '../manifest.js';
import { acceptManifests, ociIndex } from '../media-types.js';
import { fallbackTag } from '../referrer-tags.js';
import type { Call, Descriptor, Identity, Manifest, ManifestRef } from '../registry.js';
import { Turns } from '../turns.js';
import { headerOf, readBytes, type Answer } from './answer.js';
import type { Asker } from './asker.js';
import type { Request } from './request.js';
import { failure } from './errors.js';
import { readScope, writeScope } from './scope.js';

/** Others may write the same list: whoever finds it changed adds to what is there now. */
const mostAttempts = 5;

/** A list as it stands. */
interface Standing {
  readonly bytes: Uint8Array;
  readonly referrers: readonly Descriptor[];
  readonly etag: string | undefined;
}

export class FallbackIndexes {
  readonly #turns = new Turns();

  constructor(readonly asker: Asker) {}

  async list(subject: ManifestRef, as: Identity, call: Call): Promise<readonly Descriptor[]> {
    if (await this.#isAbsent(subject, as, call)) return [];
    return (await this.#read(subject, as, call))?.referrers ?? [];
  }

  /** Most images have no list, and there are registries where a GET costs quota and a HEAD does not. */
  async #isAbsent(subject: ManifestRef, as: Identity, call: Call): Promise<boolean> {
    return this.asker.use(requestOf('HEAD', subject), as, call, ({ status }) => status === 404);
  }

  /** One after the other for each subject: the list is read, extended and written as a whole. */
  async add(subject: ManifestRef, manifest: Manifest, as: Identity, call: Call): Promise<void> {
    const referrer = describeReferrer(manifest);
    await this.#turns.take(`${subject.host}/${subject.path}@${subject.digest}`, call.signal, async () => {
      for (let attempt = 0; attempt < mostAttempts; attempt++) {
        const standing = await this.#read(subject, as, call);
        if (standing?.referrers.some(({ digest }) => digest === referrer.digest) === true) return;
        await this.#write(subject, standing, referrer, as, call);
        // looked at again above: not every registry heeds If-Match, and another writer may have been faster
      }
      const request = requestOf('GET', subject);
      throw failure('conflict', `${request.what} on ${call.side} ${subject.host} does not keep what is added: others write it all the time`, request, call);
    });
  }

  /** @throws Failure `conflict` for anything but an index: somebody else uses the tag, and it is left alone */
  async #read(subject: ManifestRef, as: Identity, call: Call): Promise<Standing | undefined> {
    const request = requestOf('GET', subject);
    return this.asker.use(request, as, call, async (answer) => {
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw this.asker.refusal(answer, request, call);
      const bytes = answer.body === undefined ? undefined : await readBytes(answer.body, manifestLimitBytes);
      if (bytes === undefined) throw failure('too-large', `${request.what} on ${call.side} ${subject.host} is larger than 8 MiB`, request, call);
      return standingIn(bytes, answer) ?? Promise.reject(failure('conflict', `${request.what} on ${call.side} ${subject.host} is no index, and not touched`, request, call));
    });
  }

  /** A list that somebody changed meanwhile is no failure: the next attempt sees it. */
  async #write(subject: ManifestRef, standing: Standing | undefined, referrer: Descriptor, as: Identity, call: Call): Promise<void> {
    const bytes = extended(standing, referrer);
    const request: Request = {
      ...requestOf('PUT', subject),
      scopes: [writeScope(subject)],
      headers: { 'content-type': ociIndex, ...(standing?.etag === undefined ? {} : { 'if-match': standing.etag }) },
      body: { bytes },
      tryNextOn: [401, 403],
    };
    await this.asker.use(request, as, call, (answer) => {
      if ([200, 201, 202].includes(answer.status)) return;
      const refused = this.asker.refusal(answer, request, call);
      if (!isFailure(refused) || refused.code !== 'conflict') throw refused;
    });
  }
}

function standingIn(bytes: Uint8Array, answer: Answer): Standing | undefined {
  const view = readManifest(bytes, headerOf(answer.headers, 'content-type'));
  if (isProblem(view) || view.mediaType !== ociIndex) return undefined;
  return { bytes, referrers: view.manifests, etag: headerOf(answer.headers, 'etag') };
}

/** What stands there stays as it is, unknown fields included. */
function extended(standing: Standing | undefined, referrer: Descriptor): Uint8Array {
  const document = standing === undefined ? { schemaVersion: 2, mediaType: ociIndex, manifests: [] } : (JSON.parse(Buffer.from(standing.bytes).toString('utf8')) as { manifests: unknown[] });
  return Buffer.from(JSON.stringify({ ...document, manifests: [...document.manifests, referrer] }));
}

function requestOf(method: 'HEAD' | 'GET' | 'PUT', subject: ManifestRef): Request {
  const at: ImageRef = { host: subject.host, path: subject.path, tag: fallbackTag(subject.digest) };
  return {
    method,
    host: at.host,
    path: `${at.path}/manifests/${at.tag}`,
    what: `list of referrers ${at.path}:${at.tag}`,
    scopes: [readScope(at)],
    lane: 'metadata',
    headers: { accept: acceptManifests },
  };
}
