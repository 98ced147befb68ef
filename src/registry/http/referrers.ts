/** What refers to a manifest. @see OCI distribution specification 1.1, "Listing Referrers" */
import { LRUCache } from 'lru-cache';
import { repositoryText, type Repository } from '../../domain/image-ref.js';
import { graphLimits, isProblem, manifestLimitBytes, readManifest } from '../manifest.js';
import { ociIndex } from '../media-types.js';
import type { Call, Descriptor, Identity, Manifest, ManifestRef } from '../registry.js';
import { headerOf, readBytes, type Answer } from './answer.js';
import type { Asker } from './asker.js';
import type { Request } from './request.js';
import { failure } from './errors.js';
import type { FallbackIndexes } from './fallback-indexes.js';
import { readScope } from './scope.js';
import { mostPages, nextPage } from './tags.js';

const supportMs = 24 * 60 * 60_000;
/** answers of registries that have no such list */
const unsupported: readonly number[] = [400, 404, 405, 406, 501];

/** One page of the list. */
interface Page {
  readonly referrers: readonly Descriptor[];
  readonly next: URL | undefined;
}

export class Referrers {
  /** whether a registry lists referrers: learned once, not per image */
  readonly #lists = new LRUCache<string, 'yes' | 'no'>({ max: 1000, ttl: supportMs });
  /** repositories that said of a manifest with a subject that they list it */
  readonly #takes = new LRUCache<string, true>({ max: 10_000, ttl: supportMs });

  constructor(
    readonly asker: Asker,
    readonly indexes: FallbackIndexes,
  ) {}

  /** A filter that the registry says nothing of was not applied: so everything is looked at again here. */
  async list(at: ManifestRef, as: Identity, call: Call, artifactType?: string): Promise<readonly Descriptor[]> {
    const listed = this.#hasNoList(at) ? 'unsupported' : await this.#fromRegistry(at, as, call, artifactType);
    const all = listed === 'unsupported' ? await this.indexes.list(at, as, call) : listed;
    return artifactType === undefined ? all : all.filter((descriptor) => descriptor.artifactType === artifactType);
  }

  /** A registry answered `OCI-Subject` to a manifest: nobody else has to list it. */
  taken(at: Repository): void {
    this.#takes.set(repositoryText(at), true);
    this.#lists.set(at.host, 'yes');
  }

  async link(at: Repository, manifest: Manifest, as: Identity, call: Call): Promise<void> {
    if (manifest.subject === undefined || this.#takes.has(repositoryText(at))) return;
    await this.indexes.add({ host: at.host, path: at.path, digest: manifest.subject.digest }, manifest, as, call);
  }

  async #fromRegistry(at: ManifestRef, as: Identity, call: Call, artifactType: string | undefined): Promise<readonly Descriptor[] | 'unsupported'> {
    const found: Descriptor[] = [];
    const filter = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
    let path: string | URL | undefined = `${at.path}/referrers/${at.digest}${filter}`;
    for (let pages = 0; path !== undefined; pages++) {
      const request = requestOf(at, path);
      const page: Page | 'unsupported' = await this.#page(request, as, call);
      if (page === 'unsupported' && pages > 0) throw failure('invalid', `${request.what} on ${call.side} ${at.host} end in the middle`, request, call);
      if (page === 'unsupported') return this.#unsupportedBy(at);
      found.push(...page.referrers);
      if (found.length > graphLimits.nodes || pages === mostPages) throw failure('too-large', `${request.what} on ${call.side} ${at.host} are more than ${graphLimits.nodes}, or never end`, request, call);
      // a page without anything new that has a successor would never end
      path = page.referrers.length === 0 ? undefined : page.next;
    }
    this.#lists.set(at.host, 'yes');
    return found;
  }

  #hasNoList({ host }: Repository): boolean {
    const told = this.asker.options.settings(host).capabilities?.referrers;
    return told === undefined ? this.#lists.get(host) === 'no' : !told;
  }

  /** One odd answer does not unlearn what a registry has shown before. */
  #unsupportedBy({ host }: Repository): 'unsupported' {
    if (this.#lists.get(host) !== 'yes') this.#lists.set(host, 'no');
    return 'unsupported';
  }

  async #page(request: Request, as: Identity, call: Call): Promise<Page | 'unsupported'> {
    return this.asker.use(request, as, call, async (answer) => {
      if (unsupported.includes(answer.status)) return 'unsupported';
      if (answer.status !== 200) throw this.asker.refusal(answer, request, call);
      const bytes = answer.body === undefined ? undefined : await readBytes(answer.body, manifestLimitBytes);
      if (bytes === undefined) throw failure('too-large', `${request.what} on ${call.side} ${request.host} are more than 8 MiB`, request, call);
      const referrers = referrersIn(bytes, answer);
      return referrers === undefined ? 'unsupported' : { referrers, next: nextPage(answer, request, call) };
    });
  }
}

/** @returns undefined for a body that is no index: a page for people, say */
function referrersIn(bytes: Uint8Array, answer: Answer): readonly Descriptor[] | undefined {
  const view = readManifest(bytes, headerOf(answer.headers, 'content-type'));
  return isProblem(view) || view.mediaType !== ociIndex ? undefined : view.manifests;
}

function requestOf(at: ManifestRef, path: string | URL): Request {
  return {
    method: 'GET',
    host: at.host,
    path,
    what: `referrers of ${at.path}@${at.digest}`,
    scopes: [readScope(at)],
    lane: 'metadata',
    headers: { accept: ociIndex },
    tryNextOn: [401, 403],
  };
}
