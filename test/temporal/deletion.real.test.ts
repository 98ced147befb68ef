import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import type { Claim } from '../../src/domain/claim.js';
import { Failure } from '../../src/domain/failure.js';
import type { PlaceId } from '../../src/domain/image-ref.js';
import type { DeleteTask, DeletionOutcome } from '../../src/domain/task.js';
import { days, digestOf, minutes } from '../support/keeper.js';
import { inputOf, reset } from '../support/buttons.js';
import { someClaim, startLab, statusOf, until, World, type Lab } from '../support/temporal-lab.js';

let lab: Lab;
let world: World;

beforeAll(async () => {
  lab = await startLab();
  world = new World();
  await lab.work('berlin', world);
  await lab.work('paris', world);
});

// after it, since tests that run together have no hooks of their own
afterEach(() => {
  world.onDelete = () => undefined;
  world.onLook = () => undefined;
});

afterAll(async () => {
  await lab.stop();
});

const release = { v: 1, cluster: 'berlin', generation: 2 } as const;
const phase = async (destination: PlaceId): Promise<string | undefined> => (await lab.status(destination))?.phase;
const becomes = (destination: PlaceId, wanted: string): Promise<unknown> => until(async () => (await phase(destination)) === wanted);
const record = (claim: Claim, cluster = 'berlin') => world.records.get(`${cluster} ${claim.destination}`);
const deletionOf = ({ destination }: Claim): WorkflowHandle<(task: DeleteTask) => Promise<DeletionOutcome>> => lab.client.workflow.getHandle(lab.handles(destination).task.workflowId);

/** A copy whose retention is over as soon as it is released. */
async function mirrored(name: string, some: Partial<Claim> = {}): Promise<Claim> {
  const claim = someClaim(name, { retentionMs: 0, ...some });
  await lab.keepers.claim(claim);
  await becomes(claim.destination, 'Mirrored');
  return claim;
}

/** As a keeper at this pace would: a tombstone that lasts until the test ends it, or a second. */
async function released(name: string, some: Partial<Claim> = {}): Promise<Claim> {
  const claim = await mirrored(name, some);
  await lab.keepers.release(claim.destination, release);
  return claim;
}

/** Its deletion has begun to retire the copy. */
async function retiring(name: string, tombstoneMs: number): Promise<Claim> {
  const claim = await released(name, { tombstoneMs });
  await until(async () => record(claim)?.retiringSince !== undefined);
  return claim;
}

const longTombstone = 100 * minutes; // 6 s at this pace

// most of the time passes in waiting: tests that touch nothing but a copy of their own wait together
describe('a copy that nobody claims', () => {
  test.concurrent('is deleted after its tombstone, leaves the record, and takes its keeper along', async () => {
    const claim = await released('deleted', { tombstoneMs: 20 * minutes });
    const { keeper } = lab.handles(claim.destination);

    await until(async () => record(claim)?.retiringSince !== undefined);
    expect(world.tags.has(claim.publishAs)).toBe(true);
    await becomes(claim.destination, 'Deleting');
    await keeper.result();

    expect(world.tags.has(claim.publishAs)).toBe(false);
    expect(world.asked.filter((asked) => asked === `berlin ${claim.destination}`)).toHaveLength(2);
    expect(await deletionOf(claim).result()).toEqual({ v: 1, result: 'deleted', digest: digestOf('a') });
    expect(record(claim)).toMatchObject({ digest: undefined, mirroredAt: undefined, retiringSince: undefined });
  });

  test.concurrent('is copied again when it is claimed again, and the story begins anew', async () => {
    const claim = await released('again');
    await lab.handles(claim.destination).keeper.result();

    await lab.keepers.claim({ ...claim, generation: 3 });
    await becomes(claim.destination, 'Mirrored');

    expect(world.tags.get(claim.publishAs)).toBe(digestOf('a'));
    expect(record(claim)).toMatchObject({ digest: digestOf('a') });
  });

  test.concurrent('that is gone from the registry already needs no tombstone', async () => {
    const claim = await mirrored('gone');
    world.tags.delete(claim.publishAs);
    await lab.keepers.release(claim.destination, release);
    await lab.handles(claim.destination).keeper.result();

    expect(await deletionOf(claim).result()).toMatchObject({ result: 'absent' });
    expect(world.deletions).not.toContain(claim.publishAs);
  });

  test.concurrent('whose tag somebody else moved stays, and says so', async () => {
    const claim = await mirrored('moved');
    world.tags.set(claim.publishAs, digestOf('f'));
    await lab.keepers.release(claim.destination, release);

    await until(async () => (await lab.status(claim.destination))?.blocked?.reason === 'digest-changed');
    expect(world.tags.get(claim.publishAs)).toBe(digestOf('f'));
    expect(record(claim)).toMatchObject({ blocked: { reason: 'digest-changed', attempts: 1 } });
    expect(record(claim)?.retiringSince).toBeUndefined();
  });
});

