/**
 * The steps of a sweep. Each goes over its items in order, at a steady pace and after everything else, and says in
 * its heartbeat how far it came: a worker that dies costs the item it was at.
 */
import { Context } from '@temporalio/activity';
import { claimOf, isNameless, type Sender, type Wish } from '../domain/claim.js';
import { isFailure } from '../domain/failure.js';
import { knownImageRef, placeIdentity, repositoryText, type ImageName, type PlaceId, type Repository } from '../domain/image-ref.js';
import type { KeeperStatus } from '../domain/keeper-story.js';
import { publishedName } from '../domain/published-name.js';
import { referenceOf } from '../domain/record-plan.js';
import type { ImageRecord, PlaceRecord } from '../domain/record.js';
import { isDrifted, isUnexplained, keptPlace, withClusters, type ClaimCounts, type SharingCluster, type OrphanCounts, type RecordCounts } from '../domain/sweep.js';
import type { Registry } from '../registry/registry.js';
import type { Subject, SweepClusterActivities, SweepRegistryActivities } from '../temporal/activities.js';
import type { KeeperClient } from '../temporal/client.js';
import type { Credentials } from './credentials.js';
import { lookAtUnkept, type UnkeptDeps } from './unkept.js';

export interface SweepDeps {
  readonly cluster: string;
  /** what this cluster wants at this moment, and its records */
  readonly wanted: () => ReadonlyMap<PlaceId, Wish>;
  readonly records: () => readonly ImageRecord[];
  readonly record: (image: ImageName) => ImageRecord | undefined;
  readonly keepers: Pick<KeeperClient, 'claim' | 'status' | 'resync' | 'isKept'>;
  /** what this cluster says in every claim */
  readonly lease: Omit<Sender, 'cluster' | 'generation' | 'renewal'>;
  readonly registry: Pick<Registry, 'tags'>;
  readonly credentials: Pick<Credentials, 'destination'>;
  /** copies that nobody keeps, and their records */
  readonly unkept: UnkeptDeps;
  /** milliseconds since the epoch */
  readonly now: () => number;
  /** who else claims what we claim: for `kuik cluster list` */
  readonly noteClusters: (clusters: readonly SharingCluster[]) => Promise<void>;
  /** a tag nobody keeps, the first few of a sweep */
  readonly onOrphan: (reference: ImageName) => void;
  /** how many each registry has, `host[:port]`, once all were looked at */
  readonly countOrphans: (byHost: Readonly<Record<string, number>>) => void;
  /** items per second */
  readonly perSecond?: number;
}

const usualPerSecond = 15; // half of what the claim queue may send: whoever waits for a first copy goes before
const plannedAnew = 200; // items: a plan that is ten seconds old is no reason to claim what was just released
const toldOrphans = 100;

export function createSweepActivities(deps: SweepDeps): { cluster: SweepClusterActivities; registry: SweepRegistryActivities } {
  return {
    cluster: { renewClaims: () => renewClaims(deps), compareRecords: () => compareRecords(deps) },
    registry: { findOrphans: () => findOrphans(deps) },
  };
}

/** How far a step came. */
interface Cursor<Counts> {
  readonly after: string;
  readonly counts: Counts;
}

async function renewClaims(deps: SweepDeps): Promise<ClaimCounts> {
  const { cluster, lease, keepers } = deps;
  return walk<ClaimCounts>(deps, { sent: 0, failed: 0 }, async (destination, counts, wanted) => {
    const wish = wanted.get(destination);
    if (wish === undefined) return counts; // released meanwhile
    // generation 0 and `renewal`: it counts whatever was sent before, and everything sent after it counts more
    const sent = await answered(() => keepers.claim(claimOf(wish, { cluster, generation: 0, renewal: true, ...lease })).then(() => 'sent'));
    return sent === undefined ? { ...counts, failed: counts.failed + 1 } : { ...counts, sent: counts.sent + 1 };
  });
}

type Compared = RecordCounts & { readonly clusters: readonly SharingCluster[] };

