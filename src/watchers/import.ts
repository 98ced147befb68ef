/**
 * Takes over what v2 wrote into the status of a rule, once: before the first status of ours replaces it. The records
 * then know it, so nothing is remembered here; a crash in between only repeats it.
 *
 * - a copy that v2 made is there, and may be deleted later: only at a place where the rule keeps that image, since a
 *   status may say anything;
 * - what v2 last found out about an image stands until the next check;
 * - an image that v2 tracked although no Pod uses it any more stays tracked by every rule that did: nothing else tells.
 *
 * Rules are taken over side by side, and several may know an image: what is written of one is written in turn.
 */
import { importedChecks, importedCopies } from '../api/import-status.js';
import type { MirroredImage } from '../api/report-mirror.js';
import type { MonitoredImage } from '../api/report-monitor.js';
import { timeText } from '../api/report.js';
import type { Cluster, Resource } from '../cluster/cluster.js';
import { mirrorAt } from '../domain/copy-policy.js';
import { knownImageRef, placeIdentity, type ImageName } from '../domain/image-ref.js';
import { compareTexts } from '../domain/rank.js';
import { referenceOf } from '../domain/record-plan.js';
import type { ImageRecord, RecordUsage } from '../domain/record.js';
import type { MirrorRule, MonitorRule, Rule } from '../domain/rule.js';

export interface ImportDeps {
  readonly cluster: Pick<Cluster, 'record' | 'applyUsage' | 'changePlace'>;
}

const atOnce = 8;

/**
 * Whether v2 wrote into a status last: ours has conditions from the first on, and what v2 adds to it later, after the
 * charts were swapped back for a while, shows in who owns its fields.
 */
export function isFromV2({ status, otherWriters = [] }: Written): boolean {
  if (typeof status !== 'object' || status === null) return false;
  const isOurs = 'conditions' in status && otherWriters.length === 0;
  return !isOurs && ('matchingImages' in status || 'images' in status);
}

export type Written = Pick<Resource, 'status' | 'otherWriters'>;

export interface TakeoverDeps extends ImportDeps {
  /** records know more than the picture that is being reported: another one is to be made */
  readonly onTaken: () => void;
}

/** About two seconds at an API server: nobody waits longer for a pass because of one long status. */
const atMostPerPass = 100;

/** Statuses of v2, each taken over once by this process: some of it per pass, so that a long one holds up no rule. */
export class Takeover {
  readonly #deps: TakeoverDeps;
  /** what of a status is not taken over yet */
  readonly #left = new WeakMap<object, Task[]>();
  /** the last write that waits its turn, by image */
  readonly #writing = new Map<ImageName, Promise<void>>();

  constructor(deps: TakeoverDeps) {
    this.#deps = deps;
  }