describe('a guard that says no', () => {
  test.concurrent('keeps the copy until it says yes: it is asked daily', async () => {
    const claim = await mirrored('blocked');
    world.keeps.set(`berlin ${claim.destination}`, { reason: 'in-use', message: 'pod shop/web pulls from it' });
    await lab.keepers.release(claim.destination, release);

    await until(async () => (await lab.status(claim.destination))?.blocked);
    const status = await lab.status(claim.destination);
    expect(status).toMatchObject({ phase: 'Expiring', blocked: { reason: 'in-use', attempts: 1 }, next: { reason: 'DeletionRetry' } });
    expect(await deletionOf(claim).result()).toMatchObject({ result: 'blocked', block: { message: 'berlin: pod shop/web pulls from it' } });
    expect(record(claim)).toMatchObject({ blocked: { reason: 'in-use' } });

    world.keeps.delete(`berlin ${claim.destination}`);
    await lab.keepers.retry(claim.destination);
    await lab.handles(claim.destination).keeper.result();
    expect(world.tags.has(claim.publishAs)).toBe(false);
  });

  test.concurrent('after the tombstone keeps it as well, and routing goes on', async () => {
    const claim = await retiring('late', longTombstone);
    world.keeps.set(`berlin ${claim.destination}`, { reason: 'in-use', message: 'pod shop/web pulls from it' });

    await until(async () => (await lab.status(claim.destination))?.blocked);
    expect(world.tags.has(claim.publishAs)).toBe(true);
    expect(record(claim)).toMatchObject({ retiringSince: undefined, blocked: { reason: 'in-use' } });
  });

  test.concurrent('because one of several clusters uses it', async () => {
    const claim = await mirrored('two');
    await lab.keepers.claim({ ...claim, cluster: 'paris' });
    await until(async () => record(claim, 'paris'));
    world.keeps.set(`paris ${claim.destination}`, { reason: 'pinned', message: 'somebody keeps it' });
    for (const cluster of ['berlin', 'paris']) await lab.keepers.release(claim.destination, { ...release, cluster });

    await until(async () => (await lab.status(claim.destination))?.blocked?.reason === 'pinned');
    world.keeps.delete(`paris ${claim.destination}`);
    await lab.keepers.retry(claim.destination);
    await lab.handles(claim.destination).keeper.result();
    expect([world.tags.has(claim.publishAs), record(claim, 'paris')?.mirroredAt]).toEqual([false, undefined]);
  });

  test.concurrent('by silence: a cluster that released the copy and does not answer', async () => {
    const rome = await lab.work('rome', world);
    const claim = await mirrored('silent');
    await lab.keepers.claim({ ...claim, cluster: 'rome' });
    await until(async () => record(claim, 'rome'));
    await rome.stop();
    for (const cluster of ['berlin', 'rome']) await lab.keepers.release(claim.destination, { ...release, cluster });

    await until(async () => (await lab.status(claim.destination))?.blocked);
    expect(await lab.status(claim.destination)).toMatchObject({ blocked: { reason: 'incomplete-inventory' } });
    expect(world.tags.has(claim.publishAs)).toBe(true);

    expect(record(claim)?.blocked?.message).toContain('rome does not say whether it uses the copy: no worker of cluster rome takes the work');

    await lab.keepers.release(claim.destination, { v: 1, cluster: 'rome', generation: 0, forget: true });
    await lab.keepers.retry(claim.destination);
    await lab.handles(claim.destination).keeper.result();
    expect(world.tags.has(claim.publishAs)).toBe(false);
  }, 150_000); // three times ten seconds for a worker that does not come
});