/** Also copies that nothing wants any more: their records hear of the end of a deletion only once. */
async function compareRecords(deps: SweepDeps): Promise<RecordCounts> {
  const { keepers, noteClusters } = deps;
  const start: Compared = { compared: 0, repaired: 0, unkept: 0, silent: 0, clusters: [] };
  const { clusters, ...counts } = await walk<Compared>(
    deps,
    start,
    async (destination, sofar, wanted) => {
      const wish = wanted.get(destination);
      const copies = copiesAt(destination, deps);
      if (wish === undefined && copies.length === 0) return sofar;
      const status = await answered(() => keepers.status(destination));
      if (status === undefined) return { ...sofar, silent: sofar.silent + 1 };
      if (status === 'absent') return wish === undefined ? unkept(destination, sofar, deps) : isNameless(wish) ? sofar : { ...sofar, unkept: sofar.unkept + 1 };

      const seen = { ...sofar, compared: sofar.compared + 1, ...(wish === undefined ? {} : { clusters: withClusters(sofar.clusters, status) }) };
      const written = await writeKept(destination, copies, status, deps);
      const isTold = wish === undefined || isNameless(wish) || !isDrifted(placeOf(deps.record(wish.image), wish), status);
      if (!isTold) await answered(() => keepers.resync(destination));
      return isTold && !written ? seen : { ...seen, repaired: seen.repaired + 1 };
    },
    recordedDestinations(deps.records()),
  );
  await noteClusters(clusters);
  return counts;
}

type Copies = ReturnType<SweepDeps['unkept']['records']['at']>;

function recordedDestinations(records: readonly ImageRecord[]): PlaceId[] {
  return records.flatMap(({ places }) => places.filter(speaksOfCopy).map(({ reference }) => reference as string as PlaceId));
}

/** In every record: names of one digest have a record each, and one copy. */
function copiesAt(destination: PlaceId, { unkept: { records } }: SweepDeps): Copies {
  return records.at(destination).filter(({ place }) => speaksOfCopy(place));
}

function speaksOfCopy({ role, mirroredAt, retiringSince, blocked }: PlaceRecord): boolean {
  return role === 'mirror' && (mirroredAt !== undefined || retiringSince !== undefined || blocked !== undefined);
}

/** Nobody wants it and nobody keeps it: the registry knows whether it is there at all. */
async function unkept(destination: PlaceId, sofar: Compared, deps: SweepDeps): Promise<Compared> {
  switch (await answered(() => lookAtUnkept(destination, deps.unkept))) {
    case undefined:
      return { ...sofar, silent: sofar.silent + 1 };
    case 'gone':
      return { ...sofar, repaired: sofar.repaired + 1 };
    case 'there':
      return { ...sofar, unkept: sofar.unkept + 1 };
  }
}

/** @returns whether anything was written */
async function writeKept(destination: PlaceId, copies: Copies, status: KeeperStatus, { unkept: { cluster }, lease, now }: SweepDeps): Promise<boolean> {
  const keep = (place: PlaceRecord): PlaceRecord | undefined => keptPlace(place, status, now(), lease.tombstoneMs ?? 0);
  const left = copies.filter(({ place }) => keep(place) !== undefined);
  for (const { record } of left) await cluster.changePlace(record.image, referenceOf(destination), 'kuik-mirror', (place) => keep(place) ?? place);
  return left.length > 0;
}

function placeOf(record: ImageRecord | undefined, { destination }: Wish): PlaceRecord | undefined {
  return record?.places.find(({ reference }) => (reference as string) === destination);
}