  /**
   * @param now milliseconds since the epoch
   * @returns whether some of it has just been taken over: a report of what was seen before would say that it is not there
   * @throws Failure of the first record that could not be written, after all others were: the status stays until then
   */
  async look(rule: Rule, written: Written, now: number): Promise<boolean> {
    if (!isFromV2(written)) return false;
    const status = written.status as object;
    const left = this.#left.get(status) ?? tasksOf(rule, status, now, this.#deps);
    this.#left.set(status, left);
    if (left.length === 0) return false;
    const failed = await run(left.splice(0, atMostPerPass), (task) => this.#inTurn(task));
    left.push(...failed.map(({ task }) => task));
    if (failed[0] !== undefined) throw failed[0].error;
    this.#deps.onTaken();
    return true;
  }

  /** Each reads what the one before it wrote. */
  async #inTurn({ image, write }: Task): Promise<void> {
    const before = this.#writing.get(image) ?? Promise.resolve();
    const writing = before.then(write, write);
    this.#writing.set(image, writing);
    try {
      await writing;
    } finally {
      if (this.#writing.get(image) === writing) this.#writing.delete(image);
    }
  }
}

/** What is taken over of one image. */
interface Task {
  readonly image: ImageName;
  readonly write: () => Promise<void>;
}

function tasksOf(rule: Rule, status: unknown, now: number, { cluster }: ImportDeps): Task[] {
  if (rule.type === 'mirror') return importedCopies(status, now).map((known) => ({ image: known.image, write: () => importCopies(rule, known, now, cluster) }));
  if (rule.type === 'monitor') return importedChecks(status, now).map((known) => ({ image: known.image, write: () => importCheck(rule, known, cluster) }));
  return [];
}

/** @returns those that failed, and why */
async function run(tasks: readonly Task[], write: (task: Task) => Promise<void>): Promise<readonly { readonly task: Task; readonly error: unknown }[]> {
  const waiting = [...tasks];
  const failed: { task: Task; error: unknown }[] = [];
  const worker = async (): Promise<void> => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      const tried = task;
      await write(tried).catch((error: unknown) => failed.push({ task: tried, error }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return failed;
}

async function importCopies(rule: MirrorRule, { image, unusedSince, places }: MirroredImage, now: number, cluster: ImportDeps['cluster']): Promise<void> {
  const ref = knownImageRef(image);
  const copies = places.map((place) => ({ ...place, reference: identityOf(place.reference) })).filter(({ reference }) => mirrorAt(rule, ref, reference) !== undefined);
  if (copies.length === 0) return;

  if ((await cluster.record(image)) === undefined) {
    const origin = { reference: identityOf(image), role: 'origin' } as const;
    await cluster.applyUsage({ image, pods: 0, unusedSince: unusedSince ?? timeText(now), mirrors: '0/0', places: [origin], conditions: [] });
  }
  for (const { reference, mirroredAt } of copies) {
    await cluster.changePlace(image, reference, 'kuik-mirror', (place) => (place.mirroredAt === undefined ? { ...place, mirroredAt } : place));
  }
}

/** Without the credential it was seen with, an observation informs people and decides nothing. */
async function importCheck({ id }: MonitorRule, { image, state, checkedAt, unusedSince, original }: MonitoredImage, cluster: ImportDeps['cluster']): Promise<void> {
  if (checkedAt === undefined) return;
  if (unusedSince !== undefined) await importTracker(id.name, { image, unusedSince, original }, cluster);
  await cluster.changePlace(image, identityOf(image), 'kuik-monitor', (place) => (place.state === undefined ? { ...place, state, checkedAt } : place));
}

/** Of what a Pod uses again its Pods tell. What a record says already stands. */
async function importTracker(rule: string, { image, ...told }: Pick<MonitoredImage, 'image' | 'unusedSince' | 'original'>, cluster: ImportDeps['cluster']): Promise<void> {
  const known = await cluster.record(image);
  if (known === undefined) {
    const origin = { reference: identityOf(image), role: 'origin' } as const;
    return cluster.applyUsage({ image, pods: 0, ...told, trackedBy: [rule], mirrors: '0/0', places: [origin], conditions: [] });
  }
  const { trackedBy = [] } = known;
  if (known.pods > 0 || trackedBy.includes(rule)) return;
  await cluster.applyUsage({ ...told, ...restated(known), trackedBy: [...trackedBy, rule].sort(compareTexts) });
}

/** All that a record says of its use: it is written whole. The counts of copies are told anew by the next pass. */
function restated({ image, pods, original, unusedSince, expiresAt, places, conditions = [] }: ImageRecord): RecordUsage {
  return {
    image,
    pods,
    ...(original === undefined ? {} : { original }),
    ...(unusedSince === undefined ? {} : { unusedSince }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    mirrors: '0/0',
    places: places.filter(({ role }) => role !== undefined).map(({ reference, role, rule, secret, retention }) => ({ reference, role, rule, secret, retention })),
    conditions,
  };
}

/** A record names its places by identity. */
function identityOf(image: ImageName): ImageName {
  return referenceOf(placeIdentity(knownImageRef(image)));
}
