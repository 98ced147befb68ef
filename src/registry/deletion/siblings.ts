/**
 * Some registries may take DELETE of a tag for DELETE of its digest, and every other tag on it would vanish. So on
 * a registry that was not seen deleting a tag alone the manifest is held, and whoever shared it is asked for
 * afterwards, and put back at once.
 */
import type { ImageRef } from '../../domain/image-ref.js';
import { together } from '../copy/together.js';
import type { Call, Manifest } from '../registry.js';
import type { Sharing } from './sharing.js';
import { digestAt, uninterrupted, type DeletionTask } from './task.js';

/** What is needed to undo damage. */
export interface Held {
  readonly manifest: Manifest;
  readonly sharing: Sharing;
}

/** What a look around after a deletion found. */
export interface Aftermath {
  /** tags that had vanished, and are back */
  readonly restored: readonly string[];
  /** what it tells of the registry: `alone` only when the digest outlived its last tag, since with that one some registries take the digest too */
  readonly tags: 'alone' | 'not-alone' | undefined;
}

/**
 * Reads by tag: by digest it may be gone where tags outlive their digest.
 *
 * @returns undefined when the other tags cannot be listed, or the tag has just been moved
 */
export async function holdManifest({ registry, at, guard, as, call, sharing }: DeletionTask): Promise<Held | undefined> {
  const found = await sharing();
  if (!found.isComplete && found.others.length === 0) return undefined;
  const manifest = await registry.manifest(at, as, call);
  return manifest.digest === guard.digest ? { sharing: found, manifest } : undefined;
}

/** Looks for whoever shared the digest, and puts back what vanished. Not interrupted: who stops here loses a tag. */
export async function lookAround(task: DeletionTask, held: Held): Promise<Aftermath> {
  const call = uninterrupted(task.call);
  const { siblings, others, isComplete, isListed } = held.sharing;
  const isThere = (at: ImageRef): Promise<boolean> => isPresent(task, at, call);
  const digestIsThere = await isThere(digestAt(task, held.manifest.digest));

  // with the digest still there, only tags known to share it can be missed
  const suspects = isComplete || digestIsThere ? siblings : others;
  const present = await together(
    call.signal,
    suspects.map((tag) => () => isThere(tagAt(task, tag))),
  );
  const missing = suspects.filter((_tag, index) => present[index] === false);
  const wasShared = siblings.length > 0 || isListed || !isComplete || task.guard.inventory === 'shared';
  if (!digestIsThere && (wasShared || missing.length > 0)) await task.registry.putManifest(digestAt(task, held.manifest.digest), held.manifest, task.as, call);
  for (const tag of missing) await task.alone(tag, call, () => putBack(task, tag, held, call));

  if (missing.length > 0) return { restored: missing, tags: 'not-alone' };
  if (!digestIsThere && isListed) return { restored: [], tags: 'not-alone' };
  const wasLast = isComplete && siblings.length === 0;
  return { restored: [], tags: digestIsThere && wasLast ? 'alone' : undefined };
}

/** Unless somebody has published it meanwhile. */
async function putBack(task: DeletionTask, tag: string, { manifest }: Held, call: Call): Promise<void> {
  const at = tagAt(task, tag);
  if (!(await isPresent(task, at, call))) await task.registry.putManifest(at, manifest, task.as, call);
}

async function isPresent({ registry, as }: DeletionTask, at: ImageRef, call: Call): Promise<boolean> {
  return (await registry.head(at, as, call)) !== 'missing';
}

function tagAt({ at }: DeletionTask, tag: string): ImageRef {
  return { host: at.host, path: at.path, tag };
}

