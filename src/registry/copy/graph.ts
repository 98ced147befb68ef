/** The manifests below a root, as far as a plan needs them. */
import { Failure, isFailure } from '../../domain/failure.js';
import type { Digest } from '../../domain/digest.js';
import type { Repository } from '../../domain/image-ref.js';
import { graphLimits, uniqueByDigest } from '../manifest.js';
import { isImageType, isIndexType } from '../media-types.js';
import type { Part } from '../copy-engine.js';
import type { Descriptor, Manifest } from '../registry.js';
import { labelOf } from '../select-platforms.js';
import { byDigest } from './context.js';
import { together } from './together.js';

export type ReadManifest = (digest: Digest) => Promise<Manifest>;

/** A root and the indexes inside it, at any depth. */
export interface Graph {
  readonly root: Manifest;
  readonly indexes: ReadonlyMap<Digest, Manifest>;
}

/**
 * Reads the indexes below a root; images are left for later. Cycles end by digest.
 *
 * @throws Failure `too-large` beyond 8 levels or 4,000 manifests
 */
export async function readGraph(root: Manifest, at: Repository, read: ReadManifest, signal: AbortSignal): Promise<Graph> {
  const indexes = new Map<Digest, Manifest>();
  const seen = new Set<Digest>([root.digest]);
  let level: readonly Manifest[] = [root];
  for (let depth = 1; level.length > 0; depth++) {
    const children = uniqueByDigest(level.flatMap(({ manifests }) => manifests)).filter(({ digest }) => !seen.has(digest));
    for (const { digest } of children) seen.add(digest);
    if (seen.size > graphLimits.nodes || depth > graphLimits.depth) throw tooLarge(at, root.digest);
    level = await together(signal, children.filter(({ mediaType }) => isIndexType(mediaType)).map(({ digest }) => () => read(digest)));
    for (const index of level) indexes.set(index.digest, index);
  }
  return { root, indexes };
}

/** The images inside a nested index. */
export function leavesOf(graph: Graph, child: Descriptor, above: readonly Digest[] = []): readonly Descriptor[] {
  const index = graph.indexes.get(child.digest);
  if (index === undefined || above.includes(child.digest)) return [];
  return index.manifests.flatMap((inner) => (graph.indexes.has(inner.digest) ? leavesOf(graph, inner, [...above, child.digest]) : [inner]));
}

/** What copying a child means, in bytes and blobs. */
export async function partOf(graph: Graph, child: Descriptor, read: ReadManifest): Promise<Part> {
  const isIndex = graph.indexes.has(child.digest);
  if (!isIndex && isFailure(await readChild(child, read))) return { kind: 'blob', ...measured(child.digest, labelOf(child), [child]) };
  const images = isIndex ? leavesOf(graph, child) : [child];
  const found = await Promise.all(uniqueByDigest(images).map(async (image) => [image, await readChild(image, read)] as const));
  return measured(child.digest, isIndex ? 'index' : labelOf(child), found.flatMap(([image, manifest]) => (isFailure(manifest) ? [image] : manifest.blobs)));
}

/**
 * A child of a type we do not know: a manifest if the registry serves it as one, else a blob.
 *
 * @returns why it is no manifest, when it is none
 */
export async function readChild({ mediaType, digest }: Descriptor, read: ReadManifest): Promise<Manifest | Failure> {
  if (isIndexType(mediaType) || isImageType(mediaType)) return read(digest);
  try {
    return await read(digest);
  } catch (error) {
    if (isFailure(error) && (error.code === 'missing' || error.code === 'unsupported' || error.code === 'invalid')) return error;
    throw error;
  }
}

export function measured(digest: Digest, label: string, of: readonly Descriptor[]): Part {
  const blobs = uniqueByDigest(of);
  return { digest, label, blobs: blobs.length, bytes: blobs.reduce((sum, { size }) => sum + size, 0) };
}

export function tooLarge(at: Repository, digest: Digest): Failure {
  const where = byDigest(at, digest);
  return new Failure({ code: 'too-large', side: 'source', host: at.host, message: `index ${where.path}@${digest} on source ${at.host} is deeper than ${graphLimits.depth} levels or lists more than ${graphLimits.nodes} manifests` });
}
