/** Nothing is published while anything below it is absent. */
import { Failure } from '../../domain/failure.js';
import type { ImageRef } from '../../domain/image-ref.js';
import type { Access, CopyPlan, EngineCall } from '../copy-engine.js';
import { isForeign } from '../manifest.js';
import type { Descriptor } from '../registry.js';
import { byDigest, sideCall, type CopyContext } from './context.js';
import { blobOf } from './part.js';
import { together } from './together.js';

interface Destination {
  readonly context: CopyContext;
  readonly plan: CopyPlan;
  readonly access: Access;
  readonly call: EngineCall;
  readonly at: ImageRef;
}

/**
 * What this process has just placed is not asked for again; what describes the image may be absent.
 *
 * @throws Failure `missing`, side destination
 */
export async function requireParts(destination: Destination): Promise<void> {
  const { context, plan, access, call, at } = destination;
  const unsure = plan.parts.filter(({ kind, digest }) => kind === undefined && !context.learned.isPlaced(at, digest));
  await together(
    call.signal,
    unsure.map(({ digest, label }) => async (signal) => {
      const seen = await context.registry.head(byDigest(at, digest), access.destination, sideCall('destination', { ...call, signal }));
      if (seen === 'missing') throw absent(at, `manifest ${digest} (${label})`);
      context.learned.place(at, digest);
    }),
  );
  await requireBlobs(destination, plan.parts.filter(({ kind }) => kind === 'blob').map(blobOf));
}

/**
 * Whether a blob is there is asked by bringing it without having it.
 *
 * @returns layers that lie elsewhere, and may stay out
 * @throws Failure `missing`, side destination
 */
export async function requireBlobs({ context, access, call, at }: Omit<Destination, 'plan'>, blobs: readonly Descriptor[]): Promise<readonly Descriptor[]> {
  const looked = await together(
    call.signal,
    blobs.map((blob) => async (signal) => {
      const why = absent(at, `blob ${blob.digest}`);
      try {
        await context.registry.putBlob(at, blob, { isEmpty: true, open: () => refuse(why) }, access.destination, sideCall('destination', { ...call, signal }));
        return [];
      } catch (error) {
        if (error === why && isForeign(blob)) return [blob];
        throw error;
      }
    }),
  );
  return looked.flat();
}

// eslint-disable-next-line require-yield -- a source that has nothing
async function* refuse(why: Failure): AsyncGenerator<Uint8Array, void, undefined> {
  throw why;
}

function absent(at: ImageRef, what: string): Failure {
  return new Failure({ code: 'missing', side: 'destination', host: at.host, message: `${what} missing on destination ${at.host}, so ${at.path} is not published` });
}
