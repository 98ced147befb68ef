/**
 * The twin of the registry client: registries in memory, by host. It keeps the rules of the port (verified
 * content, blobs before manifests, children before parents) and has switches for bad days.
 */
import { anonymous, type CredentialId } from '../domain/availability.js';
import type { Digest } from '../domain/digest.js';
import { Failure, type FailureCode } from '../domain/failure.js';
import { repositoryText, type ImageRef, type Repository } from '../domain/image-ref.js';
import { digestBytes } from './hash.js';
import { describeReferrer, isForeign, isProblem, readManifest, type ManifestView } from './manifest.js';
import { deleteFrom, deletionManners, type DeletionManners } from './memory-deletion.js';
import { TagDeleter, type TagDeleterDeps } from './deletion.js';
import { SingleFlight } from './single-flight.js';
import type { BlobOutcome, BlobSource, Call, DeleteAnswer, Descriptor, Identity, Manifest, ManifestRef, Registry, Deletion, DeletionGuard, Seen } from './registry.js';

/** One request the twin answered, for tests that count. */
export interface MemoryCall {
  readonly verb: 'head' | 'manifest' | 'blob' | 'putBlob' | 'putManifest' | 'tags' | 'referrers' | 'deleteManifest';
  /** `host/path[:tag][@digest]` */
  readonly on: string;
  readonly identity: CredentialId;
  readonly purpose: Call['purpose'];
}

interface StoredManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** What one repository holds. */
class MemoryRepository {
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly manifests = new Map<Digest, StoredManifest>();
  readonly tags = new Map<string, Digest>();
}

/** One registry: its content, who may enter, and how it misbehaves. */
export class MemoryHost {
  readonly calls: MemoryCall[] = [];
  /** whether an index may be published while children of it are absent */
  acceptsSparse = false;
  /** whether a tag may be moved */
  immutableTags = false;
  /** what a DELETE does */
  deletion: DeletionManners = deletionManners['distribution-3'];
  /** whether a tag that cannot be deleted without others may be moved first: a setting of ours, not the registry's */
  deleteShared: 'block' | 'isolate' = 'block';
  readonly #repositories = new Map<string, MemoryRepository>();
  readonly #accounts = new Map<string, string>();
  #fault: { readonly code: FailureCode; readonly retryAfterMs?: number } | undefined;

  constructor(readonly name: string) {}

  /** From now on only these accounts may enter; called again, it adds another. */
  requires(username: string, password: string): this {
    this.#accounts.set(username, password);
    return this;
  }

  /** Every call fails from now on: `unreachable` is down, `throttled` is out of quota. */
  fails(code: FailureCode, options: { readonly retryAfterMs?: number } = {}): this {
    this.#fault = { code, ...options };
    return this;
  }

  recovers(): this {
    this.#fault = undefined;
    return this;
  }

  /** Removes a tag, as somebody with access would. */
  untag(path: string, tag: string): void {
    this.repository(path)?.tags.delete(tag);
  }

  tagsOf(path: string): ReadonlyMap<string, Digest> {
    return this.repository(path)?.tags ?? new Map();
  }

  repository(path: string): MemoryRepository | undefined {
    return this.#repositories.get(path);
  }

  repositories(): Iterable<MemoryRepository> {
    return this.#repositories.values();
  }

  /** Opens a repository for writing; it appears on push. */
  open(path: string): MemoryRepository {
    const opened = this.#repositories.get(path) ?? new MemoryRepository();
    this.#repositories.set(path, opened);
    return opened;
  }

