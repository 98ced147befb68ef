/**
 * Deletes one tag and no other, whatever the registry makes of a DELETE. Every step can be repeated:
 *
 * 1. HEAD the tag: missing is done, another digest than recorded belongs to somebody else;
 * 2. DELETE by tag, where the registry can; the first time with the manifest held, see `deletion/siblings.ts`;
 * 3. else DELETE by digest, only if both our inventory and the registry say that nobody shares it;
 * 4. else the tag stays, or is isolated where the user chose so, see `deletion/isolate.ts`;
 * 5. HEAD must answer missing, for up to 30 s;
 * 6. what we copied beside it goes the same way, when the last tag of its digest is gone;
 * 7. what we believed about blobs of the repository is forgotten.
 *
 * @see docs/concepts/retain.md
 */
import { isFailure, type Failure } from '../domain/failure.js';
import type { Digest } from '../domain/digest.js';
import type { ImageRef, Repository } from '../domain/image-ref.js';
import { isProblem, readManifest } from './manifest.js';
import { isIndexType } from './media-types.js';
import { finishIsolation, isolate, isTiny } from './deletion/isolate.js';
import { readBack, type ReadBack } from './deletion/read-back.js';
import { hasNewTags, isShared, lookForSharing, type Sharing } from './deletion/sharing.js';
import { holdManifest, lookAround, type Aftermath } from './deletion/siblings.js';
import { blocked, checkGuard, digestAt, LearnedDeletion, nameOf, uninterrupted, type DeletionTask, type TagDeleterDeps } from './deletion/task.js';
import { Turns } from './turns.js';
import type { Beside, Call, Identity, Manifest, Deletion, DeletionBlock, DeletionGuard } from './registry.js';

export type { TagDeleterDeps } from './deletion/task.js';

type Published = Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>;

/** Deletes tags of any registry, and remembers how each of them does it. */
export class TagDeleter {
  readonly #learned: LearnedDeletion;
  // taken in this order, so that nobody waits for each other
  readonly #repositories = new Turns();
  readonly #digests = new Turns();
  readonly #tags = new Turns();

  /** @param forget drops what is believed about a repository from which something was deleted */
  constructor(
    readonly deps: TagDeleterDeps,
    readonly forget: (at: Repository) => void = () => undefined,
  ) {
    this.#learned = new LearnedDeletion(deps.tagDelete);
  }

  /** The port's `deleteTag`. */
  async deleteTag(to: ImageRef, guard: DeletionGuard, as: Identity, call: Call): Promise<Deletion> {
    const at = checkGuard(to, guard, call);
    return this.#repositories.take([`${at.host}/${at.path}`], call.signal, async () => {
      try {
        return await this.#deleteAll(at, guard, as, call);
      } finally {
        this.forget(at);
      }
    });
  }

  /**
   * Publishes while nobody deletes the same digest, which would take the new tag along, or one that the manifest
   * lists, or puts back the same tag.
   */
  async publishing<T>(at: ImageRef, manifest: Published, signal: AbortSignal, publish: () => Promise<T>): Promise<T> {
    const { tag } = at;
    const last = tag === undefined ? publish : (): Promise<T> => this.#tags.take([tagKey(at, tag)], signal, publish);
    return this.#digests.take([manifest.digest, ...childrenOf(manifest)].map((digest) => digestKey(at, digest)), signal, last);
  }

  async #deleteAll(at: DeletionTask['at'], guard: DeletionGuard, as: Identity, call: Call): Promise<Deletion> {
    const deletion = await this.#deleteOne(this.#task(at, guard, as, call));
    const beside = guard.beside ?? [];
    if (deletion.outcome === 'blocked' || beside.length === 0) return deletion;
    if (isShared(await this.#task(at, guard, as, call).sharing())) return deletion;

    const outcomes: Beside[] = [];
    for (const { tag, digest } of beside) {
      const { outcome } = await this.#deleteOne(this.#task({ ...at, tag }, { prefix: guard.prefix, digest, inventory: 'unshared' }, as, call));
      outcomes.push({ tag, outcome });
    }
    return { ...deletion, beside: outcomes };
  }

  async #deleteOne(task: DeletionTask): Promise<Deletion> {
    return this.#digests.take([digestKey(task.at, task.guard.digest)], task.call.signal, async () => {
      try {
        return await deleteThisTag(task);
      } catch (error) {
        const reason = isFailure(error) ? blockOf(error, task.as) : undefined;
        if (reason === undefined) throw error;
        return blocked(reason, (error as Failure).message);
      }
    });
  }

  #task(at: DeletionTask['at'], guard: DeletionGuard, as: Identity, call: Call): DeletionTask {
    const task = { ...this.deps, learned: this.#learned, at, guard, as, call };
    let found: Promise<Sharing> | undefined;
    return {
      ...task,
      sharing: () => (found ??= lookForSharing(task)),
      alone: (tag, { signal }, work) => this.#tags.take([tagKey(at, tag)], signal, work),
    };
  }
}

