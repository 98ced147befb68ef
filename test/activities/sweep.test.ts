import { describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createSweepActivities, type SweepDeps } from '../../src/activities/sweep.js';
import type { Claim, Wish } from '../../src/domain/claim.js';
import type { Digest } from '../../src/domain/digest.js';
import { Failure } from '../../src/domain/failure.js';
import type { ImageName, PlaceId } from '../../src/domain/image-ref.js';
import type { KeeperStatus } from '../../src/domain/keeper-story.js';
import type { ImageRecord } from '../../src/domain/record.js';
import type { SharingCluster } from '../../src/domain/sweep.js';
import { sdkLogger } from '../../src/temporal/logger.js';
import { aClaim, copied, digestOf } from '../support/keeper.js';
import { quiet } from '../support/temporal-lab.js';

const at = (name: string): PlaceId => `registry.example.com/mirror/${name}` as PlaceId;
const from = (name: string): ImageName => `docker.io/library/${name}` as ImageName;
const wish = (name: string): [PlaceId, Wish] => [at(name), { ...aClaim(), destination: at(name), publishAs: at(name) as string as ImageName, image: from(name) }];
const away = (): Failure => new Failure({ code: 'unreachable', side: 'cluster', message: 'no connection to temporal' });

/** What a keeper of a verified copy answers. */
function keeping(name: string, clusters: readonly string[] = ['berlin']): KeeperStatus {
  const claims = clusters.map((cluster) => ({ cluster, rules: [], state: 'live' as const, expiresAt: '2026-09-04', heardAt: '2026-09-01' }));
  return { v: 1, destination: at(name), phase: 'Mirrored', next: { step: 'wait', reason: 'NextLook' }, claims, copy: copied() };
}

/** The world of a sweep; what a test is about in front. */
class Bench {
  readonly claims: Claim[] = [];
  readonly resynced: PlaceId[] = [];
  readonly orphans: ImageName[] = [];
  byHost: Readonly<Record<string, number>> = {};
  clusters: readonly SharingCluster[] = [];
  wanted = new Map([wish('a:1'), wish('b:1'), wish('c:1')]);
  records: ImageRecord[] = ['a:1', 'b:1', 'c:1'].map((name) => aRecord(name));
  keepers = new Map<PlaceId, KeeperStatus | Failure>(['a:1', 'b:1', 'c:1'].map((name) => [at(name), keeping(name)]));
  registry = new Map<PlaceId, Digest | Failure>();
  tags: Record<string, string[] | Failure> = {};
  onClaim: (claim: Claim) => void = () => undefined;

  readonly deps: SweepDeps = {
    cluster: 'berlin',
    wanted: () => this.wanted,
    records: () => this.records,
    record: (image) => this.records.find((record) => record.image === image),
    keepers: {
      claim: async (claim) => {
        this.onClaim(claim);
        this.claims.push(claim);
        return 'sent';
      },
      status: async (destination) => {
        const found = this.keepers.get(destination);
        if (found instanceof Failure) throw found;
        return found ?? 'absent';
      },
      resync: async (destination) => (this.resynced.push(destination), 'sent'),
      isKept: async (destination) => this.keepers.has(destination),
    },
    lease: { ttlMs: 1000 },
    registry: {
      tags: async function* (this: void, { host, path }) {
        const found = bench.tags[`${host}/${path}`] ?? [];
        if (found instanceof Failure) throw found;
        yield* found;
      },
    },
    credentials: { destination: async () => [] },
    unkept: {
      records: { at: (destination) => this.records.flatMap((record) => record.places.filter(({ reference }) => (reference as string) === destination).map((place) => ({ record, place }))) },
      cluster: {
        changePlace: async (image, reference, _manager, change) => {
          const places = (record: ImageRecord) => record.places.map((place) => (place.reference === reference ? change(place) : place));
          this.records = this.records.map((record) => (record.image === image ? { ...record, places: places(record) } : record));
          return 'changed';
        },
      },
      look: async ({ destination }) => {
        const found = this.registry.get(destination) ?? 'missing';
        if (found instanceof Failure) throw found;
        return found;
      },
    },
    now: () => Date.parse('2026-09-02T12:00:00Z'),
    noteClusters: async (clusters) => void (this.clusters = clusters),
    onOrphan: (reference) => this.orphans.push(reference),
    countOrphans: (byHost) => void (this.byHost = byHost),
    perSecond: 1000,
  };
}

