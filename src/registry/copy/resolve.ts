/**
 * The first step of a copy: what there is, and what of it has to be sent.
 *
 * 1. look at source and destination together: equal digests are done, in two requests;
 * 2. no source can be read: what the destination holds is adopted, unless it is ours and something is missing;
 * 3. read the manifests, choose the platforms;
 * 4. the destination may already hold what choosing would give.
 */
import type { Published } from '../../domain/published.js';
import { Failure, failures, isFailure, type FailureCode } from '../../domain/failure.js';
import { knownImageRef } from '../../domain/image-ref.js';
import type { EngineCall, Resolved, ResolveRequest } from '../copy-engine.js';
import type { Seen } from '../registry.js';
import { choose, type Found } from './choose.js';
import { byDigest, sideCall, type CopyContext } from './context.js';
import { asEqual, covers, gapOf, recordedOf, standsFor } from './standing.js';

export async function resolve(context: CopyContext, request: ResolveRequest, call: EngineCall): Promise<Resolved> {
  const [source, standing] = await Promise.allSettled([findSource(context, request, 0, call), lookAtDestination(context, request, call)]);
  call.signal.throwIfAborted();
  if (standing.status === 'rejected') throw standing.reason;
  if (source.status === 'fulfilled') return resolveFrom(context, request, source.value, standing.value, call);
  // nothing is there, and what it was made of is gone: what the tag has now is better than nothing
  if (standing.value === 'missing' && request.sourceDigest !== undefined && isMissing(source.reason)) return resolve(context, { ...request, sourceDigest: undefined }, call);
  return adopt(request, standing.value, source.reason);
}

/** A source that answers at first, and then does not serve, is followed by the next. */
async function resolveFrom(context: CopyContext, request: ResolveRequest, found: Found, standing: Seen | 'missing', call: EngineCall): Promise<Resolved> {
  try {
    return await compare(context, request, found, standing, call);
  } catch (error) {
    if (!isFailure(error) || error.side !== 'source' || !doesNotServe.includes(error.code)) throw error;
    const next = await findSource(context, request, found.index + 1, call).catch(() => undefined);
    if (next === undefined) throw error;
    return resolveFrom(context, request, next, standing, call);
  }
}

const doesNotServe: readonly FailureCode[] = ['throttled', 'unreachable', 'timeout', 'tls', 'denied', 'unauthorized', 'missing'];

async function compare(context: CopyContext, request: ResolveRequest, found: Found, standing: Seen | 'missing', call: EngineCall): Promise<Resolved> {
  const isEqual = standing !== 'missing' && standing.digest === found.seen.digest;
  const equal = isEqual ? await asEqual(context, request, found, call) : undefined;
  if (equal !== undefined) return { ...equal, published: stillWarning(request, equal.published) };

  const chosen = await choose(context, request, found, call);
  const current = standing === 'missing' ? undefined : await standsFor(context, request, chosen, standing, call);
  if (current !== undefined) return { verdict: 'current', published: stillWarning(request, current), plan: chosen.plan };
  const ours = standing === 'missing' ? undefined : besideForeign(request, standing);
  return ours === undefined ? { verdict: 'copy', plan: chosen.plan } : { verdict: 'adopted', published: ours };
}

/**
 * Somebody else wrote there since we did, and only other settings made us come: it stays, and the next look tells.
 *
 * @returns what is recorded of the copy that was there
 */
function besideForeign({ recorded, sourceDigest, platforms }: ResolveRequest, { digest }: Seen): Published | undefined {
  if (sourceDigest === undefined || typeof recorded !== 'object' || recorded.digest === digest) return undefined;
  return { ...recorded, missingPlatforms: gapOf(recorded, platforms) };
}

/** What was said of a copy when it was made holds as long as nothing is sent. */
function stillWarning({ recorded }: ResolveRequest, current: Published): Published {
  const said = typeof recorded !== 'object' || recorded.digest !== current.digest ? undefined : recorded.warnings;
  return said === undefined ? current : { ...current, warnings: said };
}

/** The first source that serves; when none does, the failure that trying again may heal, else the first. */
async function findSource({ registry }: CopyContext, { sources, sourceDigest }: ResolveRequest, from: number, call: EngineCall): Promise<Found> {
  const failed: Failure[] = [];
  for (const [index, { image, as }] of sources.entries()) {
    if (index < from) continue;
    const ref = knownImageRef(image);
    try {
      const seen = await registry.head(sourceDigest === undefined ? ref : byDigest(ref, sourceDigest), as, sideCall('source', call));
      if (seen !== 'missing') return { index, ref, seen };
      failed.push(new Failure({ code: 'missing', side: 'source', host: ref.host, message: `manifest ${image} missing on source ${ref.host}` }));
    } catch (error) {
      if (!isFailure(error)) throw error;
      failed.push(error);
    }
  }
  throw failed.find(({ code }) => failures[code].retry === 'again') ?? failed[0] ?? new TypeError('a copy without sources');
}

function isMissing(why: unknown): boolean {
  return isFailure(why) && why.code === 'missing';
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

/** What stands there is kept. A source that only asks us to wait is not unreadable. */
function adopt(request: ResolveRequest, standing: Seen | 'missing', why: unknown): Resolved {
  if (standing === 'missing' || !isFailure(why) || why.code === 'throttled') throw why;
  return { verdict: 'adopted', published: keptOf(request, standing, why) };
}

/**
 * A copy of ours stays as it is recorded, when all that is wanted is there or what it was made of is gone; otherwise
 * the failure tells that something is missing, and the next attempt brings it. What another tool prepared is taken.
 */
function keptOf(request: ResolveRequest, { digest }: Seen, why: Failure): Published {
  const { recorded } = request;
  if (recorded === 'foreign') throw why;
  if (typeof recorded !== 'object' || recorded.strategy === 'adopted') return { digest, strategy: 'adopted', platforms: [], missingPlatforms: [] };

  const ours = recordedOf(request, digest);
  if (ours === undefined || (why.code !== 'missing' && !isWhole(ours, request))) throw why;
  return { ...ours, missingPlatforms: gapOf(ours, request.platforms) };
}

function isWhole(ours: Published, request: ResolveRequest): boolean {
  return covers(ours, request) || (request.platforms.length === 0 && ours.strategy === 'all');
}
