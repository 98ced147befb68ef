/**
 * From the picture to what follows from it, all of it computed anew each time:
 *
 * 1. which copies the cluster wants (`domain/mirror`);
 * 2. what the records say (`domain/record-plan`), written where it differs;
 * 3. claims and releases, handed to whoever sends them;
 * 4. the statuses of the rules.
 *
 * A missed, repeated or reordered event changes nothing: there are no events here.
 */
import type { Cluster } from '../cluster/cluster.js';
import { isNameless } from '../domain/claim.js';
import { suspicions, type Suspicion } from '../domain/drift.js';
import { imageName, placeIdentity, type ImageName, type PlaceId } from '../domain/image-ref.js';
import { planMirrors, type MirrorPlan, type MirrorSettings, type WantedCopy } from '../domain/mirror.js';
import { trackedImages, uncheckedPlaces, type RecordPlace, type TrackedImage } from '../domain/monitor.js';
import type { SkipSettings } from '../domain/opt-out.js';
import { withPlatforms, type Platform } from '../domain/platform.js';
import { planRecords, referenceOf, type ImageUse, type RecordPlan } from '../domain/record-plan.js';
import type { ImageRecord, PlaceRecord, RecordUsage } from '../domain/record.js';
import type { Rule } from '../domain/rule.js';
import type { Pod } from '../domain/usage.js';
import { everyTurn } from './every-turn.js';
import { imagesInUse, pulledCopies, recordedImages, withTemplates, type PodSource } from './picture.js';

export interface ReconcileDeps {
  readonly cluster: Pick<Cluster, 'applyUsage' | 'deleteRecord' | 'changePlace'>;
  readonly usage: PodSource & { podsAt(place: PlaceId): readonly Pod[] };
  /** templates of workloads, where they count as using what a record knows */
  readonly workloads?: TemplateSource;
  readonly rules: { snapshot(): readonly Rule[] };
  readonly records: { snapshot(): readonly ImageRecord[]; byImage(image: ImageName): ImageRecord | undefined; holder(place: PlaceId): ImageName | undefined };
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
  readonly settings: MirrorSettings & { readonly skip: SkipSettings };
  /** platforms that are wanted beside those of the settings */
  readonly nodePlatforms?: () => readonly Platform[];
  readonly claims: ClaimSink;
  /** has the keepers of destinations tell again what they know; never rejects, and may be forgotten */
  readonly tellAgain: (destinations: readonly PlaceId[]) => void;
  /** has what is tracked checked; never rejects */
  readonly monitor?: (images: readonly TrackedImage[]) => void;
  /** sets and takes off finalizers */
  readonly hold?: (picture: Picture) => Promise<void>;
  readonly report: (picture: Picture) => Promise<void>;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

interface Adoption {
  /** milliseconds since the epoch */
  readonly since: number;
  /** what the record said then */
  readonly triedAt: string | undefined;
}

export type TemplateSource = PodSource & { names(place: PlaceId): boolean };

/** Where claims go: it compares with what was sent, paces and repeats. */
export interface ClaimSink {
  /** the complete wanted set, and the copies of ours nothing wants any more */
  want(wanted: ReadonlyMap<PlaceId, WantedCopy>, released: readonly PlaceId[], purged: ReadonlySet<PlaceId>): void;
}

/** One consistent look at everything. */
export interface Picture {
  readonly used: readonly ImageUse[];
  readonly rules: readonly Rule[];
  readonly records: readonly ImageRecord[];
  readonly plan: MirrorPlan;
  /** what monitor rules want to know about */
  readonly tracked: readonly TrackedImage[];
  readonly now: number;
}

const writesAtOnce = 8;
/** A claim is sent within seconds, and the copy says so at once; on a cold start thousands wait their turn, and asking costs little. */
const silenceMs = 30_000;
const askedAtOnce = 50;
/** Longer than a new keeper needs to find out what is there; if it was not, the next release finds the copy orphaned again. */
const adoptionMs = 10 * 60_000;

export class Reconciler {
  readonly #deps: ReconcileDeps;
  /** what was last written, so that an unchanged record costs no request */
  readonly #written = new Map<ImageName, string>();
  /** since when a record says nothing about a wanted copy: milliseconds since the epoch */
  #silentSince = new Map<PlaceId, number>();
  /** copies whose keepers were told what a check saw, and what that was */
  #suspected: ReadonlyMap<PlaceId, string> = new Map();
  /** copies without a keeper that are being adopted */
  readonly #adopting = new Map<PlaceId, Adoption>();

