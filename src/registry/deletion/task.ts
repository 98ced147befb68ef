/** What the steps of a deletion share. */
import { LRUCache } from 'lru-cache';
import { Failure, type FailureCode } from '../../domain/failure.js';
import type { Digest } from '../../domain/digest.js';
import type { ImageRef } from '../../domain/image-ref.js';
import { isBelowPrefix } from '../../domain/mirror-prefix.js';
import type { Call, Identity, Registry, Deletion, DeletionBlock, DeletionGuard } from '../registry.js';
import type { Sharing } from './sharing.js';

/** The part of the port that a deletion is made of. */
export type Primitives = Pick<Registry, 'head' | 'manifest' | 'putBlob' | 'putManifest' | 'tags' | 'deleteManifest'>;

export interface TagDeleterDeps {
  readonly registry: Primitives;
  /** setting of a registry: whether a tag may be moved to a tiny manifest so that it can be deleted */
  readonly deleteShared: (host: string) => 'block' | 'isolate';
  /** setting of a registry: whether DELETE of a tag deletes that tag and no other */
  readonly tagDelete?: (host: string) => boolean | undefined;
  /** for how long a deleted tag may go on to answer, in milliseconds; 30,000 unless told */
  readonly readBackMs?: number;
}

/** One deletion under way. */
export interface DeletionTask extends TagDeleterDeps {
  readonly learned: LearnedDeletion;
  /** by tag */
  readonly at: ImageRef & { readonly tag: string };
  readonly guard: DeletionGuard;
  readonly as: Identity;
  readonly call: Call;
  /** does something with a tag while nobody of this process publishes it: what was seen of it is still so when it is put back */
  readonly alone: <T>(tag: string, call: Call, work: () => Promise<T>) => Promise<T>;
  /** looked up at most once per deletion: up to 500 requests */
  readonly sharing: () => Promise<Sharing>;
}

const capabilityMs = 24 * 60 * 60_000;

/** How registries delete, believed for a day. */
export class LearnedDeletion {
  readonly #tags = new LRUCache<string, 'alone' | 'not-alone'>({ max: 1000, ttl: capabilityMs });
  readonly #digests = new LRUCache<string, 'refused'>({ max: 1000, ttl: capabilityMs });

  /** @param tagDelete what the settings of a registry say, whatever is seen */
  constructor(readonly tagDelete: (host: string) => boolean | undefined = () => undefined) {}

  /** Whether DELETE of a tag deletes that tag and no other; undefined until seen. */
  tags(host: string): 'alone' | 'not-alone' | undefined {
    const told = this.tagDelete(host);
    if (told !== undefined) return told ? 'alone' : 'not-alone';
    return this.#tags.get(host);
  }

  learnTags(host: string, how: 'alone' | 'not-alone'): void {
    this.#tags.set(host, how);
  }

  /** Whether DELETE of a digest is known to be refused, or to leave its tags. */
  refusesDigests(host: string): boolean {
    return this.#digests.has(host);
  }

  learnRefusesDigests(host: string): void {
    this.#digests.set(host, 'refused');
  }
}

/**
 * The last word of the client, whatever its caller decided.
 *
 * @throws Failure `invalid` when the place is no tag, or lies outside the mirror
 */
export function checkGuard(at: ImageRef, { prefix }: DeletionGuard, call: Call): ImageRef & { readonly tag: string } {
  const { host, path, tag, digest } = at;
  if (tag === undefined || digest !== undefined) throw refusal(at, call, 'invalid', `${host}/${path} is not deleted: only a tag can be, and nothing says which`);
  if (!isBelowPrefix(at, prefix)) throw refusal(at, call, 'invalid', `${host}/${path}:${tag} is not deleted: it lies outside the mirror ${prefix}`);
  return { host, path, tag };
}

export function blocked(reason: DeletionBlock, message: string): Deletion {
  return { outcome: 'blocked', reason, message };
}

/** `host/path:tag`, as messages call it. */
export function nameOf({ host, path, tag }: DeletionTask['at']): string {
  return `${host}/${path}:${tag}`;
}

/** The same repository, by digest. */
export function digestAt({ at }: Pick<DeletionTask, 'at'>, digest: Digest): ImageRef {
  return { host: at.host, path: at.path, digest };
}

const longestUninterruptedMs = 60_000;

/** What must not stop half-way has time of its own, whatever becomes of its caller. */
export function uninterrupted(call: Call): Call {
  return { ...call, signal: AbortSignal.timeout(longestUninterruptedMs) };
}

/** A lookup needs less than the whole. */
export type Lookup = Omit<DeletionTask, 'sharing' | 'alone'>;

function refusal(at: ImageRef, call: Call, code: FailureCode, message: string): Failure {
  return new Failure({ code, side: call.side, host: at.host, message });
}
