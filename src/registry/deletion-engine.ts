/**
 * The registry's side of a deletion, in two steps that can each be repeated: look whether the tag is there and ours,
 * and what was copied beside it; then delete it. How a tag is deleted at all is `deletion.ts`.
 */
import type { Digest } from '../domain/digest.js';
import { knownImageRef, type ImageName, type ImageRef } from '../domain/image-ref.js';
import { isTiny } from './deletion/isolate.js';
import { cosignTags, fallbackTag } from './referrer-tags.js';
import type { Call, Identity, Registry, Deletion, DeletionGuard } from './registry.js';

/** `delete`: the tag has what was recorded, or what an interrupted deletion left in its place. */
export type Look =
  | { readonly verdict: 'delete'; readonly beside: NonNullable<DeletionGuard['beside']> }
  | { readonly verdict: 'absent' }
  | { readonly verdict: 'changed'; readonly digest: Digest };

export interface DeletionEngine {
  /** @param expected what was published under the tag */
  look(at: ImageName, expected: Digest, as: Identity, call: Pick<Call, 'signal'>): Promise<Look>;
  /** @throws Failure `invalid` when the guard does not allow to touch it at all */
  delete(at: ImageName, guard: DeletionGuard, as: Identity, call: Pick<Call, 'signal'>): Promise<Deletion>;
}

export function createDeletionEngine(registry: Pick<Registry, 'head' | 'deleteTag'>): DeletionEngine {
  return {
    async look(at, expected, as, { signal }) {
      const call: Call = { signal, purpose: 'delete', side: 'destination' };
      const ref = knownImageRef(at);
      const seen = await registry.head(ref, as, call);
      if (seen === 'missing') return { verdict: 'absent' };
      if (seen.digest !== expected && !isTiny(ref, expected, seen.digest)) return { verdict: 'changed', digest: seen.digest };
      return { verdict: 'delete', beside: await standingBeside(ref, expected, as, call) };
    },
    delete: (at, guard, as, { signal }) => registry.deleteTag(knownImageRef(at), guard, as, { signal, purpose: 'delete', side: 'destination' }),
  };

  /** Tags whose names say that they describe the digest: they came with the copy, and describe nothing without it. */
  async function standingBeside({ host, path }: ImageRef, digest: Digest, as: Identity, call: Call): Promise<NonNullable<DeletionGuard['beside']>> {
    const tags = [...cosignTags(digest), fallbackTag(digest)];
    const seen = await Promise.all(tags.map((tag) => registry.head({ host, path, tag }, as, call)));
    return tags.flatMap((tag, index) => {
      const found = seen[index];
      return found === undefined || found === 'missing' ? [] : [{ tag, digest: found.digest }];
    });
  }
}
