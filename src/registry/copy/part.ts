/** Copies one part: blobs side by side, children before parents, the root left for `publish`. */
import { isFailure } from '../../domain/failure.js';
import { knownImageRef, type ImageRef } from '../../domain/image-ref.js';
import type { Access, CopyPlan, EngineCall, Part } from '../engine.js';
import { uniqueByDigest } from '../manifest.js';
import type { BlobSource, Descriptor, Manifest } from '../registry.js';
import { byDigest, sideCall, type CopyContext } from './context.js';
import { PartProgress } from './progress.js';
import { together } from './together.js';

/** One copy on its way. */
interface Job {
  readonly context: CopyContext;
  readonly source: ImageRef;
  readonly destination: ImageRef;
  readonly access: Access;
  readonly call: EngineCall;
  readonly progress: PartProgress;
}

export async function copyPart(context: CopyContext, plan: CopyPlan, part: Part, access: Access, call: EngineCall): Promise<{ readonly bytes: number }> {
  const progress = new PartProgress(part, call);
  const job: Job = { context, source: knownImageRef(plan.source), destination: knownImageRef(plan.destination), access, call, progress };
  await copyManifest(job, byDigest(job.source, part.digest), part.digest === plan.digest ? 'blobs' : 'all');
  return { bytes: progress.sent };
}

/** @param what `blobs`: the manifest itself is published later, under its tag */
async function copyManifest(job: Job, at: ImageRef, what: 'all' | 'blobs'): Promise<void> {
  const { context, access, call } = job;
  const manifest = await context.registry.manifest(at, access.source, sideCall('source', call));
  await together(call.signal, uniqueByDigest(manifest.manifests).map(({ digest }) => (signal) => copyManifest({ ...job, call: { ...call, signal } }, byDigest(at, digest), 'all')));
  await copyBlobs(job, manifest);
  if (what === 'all') await place(job, manifest);
}

async function copyBlobs(job: Job, { blobs }: Manifest): Promise<void> {
  await together(job.call.signal, uniqueByDigest(blobs).map((blob) => (signal) => copyBlob(job, blob, signal)));
}

async function copyBlob({ context: { registry }, source, destination, access, call, progress }: Job, blob: Descriptor, signal: AbortSignal): Promise<void> {
  const from: BlobSource = {
    verified: true,
    open: (offset, until) => registry.blob(source, blob, access.source, sideCall('source', { ...call, signal: until }), offset),
  };
  const to = { ...sideCall('destination', { ...call, signal }), onProgress: (bytes: number) => progress.moved(bytes) };
  progress.done(blob.size, await registry.putBlob(destination, blob, from, access.destination, to));
}

/** A registry may have collected a blob that we believed to be there: looked at again, once. */
async function place(job: Job, manifest: Manifest): Promise<void> {
  const { context, destination, access, call } = job;
  const at = byDigest(destination, manifest.digest);
  const put = (): Promise<void> => context.registry.putManifest(at, manifest, access.destination, sideCall('destination', call));
  try {
    await put();
  } catch (error) {
    if (!isFailure(error) || error.code !== 'missing') throw error;
    await copyBlobs(job, manifest);
    await put();
  }
  context.learned.place(destination, manifest.digest);
}
