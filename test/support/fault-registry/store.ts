/** What the scripted registry holds: plain maps, so that tests may look inside and spoil things. */
import { createHash } from 'node:crypto';

export interface StoredManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

export class Repository {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, StoredManifest>();
  readonly tags = new Map<string, string>();
  readonly uploads = new Map<string, Buffer>();
  /** bytes that tags hold although their digest was deleted, by digest: some registries keep them so */
  readonly heldByTags = new Map<string, StoredManifest>();
  /** reads that still find what was deleted, by reference: several registries lag */
  readonly ghosts = new Map<string, { readonly digest: string; readonly stored: StoredManifest; left: number }>();
}

export interface FoundManifest extends StoredManifest {
  readonly digest: string;
}

export class Store {
  readonly #repositories = new Map<string, Repository>();
  #uploads = 0;

  find(name: string): Repository | undefined {
    return this.#repositories.get(name);
  }

  open(name: string): Repository {
    const repository = this.#repositories.get(name) ?? new Repository();
    this.#repositories.set(name, repository);
    return repository;
  }

  names(): readonly string[] {
    return [...this.#repositories.keys()];
  }

  /** A blob of whichever repository. */
  anyBlob(digest: string): Buffer | undefined {
    return [...this.#repositories.values()].map(({ blobs }) => blobs.get(digest)).find((bytes) => bytes !== undefined);
  }

  startUpload(name: string): string {
    const id = `upload-${++this.#uploads}`;
    this.open(name).uploads.set(id, Buffer.alloc(0));
    return id;
  }

  /** The manifest a tag or digest names. */
  manifest(name: string, reference: string): FoundManifest | undefined {
    const repository = this.find(name);
    if (repository === undefined) return undefined;
    const isTag = !reference.includes(':');
    const digest = isTag ? repository.tags.get(reference) : reference;
    if (digest === undefined) return undefined;
    const stored = repository.manifests.get(digest) ?? (isTag ? repository.heldByTags.get(digest) : undefined);
    return stored === undefined ? undefined : { ...stored, digest };
  }
}

export function digestOf(bytes: Uint8Array, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}
