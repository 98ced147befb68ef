/**
 * The last step of a copy: the root, under the destination's tag.
 *
 * 1. everything below it is there, or nothing is published;
 * 2. the root as it is, reduced, or whole, as strategy and destination allow;
 * 3. the tag is read back: a proxy that rewrites manifests is found out here.
 */
import type { Published } from '../../domain/published.js';
import type { Digest } from '../../domain/digest.js';
import { Failure, isFailure } from '../../domain/failure.js';
import { knownImageRef, type ImageRef } from '../../domain/image-ref.js';
import type { Strategy } from '../../domain/record.js';
import type { Access, CopyPlan, EngineCall, Part } from '../copy-engine.js';
import { uniqueByDigest } from '../manifest.js';
import type { Descriptor, Manifest } from '../registry.js';
import { rewriteIndex } from '../rewrite.js';
import { byDigest, sideCall, type CopyContext } from './context.js';
import { partOf, type ReadManifest } from './graph.js';
import { copyPart } from './part.js';
import { requireBlobs, requireParts } from './presence.js';
import { link } from './referrers.js';
import { together } from './together.js';
import { refusedFor } from './tree.js';
import { cannotVerify, Warnings } from './warnings.js';

interface Publication {
  readonly context: CopyContext;
  readonly plan: CopyPlan;
  readonly access: Access;
  readonly call: EngineCall;
  readonly at: ImageRef;
  readonly root: Manifest;
  readonly warnings: Warnings;
}

type Written = Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>;

export async function publish(context: CopyContext, plan: CopyPlan, access: Access, call: EngineCall): Promise<Published> {
  const at = knownImageRef(plan.destination);
  const root = await context.registry.manifest(byDigest(knownImageRef(plan.source), plan.digest), access.source, sideCall('source', call));
  const warnings = new Warnings();
  for (const text of plan.warnings ?? []) warnings.add(text);
  const publication: Publication = { context, plan, access, call, at, root, warnings };

  const { strategy, digest } = root.type === 'image' ? await publishImage(publication) : await publishIndex(publication);
  await readBack(publication, digest);
  if (plan.referrers === 'auto' && digest === root.digest) await link({ context, destination: at, access, call, warnings }, root);
  return { digest, sourceDigest: root.digest, strategy, platforms: plan.platforms, missingPlatforms: plan.missingPlatforms, ...warnings.said() };
}

interface Outcome {
  readonly strategy: Strategy;
  readonly digest: Digest;
}

async function publishImage(publication: Publication): Promise<Outcome> {
  const [leftOut] = await requireBlobs(publication, uniqueByDigest(publication.root.blobs));
  try {
    return await asItIs(publication, 'all');
  } catch (error) {
    throw leftOut === undefined ? error : refusedFor(leftOut, publication.at, error);
  }
}

async function publishIndex(publication: Publication): Promise<Outcome> {
  await requireParts(publication);
  const { plan, root } = publication;
  if (leftOut(plan, root).length === 0) return asItIs(publication, 'all');
  if (plan.strategy === 'rewrite' && plan.pinned !== true) return reduced(publication);
  return (await sparse(publication)) ?? (plan.pinned === true && plan.strategy !== 'sparse' ? whole(publication) : reduced(publication));
}

/** @returns undefined when the destination wants every child */
async function sparse(publication: Publication): Promise<Outcome | undefined> {
  const { context, plan, at } = publication;
  if (plan.strategy !== 'sparse' && context.learned.sparse(at.host) === 'refused') return undefined;
  try {
    const outcome = await asItIs(publication, 'sparse');
    context.learned.learnSparse(at.host, 'accepted');
    return outcome;
  } catch (error) {
    // every chosen child is there, so it is the others that the registry misses
    if (!isFailure(error) || error.code !== 'missing' || error.side !== 'destination') throw error;
    context.learned.learnSparse(at.host, 'refused');
    if (plan.strategy === 'sparse') throw failure(publication, 'unsupported', `${at.host} takes no index without all of its manifests: copy: sparse is not possible there`);
    return undefined;
  }
}

