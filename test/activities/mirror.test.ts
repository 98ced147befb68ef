import { describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment, type MockActivityEnvironmentOptions } from '@temporalio/testing';
import type { Credentials } from '../../src/activities/credentials.js';
import { createMirrorActivities } from '../../src/activities/mirror.js';
import { Failure } from '../../src/domain/failure.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { PlaceRecord } from '../../src/domain/record.js';
import { createCopyEngine } from '../../src/registry/copy.js';
import type { CopyEngine, Progress, Resolved } from '../../src/registry/copy-engine.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import { failureInterceptor } from '../../src/temporal/failure-interceptor.js';
import type { CopyPlatformInput, ResolveInput, Subject } from '../../src/temporal/activities.js';
import { sdkLogger } from '../../src/temporal/logger.js';
import { aMultiPlatformImage, pushImage } from '../support/images.js';
import { digestOf, nginx, place } from '../support/keeper.js';
import { quiet } from '../support/temporal-lab.js';

const subject: Subject = { v: 1, destination: place, publishAs: place as string as ImageName, image: nginx, rules: [] };
const part = { digest: digestOf('b'), label: 'linux/amd64', bytes: 100, blobs: 2 };
const plan = { source: nginx, sourceIndex: 0, destination: subject.publishAs, digest: digestOf('a'), mediaType: 'index', strategy: 'all', parts: [part], platforms: ['linux/amd64'], missingPlatforms: [] } as const;
const copying: CopyPlatformInput = { ...subject, plan, part };
const credentials: Credentials = { source: async (of) => [{ id: `reads ${of}` }], destination: async ({ destination }) => [{ id: `writes ${destination}` }], prefix: () => '', holder: () => 'a rule' };

function activities(engine: Partial<CopyEngine>, some: Partial<Credentials> = {}) {
  return createMirrorActivities({ engine: engine as CopyEngine, credentials: { ...credentials, ...some } });
}

/** An activity's surroundings, without the SDK's own log. */
function anEnvironment(info = {}, options: MockActivityEnvironmentOptions = {}): MockActivityEnvironment {
  return new MockActivityEnvironment(info, { logger: sdkLogger(quiet), ...options });
}

const corrupt = (): Failure => new Failure({ code: 'corrupt', side: 'source', message: 'digest differs' });