  constructor(deps: ReconcileDeps) {
    this.#deps = deps;
  }

  /** @throws the first error, after everything was tried: the next pass repeats it */
  async pass(): Promise<void> {
    const picture = lookAround(this.#deps, this.#orphans());
    const records = this.#planRecords(picture);

    await everyTurn([
      () => this.#write(records, uncheckedPlaces(picture.records, picture.tracked)),
      () => this.#askFor(picture, records),
      () => this.#deps.hold?.(picture),
      () => this.#deps.report(picture),
    ]);
  }

  /** What others are to do: keepers, and monitors of registries. */
  #askFor(picture: Picture, { released, purged }: RecordPlan): void {
    this.#deps.claims.want(picture.plan.wanted, released, purged);
    this.#askSilent(picture);
    this.#askSuspected(picture);
    this.#deps.monitor?.(picture.tracked);
  }

  /**
   * Only the keepers know which copies exist. A record that stays silent about a wanted copy was deleted and made
   * again, perhaps while nobody watched: its keeper is asked to tell once more. A new copy speaks within seconds.
   */
  #askSilent({ records, plan, now }: Picture): void {
    const speaking = new Set(records.flatMap(({ places }) => places.filter(speaks).map(({ reference }) => reference)));
    const told = [...plan.wanted.values()].filter((copy) => !isNameless(copy)).map(({ destination }) => destination); // no record is about the others
    const silent = told.filter((destination) => !speaking.has(referenceOf(destination)));
    this.#silentSince = new Map(silent.map((destination) => [destination, this.#silentSince.get(destination) ?? now]));

    const asked = silent.filter((destination) => now - (this.#silentSince.get(destination) ?? now) >= silenceMs).slice(0, askedAtOnce);
    for (const destination of asked) this.#silentSince.set(destination, now);
    if (asked.length > 0) this.#deps.tellAgain(asked);
  }

  /** What a check saw is told to the keepers it concerns, once: they look themselves before they believe it. */
  #askSuspected({ records, plan }: Picture): void {
    const minds = (destination: PlaceId): boolean => (plan.wanted.get(destination)?.drift ?? 'keep') !== 'keep';
    const suspected = suspicions(records, minds).filter(({ destination }) => plan.wanted.has(destination));
    const isTold = ({ destination, sign }: Suspicion): boolean => this.#suspected.get(destination) === sign;
    const news = suspected.filter((suspicion) => !isTold(suspicion)).slice(0, askedAtOnce);
    this.#suspected = new Map([...suspected.filter(isTold), ...news].map(({ destination, sign }) => [destination, sign]));
    if (news.length > 0) this.#deps.tellAgain(news.map(({ destination }) => destination));
  }

  /** Nobody keeps a copy that was released: if it is to be cleaned up one day, it is given a keeper once more. */
  adopt(destination: PlaceId): void {
    this.#adopting.set(destination, { since: this.#deps.now(), triedAt: this.#triedAt(destination) });
  }

  /** Writes everything once more at the next pass: somebody may have edited a record behind our back. */
  forget(): void {
    this.#written.clear();
  }

  /** Copies that are being taken in again, for as long as that may take. */
  #orphans(): ReadonlySet<PlaceId> {
    const now = this.#deps.now();
    for (const [destination, { since, triedAt }] of this.#adopting) {
      const hasLooked = this.#triedAt(destination) !== triedAt;
      if (hasLooked || now - since >= adoptionMs) this.#adopting.delete(destination);
    }
    return new Set(this.#adopting.keys());
  }

  /** When a keeper last tried, as the record tells. */
  #triedAt(destination: PlaceId): string | undefined {
    const { records } = this.#deps;
    const image = records.holder(destination);
    return (image === undefined ? undefined : records.byImage(image))?.places.find(({ reference }) => reference === referenceOf(destination))?.triedAt;
  }

