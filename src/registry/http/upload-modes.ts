import { Learned } from './capabilities.js';
import type { SettingsOf } from './settings.js';

/** How the bytes of one blob are cut into requests. */
export interface UploadPlan {
  /** `PUT` carries the bytes and completes the blob; after a `PATCH` an empty PUT does */
  readonly by: 'PUT' | 'PATCH';
  /** most bytes in one body */
  readonly mostBytes: number;
}

export const usualChunkBytes = 16 * 1024 * 1024;
/** Proxies that refuse even this much take no images. The commonest limit is 1 MiB. */
const leastChunkBytes = 512 * 1024;

/**
 * Which upload mode each registry gets. `auto` sends a blob in one PUT, one request fewer than anything else, until the
 * registry, or a proxy before it, takes no body of that size: then in chunks, for a day.
 */
export class UploadModes {
  readonly #limits: Learned<{ readonly chunkBytes: number }>;
  /** registries that take bytes only in PATCHes */
  readonly #patched: Learned<{ readonly by: 'PATCH' }>;

  constructor(
    readonly settings: SettingsOf,
    clock: () => number,
  ) {
    this.#limits = new Learned(clock);
    this.#patched = new Learned(clock);
  }

  /** @param leastBytes what the registry wants a chunk to have, the last one excepted */
  plan(host: string, leastBytes = 0): UploadPlan {
    const { uploadMode = 'auto' } = this.settings(host);
    const learned = this.#limits.get(host)?.chunkBytes;
    if (uploadMode === 'stream') return { by: 'PATCH', mostBytes: Infinity };
    const by = uploadMode === 'chunked' || (uploadMode === 'auto' && this.#patched.get(host) !== undefined) ? 'PATCH' : 'PUT';
    if (uploadMode === 'monolithic' || (uploadMode === 'auto' && learned === undefined)) return { by, mostBytes: Infinity };
    return { by, mostBytes: Math.max(learned ?? this.#chunkBytes(host), leastBytes) };
  }

  /** Whether bytes may be sent with the other method when one is refused: whoever named a mode wants that one, but every mode may begin again with it. */
  mayTurn(host: string, refused: UploadPlan['by']): boolean {
    const { uploadMode = 'auto' } = this.settings(host);
    return uploadMode === 'auto' || (refused === 'PATCH' && uploadMode === 'monolithic');
  }

  /** Bytes arrived in PATCHes, after a PUT of them was refused. */
  takesPatches(host: string): void {
    this.#patched.learn(host, { by: 'PATCH' });
  }

  /**
   * A body of that size got 413.
   *
   * @returns whether a smaller one is worth a try
   */
  tooLarge(host: string, bodyBytes: number, leastBytes = 0): boolean {
    const { uploadMode = 'auto' } = this.settings(host);
    if (uploadMode === 'monolithic' || uploadMode === 'stream') return false;
    const known = this.#limits.get(host)?.chunkBytes ?? Infinity;
    // another upload may have learned a smaller one meanwhile
    const chunkBytes = Math.min(known, this.#chunkBytes(host), Math.floor(bodyBytes / 2));
    if (chunkBytes < Math.max(leastChunkBytes, leastBytes)) return false;
    this.#limits.learn(host, { chunkBytes });
    return true;
  }

  /** A large body was broken off, early or again, and nothing of it was kept: some proxies say so that it is too large. */
  brokeEarly(host: string, bodyBytes: number): void {
    const { uploadMode = 'auto' } = this.settings(host);
    const chunkBytes = this.#chunkBytes(host);
    if (uploadMode === 'auto' && bodyBytes > chunkBytes && this.#limits.get(host) === undefined) this.#limits.learn(host, { chunkBytes });
  }

  #chunkBytes(host: string): number {
    return this.settings(host).chunkBytes ?? usualChunkBytes;
  }
}