function aRecord(name: string): ImageRecord {
  return { name, image: from(name), pods: 1, places: [{ reference: at(name) as string as ImageName, role: 'mirror', digest: digestOf('a'), mirroredAt: '2026-09-01T12:00:00Z' }] };
}

let bench = new Bench();

function run<T>(step: (activities: ReturnType<typeof createSweepActivities>) => () => Promise<T>, heartbeatDetails?: unknown): Promise<T> {
  const env = new MockActivityEnvironment({ heartbeatDetails }, { logger: sdkLogger(quiet) });
  env.on('heartbeat', (details: unknown) => (beats = [...beats, details]));
  return env.run(step(createSweepActivities(bench.deps)));
}

let beats: unknown[] = [];

describe('claims are sent again', () => {
  test('all of them, as renewals, in order, each with its place in the heartbeat', async () => {
    bench = new Bench();
    beats = [];

    expect(await run(({ cluster }) => cluster.renewClaims)).toEqual({ sent: 3, failed: 0 });

    expect(bench.claims.map(({ destination, cluster, renewal, generation, ttlMs }) => [destination, cluster, renewal, generation, ttlMs])).toEqual(['a:1', 'b:1', 'c:1'].map((name) => [at(name), 'berlin', true, 0, 1000]));
    expect(beats.at(-1)).toEqual({ after: at('c:1'), counts: { sent: 3, failed: 0 } });
  });

  test('from where the attempt before stopped', async () => {
    bench = new Bench();

    expect(await run(({ cluster }) => cluster.renewClaims, { after: at('b:1'), counts: { sent: 1, failed: 1 } })).toEqual({ sent: 2, failed: 1 });
    expect(bench.claims.map(({ destination }) => destination)).toEqual([at('c:1')]);
  });

  test('although one keeper cannot be told', async () => {
    bench = new Bench();
    bench.onClaim = ({ destination }) => {
      if (destination === at('b:1')) throw away();
    };

    expect(await run(({ cluster }) => cluster.renewClaims)).toEqual({ sent: 2, failed: 1 });
  });

  test('but none that was released while the sweep went on', async () => {
    bench = new Bench();
    bench.wanted = new Map(Array.from({ length: 201 }, (_each, index) => wish(`${String(index).padStart(4, '0')}:1`)));
    bench.onClaim = () => void (bench.wanted = new Map());

    expect(await run(({ cluster }) => cluster.renewClaims)).toEqual({ sent: 200, failed: 0 }); // the plan is made anew after two hundred
  });
});

describe('records are compared with keepers', () => {
  test('and those that differ are told again; who claims what is noted', async () => {
    bench = new Bench();
    bench.records[1] = { ...aRecord('b:1'), places: [{ reference: at('b:1') as string as ImageName, role: 'mirror' }] };
    bench.keepers.set(at('b:1'), keeping('b:1', ['berlin', 'paris']));
    bench.keepers.delete(at('c:1'));

    expect(await run(({ cluster }) => cluster.compareRecords)).toEqual({ compared: 2, repaired: 1, unkept: 1, silent: 0 });

    expect(bench.resynced).toEqual([at('b:1')]);
    expect(bench.clusters).toEqual([{ id: 'berlin', claims: 2, heardAt: '2026-09-01' }, { id: 'paris', claims: 1, heardAt: '2026-09-01' }]);
  });

  test('one that does not answer is counted, and holds up nobody', async () => {
    bench = new Bench();
    bench.keepers.set(at('a:1'), away());

    expect(await run(({ cluster }) => cluster.compareRecords)).toEqual({ compared: 2, repaired: 0, unkept: 0, silent: 1 });
  });
});

