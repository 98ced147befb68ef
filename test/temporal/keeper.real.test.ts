import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import type { ImageName, PlaceId } from '../../src/domain/image-ref.js';
import type { CopyTask } from '../../src/domain/task.js';
import { Failure } from '../../src/domain/failure.js';
import { digestOf, hours } from '../support/keeper.js';
import { inputOf, reset } from '../support/buttons.js';
import { readHistory, missing, someClaim, startLab, statusOf, unreachable, until, World, type Lab } from '../support/temporal-lab.js';

let lab: Lab;
let world: World;

beforeAll(async () => {
  lab = await startLab();
  world = new World();
  await lab.work('berlin', world);
});

afterAll(async () => {
  await lab.stop();
});

const phase = async (destination: PlaceId): Promise<string | undefined> => (await lab.status(destination))?.phase;
const becomes = (destination: PlaceId, wanted: string): Promise<unknown> => until(async () => (await phase(destination)) === wanted);

/** A claim whose copy has failed, in a world where the source fails; the task run that failed. */
async function afterFailure(name: string, fails: () => Failure): Promise<{ destination: PlaceId; task: WorkflowHandle; runId: string }> {
  const claim = someClaim(name);
  world.sourceFails = fails;
  await lab.keepers.claim(claim);
  await becomes(claim.destination, 'Failed');
  const { task } = lab.handles(claim.destination);
  await until(async () => (await statusOf(task)) === 'FAILED'); // a moment after its keeper knows
  return { destination: claim.destination, task, runId: (await task.describe()).runId };
}

describe('an image that is claimed', () => {
  test('is copied, recorded and found in lists', async () => {
    world.sourceFails = undefined;
    const claim = someClaim('copied');
    await lab.keepers.claim(claim);
    await becomes(claim.destination, 'Mirrored');

    const status = await lab.status(claim.destination);
    const { keeper, task } = lab.handles(claim.destination);
    expect(status?.copy).toMatchObject({ result: 'copied', digest: digestOf('a'), platforms: ['linux/amd64', 'linux/arm64'] });
    expect(world.records.get(`berlin ${claim.destination}`)).toMatchObject({ digest: digestOf('a'), workflowId: task.workflowId, bytes: 8_240_000 });
    expect(await statusOf(task)).toBe('COMPLETED');
    await until(async () => {
      const { searchAttributes } = await keeper.describe();
      return searchAttributes['KuikPhase']?.[0] === 'Mirrored' && searchAttributes['KuikRegistry']?.[0] === 'registry.example.com';
    });
  });

  test('fails visibly when its source is dead, says why, and heals by itself when it is back', async () => {
    const { destination, task } = await afterFailure('heals', unreachable);
    const failure: unknown = await task.result().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    expect((failure as WorkflowFailedError).cause).toMatchObject({ type: 'unreachable', message: 'connection refused by docker.io' });
    expect(world.records.get(`berlin ${destination}`)?.failure).toMatchObject({ code: 'unreachable' });

    world.sourceFails = undefined;

    await becomes(destination, 'Mirrored');
    expect(world.records.get(`berlin ${destination}`)?.failure).toBeUndefined();
  });

  test('is copied at once when asked, although its next try would be hours away', async () => {
    const { destination } = await afterFailure('asked', missing);
    world.sourceFails = undefined;

    const answer = await lab.keepers.retryNow(destination, AbortSignal.timeout(60_000));

    expect(answer).toMatchObject({ result: 'copied' });
    expect(await phase(destination)).toBe('Mirrored');
  });

  test('is not copied while its keeper is paused, and is afterwards', async () => {
    const { destination } = await afterFailure('paused', unreachable);
    const { keeper } = lab.handles(destination);
    await keeper.signal('pause');
    await becomes(destination, 'Paused');
    world.sourceFails = undefined;

    await expect(keeper.executeUpdate('retryNow')).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    expect(await phase(destination)).toBe('Paused');
    await keeper.signal('resume');

    await becomes(destination, 'Mirrored');
  });

  test('that is released and claimed again in one breath keeps its keeper', async () => {
    world.sourceFails = undefined;
    const claim = someClaim('breath', { cleanup: false });
    await lab.keepers.claim(claim);
    await becomes(claim.destination, 'Mirrored');

    for (let generation = 2; generation < 12; generation += 2) {
      await Promise.all([lab.keepers.release(claim.destination, { v: 1, cluster: 'berlin', generation }), lab.keepers.claim({ ...claim, generation: generation + 1 })]);
    }

    await becomes(claim.destination, 'Mirrored');
    await until(async () => (await statusOf(lab.handles(claim.destination).keeper)) === 'RUNNING');
  });

  test('that nobody wants any more ends its keeper, when nothing is to be cleaned up', async () => {
    world.sourceFails = undefined;
    const claim = someClaim('released', { cleanup: false });
    await lab.keepers.claim(claim);
    await becomes(claim.destination, 'Mirrored');

    await lab.keepers.release(claim.destination, { v: 1, cluster: 'berlin', generation: 2 });

    await until(async () => (await statusOf(lab.handles(claim.destination).keeper)) === 'COMPLETED');
    expect(await lab.keepers.retry(claim.destination)).toBe('absent');
  });
});

