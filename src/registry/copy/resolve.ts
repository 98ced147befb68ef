/**
 * The first step of a copy: what there is, and what of it has to be sent.
 *
 * 1. look at source and destination together: equal digests are done, in two requests;
 * 2. no source can be read: what the destination holds is adopted;
 * 3. read the manifests, choose the platforms;
 * 4. the destination may already hold what choosing would give.
 */
import { Failure, failures, isFailure } from '../../domain/failure.js';
import { knownImageRef, type ImageRef } from '../../domain/image-ref.js';
import { platformText } from '../../domain/platform.js';
import { isIndexType } from '../media-types.js';
import type { CopyPlan, EngineCall, Published, Resolved, ResolveRequest } from '../engine.js';
import type { Manifest, Seen } from '../registry.js';
import { rewriteIndex } from '../rewrite.js';
import { selectAll, selectPlatforms, type Selection } from '../select-platforms.js';
import { byDigest, sideCall, type CopyContext } from './context.js';
import { leavesOf, measured, partOf, readGraph, type Graph, type ReadManifest } from './graph.js';
import { together } from './together.js';

/** A source that serves. */
interface Found {
  readonly index: number;
  readonly ref: ImageRef;
  readonly seen: Seen;
}

/** A source, read and chosen from. */
interface Chosen {
  readonly root: Manifest;
  readonly selection: Selection;
  readonly plan: CopyPlan;
}

export async function resolve(context: CopyContext, request: ResolveRequest, call: EngineCall): Promise<Resolved> {
  const [source, standing] = await Promise.allSettled([findSource(context, request, call), lookAtDestination(context, request, call)]);
  call.signal.throwIfAborted();
  if (standing.status === 'rejected') throw standing.reason;
  if (source.status === 'rejected') return adopt(standing.value, source.reason);

  const { value: found } = source;
  if (isSame(context, request, found, standing.value)) return unchanged(request, found);

  const chosen = await choose(context, request, found, call);
  const current = standing.value === 'missing' ? undefined : await standsFor(context, request, chosen, standing.value, call);
  return current === undefined ? { verdict: 'copy', plan: chosen.plan } : { verdict: 'current', published: current, plan: chosen.plan };
}

/** The first source that serves; when none does, the failure that trying again may heal, else the first. */
async function findSource({ registry }: CopyContext, { sources }: ResolveRequest, call: EngineCall): Promise<Found> {
  const failed: Failure[] = [];
  for (const [index, { image, as }] of sources.entries()) {
    const ref = knownImageRef(image);
    try {
      const seen = await registry.head(ref, as, sideCall('source', call));
      if (seen !== 'missing') return { index, ref, seen };
      failed.push(new Failure({ code: 'missing', side: 'source', host: ref.host, message: `manifest ${image} missing on source ${ref.host}` }));
    } catch (error) {
      if (!isFailure(error)) throw error;
      failed.push(error);
    }
  }
  throw failed.find(({ code }) => failures[code].retry === 'again') ?? failed[0] ?? new TypeError('a copy without sources');
}

/** Some registries answer 403 for a tag that does not exist. */
async function lookAtDestination({ registry }: CopyContext, { destination }: ResolveRequest, call: EngineCall): Promise<Seen | 'missing'> {
  try {
    return await registry.head(knownImageRef(destination.image), destination.as, sideCall('destination', call));
  } catch (error) {
    if (isFailure(error) && error.code === 'denied') return 'missing';
    throw error;
  }
}

/** A copy that another tool prepared. A source that only asks us to wait is not unreadable. */
function adopt(standing: Seen | 'missing', why: unknown): Resolved {
  if (standing === 'missing' || !isFailure(why) || why.code === 'throttled') throw why;
  return { verdict: 'adopted', published: { digest: standing.digest, strategy: 'adopted', platforms: [], missingPlatforms: [] } };
}

/** Where an index may stand without its children, an equal digest says nothing about them. */
function isSame({ learned }: CopyContext, { destination }: ResolveRequest, { seen }: Found, standing: Seen | 'missing'): boolean {
  if (standing === 'missing' || standing.digest !== seen.digest) return false;
  return !isIndexType(seen.mediaType) || learned.sparse(knownImageRef(destination.image).host) !== 'accepted';
}

/** Nothing was read, so nothing is said about platforms: what was recorded stands. */
function unchanged(request: ResolveRequest, { index, seen }: Found): Resolved {
  const published: Published = { digest: seen.digest, sourceDigest: seen.digest, strategy: 'all', platforms: [], missingPlatforms: [] };
  return { verdict: 'current', published, plan: { ...envelope(request, index, seen), parts: [], platforms: [], missingPlatforms: [] } };
}

function envelope({ sources, destination, copy, pinned }: ResolveRequest, index: number, seen: Seen): Omit<CopyPlan, 'parts' | 'platforms' | 'missingPlatforms'> {
  return {
    source: sources[index]!.image,
    sourceIndex: index,
    destination: destination.image,
    digest: seen.digest,
    mediaType: seen.mediaType,
    strategy: copy,
    ...(pinned ? { pinned: true } : {}),
  };
}

