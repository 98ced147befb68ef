/** What the destination holds already, and whether it is as good as what would be sent. */
import type { Published } from '../../domain/published.js';
import { failures, isFailure } from '../../domain/failure.js';
import { knownImageRef } from '../../domain/image-ref.js';
import { meetsPlatform, parsePlatform, platformText, type Platform } from '../../domain/platform.js';
import type { EngineCall, Resolved, ResolveRequest } from '../copy-engine.js';
import { isIndexType } from '../media-types.js';
import type { Manifest, Seen } from '../registry.js';
import { rewriteIndex } from '../rewrite.js';
import { envelope, readerAt, select, type Chosen, type Found, type Reading } from './choose.js';
import { byDigest, sideCall, type CopyContext } from './context.js';
import { together } from './together.js';

type Current = Extract<Resolved, { verdict: 'current' }>;

/**
 * An equal digest. An index may stand without its children where registries do not look at them: unless what is
 * recorded tells, they are looked for, at the destination only.
 *
 * @returns undefined when something that is wanted is absent
 */
export async function asEqual(context: CopyContext, request: ResolveRequest, found: Found, call: EngineCall): Promise<Current | undefined> {
  const { digest } = found.seen;
  const recorded = recordedOf(request, digest);
  if (isKnown(context, request, found, recorded)) {
    const { strategy = 'all', platforms = [], missingPlatforms = [] } = recorded ?? {};
    return current(request, found, { digest, sourceDigest: digest, strategy, platforms, missingPlatforms: missingPlatforms.filter(isWantedBy(request)) });
  }
  const published = await lookedAt(context, request, found, call);
  return published === undefined ? undefined : current(request, found, published);
}

/** What was missing when the copy was made may be wanted no more. */
function isWantedBy({ platforms }: ResolveRequest): (text: string) => boolean {
  const wanted = new Set(platforms.map(platformText));
  return (text) => wanted.has(text);
}

/** Nothing is sent, so a plan has no parts. */
function current(request: ResolveRequest, { index, seen }: Found, published: Published): Current {
  const { platforms, missingPlatforms } = published;
  return { verdict: 'current', published, plan: { ...envelope(request, index, seen), parts: [], platforms, missingPlatforms } };
}

/** What is recorded of a copy, if it is still the one that stands there. */
export function recordedOf({ recorded }: ResolveRequest, digest: Seen['digest']): Published | undefined {
  return typeof recorded !== 'object' || recorded.digest !== digest ? undefined : recorded;
}

function isKnown({ learned }: CopyContext, request: ResolveRequest, { seen }: Found, recorded: Published | undefined): boolean {
  if (request.recorded !== undefined) return recorded !== undefined && covers(recorded, request);
  return !isIndexType(seen.mediaType) || learned.sparse(knownImageRef(request.destination.image).host) !== 'accepted';
}

/** Whether a copy was made for all that is wanted now. */
export function covers({ strategy, platforms, missingPlatforms }: Published, { platforms: wanted, copy }: ResolveRequest): boolean {
  if (copy === 'all' && strategy !== 'all') return false;
  return wanted.length > 0 && gapOf({ platforms }, wanted).every((text) => missingPlatforms.includes(text));
}

/** Which wanted platforms a copy lacks, as texts. */
export function gapOf({ platforms }: Pick<Published, 'platforms'>, wanted: readonly Platform[]): readonly string[] {
  const present = platforms.flatMap((text) => parsePlatform(text) ?? []);
  return wanted.filter((platform) => !present.some((each) => meetsPlatform(each, platform))).map(platformText);
}

/** The same bytes as at the source: read where nobody counts how often. */
async function lookedAt(context: CopyContext, request: ResolveRequest, { seen: { digest } }: Found, call: EngineCall): Promise<Published | undefined> {
  const { image, as } = request.destination;
  const reading: Reading = { ref: knownImageRef(image), as, side: 'destination' };
  try {
    const root = await readerAt(context, reading, call)(digest);
    const { selection } = await select(context, request, root, reading, call);
    const kept = selection.kept.map((position) => root.manifests[position]!.digest);
    if (!(await areThere(context, request, kept, call))) return undefined;
    const strategy = kept.length === root.manifests.length ? 'all' : 'sparse';
    return { digest, sourceDigest: digest, strategy, platforms: selection.platforms, missingPlatforms: selection.missing };
  } catch (error) {
    // an index inside is absent, or we may push but not read: the source tells, and what is there is not sent again
    if (isFailure(error) && failures[error.code].retry !== 'again') return undefined;
    throw error;
  }
}

async function areThere({ registry }: CopyContext, { destination }: ResolveRequest, digests: readonly Manifest['digest'][], call: EngineCall): Promise<boolean> {
  const at = knownImageRef(destination.image);
  const seen = await together(call.signal, digests.map((digest) => (signal) => registry.head(byDigest(at, digest), destination.as, sideCall('destination', { ...call, signal }))));
  return !seen.includes('missing');
}

/** Another digest that is as good: what rewriting gives, or a reduced index somebody made before. */
export async function standsFor(context: CopyContext, request: ResolveRequest, chosen: Chosen, standing: Seen, call: EngineCall): Promise<Published | undefined> {
  const { root, selection } = chosen;
  if (root.type !== 'index' || standing.digest === root.digest) return undefined;
  if (request.pinned || request.copy === 'all' || request.copy === 'sparse') return undefined;

  const published: Published = { digest: standing.digest, sourceDigest: root.digest, strategy: 'rewrite', platforms: selection.platforms, missingPlatforms: selection.missing };
  if (rewriteIndex(root, selection.kept)?.digest === standing.digest) return published;
  if (!isIndexType(standing.mediaType)) return undefined;
  return (await isReducedFrom(context, request, chosen, standing, call)) ? published : undefined;
}

/**
 * All its manifests are the source's, and the wanted images are among them: copies made by v2. One that is recorded was
 * looked at when it was recorded: what else it has is wanted no more.
 */
async function isReducedFrom({ registry }: CopyContext, request: ResolveRequest, { root, selection }: Chosen, standing: Seen, call: EngineCall): Promise<boolean> {
  const { destination } = request;
  const at = byDigest(knownImageRef(destination.image), standing.digest);
  const there = await registry.manifest(at, destination.as, sideCall('destination', call)).catch((error: unknown) => {
    if (isFailure(error) && failures[error.code].retry !== 'again') return undefined;
    throw error;
  });
  if (there === undefined) return false;
  const held = new Set(there.manifests.map(({ digest }) => digest));
  const kept = selection.kept.map((position) => root.manifests[position]!);
  const allowed = recordedOf(request, standing.digest) === undefined ? root.manifests : kept;
  const known = new Set(allowed.map(({ digest }) => digest));
  const wanted = kept.filter(({ platform }) => platform !== undefined && platform.os !== 'unknown');
  return held.size > 0 && [...held].every((digest) => known.has(digest)) && wanted.every(({ digest }) => held.has(digest));
}
