import type { Published } from '../../domain/published.js';
import { Failure, failureInfo } from '../../domain/failure.js';
import { knownImageRef, type Repository } from '../../domain/image-ref.js';
import type { Platform } from '../../domain/platform.js';
import type { CopyStrategy } from '../../domain/rule.js';
import { together } from '../../registry/copy/together.js';
import { allWarnings } from '../../registry/copy/warnings.js';
import type { Access, CopiedPart, CopyEngine, CopyPlan, EngineCall } from '../../registry/copy-engine.js';
import type { Identity, Registry } from '../../registry/registry.js';
import type { Pair } from './list.js';
import type { Copied, Outcome } from './outcome.js';
import type { ProgressBoard } from './progress.js';

/** What all copies of one command share. */
export interface CopyTools {
  readonly engine: CopyEngine;
  readonly registry: Pick<Registry, 'head'>;
  readonly credentials: (repository: Repository) => Promise<Identity>;
  readonly platforms: readonly Platform[];
  readonly strategy: CopyStrategy;
  readonly referrers: 'auto' | 'none';
  readonly board: ProgressBoard;
}

/** Copies one image, all its parts at once, the tag last. Never throws: a failure is an outcome. */
export async function copyOne(pair: Pair, tools: CopyTools, signal: AbortSignal): Promise<Outcome> {
  try {
    const copied = await perform(pair, tools, signal);
    tools.board.enter(pair.destination, 'done');
    return copied;
  } catch (error) {
    tools.board.enter(pair.destination, 'failed');
    if (signal.aborted) return { verdict: 'interrupted', ...pair, message: 'interrupted' };
    return { verdict: 'failed', ...pair, failure: failureInfo(error), message: error instanceof Error ? error.message : String(error) };
  }
}

async function perform(pair: Pair, tools: CopyTools, signal: AbortSignal): Promise<Copied> {
  const { source, destination } = pair;
  const { engine, board, platforms, strategy, referrers } = tools;
  const access = { source: await tools.credentials(knownImageRef(source)), destination: await tools.credentials(knownImageRef(destination)) };
  const call: EngineCall = { signal, purpose: 'copy' };

  board.enter(destination, 'resolving');
  const resolved = await engine.resolve(
    {
      sources: [{ image: source, as: access.source }],
      destination: { image: destination, as: access.destination },
      platforms,
      copy: platforms.length === 0 ? 'all' : strategy,
      pinned: source.includes('@'),
      referrers,
      // somebody who names platforms wants to know whether they are there
      ...(platforms.length === 0 ? {} : { recorded: 'nothing' as const }),
    },
    call,
  );
  if (resolved.verdict === 'adopted') return sourceIsGone(pair, access, tools, call);
  if (resolved.verdict === 'current') return describe('current', pair, resolved.published, 0);

  board.plan(destination, resolved.plan.parts);
  const parts = await copyParts(resolved.plan, access, tools, call);
  board.enter(destination, 'publishing');
  const published = await engine.publish(resolved.plan, access, call);
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return describe('copied', pair, { ...published, ...allWarnings([...parts, published]) }, bytes);
}

async function copyParts(plan: CopyPlan, access: Access, { engine, board }: CopyTools, call: EngineCall): Promise<readonly CopiedPart[]> {
  const copies = plan.parts.map((part, at) => (signal: AbortSignal) => engine.copyPart(plan, part, access, { ...call, signal, onProgress: (progress) => board.advance(plan.destination, at, progress) }));
  return together(call.signal, copies);
}

/**
 * A mirror is content with what is there when no source can be read; somebody who asked for a copy of this source is not.
 *
 * @throws always: what the source says now, when it says more than that it has no such image
 */
async function sourceIsGone({ source, destination }: Pair, access: Access, { registry }: CopyTools, { signal }: EngineCall): Promise<never> {
  const ref = knownImageRef(source);
  await registry.head(ref, access.source, { signal, purpose: 'copy', side: 'source' });
  throw new Failure({ code: 'missing', side: 'source', host: ref.host, message: `${source} cannot be read, so ${destination}, which exists, was left as it is` });
}

function describe(verdict: Copied['verdict'], pair: Pair, { digest, sourceDigest, strategy, platforms, missingPlatforms, warnings }: Published, bytes: number): Copied {
  return { verdict, ...pair, digest, ...(sourceDigest === undefined ? {} : { sourceDigest }), strategy, platforms, missingPlatforms, ...(warnings === undefined ? {} : { warnings }), bytes };
}
