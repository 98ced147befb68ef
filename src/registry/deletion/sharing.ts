/**
 * Who else uses a digest in its repository, as the registry tells:
 *
 * 1. all its tags, at most 500: more is not looked at, and counts as shared;
 * 2. HEAD of each: a tag with the digest shares it;
 * 3. every index among them is read: one that lists the digest, or something that the digest lists, shares it too.
 */
import type { Digest } from '../../domain/digest.js';
import { isFailure, type FailureCode } from '../../domain/failure.js';
import { isIndexType, ociIndex } from '../media-types.js';
import type { Descriptor, Manifest, Seen } from '../registry.js';
import { together } from '../copy/together.js';
import { digestAt, type Lookup, type DeletionTask } from './task.js';

export interface Sharing {
  /** whether all tags were looked at: what was not counts as shared */
  readonly isComplete: boolean;
  /** every tag of the repository but the one to delete; empty when they cannot be listed */
  readonly others: readonly string[];
  /** those that have the digest */
  readonly siblings: readonly string[];
  /** whether an index lists it */
  readonly isListed: boolean;
  /** whether something that it lists itself has another tag, or stands in another index: some registries delete an index with its children */
  readonly hasSharedChildren: boolean;
}

type Listed = Pick<Descriptor, 'mediaType' | 'digest'>;

const mostTags = 500;
const unknown: Sharing = { isComplete: false, others: [], siblings: [], isListed: false, hasSharedChildren: false };
/** Answers after which we shall not know: doubt, and nothing that another try would heal. */
const doubtful: readonly FailureCode[] = ['unauthorized', 'denied', 'unsupported', 'invalid', 'too-large', 'corrupt'];

export function isShared({ isComplete, siblings, isListed, hasSharedChildren }: Sharing): boolean {
  return !isComplete || siblings.length > 0 || isListed || hasSharedChildren;
}

export async function lookForSharing(task: Lookup): Promise<Sharing> {
  const others = await orDoubt(() => otherTags(task));
  if (others === undefined) return unknown;
  if (others.length >= mostTags) return { ...unknown, others };
  return (await orDoubt(() => lookAtAll(task, others))) ?? { ...unknown, others };
}

async function lookAtAll(task: Lookup, others: readonly string[]): Promise<Sharing> {
  const { digest } = task.guard;
  const seen = await lookAtEach(task, others);
  const siblings = others.filter((_tag, index) => seenDigest(seen[index]) === digest);
  const foreign = seen.filter((each) => each !== 'missing').filter((each) => each.digest !== digest);

  const theirs = await listedBelow(task, foreign);
  // one request more than needed when it is an image: what it is, its bytes say
  const ours = await listedBelow(task, [{ digest, mediaType: ociIndex }]);
  const hasSharedChildren = foreign.some((each) => ours.has(each.digest)) || [...theirs].some((each) => ours.has(each));
  return { isComplete: true, others, siblings, isListed: theirs.has(digest), hasSharedChildren };
}

/** Tags that appeared since: somebody publishes here right now. */
export async function hasNewTags(task: DeletionTask, { others }: Sharing): Promise<boolean> {
  const now = await orDoubt(() => otherTags(task));
  return now === undefined || now.some((tag) => !others.includes(tag));
}

async function otherTags({ registry, at, as, call }: Lookup): Promise<readonly string[]> {
  const tags: string[] = [];
  for await (const tag of registry.tags(at, as, call)) if (tag !== at.tag) tags.push(tag);
  return tags;
}

/** A tag that is listed and missing shares nothing: it dangles, or somebody is just deleting it. */
function lookAtEach({ registry, at, as, call }: Lookup, tags: readonly string[]): Promise<readonly (Seen | 'missing')[]> {
  return together(
    call.signal,
    tags.map((tag) => (signal) => registry.head({ host: at.host, path: at.path, tag }, as, { ...call, signal })),
  );
}

/** Every digest that indexes list, at any depth. */
async function listedBelow(task: Lookup, roots: readonly Listed[]): Promise<ReadonlySet<Digest>> {
  const { registry, as, call } = task;
  const read = new Set<Digest>();
  const found = new Set<Digest>();
  for (let level = roots; level.length > 0; ) {
    const indexes = new Set(level.filter(({ mediaType, digest }) => isIndexType(mediaType) && !read.has(digest)).map(({ digest }) => digest));
    const children = await together(
      call.signal,
      [...indexes].map((digest) => (signal) => childrenOf(registry.manifest(digestAt(task, digest), as, { ...call, signal }))),
    );
    level = children.flat();
    for (const digest of indexes) read.add(digest);
    for (const { digest } of level) found.add(digest);
  }
  return found;
}

/** An index that is not there lists nothing: others may leave out children, or have just deleted it. */
async function childrenOf(reading: Promise<Manifest>): Promise<readonly Descriptor[]> {
  try {
    return (await reading).manifests;
  } catch (error) {
    if (isFailure(error) && error.code === 'missing') return [];
    throw error;
  }
}

function seenDigest(seen: Seen | 'missing' | undefined): Digest | undefined {
  return seen === undefined || seen === 'missing' ? undefined : seen.digest;
}

/** @returns undefined when the answer leaves us in doubt */
async function orDoubt<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (isFailure(error) && doubtful.includes(error.code)) return undefined;
    throw error;
  }
}