/** Goes over the wanted destinations, and those beside them, in the order of their names, from where the last attempt stopped. */
async function walk<Counts>(deps: SweepDeps, start: Counts, visit: (destination: PlaceId, counts: Counts, wanted: ReadonlyMap<PlaceId, Wish>) => Promise<Counts>, beside: readonly PlaceId[] = []): Promise<Counts> {
  const context = Context.current();
  let { after, counts } = (context.info.heartbeatDetails as Cursor<Counts> | undefined) ?? { after: '', counts: start };
  let wanted = deps.wanted();
  const destinations = [...new Set([...wanted.keys(), ...beside])].sort().filter((destination) => destination > after);
  for (const [index, destination] of destinations.entries()) {
    if (index > 0 && index % plannedAnew === 0) wanted = deps.wanted();
    counts = await visit(destination, counts, wanted);
    after = destination;
    context.heartbeat({ after, counts } satisfies Cursor<Counts>);
    await context.sleep(1000 / (deps.perSecond ?? usualPerSecond));
  }
  return counts;
}

/** @returns undefined when the other side does not answer; what is no failure of ours passes through */
async function answered<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isFailure(error)) return undefined;
    throw error;
  }
}

/** A repository of ours: where copies are, how they are named, and one of them, whose credentials open it. */
interface Known {
  readonly repository: Repository;
  readonly subject: Subject;
  readonly published: Set<ImageName>;
}

type Found = OrphanCounts & { readonly byHost: Readonly<Record<string, number>> };

async function findOrphans(deps: SweepDeps): Promise<OrphanCounts> {
  const context = Context.current();
  const start: Found = { repositories: 0, tags: 0, orphans: 0, unread: 0, byHost: {} };
  let { after, counts } = (context.info.heartbeatDetails as Cursor<Found> | undefined) ?? { after: '', counts: start };
  const known = knownRepositories(deps);
  for (const name of [...known.keys()].sort().filter((each) => each > after)) {
    const beat = (): void => context.heartbeat({ after, counts } satisfies Cursor<Found>);
    counts = await lookInto(known.get(name)!, counts, beat, deps);
    after = name;
    beat();
    await context.sleep(1000 / (deps.perSecond ?? usualPerSecond));
  }
  const { byHost, ...found } = counts;
  deps.countOrphans(byHost);
  return found;
}

async function lookInto({ repository, subject, published }: Known, counts: Found, beat: () => void, deps: SweepDeps): Promise<Found> {
  const { host } = repository;
  let { tags, orphans } = counts;
  try {
    const identity = await deps.credentials.destination(subject);
    for await (const tag of deps.registry.tags(repository, identity, { signal: Context.current().cancellationSignal, purpose: 'check', side: 'destination' })) {
      tags += 1;
      if (!isUnexplained(tag, repositoryText(repository), published)) continue;
      const destination = placeIdentity({ ...repository, tag });
      beat();
      if (await deps.keepers.isKept(destination)) continue; // another cluster's, or its clock runs
      orphans += 1;
      if (orphans <= toldOrphans) deps.onOrphan(`${repositoryText(repository)}:${tag}` as ImageName);
    }
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { ...counts, unread: counts.unread + 1, byHost: { [host]: 0, ...counts.byHost } };
  }
  const byHost = { ...counts.byHost, [host]: (counts.byHost[host] ?? 0) + orphans - counts.orphans };
  return { ...counts, repositories: counts.repositories + 1, tags, orphans, byHost };
}

/** Where copies of ours are or will be: of what is wanted, and of what records still show. */
function knownRepositories({ wanted, records }: SweepDeps): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>();
  const add = (destination: PlaceId, publishAs: ImageName, image: ImageName, rules: Subject['rules']): void => {
    const { host, path } = knownImageRef(destination);
    const name = repositoryText({ host, path });
    const entry = known.get(name) ?? { repository: { host, path }, subject: { v: 1, destination, publishAs, image, rules }, published: new Set() };
    entry.published.add(publishAs);
    known.set(name, entry);
  };
  for (const { destination, publishAs, image, rules } of wanted().values()) add(destination, publishAs, image, rules);
  for (const { image, places } of records()) {
    for (const { role, reference } of places) if (role === 'mirror') add(reference as string as PlaceId, publishedName(knownImageRef(reference)), image, []);
  }
  return known;
}
