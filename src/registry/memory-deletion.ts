/** In what registries differ when something is deleted: the delete matrix as data, for the twin and for tests. */
import type { Digest } from '../domain/digest.js';

export interface DeletionManners {
  /**
   * DELETE of a tag: that tag only; the digest with every tag on it; that tag, and the manifest with its last one;
   * nothing, though accepted; refused
   */
  readonly tag: 'tag' | 'digest' | 'last-digest' | 'nothing' | 'refused';
  /**
   * DELETE of a digest: with every tag on it; its tags stay and go on to serve it; its tags stay and lead nowhere;
   * only while no tag is on it; refused
   */
  readonly digest: 'with-tags' | 'tags-stay' | 'tags-dangle' | 'untagged' | 'refused';
}

export const deletionManners = {
  'distribution-2.8': { tag: 'refused', digest: 'with-tags' },
  'distribution-3': { tag: 'tag', digest: 'with-tags' },
  crane: { tag: 'tag', digest: 'tags-stay' },
  quay: { tag: 'tag', digest: 'with-tags' },
  'artifact-registry': { tag: 'tag', digest: 'untagged' },
  ecr: { tag: 'last-digest', digest: 'with-tags' },
  ghcr: { tag: 'refused', digest: 'refused' },
  nexus: { tag: 'refused', digest: 'tags-dangle' },
  harbor: { tag: 'refused', digest: 'with-tags' },
  pulp: { tag: 'refused', digest: 'with-tags' },
  /** takes the one for the other: not seen yet, but nothing forbids it */
  'tag-takes-digest': { tag: 'digest', digest: 'with-tags' },
  'says-yes': { tag: 'nothing', digest: 'tags-stay' },
} as const satisfies Record<string, DeletionManners>;

/** What a repository holds, as far as deleting goes. */
export interface Shelf {
  readonly manifests: Map<Digest, unknown>;
  readonly tags: Map<string, Digest>;
}

/** Does what a registry of these manners does. */
export function deleteFrom(shelf: Shelf, name: { readonly tag?: string; readonly digest?: Digest }, manners: DeletionManners): 'accepted' | 'absent' | 'unsupported' {
  return name.digest === undefined ? deleteTag(shelf, name.tag ?? 'latest', manners) : deleteDigest(shelf, name.digest, manners);
}

function deleteTag(shelf: Shelf, tag: string, manners: DeletionManners): 'accepted' | 'absent' | 'unsupported' {
  if (manners.tag === 'refused') return 'unsupported';
  const digest = shelf.tags.get(tag);
  if (digest === undefined) return 'absent';
  switch (manners.tag) {
    case 'nothing':
      break;
    case 'tag':
      shelf.tags.delete(tag);
      break;
    case 'last-digest':
      shelf.tags.delete(tag);
      if (tagsOn(shelf, digest).length === 0) shelf.manifests.delete(digest);
      break;
    case 'digest':
      takeAway(shelf, digest);
      break;
  }
  return 'accepted';
}

function deleteDigest(shelf: Shelf, digest: Digest, manners: DeletionManners): 'accepted' | 'absent' | 'unsupported' {
  const isTagged = tagsOn(shelf, digest).length > 0;
  if (manners.digest === 'refused' || (manners.digest === 'untagged' && isTagged)) return 'unsupported';
  if (!shelf.manifests.has(digest)) return 'absent';
  // in crane's registry tags outlive their digest: the content stays for them
  if (manners.digest === 'tags-stay' && isTagged) return 'accepted';
  if (manners.digest === 'tags-dangle') shelf.manifests.delete(digest);
  else takeAway(shelf, digest);
  return 'accepted';
}

function takeAway(shelf: Shelf, digest: Digest): void {
  shelf.manifests.delete(digest);
  for (const tag of tagsOn(shelf, digest)) shelf.tags.delete(tag);
}

function tagsOn({ tags }: Shelf, digest: Digest): readonly string[] {
  return [...tags].filter(([, has]) => has === digest).map(([tag]) => tag);
}
