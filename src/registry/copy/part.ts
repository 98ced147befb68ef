/** Copies one part: blobs side by side, children before parents, the root left for `publish`. */
import { knownImageRef } from '../../domain/image-ref.js';
import type { Access, CopiedPart, CopyPlan, EngineCall, Part } from '../copy-engine.js';
import type { Descriptor } from '../registry.js';
import type { CopyContext } from './context.js';
import { PartProgress } from './progress.js';
import { copyReferrers, following } from './referrers.js';
import { copyBlob, copyTree, readSource, type Job } from './tree.js';
import { Warnings } from './warnings.js';

export async function copyPart(context: CopyContext, plan: CopyPlan, part: Part, access: Access, call: EngineCall): Promise<CopiedPart> {
  const progress = new PartProgress(part, call);
  const job: Job = {
    context,
    source: knownImageRef(plan.source),
    destination: knownImageRef(plan.destination),
    access,
    call,
    progress,
    warnings: new Warnings(),
    follow: plan.referrers === 'auto' ? following(progress) : () => Promise.resolve(),
    met: { count: 0 },
  };

  switch (part.kind) {
    case 'referrers':
      await copyReferrers({ ...job, progress: progress.aside() }, part.digest);
      progress.finish();
      break;
    case 'blob':
      await copyBlob(job, blobOf(part), call.signal);
      break;
    case undefined:
      await copyTree(job, await readSource(job, part.digest), part.digest === plan.digest ? 'blobs' : 'all');
  }
  return { bytes: progress.sent, ...job.warnings.said() };
}

/** As a descriptor: its type does not matter to a registry. */
export function blobOf({ digest, bytes }: Part): Descriptor {
  return { mediaType: 'application/octet-stream', digest, size: bytes };
}