describe('a look at a copy', () => {
  const policies = ['keep', 'warn', 'sync'] as const;
  let image: ImageName;
  let destination: PlaceId;
  const tag = (): string | undefined => world.tags.get(destination);
  const drift = () => world.records.get(`berlin ${destination}`)?.drift;

  /** A copy of digest a, under a policy; the origin is a name of its own. */
  async function mirrored(name: string, policy: (typeof policies)[number]): Promise<void> {
    image = `docker.io/library/${name}-${policy}:1.27` as ImageName;
    const claim = someClaim(`${name}-${policy}`, { image, sources: [image], drift: policy });
    destination = claim.destination;
    world.sourceFails = undefined;
    world.sourceDigest = digestOf('a');
    world.tags.set(image, digestOf('a'));
    await lab.keepers.claim(claim);
    await becomes(destination, 'Mirrored');
  }

  /** Has the keeper look, and waits until it has, and has told whom it would tell. */
  async function look(): Promise<void> {
    const { keeper } = lab.handles(destination);
    const looks = async (): Promise<number> => ((await keeper.fetchHistory()).events ?? []).filter(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name === 'verify').length;
    const before = await looks();
    await lab.keepers.resync(destination);
    await until(async () => (await looks()) > before && ((await lab.status(destination))?.next.step ?? '') === 'wait');
  }

  test.each(policies)('%s: a tag that is gone is copied again', async (policy) => {
    await mirrored('gone', policy);
    world.tags.delete(destination);

    await look();

    await until(async () => tag() === digestOf('a'));
    expect(drift()).toBeUndefined();
  });

  test.each([
    ['keep', undefined],
    ['warn', { origin: digestOf('b'), since: expect.any(String) }],
  ] as const)('%s: an origin whose tag moved is no reason to copy', async (policy, told) => {
    await mirrored('moved', policy);
    world.tags.set(image, digestOf('b'));

    await look();

    expect([tag(), drift()]).toEqual([digestOf('a'), told]);
    world.tags.delete(image); // an origin that no longer answers says nothing new, and harms nothing
    await look();
    expect([tag(), drift()]).toEqual([digestOf('a'), told]);
    world.tags.set(image, digestOf('a'));
    await look();
    expect(drift()).toBeUndefined();
  });

  test.each(['keep', 'warn'] as const)('%s: what somebody else wrote is told, and stays, until a person asks', async (policy) => {
    await mirrored('foreign', policy);
    world.tags.set(destination, digestOf('f'));

    await look();
    expect([tag(), drift()]).toEqual([digestOf('f'), { destination: digestOf('f'), since: expect.any(String) }]);
    await lab.keepers.claim(someClaim('other settings', { image, sources: [image], destination, publishAs: destination as string as ImageName, generation: 2, drift: policy, copy: 'all' }));
    await look();
    expect(tag()).toBe(digestOf('f'));

    await lab.keepers.retryNow(destination, AbortSignal.timeout(60_000));
    expect([tag(), drift()]).toEqual([digestOf('a'), undefined]);
  });

  test('sync: what moved at the origin or the destination is copied again', async () => {
    await mirrored('followed', 'sync');
    world.tags.set(image, digestOf('b'));
    world.sourceDigest = digestOf('b');
    await look();
    await until(async () => tag() === digestOf('b'));

    await becomes(destination, 'Mirrored');
    world.tags.set(destination, digestOf('f'));
    await look();
    await until(async () => tag() === digestOf('b'));
    expect(drift()).toBeUndefined();
  });

  test('sync: an origin that is gone leaves the copy as it is', async () => {
    await mirrored('lost', 'sync');
    world.tags.delete(image);
    world.sourceFails = missing;

    await look();

    expect([tag(), await phase(destination)]).toEqual([digestOf('a'), 'Mirrored']);
  });
});

