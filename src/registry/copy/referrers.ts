/**
 * What describes an image follows it: signatures, attestations, SBOMs.
 *
 * 1. what the source lists as referrers, and what refers to those, four levels deep;
 * 2. cosign's tags, unless the list has the same already;
 * 3. a failure is a warning: no image fails for what describes it.
 */
import type { Digest } from '../../domain/digest.js';
import type { Repository } from '../../domain/image-ref.js';
import type { EngineCall } from '../copy-engine.js';
import { cosignTags } from '../referrer-tags.js';
import type { Descriptor, Identity, Manifest } from '../registry.js';
import { byDigest, sideCall, type CopyContext } from './context.js';
import type { PartProgress } from './progress.js';
import { together } from './together.js';
import { copyTree, readSource, type Job } from './tree.js';

const mostLevels = 4;

/** A tag that describes a digest by its name. */
interface Tagged {
  readonly tag: string;
  readonly digest: Digest;
  readonly size: number;
}

/** What describes one manifest. */
export interface Descriptions {
  readonly referrers: readonly Descriptor[];
  readonly tagged: readonly Tagged[];
}

/** What the source has to say about a manifest that is part of an image. */
export async function findDescriptions({ registry }: Pick<CopyContext, 'registry'>, source: Repository, subject: Digest, as: Identity, call: EngineCall): Promise<Descriptions> {
  const referrers = await registry.referrers(byDigest(source, subject), as, sideCall('source', call));
  if (referrers.some(isSignature)) return { referrers, tagged: [] };
  const looked = await together(
    call.signal,
    cosignTags(subject).map((tag) => async (signal) => ({ tag, seen: await registry.head({ host: source.host, path: source.path, tag }, as, sideCall('source', { ...call, signal })) })),
  );
  return { referrers, tagged: looked.flatMap(({ tag, seen }) => (seen === 'missing' ? [] : [{ tag, digest: seen.digest, size: seen.size }])) };
}

/** After each manifest of an image: it is listed with its own subject, and what describes it is copied. */
export function following(progress: PartProgress): Job['follow'] {
  return async (job, manifest) => {
    await link(job, manifest);
    await copyReferrers({ ...job, progress: progress.aside() }, manifest.digest);
  };
}

/** Copies what describes one manifest of an image. */
export async function copyReferrers(job: Job, subject: Digest): Promise<void> {
  const { context, source, access, call, warnings } = job;
  const own: Job = { ...job, met: { count: 0 }, follow: () => Promise.resolve() };
  const about = `referrers of ${subject}`;
  const found = await warnings.tolerate(about, () => findDescriptions(context, source, subject, access.source, call));
  if (found === undefined) return;
  await together(call.signal, [
    ...found.referrers.map((referrer) => (signal: AbortSignal) => warnings.tolerate(about, () => copyReferrer(under(own, signal), referrer, 1))),
    ...found.tagged.map((tagged) => (signal: AbortSignal) => warnings.tolerate(`tag ${tagged.tag}`, () => copyTagged(under(own, signal), tagged))),
  ]);
}

/** Where an index cannot list a manifest by itself, the list is kept by us. */
export async function link({ context, destination, access, call, warnings }: Pick<Job, 'context' | 'destination' | 'access' | 'call' | 'warnings'>, manifest: Manifest): Promise<void> {
  if (manifest.subject === undefined) return;
  await warnings.tolerate(`referrer ${manifest.digest}`, () => context.registry.linkReferrer(destination, manifest, access.destination, sideCall('destination', call)));
}

async function copyReferrer(job: Job, { digest }: Descriptor, level: number): Promise<void> {
  // an index may list its attestations and be their subject's home at once
  if (job.context.learned.isPlaced(job.destination, digest)) return;
  await copyTree({ ...job, follow: (of, manifest) => followReferrer(of, manifest, level) }, await readSource(job, digest), 'all');
}

async function followReferrer(job: Job, manifest: Manifest, level: number): Promise<void> {
  const { context, source, access, call, warnings } = job;
  await link(job, manifest);
  if (level === mostLevels) return;
  const about = `referrers of ${manifest.digest}`;
  const referrers = await warnings.tolerate(about, () => context.registry.referrers(byDigest(source, manifest.digest), access.source, sideCall('source', call)));
  await together(call.signal, (referrers ?? []).map((referrer) => (signal) => warnings.tolerate(about, () => copyReferrer(under(job, signal), referrer, level + 1))));
}

async function copyTagged(job: Job, { tag, digest }: Tagged): Promise<void> {
  const { context, destination, access, call } = job;
  const manifest = await readSource(job, digest);
  await copyTree(job, manifest, 'blobs');
  await context.registry.putManifest({ host: destination.host, path: destination.path, tag }, manifest, access.destination, sideCall('destination', call));
}

function under(job: Job, signal: AbortSignal): Job {
  return { ...job, call: { ...job.call, signal } };
}

/** Newer tools keep a bundle among the referrers instead of a tag. */
function isSignature({ artifactType = '' }: Descriptor): boolean {
  return artifactType.startsWith('application/vnd.dev.sigstore.') || artifactType.startsWith('application/vnd.dev.cosign.');
}