describe('copying a platform', () => {
  test('uses the credentials of both sides and tells its progress', async () => {
    const env = anEnvironment();
    const beats: Progress[] = [];
    env.on('heartbeat', (progress: Progress) => beats.push(progress));
    const engine: Partial<CopyEngine> = {
      copyPart: async (_plan, _part, access, call) => {
        call.onProgress?.({ v: 1, blobsDone: 1, blobsTotal: 2, bytesDone: 60, bytesTotal: 100 });
        expect(access).toEqual({ source: [{ id: `reads ${nginx}` }], destination: [{ id: `writes ${place}` }] });
        return { bytes: 100 };
      },
    };

    expect(await env.run(activities(engine).copyPlatform, copying)).toEqual({ bytes: 100 });
    expect(beats.map(({ bytesDone }) => bytesDone)).toEqual([0, 60]);
  });

  test('fetches damaged content once more, and then gives up on the source', async () => {
    let calls = 0;
    const engine = (heals: boolean): Partial<CopyEngine> => ({
      copyPart: async () => {
        if (++calls === 2 && heals) return { bytes: 1 };
        throw corrupt();
      },
    });

    expect(await anEnvironment().run(activities(engine(true)).copyPlatform, copying)).toEqual({ bytes: 1 });
    calls = 0;
    await expect(anEnvironment().run(activities(engine(false)).copyPlatform, copying)).rejects.toMatchObject({ code: 'corrupt' });
    expect(calls).toBe(2);
  });

  test('stops when it is cancelled', async () => {
    const env = anEnvironment();
    const engine: Partial<CopyEngine> = {
      copyPart: (_plan, _part, _access, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(Object.assign(new Error('aborted'), { name: 'AbortError' })));
          env.cancel('CANCELLED');
        }),
    };

    await expect(env.run(activities(engine).copyPlatform, copying)).rejects.toThrow('aborted');
  });

  test('sends nothing to a destination that this cluster does not hold', async () => {
    const engine: Partial<CopyEngine> = { copyPart: () => Promise.reject(new Error('must not be called')), publish: () => Promise.reject(new Error('must not be called')) };
    const stranger: Partial<Credentials> = { destination: () => Promise.reject(new Failure({ code: 'invalid', side: 'destination', message: 'no rule holds it' })) };
    const run = activities(engine, stranger);

    await expect(anEnvironment().run(run.copyPlatform, copying)).rejects.toMatchObject({ code: 'invalid' });
    await expect(anEnvironment().run(run.publishTag, { ...subject, plan })).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('a copy whose rule goes while it runs', () => {
  const never = (signal: AbortSignal): Promise<never> => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  const gone = new Failure({ code: 'invalid', side: 'destination', message: 'no rule holds it' });

  function ruled(engine: Partial<CopyEngine>, holder: () => string) {
    const destination: Credentials['destination'] = async () => [{ id: holder() }];
    return createMirrorActivities({ engine: engine as CopyEngine, credentials: { ...credentials, destination, holder }, lookEveryMs: 1 });
  }

  test('goes on with the credentials of the rule that was made in its place', async () => {
    let holder = 'first';
    const writers: string[] = [];
    const engine: Partial<CopyEngine> = {
      copyPart: async (_plan, _part, { destination }, { signal }) => {
        writers.push(destination[0]!.id);
        if (writers.length === 2) return { bytes: 100 };
        holder = 'second';
        return never(signal); // no byte comes any more: only the change of rules can end this
      },
    };

    expect(await anEnvironment().run(ruled(engine, () => holder).copyPlatform, copying)).toEqual({ bytes: 100 });
    expect(writers).toEqual(['first', 'second']);
  });

  test('is broken off when nobody wants it any more, also while it is published', async () => {
    let isGone = false;
    const holder = (): string => {
      if (isGone) throw gone;
      return 'first';
    };
    const stuck = (signal: AbortSignal): Promise<never> => {
      isGone = true;
      return never(signal);
    };
    const run = ruled({ copyPart: (_plan, _part, _access, { signal }) => stuck(signal), publish: (_plan, _access, { signal }) => stuck(signal) }, holder);

    await expect(anEnvironment().run(run.copyPlatform, copying)).rejects.toBe(gone);
    isGone = false;
    await expect(anEnvironment().run(run.publishTag, { ...subject, plan })).rejects.toBe(gone);
  });

  test('that fails by itself meanwhile is not begun anew for the same rule', async () => {
    const refused = new Failure({ code: 'denied', side: 'destination', message: 'not allowed' });

    await expect(anEnvironment().run(ruled({ copyPart: () => Promise.reject(refused) }, () => 'first').copyPlatform, copying)).rejects.toBe(refused);
  });
});

describe('looking at a copy', () => {
  const engine: Partial<CopyEngine> = {
    verify: async (at) => {
      if (at === nginx) throw new Failure({ code: 'unreachable', side: 'source', message: 'away' });
      return at === subject.publishAs ? digestOf('a') : 'missing';
    },
  };

  test.each([
    ['asks only the destination, unless drift matters', undefined, { digest: digestOf('a') }],
    ['tells what the origin answers', 'docker.io/library/gone:1' as ImageName, { digest: digestOf('a'), origin: 'missing' }],
    ['is not harmed by an origin that does not answer', nginx, { digest: digestOf('a') }],
  ])('%s', async (_sentence, origin, sight) => {
    expect(await anEnvironment().run(activities(engine).verify, { ...subject, origin })).toEqual(sight);
  });
});

describe('at the door to Temporal', () => {
  const unexpected: unknown[] = [];
  const env = (info = {}) =>
    anEnvironment(
      { attempt: 3, retryPolicy: { initialInterval: 5000, maximumInterval: 600_000, backoffCoefficient: 2 }, ...info },
      { interceptors: [failureInterceptor({ random: () => 0.5, onUnexpected: (error) => unexpected.push(error) })] },
    );

  test('a failure of ours becomes one with its code, spread around the back-off of its attempt', async () => {
    const run = env().run(activities({ copyPart: () => Promise.reject(new Failure({ code: 'timeout', side: 'source', message: 'stalled' })) }).copyPlatform, copying);

    await expect(run).rejects.toMatchObject({ type: 'timeout', nonRetryable: false, nextRetryDelay: 20_000 });
  });

  test('anything else keeps its words to itself, and they go to the log', async () => {
    const bug = new TypeError('hunter2');

    await expect(env().run(activities({ copyPart: () => Promise.reject(bug) }).copyPlatform, copying)).rejects.toMatchObject({ type: 'unexpected', message: 'unexpected TypeError in unknown, see the log of the manager' });
    expect(unexpected).toContain(bug);
  });
});

describe('what is known of the copy that is there', () => {
  const published = { digest: digestOf('a'), sourceDigest: digestOf('b'), strategy: 'rewrite', platforms: ['linux/amd64'], missingPlatforms: [] } as const;
  const recorded = { reference: subject.publishAs, role: 'mirror', mirroredAt: '2026-09-01T12:00:00Z', ...published } as const;
  const input: ResolveInput = { ...subject, sources: [nginx], platforms: [], copy: 'all' };

  test.each<[string, Partial<ResolveInput>, PlaceRecord | undefined, object]>([
    ['is what its keeper says', { recorded: { ...published, strategy: 'all' }, keeps: true }, recorded, { recorded: { strategy: 'all' }, sourceDigest: undefined }],
    ['is what the record says when the keeper was lost: the tag may have moved since', { keeps: true }, recorded, { recorded: published, sourceDigest: digestOf('b') }],
    ['is nothing where the tag is followed', {}, recorded, { recorded: 'nothing', sourceDigest: undefined }],
    ['is nothing before the first copy', { keeps: true }, { reference: subject.publishAs, role: 'mirror' }, { recorded: 'nothing' }],
    ['is nothing without a record', { keeps: true }, undefined, { recorded: 'nothing' }],
  ])('%s', async (_sentence, some, place, expected) => {
    let asked: object = {};
    const engine: Partial<CopyEngine> = { resolve: async (request) => ((asked = request), { verdict: 'adopted', published }) };
    const { resolveSource } = createMirrorActivities({ engine: engine as CopyEngine, credentials, recorded: () => place });

    await anEnvironment().run(resolveSource, { ...input, ...some });

    expect(asked).toMatchObject(expected);
  });
});

test('the four steps copy an image between two registries, the tag last', async () => {
  const registry = new MemoryRegistry('docker.io', 'registry.example.com');
  const digest = await pushImage(registry, nginx, aMultiPlatformImage('nginx', 'linux/amd64', 'linux/arm64'));
  const { resolveSource, copyPlatform, publishTag, verify } = createMirrorActivities({ engine: createCopyEngine(registry), credentials: { source: async () => [], destination: async () => [], prefix: () => '', holder: () => 'a rule' } });
  const env = anEnvironment();

  const wanted: ResolveInput = { ...subject, sources: [nginx], platforms: [{ architecture: 'amd64' }, { architecture: 'arm64' }], copy: 'all' };
  const resolved = await env.run<[ResolveInput], Resolved, typeof resolveSource>(resolveSource, wanted);
  if (resolved.verdict !== 'copy') throw new Error(resolved.verdict);
  for (const each of resolved.plan.parts) await env.run(copyPlatform, { ...subject, plan: { ...resolved.plan, parts: [each] }, part: each });
  expect(await env.run(verify, subject)).toEqual({ digest: 'missing' });
  await env.run(publishTag, { ...subject, plan: resolved.plan });

  expect(await env.run(verify, subject)).toEqual({ digest });
  expect(resolved.plan.parts.map(({ label }) => label)).toEqual(['linux/amd64', 'linux/arm64']);
});