async function reduced(publication: Publication): Promise<Outcome> {
  const { plan, root, at } = publication;
  const parts = new Set(plan.parts.map(({ digest }) => digest));
  const kept = root.manifests.flatMap(({ digest }, position) => (parts.has(digest) ? [position] : []));
  const rewritten = rewriteIndex(root, kept);
  if (rewritten === undefined) throw failure(publication, 'unsupported', `index ${plan.digest} cannot be reduced without changing what it says, and ${at.host} takes only whole ones`);
  await put(publication, rewritten);
  if (plan.parts.some(({ kind }) => kind === 'referrers')) publication.warnings.add(cannotVerify(plan.digest));
  return { strategy: 'rewrite', digest: rewritten.digest };
}

/** A pinned image where sparse is refused: the rest is copied too. */
async function whole(publication: Publication): Promise<Outcome> {
  const { context, plan, access, call, root } = publication;
  const read: ReadManifest = (digest) => context.registry.manifest(byDigest(knownImageRef(plan.source), digest), access.source, sideCall('source', call));
  await copyParts(publication, await together(call.signal, leftOut(plan, root).map((child) => () => partOf({ root, indexes: new Map() }, child, read))));
  return asItIs(publication, 'all');
}

async function asItIs(publication: Publication, strategy: Strategy): Promise<Outcome> {
  await put(publication, publication.root);
  return { strategy, digest: publication.root.digest };
}

/** A registry may have collected what we believed to be there: looked at again and copied again, once. */
async function put(publication: Publication, written: Written): Promise<void> {
  const { context, access, call, at, root } = publication;
  const once = (): Promise<void> => context.registry.putManifest(at, written, access.destination, sideCall('destination', call));
  try {
    await once();
  } catch (error) {
    if (!isFailure(error) || error.code !== 'missing' || error.side !== 'destination') throw error;
    const lost = root.type === 'image' ? publication.plan.parts.slice(0, 1) : await collected(publication);
    if (lost.length === 0) throw error;
    await copyParts(publication, lost);
    await once();
  }
}

/** Which parts of an index are gone, although they were seen there or placed by us. */
async function collected({ context, plan, access, call, at }: Publication): Promise<readonly Part[]> {
  const looked = await together(
    call.signal,
    plan.parts.filter(({ kind }) => kind === undefined).map((part) => async (signal) => {
      const seen = await context.registry.head(byDigest(at, part.digest), access.destination, sideCall('destination', { ...call, signal }));
      if (seen !== 'missing') return [];
      context.learned.doubt(at, part.digest);
      return [part];
    }),
  );
  return looked.flat();
}

async function copyParts({ context, plan, access, call, warnings }: Publication, parts: readonly Part[]): Promise<void> {
  await together(
    call.signal,
    parts.map((part) => async (signal) => {
      const copied = await copyPart(context, plan, part, access, { ...call, signal, onProgress: undefined });
      for (const text of copied.warnings ?? []) warnings.add(text);
    }),
  );
}

function leftOut(plan: CopyPlan, root: Manifest): readonly Descriptor[] {
  const parts = new Set(plan.parts.map(({ digest }) => digest));
  return uniqueByDigest(root.manifests).filter(({ digest }) => !parts.has(digest));
}

async function readBack({ context, access, call, at }: Publication, digest: Digest): Promise<void> {
  const seen = await context.registry.head(at, access.destination, sideCall('destination', { ...call, purpose: 'verify' }));
  if (seen !== 'missing' && seen.digest === digest) return;
  const says = seen === 'missing' ? 'answers that there is none' : `answers ${seen.digest}`;
  throw new Failure({ code: 'corrupt', side: 'destination', host: at.host, message: `tag ${at.path}:${at.tag ?? 'latest'} was published as ${digest}, but destination ${at.host} ${says}` });
}

function failure({ at }: Publication, code: 'unsupported', message: string): Failure {
  return new Failure({ code, side: 'destination', host: at.host, message });
}