  /** The credential that opens the door (none is needed where nobody is asked for one), or what a real registry would answer. */
  admit(as: Identity, side: Call['side']): CredentialId {
    if (this.#fault !== undefined) throw new Failure({ ...this.#fault, side, host: this.name, message: `${this.name} is told to answer ${this.#fault.code}` });
    if (this.#accounts.size === 0) return anonymous;
    const opening = as.find(({ username, password }) => username !== undefined && this.#accounts.get(username) === password);
    if (opening === undefined) throw new Failure({ code: 'unauthorized', side, host: this.name, message: `credentials refused on ${side} ${this.name}` });
    return opening.id;
  }
}

/** Registries in memory. A host nobody added is a name that does not resolve. */
export class MemoryRegistry implements Registry {
  readonly #hosts = new Map<string, MemoryHost>();
  readonly #uploads = new SingleFlight();
  // nothing lags in memory: what is still there at once stays
  #deleter: TagDeleter = this.#newDeleter();

  constructor(...hosts: readonly string[]) {
    for (const name of hosts) this.#hosts.set(name, new MemoryHost(name));
  }

  /** One registry, made when it is not there. */
  host(name: string): MemoryHost {
    const host = this.#hosts.get(name) ?? new MemoryHost(name);
    this.#hosts.set(name, host);
    return host;
  }

  async head(at: ImageRef, as: Identity, call: Call): Promise<Seen | 'missing'> {
    const { host, identity } = this.#enter('head', at, as, call);
    const found = findManifest(host, at);
    if (found === undefined) return 'missing';
    return { digest: found.digest, mediaType: found.stored.mediaType, size: found.stored.bytes.length, identity };
  }

  async manifest(at: ImageRef, as: Identity, call: Call): Promise<Manifest> {
    const { host, identity } = this.#enter('manifest', at, as, call);
    const found = findManifest(host, at);
    if (found === undefined) throw failure(at, call, 'missing', `manifest ${nameOf(at)} missing`);
    if (digestBytes(found.stored.bytes, found.digest) !== found.digest) throw failure(at, call, 'corrupt', `manifest ${nameOf(at)} differs from its digest`);
    const view = readManifest(found.stored.bytes, found.stored.mediaType);
    if (isProblem(view)) throw failure(at, call, view.code, `manifest ${nameOf(at)} ${view.problem}`);
    return { ...view, digest: found.digest, bytes: found.stored.bytes, identity };
  }

  async *blob(from: Repository, of: Descriptor, as: Identity, call: Call, offset = 0): AsyncIterable<Uint8Array> {
    const { host } = this.#enter('blob', { ...from, digest: of.digest }, as, call);
    const bytes = host.repository(from.path)?.blobs.get(of.digest);
    if (bytes === undefined) throw failure(from, call, 'missing', `blob ${of.digest} missing`);
    if (bytes.length !== of.size || digestBytes(bytes, of.digest) !== of.digest) throw failure(from, call, 'corrupt', `blob ${of.digest} differs from its digest`);
    for (let at = offset; at < bytes.length; at += chunkBytes) {
      call.signal.throwIfAborted();
      yield bytes.subarray(at, at + chunkBytes);
    }
  }

  async putBlob(to: Repository, of: Descriptor, source: BlobSource, as: Identity, call: Call): Promise<BlobOutcome> {
    const { host } = this.#enter('putBlob', { ...to, digest: of.digest }, as, call);
    for (;;) {
      const how = await this.#uploads.runOrWait(`${host.name} ${of.digest}`, call.signal, () => bring(host, to, of, source, call));
      if (how !== undefined) return how;
    }
  }

  async putManifest(at: ImageRef, manifest: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>, as: Identity, call: Call): Promise<void> {
    return this.#deleter.publishing(at, manifest, call.signal, () => this.#put(at, manifest, as, call));
  }

  async #put(at: ImageRef, manifest: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>, as: Identity, call: Call): Promise<void> {
    const { host } = this.#enter('putManifest', at, as, call);
    if (digestBytes(manifest.bytes, manifest.digest) !== manifest.digest) throw failure(at, call, 'corrupt', `manifest ${nameOf(at)} differs from its digest`);
    const view = readManifest(manifest.bytes, manifest.mediaType);
    if (isProblem(view)) throw failure(at, call, 'unsupported', `manifest ${nameOf(at)} ${view.problem}`);

    const repository = host.open(at.path);
    const absent = absentBelow(repository, view, host.acceptsSparse);
    if (absent !== undefined) throw failure(at, call, 'missing', `manifest ${nameOf(at)} refused: ${absent.digest} is absent`);

    const standing = at.tag === undefined ? undefined : repository.tags.get(at.tag);
    if (host.immutableTags && standing !== undefined && standing !== manifest.digest) throw failure(at, call, 'conflict', `tag ${nameOf(at)} cannot be moved`);
    repository.manifests.set(manifest.digest, { bytes: manifest.bytes, mediaType: manifest.mediaType });
    if (at.tag !== undefined) repository.tags.set(at.tag, manifest.digest);
  }

  async *tags(repository: Repository, as: Identity, call: Call): AsyncIterable<string> {
    const { host } = this.#enter('tags', repository, as, call);
    yield* [...host.tagsOf(repository.path).keys()].sort();
  }

  async referrers(at: ManifestRef, as: Identity, call: Call, artifactType?: string): Promise<readonly Descriptor[]> {
    const { host } = this.#enter('referrers', at, as, call);
    const all = referrersIn(host.repository(at.path), at.digest);
    return artifactType === undefined ? all : all.filter((descriptor) => descriptor.artifactType === artifactType);
  }

  /** The twin lists what it holds: nothing is left to do. */
  async linkReferrer(_at: Repository, _manifest: Manifest, _as: Identity, call: Call): Promise<void> {
    call.signal.throwIfAborted();
  }

  async deleteTag(at: ImageRef, guard: DeletionGuard, as: Identity, call: Call): Promise<Deletion> {
    return this.#deleter.deleteTag(at, guard, as, call);
  }

  async deleteManifest(at: ImageRef, as: Identity, call: Call): Promise<DeleteAnswer> {
    const { host } = this.#enter('deleteManifest', at, as, call);
    const repository = host.repository(at.path);
    if (host.immutableTags) throw failure(at, call, 'conflict', `manifest ${nameOf(at)} cannot be deleted`);
    return repository === undefined ? 'absent' : deleteFrom(repository, at, host.deletion);
  }

  /** As a restart does: how registries delete is found out again. */
  forgetLearned(): void {
    this.#deleter = this.#newDeleter();
  }

  #newDeleter(): TagDeleter {
    return new TagDeleter({ registry: this.#verbs(), deleteShared: (name) => this.host(name).deleteShared, readBackMs: 0 });
  }

  /** What deleting a tag is made of: the port, but publishing does not wait for the deletion it is a part of. */
  #verbs(): TagDeleterDeps['registry'] {
    return {
      head: (at, as, call) => this.head(at, as, call),
      manifest: (at, as, call) => this.manifest(at, as, call),
      putBlob: (to, of, source, as, call) => this.putBlob(to, of, source, as, call),
      putManifest: (at, manifest, as, call) => this.#put(at, manifest, as, call),
      tags: (repository, as, call) => this.tags(repository, as, call),
      deleteManifest: (at, as, call) => this.deleteManifest(at, as, call),
    };
  }

  #enter(verb: MemoryCall['verb'], at: ImageRef, as: Identity, call: Call): { host: MemoryHost; identity: CredentialId } {
    call.signal.throwIfAborted();
    const host = this.#hosts.get(at.host);
    if (host === undefined) throw failure(at, call, 'unreachable', `no registry answers`);
    const identity = host.admit(as, call.side);
    host.calls.push({ verb, on: nameOf(at), identity, purpose: call.purpose });
    return { host, identity };
  }
}

const chunkBytes = 64 * 1024;

function findManifest(host: MemoryHost, at: ImageRef): { digest: Digest; stored: StoredManifest } | undefined {
  const repository = host.repository(at.path);
  const digest = at.digest ?? repository?.tags.get(at.tag ?? 'latest');
  const stored = digest === undefined ? undefined : repository?.manifests.get(digest);
  return digest === undefined || stored === undefined ? undefined : { digest, stored };
}

/** The first thing a manifest needs that is not there. A layer that lies elsewhere may be absent; a child of another kind may be a blob. */
function absentBelow({ blobs, manifests }: MemoryRepository, view: ManifestView, acceptsSparse: boolean): Descriptor | undefined {
  const absent = view.blobs.find((blob) => !blobs.has(blob.digest) && !isForeign(blob));
  return absent ?? (acceptsSparse ? undefined : view.manifests.find(({ digest }) => !manifests.has(digest) && !blobs.has(digest)));
}

function referrersIn(repository: MemoryRepository | undefined, subject: Digest): readonly Descriptor[] {
  return [...(repository?.manifests ?? [])].flatMap(([digest, stored]) => {
    const view = readManifest(stored.bytes, stored.mediaType);
    return isProblem(view) || view.subject?.digest !== subject ? [] : [describeReferrer({ digest, ...stored })];
  });
}

async function bring(host: MemoryHost, to: Repository, of: Descriptor, source: BlobSource, call: Call): Promise<BlobOutcome> {
  if (host.repository(to.path)?.blobs.has(of.digest) === true) return 'present';
  const elsewhere = [...host.repositories()].map((repository) => repository.blobs.get(of.digest)).find((bytes) => bytes !== undefined);
  const bytes = elsewhere ?? (await readAll(source, of, to, call));
  host.open(to.path).blobs.set(of.digest, bytes);
  if (elsewhere !== undefined) return 'mounted';
  call.onProgress?.(bytes.length);
  return 'uploaded';
}

async function readAll(source: BlobSource, of: Descriptor, to: Repository, call: Call): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.open(0, call.signal)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.length !== of.size || digestBytes(bytes, of.digest) !== of.digest) throw failure(to, call, 'corrupt', `blob ${of.digest} arrived with other content`);
  return bytes;
}

function nameOf(at: ImageRef): string {
  return repositoryText(at) + (at.tag === undefined ? '' : `:${at.tag}`) + (at.digest === undefined ? '' : `@${at.digest}`);
}

function failure(at: Repository, call: Call, code: FailureCode, what: string): Failure {
  return new Failure({ code, side: call.side, host: at.host, message: `${what} on ${call.side} ${at.host}` });
}