describe('a person retries', () => {
  test('by Reset of the failed run: the keeper learns of it', async () => {
    const { destination, task, runId } = await afterFailure('reset', missing);
    world.sourceFails = undefined;

    await reset(task, runId);

    await becomes(destination, 'Mirrored');
  });

  test('by Reset of the run the keeper waits for', async () => {
    world.sourceFails = undefined;
    world.close();
    const claim = someClaim('reset-running');
    await lab.keepers.claim(claim);
    await until(async () => world.copiesStarted.some((started) => started.startsWith(claim.destination)));
    const { task } = lab.handles(claim.destination);

    await reset(task, (await task.describe()).runId);
    world.open();

    await becomes(claim.destination, 'Mirrored');
  });

  test('by Reset of an older failed run, which ends the newer one without a word', async () => {
    const { destination, task, runId } = await afterFailure('reset-older', missing);
    world.sourceFails = undefined;
    world.close();
    await lab.keepers.retry(destination);
    await until(async () => (await phase(destination)) === 'Copying' && world.copiesStarted.some((started) => started.startsWith(destination)));

    await reset(task, runId);
    world.open();

    await becomes(destination, 'Mirrored');
  });

  test('by Start Workflow Like This One, which is refused while a copy runs', async () => {
    const { destination, task } = await afterFailure('again', missing);
    const input = await inputOf<CopyTask>(task);
    const again = { workflowId: task.workflowId, taskQueue: 'kuik', args: [input] };
    world.sourceFails = undefined;

    world.close();
    await lab.client.workflow.start('copyImage', again);
    await expect(lab.client.workflow.start('copyImage', again)).rejects.toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
    world.open();

    await becomes(destination, 'Mirrored');
  });

  test('while a run started by hand is busy: the keeper waits for it', async () => {
    const { destination, task } = await afterFailure('busy', missing);
    world.sourceFails = undefined;
    world.close();
    await lab.client.workflow.start('copyImage', { workflowId: task.workflowId, taskQueue: 'kuik', args: [await inputOf<CopyTask>(task)] });

    await lab.keepers.retry(destination);
    await becomes(destination, 'Copying');
    world.open();

    await becomes(destination, 'Mirrored');
    expect(await statusOf(task)).toBe('COMPLETED');
  });

  test('after a run started by hand was terminated: the keeper finds out long before the hour is over', async () => {
    const claim = someClaim('word-less');
    const { destination } = claim;
    world.sourceFails = missing;
    await lab.keepersAt(0.1).claim(claim);
    await becomes(destination, 'Failed');
    const { task } = lab.handles(destination);
    world.sourceFails = undefined;
    world.close();
    const byHand = await lab.client.workflow.start('copyImage', { workflowId: task.workflowId, taskQueue: 'kuik', args: [await inputOf<CopyTask>(task)] });
    await lab.keepers.retry(destination);
    await becomes(destination, 'Copying');

    await new Promise((resolve) => setTimeout(resolve, 4_000)); // it has asked once in vain: at this pace after 3 s, and after 6 more, not in 6 minutes
    await byHand.terminate('a person pressed Terminate');
    world.open();

    await becomes(destination, 'Mirrored');
  });

  test('of a run started by hand that was terminated: another takes its place at once', async () => {
    const { destination, task } = await afterFailure('replaced', missing);
    world.sourceFails = undefined;
    world.close();
    const byHand = await lab.client.workflow.start('copyImage', { workflowId: task.workflowId, taskQueue: 'kuik', args: [await inputOf<CopyTask>(task)] });
    await lab.keepers.retry(destination);
    await becomes(destination, 'Copying');
    await byHand.terminate('a person pressed Terminate');
    world.open();

    await lab.keepers.retry(destination);
    await becomes(destination, 'Mirrored');
  });

  test('after Terminate of the copy, which the keeper counts as failed', async () => {
    world.sourceFails = undefined;
    world.close();
    const claim = someClaim('terminated');
    await lab.keepers.claim(claim);
    await until(async () => world.copiesStarted.some((started) => started.startsWith(claim.destination)));

    await lab.handles(claim.destination).task.terminate('a person pressed Terminate');
    await becomes(claim.destination, 'Failed');
    world.open();
    await lab.keepers.retry(claim.destination);

    await becomes(claim.destination, 'Mirrored');
  });

  test('after the keeper was lost: its copy ends well, and the next claim finds it', async () => {
    world.sourceFails = undefined;
    world.close();
    const claim = someClaim('lost-keeper');
    await lab.keepers.claim(claim);
    await until(async () => world.copiesStarted.some((started) => started.startsWith(claim.destination)));
    const { keeper, task } = lab.handles(claim.destination);

    await keeper.terminate('last resort');
    world.open();
    await until(async () => (await statusOf(task)) === 'COMPLETED');
    await lab.keepers.claim(claim);

    await becomes(claim.destination, 'Mirrored');
    expect((await lab.status(claim.destination))?.copy?.result).toBe('unchanged');
  });

  test('of a running copy: what waits in back-off starts at once', async () => {
    const claim = someClaim('back-off');
    world.sourceFails = () => new Failure({ code: 'throttled', side: 'source', host: 'docker.io', message: 'slow down', retryAfterMs: 1 * hours });
    await lab.keepers.claim(claim);
    const { task } = lab.handles(claim.destination);
    await until(async () => {
      const found = await task.describe().catch(() => undefined);
      return found?.raw.pendingActivities?.some(({ lastFailure, attempt }) => lastFailure && Number(attempt) === 2);
    });
    world.sourceFails = undefined;

    await lab.keepers.retry(claim.destination);

    await becomes(claim.destination, 'Mirrored');
  });
});

