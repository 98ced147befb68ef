import { LRUCache } from 'lru-cache';
import type { Repository } from '../domain/image-ref.js';

const newMs = 60 * 60_000;
/** bounds as a size of one each: `max` would allocate room for all of them at once */
const mostRepositories = { maxSize: 100_000, sizeCalculation: (): number => 1 };

/**
 * Repositories that seemed to hold nothing when we first looked, as one viewer sees them: the tag that was asked for is
 * absent, and nothing else was ever seen there. What we bring ourselves is known by its digest, so for an hour each of
 * them counts as new. A hint: after a restart a repository may hold more than we saw.
 */
export class NewRepositories {
  /** whatever was seen there first */
  readonly #met = new LRUCache<string, true>(mostRepositories);
  readonly #new = new LRUCache<string, true>({ ...mostRepositories, ttl: newMs });

  /** A tag, or a manifest, was looked for. Only the first look counts: later ones find what we brought. */
  looked(at: Repository, viewer: string, saw: 'nothing' | 'something'): void {
    const key = keyOf(at, viewer);
    if (this.#met.has(key)) return;
    this.#met.set(key, true);
    if (saw === 'nothing') this.#new.set(key, true);
  }

  /** It holds something that we did not bring. */
  found(at: Repository, viewer: string): void {
    const key = keyOf(at, viewer);
    this.#met.set(key, true);
    this.#new.delete(key);
  }

  isNew(at: Repository, viewer: string): boolean {
    return this.#new.has(keyOf(at, viewer));
  }

  /** Something was deleted there: nothing is believed any more, whoever looks. */
  forget(at: Repository): void {
    for (const key of [...this.#new.keys()]) if (key.startsWith(`${at.host}/${at.path} `)) this.#new.delete(key);
  }
}

function keyOf({ host, path }: Repository, viewer: string): string {
  return `${host}/${path} ${viewer}`;
}
