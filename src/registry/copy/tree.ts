/** The content graph below one manifest: blobs side by side, children before parents. */
import { Failure, isFailure } from '../../domain/failure.js';
import type { ImageRef, Repository } from '../../domain/image-ref.js';
import type { Access, EngineCall } from '../copy-engine.js';
import { graphLimits, isForeign, uniqueByDigest } from '../manifest.js';
import type { BlobSource, Descriptor, Manifest } from '../registry.js';
import { byDigest, sideCall, type CopyContext } from './context.js';
import { readChild, tooLarge } from './graph.js';
import type { Tally } from './progress.js';
import { together } from './together.js';
import type { Warnings } from './warnings.js';

/** One copy on its way. */
export interface Job {
  readonly context: CopyContext;
  readonly source: ImageRef;
  readonly destination: ImageRef;
  readonly access: Access;
  readonly call: EngineCall;
  readonly progress: Tally;
  readonly warnings: Warnings;
  /** done for each manifest that has been placed */
  readonly follow: (job: Job, manifest: Manifest) => Promise<void>;
  /** manifests met so far, whatever they say of themselves */
  readonly met: { count: number };
}

/**
 * Copies a manifest and everything below it.
 *
 * @param what `blobs`: the manifest itself is published later, under its tag
 * @returns layers that the source does not hold itself, and that stay out
 * @throws Failure `too-large` beyond 8 levels or 4,000 manifests
 */
export async function copyTree(job: Job, manifest: Manifest, what: 'all' | 'blobs', depth = 0): Promise<readonly Descriptor[]> {
  job.met.count++;
  if (depth > graphLimits.depth || job.met.count > graphLimits.nodes) throw tooLarge(job.source, manifest.digest);
  await together(job.call.signal, uniqueByDigest(manifest.manifests).map((child) => (signal) => copyChild({ ...job, call: { ...job.call, signal } }, child, depth + 1)));
  const leftOut = await copyBlobs(job, manifest);
  if (what === 'all') {
    await place(job, manifest, leftOut);
    await job.follow(job, manifest);
  }
  return leftOut;
}

/** Reads a manifest of the source. */
export function readSource({ context, source, access, call }: Job, digest: Manifest['digest']): Promise<Manifest> {
  return context.registry.manifest(byDigest(source, digest), access.source, sideCall('source', call));
}

/** A destination that insists on a layer which is nowhere to be had. */
export function refusedFor(layer: Descriptor, at: Repository, why: unknown): unknown {
  if (!isFailure(why) || why.code !== 'missing' || why.side !== 'destination') return why;
  return new Failure({ code: 'unsupported', side: 'destination', host: at.host, message: `destination ${at.host} refuses an image without layer ${layer.digest}, which lies elsewhere and which the source does not serve` });
}

async function copyChild(job: Job, child: Descriptor, depth: number): Promise<void> {
  const read = await readChild(child, (digest) => readSource(job, digest));
  if (!isFailure(read)) return void (await copyTree(job, read, 'all', depth));
  try {
    await copyBlob(job, child, job.call.signal);
  } catch (error) {
    // it is neither: what it is as a manifest says more
    throw isMissing(error, 'source') ? read : error;
  }
}

async function copyBlobs(job: Job, { blobs }: Manifest): Promise<readonly Descriptor[]> {
  const copied = await together(job.call.signal, uniqueByDigest(blobs).map((blob) => async (signal) => ({ blob, how: await copyForeignOr(job, blob, signal) })));
  return copied.filter(({ how }) => how === 'left out').map(({ blob }) => blob);
}

/** A layer that lies elsewhere is copied if the source serves it all the same. Where else it may lie is never looked at. */
async function copyForeignOr(job: Job, blob: Descriptor, signal: AbortSignal): Promise<'there' | 'left out'> {
  try {
    await copyBlob(job, blob, signal);
    return 'there';
  } catch (error) {
    if (!isForeign(blob) || !isMissing(error, 'source')) throw error;
    job.progress.done(blob.size, 'present');
    return 'left out';
  }
}

/** Brings one blob. */
export async function copyBlob({ context: { registry, small }, source, destination, access, call, progress }: Job, blob: Descriptor, signal: AbortSignal): Promise<void> {
  const known = small.known(source, blob, access.source);
  const from: BlobSource = {
    host: source.host,
    open: (offset, until) => {
      if (known !== undefined) return chunksOf(known, offset);
      return registry.blob(source, blob, access.source, { ...sideCall('source', { ...call, signal: until }), isHashedByCaller: true }, offset);
    },
  };
  const to = { ...sideCall('destination', { ...call, signal }), onProgress: (bytes: number) => progress.moved(bytes) };
  progress.done(blob.size, await registry.putBlob(destination, blob, from, access.destination, to));
}

async function* chunksOf(bytes: Uint8Array, offset: number): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes.subarray(offset);
}

/** A registry may have collected a blob that we believed to be there: looked at again, once. */
async function place(job: Job, manifest: Manifest, leftOut: readonly Descriptor[]): Promise<void> {
  const { context, destination, access, call } = job;
  const at = byDigest(destination, manifest.digest);
  const put = (): Promise<void> => context.registry.putManifest(at, manifest, access.destination, sideCall('destination', call));
  try {
    await put();
  } catch (error) {
    if (!isMissing(error, 'destination')) throw error;
    await copyBlobs(job, manifest);
    await put().catch((again: unknown) => {
      throw leftOut[0] === undefined ? again : refusedFor(leftOut[0], destination, again);
    });
  }
  context.learned.place(destination, manifest.digest);
}

function isMissing(error: unknown, side: Failure['side']): boolean {
  return isFailure(error) && error.code === 'missing' && error.side === side;
}