describe('a claim that comes back', () => {
  test('during the tombstone stops the deletion, and Pods are sent there again', async () => {
    const claim = await retiring('back', longTombstone);
    await lab.keepers.claim({ ...claim, generation: 3 });

    await becomes(claim.destination, 'Mirrored');
    await until(async () => (await statusOf(deletionOf(claim))) === 'CANCELLED'); // a moment after its keeper knows
    expect(world.tags.get(claim.publishAs)).toBe(digestOf('a'));
    expect(record(claim)).toMatchObject({ retiringSince: undefined, digest: digestOf('a'), blocked: undefined });
  });

  test('when the DELETE has begun cannot stop it: it is copied again afterwards', async () => {
    let proceed = (): void => undefined;
    const gate = new Promise<void>((resolve) => (proceed = resolve));
    world.onDelete = () => gate;
    const claim = await released('too-late');
    await until(async () => world.deletions.includes(claim.publishAs));
    await lab.keepers.claim({ ...claim, generation: 3 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    proceed();

    await becomes(claim.destination, 'Mirrored');
    expect(world.tags.get(claim.publishAs)).toBe(digestOf('a'));
    expect(await statusOf(lab.handles(claim.destination).task)).toBe('COMPLETED');
  });
});

/** Does something when the deletion of a copy has its last look, after everybody was asked. */
function atLastLook(claim: Claim, does: () => void | Promise<void>): void {
  let looks = 0;
  world.onLook = (at) => (at === claim.publishAs && (looks += 1) === 2 ? does() : undefined);
}

describe('a deletion that is held up', () => {
  test('after everybody was asked deletes nothing: who was away may use the copy by now', async () => {
    const claim = await mirrored('held-up');
    atLastLook(claim, () => new Promise((resolve) => setTimeout(resolve, 61_000)));
    await lab.keepers.release(claim.destination, release);

    await until(async () => (await lab.status(claim.destination))?.blocked);
    expect(await lab.status(claim.destination)).toMatchObject({ blocked: { reason: 'incomplete-inventory', message: 'what the clusters said of it is too old by now' } });
    expect(world.tags.has(claim.publishAs)).toBe(true);
    await lab.handles(claim.destination).keeper.terminate('it would try again while others count deletions');
  }, 120_000);

  test('because the workers of its cluster went away is not gone on with when they come back', async () => {
    const athens = await lab.work('athens', world, { servesWorkflows: false });
    const claim = await mirrored('left', { cluster: 'athens' });
    atLastLook(claim, () => void athens.stop());
    await lab.keepers.release(claim.destination, { ...release, cluster: 'athens' });

    const unheard = async () => (await deletionOf(claim).fetchHistory()).events?.filter(({ activityTaskTimedOutEventAttributes: timedOut }) => Boolean(timedOut)) ?? [];
    await until(async () => (await unheard()).length === 3);
    await lab.work('athens', world, { servesWorkflows: false });

    await until(async () => (await lab.status(claim.destination))?.blocked);
    expect(await lab.status(claim.destination)).toMatchObject({ blocked: { reason: 'unreachable', message: 'no worker of cluster athens takes the work' } });
    expect(world.deletions).not.toContain(claim.publishAs);
    await lab.handles(claim.destination).keeper.terminate('it would try again while others count deletions');
  }, 120_000);
});

describe('a registry that fails', () => {
  test('during the DELETE is not asked again when somebody comes for the copy', async () => {
    const claim = await mirrored('came');
    world.onDelete = async (at) => {
      if (at !== claim.publishAs) return;
      await lab.keepers.claim({ ...claim, generation: 3 });
      await until(async () => (await deletionOf(claim).fetchHistory()).events?.some(({ workflowExecutionCancelRequestedEventAttributes: asked }) => Boolean(asked)));
      throw new Failure({ code: 'unreachable', side: 'destination', host: 'registry.example.com', message: 'connection reset by registry.example.com' });
    };
    await lab.keepers.release(claim.destination, release);

    await becomes(claim.destination, 'Mirrored');
    expect(world.deletions.filter((at) => at === claim.publishAs)).toHaveLength(1);
    expect(world.tags.get(claim.publishAs)).toBe(digestOf('a'));
  });

  test('during the DELETE is asked again when nothing of the attempt can be under way', async () => {
    let failures = 1;
    world.onDelete = () => {
      if (failures-- > 0) throw new Failure({ code: 'unreachable', side: 'destination', host: 'registry.example.com', message: 'connection reset by registry.example.com' });
    };
    const claim = await released('flaky');
    await lab.handles(claim.destination).keeper.result();

    expect(world.deletions.filter((at) => at === claim.publishAs)).toHaveLength(2);
    expect(world.tags.has(claim.publishAs)).toBe(false);
  });

  test('for good makes the run fail visibly, and says why', async () => {
    world.onDelete = () => {
      throw new Failure({ code: 'tls', side: 'destination', host: 'registry.example.com', message: 'certificate of registry.example.com has expired' });
    };
    const claim = await released('failing');
    await until(async () => (await lab.status(claim.destination))?.blocked);

    expect(await lab.status(claim.destination)).toMatchObject({ blocked: { reason: 'tls' } });
    await until(async () => (await statusOf(deletionOf(claim))) === 'FAILED');
    expect(record(claim)).toMatchObject({ blocked: { reason: 'tls' }, retiringSince: undefined, digest: digestOf('a') });
  });
});

describe('a person', () => {
  test.concurrent('who terminates a deletion stops it: the keeper waits, and then tries again', async () => {
    const claim = await retiring('terminated', longTombstone);
    await lab.handles(claim.destination).task.terminate('a person pressed Terminate');

    await until(async () => (await lab.status(claim.destination))?.blocked);
    expect(world.tags.has(claim.publishAs)).toBe(true);
    await lab.keepers.retry(claim.destination);
    await lab.handles(claim.destination).keeper.result();
    expect(world.tags.has(claim.publishAs)).toBe(false);
  });

  test.concurrent('who resets a running deletion gets one that begins again, and its consent', async () => {
    const claim = await retiring('reset', longTombstone);
    const { task, keeper } = lab.handles(claim.destination);
    const { runId } = await task.describe();
    await reset(task, runId);

    await keeper.result();
    expect((await task.describe()).runId).not.toBe(runId);
    expect(world.tags.has(claim.publishAs)).toBe(false);
    expect(world.deletions.filter((at) => at === claim.publishAs)).toHaveLength(1);
  });

  test.concurrent('who starts a deletion of a copy that is claimed gets no consent', async () => {
    const pattern = await released('pattern');
    await lab.handles(pattern.destination).keeper.result();
    const task = await inputOf<DeleteTask>(deletionOf(pattern));
    const claim = await mirrored('by-hand');
    const { task: own, keeper } = lab.handles(claim.destination);
    await own.result();

    const outcome = await lab.client.workflow.execute<(input: DeleteTask) => Promise<DeletionOutcome>>('deleteImage', {
      workflowId: own.workflowId,
      taskQueue: 'kuik',
      args: [{ ...task, destination: claim.destination, publishAs: claim.publishAs, keeper: keeper.workflowId }],
    });

    expect(outcome).toMatchObject({ result: 'blocked', block: { reason: 'claimed' } });
    expect(world.tags.get(claim.publishAs)).toBe(digestOf('a'));
    expect(await phase(claim.destination)).toBe('Mirrored');
  });

  test.concurrent('who starts one where no keeper is gets none either', async () => {
    const claim = await released('orphan');
    await lab.handles(claim.destination).keeper.result();
    const task = await inputOf<DeleteTask>(deletionOf(claim));
    world.tags.set(claim.publishAs, digestOf('a'));

    const outcome = await lab.client.workflow.execute<(input: DeleteTask) => Promise<DeletionOutcome>>('deleteImage', {
      workflowId: lab.handles(claim.destination).task.workflowId,
      taskQueue: 'kuik',
      args: [task],
    });

    expect(outcome).toMatchObject({ result: 'blocked', block: { reason: 'incomplete-inventory' } });
    expect(world.tags.get(claim.publishAs)).toBe(digestOf('a'));
  });

  test.concurrent('who terminates the keeper ends its deletion: without a keeper nobody knows the claims', async () => {
    const claim = await retiring('keeper-lost', longTombstone);
    const { keeper, task } = lab.handles(claim.destination);
    await keeper.terminate('a person pressed Terminate');

    await until(async () => (await statusOf(task)) === 'CANCELLED');
    expect(world.tags.get(claim.publishAs)).toBe(digestOf('a'));
    await lab.keepers.claim({ ...claim, generation: 3 });
    await becomes(claim.destination, 'Mirrored');
    expect(record(claim)).toMatchObject({ retiringSince: undefined });
  });

  test.concurrent('who pauses the keeper during the tombstone keeps the copy', async () => {
    const claim = await retiring('paused', longTombstone);
    await lab.handles(claim.destination).keeper.signal('pause');

    await until(async () => (await lab.status(claim.destination))?.blocked);
    expect(await lab.status(claim.destination)).toMatchObject({ phase: 'Paused', blocked: { reason: 'claimed', message: 'the keeper is paused' } });
    expect(world.tags.has(claim.publishAs)).toBe(true);
  });
});

test('a copy on a shared mirror is not deleted by a keeper younger than 48 hours', async () => {
  const claim = await released('young', { shared: true, connected: true });

  await becomes(claim.destination, 'Expiring');
  const status = await lab.status(claim.destination);
  expect(status?.next).toMatchObject({ reason: 'RetentionEnds' });
  expect(world.deletions).not.toContain(claim.publishAs);
  await lab.handles(claim.destination).keeper.terminate('48 hours last three minutes at this pace'); // the domain's tests wait them out
});

test('rules that go with all they copied do not wait for the retention', async () => {
  const claim = await mirrored('purged', { retentionMs: 30 * days, cleanup: false });
  await lab.keepers.release(claim.destination, { ...release, purge: true });
  await lab.handles(claim.destination).keeper.result();

  expect(world.tags.has(claim.publishAs)).toBe(false);
});