/** From here on only the digest exists: a tag that moves meanwhile changes nothing. */
async function choose(context: CopyContext, request: ResolveRequest, { index, ref, seen }: Found, call: EngineCall): Promise<Chosen> {
  const read: ReadManifest = (digest) => context.registry.manifest(byDigest(ref, digest), request.sources[index]!.as, sideCall('source', call));
  const root = await read(seen.digest);
  const plan = { ...envelope(request, index, seen), mediaType: root.mediaType };
  if (root.type === 'image') {
    const selection: Selection = { kept: [], platforms: [], missing: [], existing: [] };
    return { root, selection, plan: { ...plan, parts: [measured(root.digest, 'image', [root])], platforms: [], missingPlatforms: [] } };
  }

  const graph = await readGraph(root, ref, read, call.signal);
  const selection = select(context, request, graph, ref);
  const children = new Map(selection.kept.map((position) => [root.manifests[position]!.digest, root.manifests[position]!]));
  const parts = await together(call.signal, [...children.values()].map((child) => () => partOf(graph, child, read)));
  return { root, selection, plan: { ...plan, parts, platforms: selection.platforms, missingPlatforms: selection.missing } };
}

function select({ learned }: CopyContext, { platforms, copy, pinned, destination }: ResolveRequest, graph: Graph, ref: ImageRef): Selection {
  const children = graph.root.manifests;
  const inside = (child: (typeof children)[number]): typeof children => leavesOf(graph, child);
  // a pinned image is never rewritten: where sparse is refused, only all of it is left
  const mustBeWhole = copy === 'all' || (pinned && copy !== 'sparse' && learned.sparse(knownImageRef(destination.image).host) === 'refused');
  const chosen = selectPlatforms(children, platforms, inside);
  if (copy !== 'all' && chosen.platforms.length === 0) throw noneMet(ref, chosen, platforms.map(platformText));
  return mustBeWhole ? selectAll(children, platforms, inside) : chosen;
}

function noneMet(ref: ImageRef, { existing }: Selection, wanted: readonly string[]): Failure {
  const has = existing.length === 0 ? 'no platforms' : existing.join(', ');
  return new Failure({ code: 'unsupported', side: 'source', host: ref.host, message: `none of the wanted platforms ${wanted.join(', ')} is in ${ref.path} on source ${ref.host}, which has ${has}` });
}

/** Whether another digest at the destination is as good: what rewriting gives, or a reduced index somebody made before. */
async function standsFor(context: CopyContext, request: ResolveRequest, chosen: Chosen, standing: Seen, call: EngineCall): Promise<Published | undefined> {
  const { root, selection, plan } = chosen;
  if (root.type !== 'index') return undefined;
  if (standing.digest === root.digest) return isSparselyPresent(context, request, plan, call);
  if (request.pinned || request.copy === 'all' || request.copy === 'sparse') return undefined;

  const published: Published = { digest: standing.digest, sourceDigest: root.digest, strategy: 'rewrite', platforms: selection.platforms, missingPlatforms: selection.missing };
  if (rewriteIndex(root, selection.kept)?.digest === standing.digest) return published;
  if (!isIndexType(standing.mediaType)) return undefined;
  return (await isReducedFrom(context, request, chosen, standing, call)) ? published : undefined;
}

/** All its manifests are the source's, and the wanted images are among them: copies made by v2. */
async function isReducedFrom({ registry }: CopyContext, { destination }: ResolveRequest, { root, selection }: Chosen, standing: Seen, call: EngineCall): Promise<boolean> {
  const at = byDigest(knownImageRef(destination.image), standing.digest);
  const there = await registry.manifest(at, destination.as, sideCall('destination', call)).catch((error: unknown) => {
    if (isFailure(error) && failures[error.code].retry !== 'again') return undefined;
    throw error;
  });
  if (there === undefined) return false;
  const held = new Set(there.manifests.map(({ digest }) => digest));
  const known = new Set(root.manifests.map(({ digest }) => digest));
  const wanted = selection.kept.map((position) => root.manifests[position]!).filter(({ platform }) => platform !== undefined && platform.os !== 'unknown');
  return held.size > 0 && [...held].every((digest) => known.has(digest)) && wanted.every(({ digest }) => held.has(digest));
}

/** The index is there, on a registry that does not look at children: so we do. */
async function isSparselyPresent({ registry }: CopyContext, { destination }: ResolveRequest, plan: CopyPlan, call: EngineCall): Promise<Published | undefined> {
  const at = knownImageRef(destination.image);
  const seen = await together(call.signal, plan.parts.map(({ digest }) => () => registry.head(byDigest(at, digest), destination.as, sideCall('destination', call))));
  if (seen.includes('missing')) return undefined;
  return { digest: plan.digest, sourceDigest: plan.digest, strategy: 'sparse', platforms: plan.platforms, missingPlatforms: plan.missingPlatforms };
}
