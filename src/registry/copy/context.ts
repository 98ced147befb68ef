/** What the steps of a copy share: the registry, and what was learned about destinations. */
import { LRUCache } from 'lru-cache';
import type { Digest } from '../../domain/digest.js';
import type { Repository } from '../../domain/image-ref.js';
import type { EngineCall } from '../copy-engine.js';
import type { Call, ManifestRef, Registry } from '../registry.js';
import type { SmallBlobs } from './small-blobs.js';

const placedMs = 60 * 60_000;
const capabilityMs = 24 * 60 * 60_000;

export interface CopyContext {
  readonly registry: Registry;
  readonly learned: Learned;
  readonly small: SmallBlobs;
}

/** Facts about destinations that spare requests; each is only believed for a while. */
export class Learned {
  /** bounded as a size of one each: `max` would allocate room for all of them at every start */
  readonly #placed = new LRUCache<string, true>({ maxSize: 100_000, sizeCalculation: () => 1, ttl: placedMs });
  readonly #sparse = new LRUCache<string, 'accepted' | 'refused'>({ max: 1000, ttl: capabilityMs });

  /** The registry took this manifest from us. */
  place(at: Repository, digest: Digest): void {
    this.#placed.set(`${at.host}/${at.path}@${digest}`, true);
  }

  isPlaced(at: Repository, digest: Digest): boolean {
    return this.#placed.has(`${at.host}/${at.path}@${digest}`);
  }

  /** The registry says that something is absent: what is believed is looked at again. */
  doubt(at: Repository, digest: Digest): void {
    this.#placed.delete(`${at.host}/${at.path}@${digest}`);
  }

  /** Whether a registry takes an index some children of which are absent; undefined until tried. */
  sparse(host: string): 'accepted' | 'refused' | undefined {
    return this.#sparse.get(host);
  }

  learnSparse(host: string, answer: 'accepted' | 'refused'): void {
    this.#sparse.set(host, answer);
  }
}

export function sideCall(side: Call['side'], call: Pick<EngineCall, 'signal' | 'purpose' | 'urgency'>): Call {
  return { signal: call.signal, purpose: call.purpose, urgency: call.urgency, side };
}

/** The same repository, by digest. */
export function byDigest(ref: Repository, digest: Digest): ManifestRef {
  return { host: ref.host, path: ref.path, digest };
}