describe('several clusters', () => {
  test('that claim one destination get one copy, and each its record', async () => {
    world.sourceFails = undefined;
    const paris = await lab.work('paris', world);
    const claim = someClaim('shared', { shared: true });

    await lab.keepers.claim(claim);
    await becomes(claim.destination, 'Mirrored');
    await lab.keepers.claim({ ...claim, cluster: 'paris' });

    const recorded = await until(async () => world.records.get(`paris ${claim.destination}`));
    expect(recorded).toMatchObject({ digest: digestOf('a') });
    expect((await lab.status(claim.destination))?.claims.map(({ cluster }) => cluster)).toEqual(['berlin', 'paris']);
    await paris.stop();
  });

  test('each know of the origin what they saw themselves', async () => {
    const image = 'docker.io/library/refused:1.27' as ImageName;
    const claim = someClaim('refused', { image, sources: [image], shared: true });
    const lyon = await lab.work('lyon', world);
    const states = (): unknown[] => ['berlin', 'lyon'].map((cluster) => world.records.get(`${cluster} ${image}`)?.state);
    const toldLyon = (): string | undefined => world.records.get(`lyon ${claim.destination}`)?.failure?.code;
    world.sourceFails = () => new Failure({ code: 'unauthorized', side: 'source', host: 'docker.io', message: 'credentials refused by docker.io' });

    await lab.keepers.claim(claim);
    await becomes(claim.destination, 'Failed');
    await lab.keepers.claim({ ...claim, cluster: 'lyon' });
    await until(async () => toldLyon() === 'unauthorized'); // by the keeper
    expect(states()).toEqual(['InvalidAuth', undefined]);

    await lab.keepers.retryNow(claim.destination, AbortSignal.timeout(60_000)); // told by the copy
    expect(world.records.get(`lyon ${claim.destination}`)?.failure).toMatchObject({ attempts: 2 });
    expect(states()).toEqual(['InvalidAuth', undefined]);

    world.sourceFails = undefined;
    await lab.keepers.retryNow(claim.destination, AbortSignal.timeout(60_000));
    expect(world.records.get(`lyon ${claim.destination}`)).toMatchObject({ digest: digestOf('a'), failure: undefined });
    expect(states()).toEqual(['Available', undefined]);
    await lyon.stop();
  });

  test.concurrent('one of which is dead: nobody waits for it, and it is told when it claims again', async () => {
    world.sourceFails = undefined;
    const claim = someClaim('asleep', { cluster: 'berlin' });
    await lab.keepers.claim({ ...claim, cluster: 'pompeii' });
    await lab.keepers.claim(claim);
    await becomes(claim.destination, 'Mirrored'); // ten minutes later without the limit of `policies.tell`
    await until(async () => (await lab.status(claim.destination))?.next.reason === 'NextLook');

    const pompeii = await lab.work('pompeii', world);
    await lab.keepers.claim({ ...claim, cluster: 'pompeii', generation: 2 });

    expect(await until(async () => world.records.get(`pompeii ${claim.destination}`))).toMatchObject({ digest: digestOf('a') });
    await pompeii.stop();
  });

  test.concurrent('one of which does not answer: the next one copies', async () => {
    world.sourceFails = undefined;
    const claim = someClaim('deaf', { cluster: 'atlantis' });
    await lab.keepers.claim(claim);
    await lab.keepers.claim({ ...claim, cluster: 'berlin' });

    await until(async () => world.tags.get(claim.publishAs) !== undefined);

    const failure = await until(async () => {
      const runs = lab.client.workflow.list({ query: `WorkflowId="${lab.handles(claim.destination).task.workflowId}" AND KuikErrorType="unreachable"` });
      for await (const run of runs) return run;
      return undefined;
    });
    expect(failure.status.name).toBe('FAILED');
  });
});

