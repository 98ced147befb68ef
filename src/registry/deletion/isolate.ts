/**
 * Where a digest cannot be deleted without the other tags on it, the tag is moved to a tiny manifest of its own
 * first, and that is deleted. Only where the user chose so: refused half-way, it would have changed what a tag names,
 * so what it had is put back then.
 */
import type { Digest } from '../../domain/digest.js';
import { isFailure } from '../../domain/failure.js';
import type { ImageRef } from '../../domain/image-ref.js';
import { digestBytes } from '../hash.js';
import { dockerList, dockerManifest, ociManifest } from '../media-types.js';
import type { BlobSource, Call, Descriptor, Manifest, Deletion } from '../registry.js';
import { readBack } from './read-back.js';
import { blocked, digestAt, nameOf, uninterrupted, type DeletionTask } from './task.js';

/** A manifest that belongs to one tag, and its only blob. */
export interface TinyImage {
  readonly manifest: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>;
  readonly config: Descriptor;
  readonly configBytes: Uint8Array;
}

/**
 * The manifest that takes a tag before it is deleted. The same tag and digest give the same bytes, so that an
 * interrupted deletion recognises its own work; another tag gives others, so that nobody shares it.
 *
 * @param instead digest the tag had
 * @param mediaType of what the tag had: the tiny one is of the same family
 */
export function tinyImage(at: ImageRef, instead: Digest, mediaType: string): TinyImage {
  const isDocker = mediaType === dockerManifest || mediaType === dockerList;
  const labels = { 'kuik.enix.io/deleting': `${at.host}/${at.path}:${at.tag}`, 'kuik.enix.io/instead-of': instead };
  const configBytes = json({ architecture: 'unknown', os: 'unknown', config: { Labels: labels }, rootfs: { type: 'layers', diff_ids: [] } });
  const configType = isDocker ? 'application/vnd.docker.container.image.v1+json' : 'application/vnd.oci.image.config.v1+json';
  const config = { mediaType: configType, digest: digestBytes(configBytes), size: configBytes.length };
  const type = isDocker ? dockerManifest : ociManifest;
  const bytes = json({ schemaVersion: 2, mediaType: type, config, layers: [] });
  return { manifest: { bytes, mediaType: type, digest: digestBytes(bytes) }, config, configBytes };
}

/** Whether a tag has what an interrupted deletion of it left. */
export function isTiny(at: ImageRef, instead: Digest, digest: Digest): boolean {
  return [ociManifest, dockerManifest].some((mediaType) => tinyImage(at, instead, mediaType).manifest.digest === digest);
}

/** Moves the tag, then deletes what it has now. */
export async function isolate(task: DeletionTask): Promise<Deletion> {
  const { registry, at, guard, as, call } = task;
  const original = await registry.manifest(digestAt(task, guard.digest), as, call);
  const tiny = tinyImage(at, guard.digest, original.mediaType);
  const own = uninterrupted(call);
  await registry.putBlob(at, tiny.config, inMemory(tiny.configBytes), as, call);
  const seen = await task.alone(at.tag, call, async () => {
    const now = await registry.head(at, as, call);
    if (now !== 'missing' && now.digest === guard.digest) await registry.putManifest(at, tiny.manifest, as, own);
    return now;
  });
  if (seen === 'missing') return { outcome: 'absent' };
  if (seen.digest !== guard.digest) return blocked('digest-changed', `${nameOf(at)} was moved to ${seen.digest} while it was being deleted`);
  return finishIsolation(task, tiny.manifest.digest, original);
}

/**
 * @param original what to put back when the registry refuses; read when it is not at hand
 */
export async function finishIsolation(task: DeletionTask, tiny: Digest, original?: Manifest): Promise<Deletion> {
  const { registry, at, as, learned } = task;
  const own = uninterrupted(task.call);
  const undo = (): Promise<void> => task.alone(task.at.tag, own, () => putBack(task, tiny, own, original));
  try {
    if ((await registry.deleteManifest(digestAt(task, tiny), as, own)) !== 'unsupported') {
      const now = await readBack({ ...task, call: { ...own, signal: AbortSignal.any([own.signal, task.call.signal]) } }, tiny);
      if (now === 'gone') return { outcome: 'deleted', by: 'isolated' };
      if (now === 'moved') return blocked('digest-changed', `${nameOf(at)} was moved by somebody else while it was being deleted`);
    }
  } catch (error) {
    if (isFailure(error) && isRefused(error.code)) await undo();
    throw error;
  }
  learned.learnRefusesDigests(at.host);
  await undo();
  return blocked('unsupported', `${at.host} deletes neither the tag ${nameOf(at)} nor the manifest that was put in its place`);
}

function isRefused(code: string): boolean {
  return code === 'denied' || code === 'unauthorized' || code === 'conflict' || code === 'unsupported';
}

/** A deletion that cannot be done leaves the tag as it was; one that somebody else moved is theirs. */
async function putBack(task: DeletionTask, tiny: Digest, call: Call, original: Manifest | undefined): Promise<void> {
  const { registry, at, guard, as } = task;
  const seen = await registry.head(at, as, call);
  if (seen === 'missing' || seen.digest !== tiny) return;
  await registry.putManifest(at, original ?? (await registry.manifest(digestAt(task, guard.digest), as, call)), as, call);
}

function json(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function inMemory(bytes: Uint8Array): BlobSource {
  return {
    async *open(offset) {
      yield bytes.subarray(offset);
    },
  };
}
