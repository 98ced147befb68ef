/**
 * The registry side of a copy. Each activity is one step of the engine with credentials found at execution: none
 * ever stands in a history. They throw domain failures; what a history may hold of them is decided at the worker.
 */
import { Context } from '@temporalio/activity';
import { isFailure } from '../domain/failure.js';
import { parseImageRef, type ImageName } from '../domain/image-ref.js';
import type { PlaceRecord } from '../domain/record.js';
import type { CopyEngine, EngineCall, ResolveRequest } from '../registry/copy-engine.js';
import type { CopyPlatformInput, MirrorActivities, PublishInput, ResolveInput, Subject, VerifyInput } from '../temporal/activities.js';
import type { Credentials } from './credentials.js';
import { beat } from './heartbeat.js';

export interface MirrorDeps {
  readonly engine: CopyEngine;
  readonly credentials: Credentials;
  /** what the record of this cluster says of a place: a keeper that was lost knows nothing */
  readonly recorded?: (subject: Pick<Subject, 'image' | 'destination'>) => PlaceRecord | undefined;
  /** counts what the copies of this process did */
  readonly observe?: (event: { readonly activity: keyof MirrorActivities; readonly destination: string; readonly bytes?: number }) => void;
  /** milliseconds between two looks at who holds the destination of a running copy */
  readonly lookEveryMs?: number;
}

const usualLookMs = 5_000; // a rule that is gone writes nothing any more ten seconds later

export function createMirrorActivities({ engine, credentials, recorded: inRecord = () => undefined, observe = () => undefined, lookEveryMs = usualLookMs }: MirrorDeps): MirrorActivities {
  return {
    async resolveSource(input: ResolveInput) {
      const destination = { image: input.publishAs, as: await credentials.destination(input) };
      const sources = await Promise.all(input.sources.map(async (image) => ({ image, as: await credentials.source(image, input) })));
      const { platforms, copy, referrers = 'none' } = input;
      return engine.resolve({ sources, destination, platforms, copy, pinned: isPinned(input.image), referrers, ...knownOf(input, inRecord) }, callFor('copy', input));
    },

    async copyPlatform(input: CopyPlatformInput) {
      const heart = beat({ v: 1, blobsDone: 0, blobsTotal: input.part.blobs, bytesDone: 0, bytesTotal: input.part.bytes });
      try {
        const copied = await whileHeld(input, async (call) => {
          const access = await accessTo(input, input.plan.source);
          return onceMore(() => engine.copyPart(input.plan, input.part, access, { ...call, onProgress: heart.progress }));
        });
        observe({ activity: 'copyPlatform', destination: input.destination, bytes: copied.bytes });
        return copied;
      } finally {
        heart.stop();
      }
    },

    async publishTag(input: PublishInput) {
      return whileHeld(input, async (call) => engine.publish(input.plan, await accessTo(input, input.plan.source), call));
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

  /**
   * Works as long as one holder of the destination stays the same. What is under way for a rule that has gone is
   * broken off; for whoever holds the destination then it is done anew, with that one's credentials, and finds what is
   * there already.
   *
   * @throws Failure `invalid` when nobody holds it any more
   */
  async function whileHeld<T>(subject: Subject, work: (call: EngineCall) => Promise<T>): Promise<T> {
    const call = callFor('copy', subject);
    for (;;) {
      const watch = watchHolder(() => credentials.holder(subject), lookEveryMs);
      try {
        return await work({ ...call, signal: AbortSignal.any([call.signal, watch.changed]) });
      } catch (error) {
        if (!watch.changed.aborted || call.signal.aborted) throw error;
      } finally {
        watch.stop();
      }
    }
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

/** @throws what asking for the holder throws, at the beginning; later it is a change like any other */
function watchHolder(holder: () => string, everyMs: number): { readonly changed: AbortSignal; readonly stop: () => void } {
  const first = holder();
  const change = new AbortController();
  const isSame = (): boolean => {
    try {
      return holder() === first;
    } catch {
      return false;
    }
  };
  const timer = setInterval(() => {
    if (!isSame()) change.abort();
  }, everyMs);
  return { changed: change.signal, stop: () => clearInterval(timer) };
}

/** What the keeper knows; else what the record does, unless the tag is to be followed whatever was there. */
function knownOf({ recorded, sourceDigest, keeps, ...subject }: ResolveInput, inRecord: NonNullable<MirrorDeps['recorded']>): Pick<ResolveRequest, 'recorded' | 'sourceDigest'> {
  if (recorded !== undefined || keeps !== true) return { recorded: recorded ?? 'nothing', sourceDigest };
  const place = inRecord(subject);
  const { digest, strategy, mirroredAt, platforms = [], missingPlatforms = [] } = place ?? {};
  if (digest === undefined || strategy === undefined || mirroredAt === undefined) return { recorded: 'nothing' };
  return { recorded: { digest, sourceDigest: place?.sourceDigest, strategy, platforms, missingPlatforms }, sourceDigest: place?.sourceDigest };
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
