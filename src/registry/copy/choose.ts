/** Reads an image and decides what of it is copied. */
import { Failure } from '../../domain/failure.js';
import { knownImageRef, type ImageRef } from '../../domain/image-ref.js';
import { platformText } from '../../domain/platform.js';
import type { CopyPlan, EngineCall, Part, ResolveRequest } from '../copy-engine.js';
import { uniqueByDigest } from '../manifest.js';
import type { Call, Descriptor, Identity, Manifest, Seen } from '../registry.js';
import { selectAll, selectPlatforms, selectSingle, type Selection } from '../select-platforms.js';
import { byDigest, sideCall, type CopyContext } from './context.js';
import { leavesOf, measured, partOf, readGraph, type Graph, type ReadManifest } from './graph.js';
import { platformOf } from './image-platform.js';
import { findDescriptions } from './referrers.js';
import { together } from './together.js';
import { cannotVerify, Warnings } from './warnings.js';

/** A source that serves. */
export interface Found {
  readonly index: number;
  readonly ref: ImageRef;
  readonly seen: Seen;
}

/** A source, read and chosen from. */
export interface Chosen {
  readonly root: Manifest;
  readonly selection: Selection;
  readonly plan: CopyPlan;
}

/** Where manifests are read: a source, or the destination when it holds the same. */
export interface Reading {
  readonly ref: ImageRef;
  readonly as: Identity;
  readonly side: Call['side'];
}

/** What of an image is wanted; its parts are only measured when somebody asks for them. */
interface Wanted {
  readonly selection: Selection;
  readonly parts: (signal: AbortSignal) => Promise<readonly Part[]>;
}

/** From here on only the digest exists: a tag that moves meanwhile changes nothing. */
export async function choose(context: CopyContext, request: ResolveRequest, { index, ref, seen }: Found, call: EngineCall): Promise<Chosen> {
  const reading: Reading = { ref, as: request.sources[index]!.as, side: 'source' };
  const root = await readerAt(context, reading, call)(seen.digest);
  const { selection, parts } = await select(context, request, root, reading, call);
  const [contents, about] = await together<Described>(call.signal, [
    async (signal) => ({ parts: await parts(signal) }),
    (signal) => describe(context, request, { root, selection }, reading, { ...call, signal }),
  ]);
  const plan: CopyPlan = {
    ...envelope(request, index, seen),
    mediaType: root.mediaType,
    parts: [...contents!.parts, ...about!.parts],
    platforms: selection.platforms,
    missingPlatforms: selection.missing,
    ...(about!.warnings === undefined ? {} : { warnings: about!.warnings }),
  };
  return { root, selection, plan };
}

export function envelope({ sources, destination, copy, pinned, referrers }: ResolveRequest, index: number, seen: Seen): Omit<CopyPlan, 'parts' | 'platforms' | 'missingPlatforms'> {
  return {
    source: sources[index]!.image,
    sourceIndex: index,
    destination: destination.image,
    digest: seen.digest,
    mediaType: seen.mediaType,
    strategy: copy,
    ...(pinned ? { pinned: true } : {}),
    ...(referrers === 'auto' ? { referrers } : {}),
  };
}

export function readerAt({ registry }: CopyContext, { ref, as, side }: Reading, call: EngineCall): ReadManifest {
  return (digest) => registry.manifest(byDigest(ref, digest), as, sideCall(side, call));
}

/** @throws Failure `unsupported` when no wanted platform is there */
export async function select(context: CopyContext, request: ResolveRequest, root: Manifest, reading: Reading, call: EngineCall): Promise<Wanted> {
  if (root.type === 'image') return selectImage(context, request, root, reading, call);

  const read = (signal: AbortSignal): ReadManifest => readerAt(context, reading, { ...call, signal });
  const graph = await readGraph(root, reading.ref, read(call.signal), call.signal);
  const selection = selectChildren(context, request, graph, reading.ref);
  const children = uniqueByDigest(selection.kept.map((position) => root.manifests[position]!));
  return { selection, parts: (outer) => together(outer, children.map((child) => (signal) => partOf(graph, child, read(signal)))) };
}

async function selectImage(context: CopyContext, { platforms, pinned }: ResolveRequest, root: Manifest, reading: Reading, call: EngineCall): Promise<Wanted> {
  const found = platforms.length === 0 ? undefined : await platformOf(context, root, reading, call);
  const selection = selectSingle(found, platforms);
  if (found !== undefined && selection.platforms.length === 0 && !pinned) throw noneMet(reading.ref, selection, platforms.map(platformText));
  // a digest names one manifest: whoever wrote it wants that one
  const isWantedAnyway = pinned && selection.platforms.length === 0;
  return {
    selection: isWantedAnyway ? { ...selection, platforms: selection.existing, missing: [] } : selection,
    parts: () => Promise.resolve([measured(root.digest, 'image', root.blobs)]),
  };
}

function selectChildren({ learned }: CopyContext, { platforms, copy, pinned, destination }: ResolveRequest, graph: Graph, ref: ImageRef): Selection {
  const children = graph.root.manifests;
  const inside = (child: Descriptor): readonly Descriptor[] => leavesOf(graph, child);
  if (platforms.length === 0) return selectAll(children, platforms, inside);

  const chosen = selectPlatforms(children, platforms, inside);
  if (chosen.platforms.length === 0) throw noneMet(ref, chosen, platforms.map(platformText));
  // a pinned image is never rewritten: where sparse is refused, only all of it is left
  const mustBeWhole = copy === 'all' || (pinned && copy !== 'sparse' && learned.sparse(knownImageRef(destination.image).host) === 'refused');
  return mustBeWhole ? selectAll(children, platforms, inside) : chosen;
}

function noneMet(ref: ImageRef, { existing }: Selection, wanted: readonly string[]): Failure {
  const has = existing.length === 0 ? 'no platforms' : existing.join(', ');
  return new Failure({ code: 'unsupported', side: 'source', host: ref.host, message: `none of the wanted platforms ${wanted.join(', ')} is in ${ref.path} on source ${ref.host}, which has ${has}` });
}

/** Parts, and what there is to say about them. */
type Described = Pick<CopyPlan, 'parts' | 'warnings'>;

/** What refers to the root is a part of its own, so that people see it and it may take its time. */
async function describe(context: CopyContext, request: ResolveRequest, chosen: Pick<Chosen, 'root' | 'selection'>, { ref, as }: Reading, call: EngineCall): Promise<Described> {
  if (request.referrers !== 'auto') return { parts: [] };
  const { digest } = chosen.root;
  const warnings = new Warnings();
  const found = await warnings.tolerate(`referrers of ${digest}`, () => findDescriptions(context, ref, digest, as, call));
  const all = [...(found?.referrers ?? []), ...(found?.tagged ?? [])];
  if (all.length === 0) return { parts: [], ...warnings.said() };
  if (isSurelyReduced(context, request, chosen)) return { parts: [], warnings: [cannotVerify(digest)] };
  return { parts: [{ kind: 'referrers', digest, label: 'referrers', blobs: all.length, bytes: all.reduce((sum, { size }) => sum + size, 0) }] };
}

function isSurelyReduced({ learned }: CopyContext, { copy, pinned, destination }: ResolveRequest, { root, selection }: Pick<Chosen, 'root' | 'selection'>): boolean {
  if (root.type === 'image' || pinned || selection.kept.length === root.manifests.length) return false;
  return copy === 'rewrite' || (copy === 'auto' && learned.sparse(knownImageRef(destination.image).host) === 'refused');
}