  #planRecords({ used, rules, records, plan, tracked, now }: Picture): RecordPlan {
    const isKnownCopy = (place: PlaceId): boolean => this.#deps.records.holder(place) !== undefined;
    const recorded = recordedImages(used, rules, (ref) => isKnownCopy(placeIdentity(ref)));
    const { retentionMs, isConnected } = this.#deps.settings;
    return planRecords({ used: recorded, plan, rules, records, tracked, retentionMs, isConnected, now });
  }

  /** @throws the first error, after everything was tried */
  async #write(plan: RecordPlan, unchecked: readonly RecordPlace[]): Promise<void> {
    const tasks = [
      ...plan.forgotten.map(({ image, reference }) => () => this.#forget(image, reference, ['kuik-mirror', 'kuik-monitor'])),
      ...unchecked.map(({ image, reference }) => () => this.#forget(image, reference, ['kuik-monitor'])),
      ...plan.apply.map((usage) => () => this.#apply(usage)),
      ...plan.remove.map((image) => () => this.#remove(image)),
    ];
    let failed: Error | undefined;
    const worker = async (): Promise<void> => {
      for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) await task().catch((error: unknown) => (failed ??= error instanceof Error ? error : new Error(String(error))));
    };
    await Promise.all(Array.from({ length: writesAtOnce }, worker));
    if (failed !== undefined) throw failed;
  }

  async #apply(usage: RecordUsage): Promise<void> {
    const text = JSON.stringify(usage);
    const exists = this.#deps.records.byImage(usage.image) !== undefined;
    if (exists && this.#written.get(usage.image) === text) return;
    await this.#deps.cluster.applyUsage(usage);
    this.#written.set(usage.image, text);
  }

  /** In the name of those who wrote it: a place is there for as long as anybody says something of it. */
  async #forget(image: ImageName, reference: ImageName, managers: readonly ('kuik-mirror' | 'kuik-monitor')[]): Promise<void> {
    const { cluster } = this.#deps;
    for (const manager of managers) await cluster.changePlace(image, reference, manager, (place) => ({ reference: place.reference, role: place.role }));
  }

  async #remove(image: ImageName): Promise<void> {
    await this.#deps.cluster.deleteRecord(image);
    this.#written.delete(image);
  }
}

/** Where a picture is taken from: the views, or what was read for one answer. */
export type Surroundings = Pick<ReconcileDeps, 'usage' | 'workloads' | 'namespaceLabels' | 'settings' | 'nodePlatforms' | 'now'> & {
  readonly rules: Pick<ReconcileDeps['rules'], 'snapshot'>;
  readonly records: Pick<ReconcileDeps['records'], 'snapshot'>;
};

/** @param orphans copies that are claimed so that somebody keeps them again */
export function lookAround({ nodePlatforms, ...around }: Surroundings, orphans: ReadonlySet<PlaceId> = new Set()): Picture {
  const settings = nodePlatforms === undefined ? around.settings : { ...around.settings, platforms: withPlatforms(around.settings.platforms, nodePlatforms()) };
  const { usage, workloads } = around;
  const rules = around.rules.snapshot();
  const records = around.records.snapshot();
  const now = around.now();
  const used = usesIn(around, records);
  const podsPulling = (place: PlaceId): number => usage.podsAt(place).length;
  const isNamed = (place: PlaceId): boolean => workloads?.names(place) === true;
  const plan = planMirrors({ used, rules, records, podsPulling, isNamed, pulled: pulledCopies(usage, rules), orphans, settings });
  return { used, rules, records, plan, tracked: trackedImages({ used, rules, records, now }), now };
}

/** Every image that Pods without an opt-out use, and what templates name of what records know. */
export function usesIn({ usage, workloads, namespaceLabels, settings }: Pick<Surroundings, 'usage' | 'workloads' | 'namespaceLabels' | 'settings'>, records: readonly ImageRecord[]): readonly ImageUse[] {
  const source = workloads === undefined ? usage : withTemplates(usage, workloads);
  return knownUses(imagesInUse(source, { skip: settings.skip, namespaceLabels }), records);
}

/** Without those that only templates name and no record knows: a template keeps a record, and makes none. */
function knownUses(used: readonly ImageUse[], records: readonly ImageRecord[]): readonly ImageUse[] {
  if (used.every(({ pods }) => pods > 0)) return used;
  const known = new Set(records.map(({ image }) => image));
  return used.filter(({ ref, pods }) => pods > 0 || known.has(imageName(ref)));
}

/** Whether a record tells anything that only a keeper can know. */
function speaks({ workflowId, mirroredAt, failure }: PlaceRecord): boolean {
  return workflowId !== undefined || mirroredAt !== undefined || failure !== undefined;
}
