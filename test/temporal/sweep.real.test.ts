import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSweepActivities, type SweepDeps } from '../../src/activities/sweep.js';
import type { Claim } from '../../src/domain/claim.js';
import { Failure } from '../../src/domain/failure.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { ImageRecord } from '../../src/domain/record.js';
import type { SharingCluster, SweepReport } from '../../src/domain/sweep.js';
import { ensureSweep, sweepId } from '../../src/temporal/sweep-schedule.js';
import { someClaim, startLab, until, World, type Lab } from '../support/temporal-lab.js';

let lab: Lab;
let world: World;
const claims: Claim[] = [];
let clusters: readonly SharingCluster[] = [];
let tagsFail = false;

/** A sweep over the claims above, with the lab's own keepers and records. */
const sweep = (): SweepDeps => ({
  cluster: 'berlin',
  wanted: () => new Map(claims.map((claim) => [claim.destination, claim])),
  records,
  record: (image) => records().find((record) => record.image === image),
  keepers: lab.keepers,
  lease: {},
  registry: {
    tags: async function* () {
      if (tagsFail) throw new Failure({ code: 'denied', side: 'destination', message: 'no' });
      yield* ['1.27', 'left-behind'];
    },
  },
  credentials: { destination: async () => [] },
  unkept: { records: { at: () => [] }, cluster: { changePlace: async () => 'unchanged' }, look: async () => 'missing' },
  now: Date.now,
  noteClusters: async (known) => void (clusters = known),
  onOrphan: () => undefined,
  countOrphans: () => undefined,
  perSecond: 100,
});

function records(): ImageRecord[] {
  return claims.map(({ image, destination }) => ({ name: destination, pods: 1, ...recordOf(image, destination) }));
}

function recordOf(image: ImageName, destination: Claim['destination']) {
  const place = world.records.get(`berlin ${destination}`);
  return { image, places: [{ ...place, reference: destination as string as ImageName, role: 'mirror' as const }] };
}

beforeAll(async () => {
  lab = await startLab();
  world = new World();
  await lab.work('berlin', world, createSweepActivities(sweep()));
});

afterAll(async () => {
  await lab.stop();
});

const endpoint = () => ({ address: lab.server.address, namespace: lab.server.namespace });
const schedule = () => lab.client.schedule.getHandle(sweepId('berlin'));
const becomes = (claim: Claim, phase: string): Promise<unknown> => until(async () => (await lab.status(claim.destination))?.phase === phase);

async function swept(): Promise<SweepReport> {
  const { info } = await schedule().describe();
  const before = info.numActionsTaken;
  await schedule().trigger();
  const run = await until(async () => {
    const { recentActions, numActionsTaken } = (await schedule().describe()).info;
    return numActionsTaken > before ? recentActions.at(-1) : undefined;
  });
  return lab.client.workflow.getHandle(run.action.workflow.workflowId, run.action.workflow.firstExecutionRunId).result() as Promise<SweepReport>;
}

describe('the daily sweep', () => {
  test('is scheduled once a day, and skips what would overlap', async () => {
    expect(await ensureSweep(endpoint(), { v: 1, cluster: 'berlin' })).toBe('created');

    const { policies, spec } = await schedule().describe();
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 600_000 });
    expect(spec).toMatchObject({ intervals: [{ every: 86_400_000 }], jitter: 3_600_000 });
  });

  test('triggered by hand makes keepers that are gone, repairs records that differ, counts orphans, and notes who claims what', async () => {
    const [kept, drifted, lost] = ['kept', 'drifted', 'lost'].map((name) => someClaim(name, { image: `docker.io/library/${name}:1.27` as ImageName })) as [Claim, Claim, Claim];
    claims.push(kept, drifted, lost);
    for (const claim of claims) await lab.keepers.claim(claim);
    for (const claim of claims) await becomes(claim, 'Mirrored');
    await lab.work('paris', world);
    await lab.keepers.claim({ ...kept, cluster: 'paris' });
    world.records.set(`berlin ${drifted.destination}`, { reference: drifted.publishAs });
    await lab.handles(lost.destination).keeper.terminate('a person pressed Terminate');

    const report = await swept();

    expect(report).toMatchObject({ v: 1, claims: { sent: 3, failed: 0 }, records: { repaired: 1, silent: 0 }, orphans: { repositories: 3, tags: 6, orphans: 3, unread: 0 } });
    await becomes(lost, 'Mirrored');
    await until(async () => world.records.get(`berlin ${drifted.destination}`)?.mirroredAt !== undefined);
    expect(clusters.map(({ id }) => id)).toEqual(['berlin', 'paris']);
    expect(Date.now() - Date.parse(clusters[0]!.heardAt)).toBeLessThan(60_000);
  });

  test('that was paused in the UI stays paused when the manager starts again, and says why', async () => {
    await schedule().pause('the registry is being moved');

    expect(await ensureSweep(endpoint(), { v: 1, cluster: 'berlin' })).toBe('updated');

    expect((await schedule().describe()).state).toMatchObject({ paused: true, note: 'the registry is being moved' });
    await schedule().unpause();
  });

  test('goes on when a registry does not list its tags', async () => {
    tagsFail = true;

    expect(await swept()).toMatchObject({ claims: { sent: 3 }, orphans: { repositories: 0, unread: 3 } });
  });
});

describe('a cluster that is gone', () => {
  test('is forgotten by every keeper that knows it, also where its claim is over, and found no more', async () => {
    const [live, expired, other] = [someClaim('live', { cluster: 'atlantis' }), someClaim('expired', { cluster: 'atlantis', ttlMs: 1 }), someClaim('other')];
    const atlantis = await lab.work('atlantis', world); // it lived once
    for (const claim of [live, expired]) {
      await lab.keepers.claim({ ...claim, cluster: 'berlin', ttlMs: undefined });
      await becomes(claim, 'Mirrored');
      await lab.keepers.claim(claim);
    }
    await lab.keepers.claim(other);
    await until(async () => (await lab.client.workflow.count('KuikClusters="atlantis"')).count === 2);
    for (const { destination } of [live, expired]) await until(async () => world.records.get(`atlantis ${destination}`)); // told: no keeper waits for it any more
    await atlantis.stop();

    expect(await lab.keepers.forgetCluster('atlantis', async () => undefined)).toBe(2);

    for (const claim of [live, expired]) await until(async () => (await lab.status(claim.destination))?.claims.map(({ cluster, state }) => `${cluster} ${state}`).join() === 'atlantis forgotten,berlin live');
    await until(async () => (await lab.client.workflow.count('KuikClusters="atlantis"')).count === 0);
  });

  test('that still lives claims again, at the latest with its daily renewal', async () => {
    const claim = someClaim('returns');
    await lab.keepers.claim(claim);
    await becomes(claim, 'Mirrored');
    await until(async () => {
      await lab.keepers.forgetCluster('berlin', async () => undefined); // lists are a little late
      return (await lab.status(claim.destination))?.claims[0]?.state === 'forgotten';
    });

    await lab.keepers.claim({ ...claim, renewal: true });

    await becomes(claim, 'Mirrored');
    expect((await lab.status(claim.destination))?.claims).toMatchObject([{ cluster: 'berlin', state: 'live' }]);
  });
});
