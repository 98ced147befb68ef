import { LRUCache } from 'lru-cache';
import { anonymous } from '../domain/availability.js';
import type { Digest } from '../domain/digest.js';
import type { Repository } from '../domain/image-ref.js';
import { NewRepositories } from './new-repositories.js';
import type { Identity } from './registry.js';

/** A registry may collect what nobody refers to: what was seen longer ago is looked at again. */
const knownMs = 60 * 60_000;
/** bounds as a size of one each: `max` would allocate room for all of them at once, tens of milliseconds at every start */
const mostBlobs = { maxSize: 100_000, sizeCalculation: (): number => 1 };
const mostRepositories = 8;

/** Who looks: facts are shared only between calls that bring the same credentials. */
export function viewerOf(as: Identity): string {
  return as.map(({ id }) => id).join('+') || anonymous;
}

/**
 * Which repositories of a registry hold a blob, as one viewer sees it. A hint that saves the transfer of layers
 * that other images share; the registry has the last word.
 */
export class BlobLocations {
  readonly repositories = new NewRepositories();
  readonly #paths = new LRUCache<string, readonly string[]>(mostBlobs);
  /** repositories in which we saw the blob itself, not only a manifest that names it */
  readonly #confirmed = new LRUCache<string, true>({ ...mostBlobs, ttl: knownMs });
  readonly #refusedMounts = new LRUCache<string, true>({ max: 10_000, ttl: knownMs });

  /** A manifest there names it: worth a mount. */
  hint(at: Repository, blob: Digest, viewer: string): void {
    const key = blobKey(at, blob, viewer);
    const paths = this.#paths.get(key) ?? [];
    if (!paths.includes(at.path)) this.#paths.set(key, [at.path, ...paths].slice(0, mostRepositories));
  }

  /** The registry answered, or we uploaded it. */
  confirm(at: Repository, blob: Digest, viewer: string): void {
    this.hint(at, blob, viewer);
    this.#confirmed.set(placeKey(at, blob, viewer), true);
  }

  isConfirmed(at: Repository, blob: Digest, viewer: string): boolean {
    return this.#confirmed.has(placeKey(at, blob, viewer));
  }

  /** A repository of the same registry to mount from. */
  elsewhere(at: Repository, blob: Digest, viewer: string): string | undefined {
    return this.#paths.get(blobKey(at, blob, viewer))?.find((path) => path !== at.path && !this.#refusedMounts.has(`${at.host}/${path}`));
  }

  /** Whether another repository holds it at all, even if the registry would not mount from there. */
  isElsewhere(at: Repository, blob: Digest, viewer: string): boolean {
    return this.#paths.get(blobKey(at, blob, viewer))?.some((path) => path !== at.path) === true;
  }

  /** The registry would not mount from there. */
  refused(host: string, path: string): void {
    this.#refusedMounts.set(`${host}/${path}`, true);
  }

  /** The registry says it is gone: nothing is believed any more. */
  forget(at: Repository, blob: Digest, viewer: string): void {
    const key = blobKey(at, blob, viewer);
    this.#confirmed.delete(placeKey(at, blob, viewer));
    this.#paths.set(key, (this.#paths.get(key) ?? []).filter((path) => path !== at.path));
  }

  /** Something was deleted there, so the registry may collect at any time: nothing about the repository is believed any more. */
  forgetRepository(at: Repository): void {
    this.repositories.forget(at);
    for (const key of [...this.#confirmed.keys()]) if (key.startsWith(`${at.host} `) && key.endsWith(` ${at.path}`)) this.#confirmed.delete(key);
    for (const [key, paths] of [...this.#paths.entries()]) {
      if (key.startsWith(`${at.host} `) && paths.includes(at.path)) this.#paths.set(key, paths.filter((path) => path !== at.path));
    }
  }
}

function blobKey(at: Repository, blob: Digest, viewer: string): string {
  return `${at.host} ${viewer} ${blob}`;
}

function placeKey(at: Repository, blob: Digest, viewer: string): string {
  return `${blobKey(at, blob, viewer)} ${at.path}`;
}
