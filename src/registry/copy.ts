/** The copy engine: one image between two registries, in four steps that can each be repeated. */
import type { Published } from '../domain/published.js';
import { knownImageRef } from '../domain/image-ref.js';
import { Learned, sideCall, type CopyContext } from './copy/context.js';
import { copyPart } from './copy/part.js';
import { publish } from './copy/publish.js';
import { resolve } from './copy/resolve.js';
import { SmallBlobs } from './copy/small-blobs.js';
import { together } from './copy/together.js';
import { allWarnings } from './copy/warnings.js';
import type { CopyEngine, EngineCall, Progress, Resolved, ResolveRequest } from './copy-engine.js';
import type { Registry } from './registry.js';

/**
 * An engine over any registry port. It remembers what destinations taught it (manifests placed there, whether
 * they take sparse indexes), so one engine serves the whole process.
 */
export function createCopyEngine(registry: Registry): CopyEngine {
  const context: CopyContext = { registry, learned: new Learned(), small: new SmallBlobs() };
  return {
    resolve: (request, call) => resolve(context, request, call),
    copyPart: (plan, part, access, call) => copyPart(context, plan, part, access, call),
    publish: (plan, access, call) => publish(context, plan, access, call),
    verify: async (at, as, call) => {
      const seen = await registry.head(knownImageRef(at), as, sideCall('destination', call));
      return seen === 'missing' ? 'missing' : seen.digest;
    },
  };
}

/** How one copy ended. */
export interface Copied {
  readonly verdict: Resolved['verdict'];
  readonly published: Published;
  /** sent to the destination */
  readonly bytes: number;
}

/** All steps of a copy in one call, the parts side by side: what the command line and the benches do. */
export async function copyImage(engine: CopyEngine, request: ResolveRequest, call: EngineCall): Promise<Copied> {
  const resolved = await engine.resolve(request, call);
  if (resolved.verdict !== 'copy') return { verdict: resolved.verdict, published: resolved.published, bytes: 0 };

  const { plan } = resolved;
  const access = { source: request.sources[plan.sourceIndex]!.as, destination: request.destination.as };
  const progress = new Map<number, Progress>();
  const copied = await together(
    call.signal,
    plan.parts.map((part, position) => (signal) => {
      progress.set(position, { v: 1, blobsDone: 0, blobsTotal: part.blobs, bytesDone: 0, bytesTotal: part.bytes });
      const onProgress = (of: Progress): void => {
        progress.set(position, of);
        call.onProgress?.(sum([...progress.values()]));
      };
      return engine.copyPart(plan, part, access, { ...call, signal, onProgress });
    }),
  );
  const published = await engine.publish(plan, access, call);
  const warnings = allWarnings([...copied, published]);
  return { verdict: 'copy', published: { ...published, ...warnings }, bytes: copied.reduce((total, { bytes }) => total + bytes, 0) };
}

function sum(parts: readonly Progress[]): Progress {
  const total = (of: (progress: Progress) => number): number => parts.reduce((all, progress) => all + of(progress), 0);
  return { v: 1, blobsDone: total((p) => p.blobsDone), blobsTotal: total((p) => p.blobsTotal), bytesDone: total((p) => p.bytesDone), bytesTotal: total((p) => p.bytesTotal) };
}
