/** The delete matrix: what a DELETE takes with it, and what it leaves. */
import { refuse, type Reply } from './ask.js';
import { documentOf } from './document.js';
import type { Deletion } from './manners.js';
import type { Repository } from './store.js';

export function deleteManifest(repository: Repository | undefined, deletion: Deletion, reference: string): Reply {
  return reference.includes(':') ? deleteDigest(repository, deletion, reference) : deleteTag(repository, deletion, reference);
}

/** Removes one tag, over a path beside the specification. */
export function untag(repository: Repository | undefined, deletion: Deletion, tag: string): Reply {
  return deleteTag(repository, { lag: deletion.lag }, tag);
}

function deleteTag(repository: Repository | undefined, deletion: Deletion, tag: string): Reply {
  const { tag: does = 'that-tag', absentTag = [404, 'MANIFEST_UNKNOWN'] } = deletion;
  if (typeof does !== 'string') return refuse(does);
  const digest = repository?.tags.get(tag);
  if (repository === undefined || digest === undefined) return refuse(absentTag);
  haunt(repository, deletion, tag, digest);
  repository.tags.delete(tag);
  const isLast = tagsOf(repository, digest).length === 0;
  if (does === 'its-digest' || (does === 'last-takes-digest' && isLast)) remove(repository, deletion, digest);
  return { status: 202 };
}

function deleteDigest(repository: Repository | undefined, deletion: Deletion, digest: string): Reply {
  const { digest: does = 'with-tags', stillNamed = [405, 'DENIED'] } = deletion;
  if (typeof does !== 'string') return refuse(does);
  if (repository?.manifests.has(digest) !== true) return refuse([404, 'MANIFEST_UNKNOWN']);
  if (does === 'untagged' && tagsOf(repository, digest).length > 0) return refuse(stillNamed);
  if (does === 'unlisted' && isListed(repository, digest)) return refuse(stillNamed);
  if (does === 'recursive') for (const child of childrenOf(repository, digest)) remove(repository, deletion, child);
  if (does === 'tags-stay') hold(repository, digest);
  if (does === 'tags-stay' || does === 'tags-dangle') repository.manifests.delete(digest);
  else remove(repository, deletion, digest);
  return { status: 202 };
}

/** Takes a manifest and every tag on it. */
function remove(repository: Repository, deletion: Deletion, digest: string): void {
  for (const reference of [digest, ...tagsOf(repository, digest)]) haunt(repository, deletion, reference, digest);
  for (const tag of tagsOf(repository, digest)) repository.tags.delete(tag);
  repository.manifests.delete(digest);
}

function hold(repository: Repository, digest: string): void {
  const stored = repository.manifests.get(digest);
  if (stored !== undefined) repository.heldByTags.set(digest, stored);
}

function haunt(repository: Repository, { lag = 0 }: Deletion, reference: string, digest: string): void {
  const stored = repository.manifests.get(digest);
  if (lag > 0 && stored !== undefined) repository.ghosts.set(reference, { digest, stored, left: lag });
}

function tagsOf(repository: Repository, digest: string): readonly string[] {
  return [...repository.tags].filter(([, each]) => each === digest).map(([tag]) => tag);
}

function isListed(repository: Repository, digest: string): boolean {
  return [...repository.manifests.keys()].some((parent) => childrenOf(repository, parent).includes(digest));
}

function childrenOf(repository: Repository, digest: string): readonly string[] {
  const stored = repository.manifests.get(digest);
  const document = stored === undefined ? undefined : documentOf(stored.bytes);
  return (document?.manifests ?? []).map((child) => child.digest);
}
