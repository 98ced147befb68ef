import { Failure, failureInfo } from '../../domain/failure.js';
import { parseImageRef, type ImageName, type Repository } from '../../domain/image-ref.js';
import type { Platform } from '../../domain/platform.js';
import type { CopyStrategy } from '../../domain/rule.js';
import type { Access, CopyEngine, CopyPlan, EngineCall, Published } from '../../registry/engine.js';
import type { Identity } from '../../registry/registry.js';
import type { Pair } from './list.js';
import type { Copied, Outcome } from './outcome.js';
import type { ProgressBoard } from './progress.js';

/** What all copies of one command share. */
export interface CopyTools {
  readonly engine: CopyEngine;
  readonly credentials: (repository: Repository) => Promise<Identity>;
  readonly platforms: readonly Platform[];
  readonly strategy: CopyStrategy;
  readonly board: ProgressBoard;
}

/** Copies one image, all its parts at once, the tag last. Never throws: a failure is an outcome. */
export async function copyOne(pair: Pair, tools: CopyTools, signal: AbortSignal): Promise<Outcome> {
  const siblings = new AbortController(); // when one part fails, the others need not go on
  try {
    const copied = await perform(pair, tools, AbortSignal.any([signal, siblings.signal]));
    tools.board.enter(pair.destination, 'done');
    return copied;
  } catch (error) {
    siblings.abort();
    tools.board.enter(pair.destination, 'failed');
    if (signal.aborted) return { verdict: 'interrupted', ...pair, message: 'interrupted' };
    return { verdict: 'failed', ...pair, failure: failureInfo(error), message: error instanceof Error ? error.message : String(error) };
  }
}

async function perform(pair: Pair, tools: CopyTools, signal: AbortSignal): Promise<Copied> {
  const { source, destination } = pair;
  const { engine, board, platforms, strategy } = tools;
  const access = { source: await tools.credentials(repositoryOf(source)), destination: await tools.credentials(repositoryOf(destination)) };
  const call: EngineCall = { signal, purpose: 'copy' };

  board.enter(destination, 'resolving');
  const resolved = await engine.resolve(
    { sources: [{ image: source, as: access.source }], destination: { image: destination, as: access.destination }, platforms, copy: strategy, pinned: source.includes('@') },
    call,
  );
  if (resolved.verdict === 'adopted') throw sourceIsGone(pair);
  if (resolved.verdict === 'current') return describe('current', pair, resolved.published, 0);

  board.plan(destination, resolved.plan.parts);
  const bytes = await copyParts(resolved.plan, access, tools, call);
  board.enter(destination, 'publishing');
  const published = await engine.publish(resolved.plan, access, call);
  await verify(published, destination, access, tools, call);
  return describe('copied', pair, published, bytes);
}

/** @returns bytes sent */
async function copyParts(plan: CopyPlan, access: Access, { engine, board }: CopyTools, call: EngineCall): Promise<number> {
  const copies = plan.parts.map((part, at) => engine.copyPart(plan, part, access, { ...call, onProgress: (progress) => board.advance(plan.destination, at, progress) }));
  let total = 0;
  for (const { bytes } of await Promise.all(copies)) total += bytes;
  return total;
}

async function verify(published: Published, destination: ImageName, access: Access, { engine }: CopyTools, call: EngineCall): Promise<void> {
  const answered = await engine.verify(destination, access.destination, { ...call, purpose: 'verify' });
  if (answered === published.digest) return;
  throw new Failure({ code: 'corrupt', side: 'destination', host: repositoryOf(destination).host, message: `${destination} answers with ${answered} instead of ${published.digest}` });
}

/** A mirror is content with what is there; somebody who asked for a copy of this source is not. */
function sourceIsGone({ source, destination }: Pair): Failure {
  return new Failure({ code: 'missing', side: 'source', host: repositoryOf(source).host, message: `${source} cannot be read, so ${destination}, which exists, was left as it is` });
}

function describe(verdict: Copied['verdict'], pair: Pair, { digest, sourceDigest, strategy, platforms, missingPlatforms }: Published, bytes: number): Copied {
  return { verdict, ...pair, digest, ...(sourceDigest === undefined ? {} : { sourceDigest }), strategy, platforms, missingPlatforms, bytes };
}

function repositoryOf(image: ImageName): Repository {
  const ref = parseImageRef(image);
  if (ref === undefined) throw new Error(`${image} was read before and cannot be read now`);
  return ref;
}