async function deleteThisTag(task: DeletionTask): Promise<Deletion> {
  const { registry, at, guard, as, call } = task;
  const seen = await registry.head(at, as, call);
  if (seen === 'missing') return { outcome: 'absent' };
  if (isTiny(at, guard.digest, seen.digest)) return finishIsolation(task, seen.digest);
  if (seen.digest !== guard.digest) return blocked('digest-changed', `${nameOf(at)} has ${seen.digest}, not ${guard.digest} as when it was copied`);
  return (await byTag(task)) ?? (await byDigest(task)) ?? lastResort(task);
}

/** @returns undefined when the registry does not delete tags alone */
async function byTag(task: DeletionTask): Promise<Deletion | undefined> {
  const { registry, at, guard, as, call, learned } = task;
  const known = learned.tags(at.host);
  if (known === 'not-alone') return undefined;
  if (known === undefined) return byTagWatched(task);

  if ((await registry.deleteManifest(at, as, call)) === 'unsupported') return learnNotAlone(task);
  return conclude(task, await readBack(task, guard.digest), 'tag') ?? learnNotAlone(task);
}

/** The first time on a registry: nobody knows yet what it makes of it. */
async function byTagWatched(task: DeletionTask): Promise<Deletion | undefined> {
  const { registry, at, guard, as, call, learned } = task;
  const held = await holdManifest(task);
  // what vanishes could not be told from what was never there
  if (held === undefined) return undefined;

  const looks: Aftermath[] = [];
  let now: ReadBack;
  try {
    call.signal.throwIfAborted();
    if ((await registry.deleteManifest(at, as, uninterrupted(call))) === 'unsupported') return learnNotAlone(task);
    looks.push(await lookAround(task, held));
    now = await readBack(task, guard.digest);
  } finally {
    // also after a broken connection or an abort: the DELETE may have been done; and again after a registry that lags
    looks.push(await lookAround(task, held));
  }
  const restored = looks.flatMap((look) => look.restored);
  if (looks.some(({ tags }) => tags === 'not-alone')) learned.learnTags(at.host, 'not-alone');
  // every look: what the first one puts back, the second one finds
  else if (now === 'gone' && looks.every(({ tags }) => tags === 'alone')) learned.learnTags(at.host, 'alone');
  const deletion = conclude(task, now, 'tag');
  if (deletion === undefined) return learnNotAlone(task);
  return deletion.outcome === 'deleted' && restored.length > 0 ? { ...deletion, restored } : deletion;
}

/** @returns undefined when somebody shares the digest, or may do so */
async function byDigest(task: DeletionTask): Promise<Deletion | undefined> {
  const { registry, at, guard, as, call, learned } = task;
  if (learned.refusesDigests(at.host)) return cannotDelete(task);
  if (guard.inventory !== 'unshared') return undefined;
  const sharing = await task.sharing();
  if (isShared(sharing) || (await hasNewTags(task, sharing))) return undefined;

  const answer = await registry.deleteManifest(digestAt(task, guard.digest), as, call);
  const deletion = answer === 'unsupported' ? undefined : conclude(task, await readBack(task, guard.digest), 'digest');
  if (deletion === undefined) learned.learnRefusesDigests(at.host);
  return deletion ?? cannotDelete(task);
}

/** Nothing but the other tags would go too. */
async function lastResort(task: DeletionTask): Promise<Deletion> {
  const { at, guard, deleteShared } = task;
  if (deleteShared(at.host) === 'isolate') return isolate(task);
  return blocked('shared-digest', `${nameOf(at)} stays: ${at.host} deletes ${guard.digest} only with every tag on it, and others use it or may do so; deleteShared: isolate would move the tag first`);
}

/** @returns undefined when the tag is still there */
function conclude({ at }: DeletionTask, now: ReadBack, by: 'tag' | 'digest'): Deletion | undefined {
  switch (now) {
    case 'gone':
      return { outcome: 'deleted', by };
    case 'moved':
      return blocked('digest-changed', `${nameOf(at)} was pushed again while it was being deleted`);
    case 'still':
      return undefined;
  }
}

function learnNotAlone({ at, learned }: DeletionTask): undefined {
  learned.learnTags(at.host, 'not-alone');
}

function cannotDelete({ at }: DeletionTask): Deletion {
  return blocked('unsupported', `${at.host} deletes neither tags nor manifests; switch deletion on there`);
}

/** @returns undefined for failures that another try may heal */
function blockOf({ code }: Failure, as: Identity): DeletionBlock | undefined {
  switch (code) {
    case 'denied':
    case 'unauthorized':
      return as.length === 0 ? 'no-credential' : 'denied';
    case 'conflict':
      return 'immutable';
    case 'unsupported':
      return 'unsupported';
    default:
      return undefined;
  }
}

function childrenOf({ bytes, mediaType }: Published): readonly Digest[] {
  if (!isIndexType(mediaType)) return [];
  const view = readManifest(bytes, mediaType);
  return isProblem(view) ? [] : view.manifests.map(({ digest }) => digest);
}

function tagKey(at: Repository, tag: string): string {
  return `${at.host}/${at.path}:${tag}`;
}

function digestKey(at: Repository, digest: Digest): string {
  return `${at.host}/${at.path}@${digest}`;
}