test('a worker that stops in the middle of a copy publishes nothing, and the next one finishes it', async () => {
  const rome = new World();
  rome.close();
  const first = await lab.work('rome', rome);
  const claim = someClaim('restarted', { cluster: 'rome' });
  await lab.keepers.claim(claim);
  await until(async () => rome.copiesStarted.length === 2);

  await first.stop();
  expect(rome.tags.size).toBe(0);
  rome.open();
  await lab.work('rome', rome);

  await becomes(claim.destination, 'Mirrored');
});

test('a keeper that continues as new keeps its claims and its copy, and hears what comes meanwhile', async () => {
  world.sourceFails = undefined;
  const keepers = lab.keepersAt(0.000_01); // a week lasts six seconds
  const claim = someClaim('renewed', { ttlMs: 100 * hours });
  await keepers.claim(claim);
  const { keeper } = lab.handles(claim.destination);
  const first = (await keeper.describe()).runId;

  let generation = 1;
  await until(async () => {
    await keepers.claim({ ...claim, generation: ++generation });
    return (await keeper.describe()).runId !== first;
  });

  const status = await lab.status(claim.destination);
  expect(status).toMatchObject({ copy: { digest: digestOf('a') }, claims: [{ cluster: 'berlin', state: 'live' }] });
  await keepers.release(claim.destination, { v: 1, cluster: 'berlin', generation: ++generation });
  await until(async () => (await lab.status(claim.destination))?.claims[0]?.state === 'released');
  await keeper.terminate('the test is over');
});

test('keepers run without search attributes where the server does not know them', async () => {
  world.sourceFails = undefined;
  const keepers = lab.keepersAt(0.001, false);
  const claim = someClaim('plain');
  await keepers.claim(claim);

  await becomes(claim.destination, 'Mirrored');
  expect((await lab.handles(claim.destination).keeper.describe()).searchAttributes['KuikPhase']).toBeUndefined();
});

test('no word of a thrown error reaches the server beyond what we say ourselves', async () => {
  const canary = 'canary-8d1f0c';
  const claim = someClaim('canary');
  const errors = [
    () => new TypeError(`cannot read ${canary}`, { cause: new Error(canary) }),
    () => new Failure({ code: 'unreachable', side: 'source', host: 'docker.io', message: `get https://user:${canary}@docker.io/v2/?token=${canary} failed` }, { cause: new Error(canary) }),
    () => Object.assign(new Error(`Authorization: Bearer ${canary}`), { name: `${canary} ` }),
  ];
  let next = 0;
  world.sourceFails = () => errors[next++ % errors.length]!();
  await lab.keepers.claim(claim);
  await becomes(claim.destination, 'Failed');
  world.sourceFails = undefined;
  await lab.keepers.retryNow(claim.destination, AbortSignal.timeout(60_000));

  const { keeper, task } = lab.handles(claim.destination);
  const runs: string[] = [await readHistory(keeper)];
  for await (const { runId } of lab.client.workflow.list({ query: `WorkflowId="${task.workflowId}"` })) runs.push(await readHistory(lab.client.workflow.getHandle(task.workflowId, runId)));
  expect(runs.join('\n')).toContain('docker.io');
  expect(runs.join('\n')).not.toContain(canary);
});

test('a signal that does not read is dropped, and the keeper works on', async () => {
  world.sourceFails = undefined;
  const claim = someClaim('malformed');
  await lab.keepers.claim(claim);
  const { keeper } = lab.handles(claim.destination);
  for (const [name, payload] of [['claim', 'nonsense'], ['claim', { v: 1 }], ['release', null], ['observed', { v: 1, runId: 'x', outcome: 3 }], ['unheard-of', {}]] as const) await keeper.signal(name, payload);

  await becomes(claim.destination, 'Mirrored');
  expect(await statusOf(keeper)).toBe('RUNNING');
});
