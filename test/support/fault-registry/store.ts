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

  startUpload(name: string): string {
    const id = `upload-${++this.#uploads}`;
    this.open(name).uploads.set(id, Buffer.alloc(0));
    return id;
  }

  /** The manifest a tag or digest names. */
  manifest(name: string, reference: string): (StoredManifest & { readonly digest: string }) | undefined {
    const repository = this.find(name);
    const digest = reference.includes(':') ? reference : repository?.tags.get(reference);
    const stored = digest === undefined ? undefined : repository?.manifests.get(digest);
    return stored === undefined || digest === undefined ? undefined : { ...stored, digest };
  }
}

export function digestOf(bytes: Uint8Array, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}
