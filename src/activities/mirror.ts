/**
 * The registry side of a copy. Each activity is one step of the engine with credentials found at execution: none
 * ever stands in a history. They throw domain failures; what a history may hold of them is decided at the worker.
 */
import { Context } from '@temporalio/activity';
import { isFailure } from '../domain/failure.js';
import { parseImageRef, type ImageName } from '../domain/image-ref.js';
import type { CopyEngine, EngineCall } from '../registry/engine.js';
import type { CopyPlatformInput, MirrorActivities, PublishInput, ResolveInput, Subject, VerifyInput } from '../temporal/activities.js';
import type { Credentials } from './credentials.js';
import { beat } from './heartbeat.js';

export interface MirrorDeps {
  readonly engine: CopyEngine;
  readonly credentials: Credentials;
  /** counts what the copies of this process did */
  readonly observe?: (event: { readonly activity: keyof MirrorActivities; readonly destination: string; readonly bytes?: number }) => void;
}

export function createMirrorActivities({ engine, credentials, observe = () => undefined }: MirrorDeps): MirrorActivities {
  return {
    async resolveSource(input: ResolveInput) {
      const destination = { image: input.publishAs, as: await credentials.destination(input) };
      const sources = await Promise.all(input.sources.map(async (image) => ({ image, as: await credentials.source(image, input) })));
      const { platforms, copy, referrers = 'none', recorded = 'nothing' } = input;
      return engine.resolve({ sources, destination, platforms, copy, pinned: isPinned(input.image), referrers, recorded }, callFor('copy', input));
    },

    async copyPlatform(input: CopyPlatformInput) {
      const heart = beat({ v: 1, blobsDone: 0, blobsTotal: input.part.blobs, bytesDone: 0, bytesTotal: input.part.bytes });
      try {
        const access = await accessTo(input, input.plan.source);
        const call: EngineCall = { ...callFor('copy', input), onProgress: heart.progress };
        const copied = await onceMore(() => engine.copyPart(input.plan, input.part, access, call));
        observe({ activity: 'copyPlatform', destination: input.destination, bytes: copied.bytes });
        return copied;
      } finally {
        heart.stop();
      }
    },

    async publishTag(input: PublishInput) {
      return engine.publish(input.plan, await accessTo(input, input.plan.source), callFor('copy', input));
    },

    async verify(input: VerifyInput) {
      const digest = await engine.verify(input.publishAs, await credentials.destination(input), callFor('verify', input));
      const origin = input.origin === undefined ? undefined : await lookAtOrigin(input.origin, input);
      observe({ activity: 'verify', destination: input.destination });
      return { digest, ...(origin === undefined ? {} : { origin }) };
    },
  };

  async function accessTo(subject: Subject, source: ImageName) {
    return { source: await credentials.source(source, subject), destination: await credentials.destination(subject) };
  }

  /** An origin that does not answer never harms a copy: whatever goes wrong there says nothing. */
  async function lookAtOrigin(origin: ImageName, subject: Subject) {
    try {
      return await engine.verify(origin, await credentials.source(origin, subject), callFor('verify', subject));
    } catch (error) {
      if (isFailure(error)) return undefined;
      throw error;
    }
  }
}

function callFor(purpose: EngineCall['purpose'], { urgency }: Pick<Subject, 'urgency'>): EngineCall {
  return { signal: Context.current().cancellationSignal, purpose, urgency };
}

function isPinned(image: ImageName): boolean {
  return parseImageRef(image)?.digest !== undefined;
}

/** Damaged content is fetched once more here; then it is the source's fault, and the workflow asks the next one. */
async function onceMore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isFailure(error) || error.code !== 'corrupt') throw error;
    return work();
  }
}