describe('records of copies that nothing wants any more', () => {
  const placeIn = (name: string, image = from(name)) => bench.records.find((record) => record.image === image)?.places[0];

  function wantNothing(...records: ImageRecord[]): void {
    bench = new Bench();
    bench.wanted = new Map();
    bench.keepers = new Map();
    bench.records = records;
  }

  test('are put right by a look, and not by a copy, when the copy is gone', async () => {
    wantNothing(aRecord('a:1'), { ...aRecord('a:1'), image: from('a:one') });

    expect(await run(({ cluster }) => cluster.compareRecords)).toEqual({ compared: 0, repaired: 1, unkept: 0, silent: 0 });

    for (const image of [from('a:1'), from('a:one')]) expect(placeIn('a:1', image)).toMatchObject({ role: 'mirror', mirroredAt: undefined, digest: undefined });
    expect([bench.claims, bench.resynced]).toEqual([[], []]);
  });

  test('stay as they are while the registry has the copy, or does not tell', async () => {
    wantNothing(aRecord('a:1'), aRecord('b:1'));
    const before = bench.records;
    bench.registry.set(at('a:1'), digestOf('a'));
    bench.registry.set(at('b:1'), new Failure({ code: 'unreachable', side: 'destination', message: 'no route' }));

    expect(await run(({ cluster }) => cluster.compareRecords)).toEqual({ compared: 0, repaired: 0, unkept: 1, silent: 1 });
    expect(bench.records).toEqual(before);
  });

  test('say that the copy stays, and why, as its keeper knows', async () => {
    const [record] = [aRecord('a:1')];
    wantNothing({ ...record, places: [{ ...record.places[0]!, retiringSince: '2026-09-01T12:00:00Z' }] });
    const blocked = { reason: 'in-use', message: 'pods pull from it', since: '2026-09-01T12:30:00Z', attempts: 1 };
    bench.keepers.set(at('a:1'), { ...keeping('a:1'), phase: 'Expiring', blocked: { ...blocked, nextAt: '2026-09-02T12:30:00Z' } });

    expect(await run(({ cluster }) => cluster.compareRecords)).toEqual({ compared: 1, repaired: 1, unkept: 0, silent: 0 });
    expect(placeIn('a:1')).toMatchObject({ retiringSince: undefined, blocked, mirroredAt: '2026-09-01T12:00:00Z' });
    expect(bench.clusters).toEqual([]); // nobody claims together with us what we do not claim
  });
});

test('what a deletion that was stopped left in the records of a copy that is wanted again goes, also in that of another name', async () => {
  bench = new Bench();
  const [record] = [aRecord('a:1')];
  const going = { ...record, places: [{ ...record.places[0]!, retiringSince: '2026-09-01T12:00:00Z' }] };
  bench.records = [going, { ...going, image: from('a:one') }, aRecord('b:1'), aRecord('c:1')];

  expect(await run(({ cluster }) => cluster.compareRecords)).toEqual({ compared: 3, repaired: 1, unkept: 0, silent: 0 });

  expect(bench.records.flatMap(({ places }) => places.map(({ retiringSince }) => retiringSince))).toEqual([undefined, undefined, undefined, undefined]);
});

describe('tags nobody keeps', () => {
  test('are reported: not what is wanted, recorded or kept, nor what describes another tag', async () => {
    bench = new Bench();
    bench.records.push(aRecord('a:0')); // retained
    bench.keepers.set(at('a:other'), keeping('a:other', ['paris']));
    bench.tags = { 'registry.example.com/mirror/a': ['0', '1', 'other', 'old', `sha256-${'a'.repeat(64)}.sig`], 'registry.example.com/mirror/b': ['1', 'older'], 'registry.example.com/mirror/c': [] };

    expect(await run(({ registry }) => registry.findOrphans)).toEqual({ repositories: 3, tags: 7, orphans: 2, unread: 0 });

    expect(bench.orphans).toEqual([at('a:old'), at('b:older')]);
    expect(bench.byHost).toEqual({ 'registry.example.com': 2 });
  });

  test('a repository that cannot be listed is counted, and the others are looked into', async () => {
    bench = new Bench();
    bench.tags = { 'registry.example.com/mirror/a': new Failure({ code: 'denied', side: 'destination', message: 'no' }), 'registry.example.com/mirror/c': ['1', 'old'] };

    expect(await run(({ registry }) => registry.findOrphans)).toEqual({ repositories: 2, tags: 2, orphans: 1, unread: 1 });
  });
});
