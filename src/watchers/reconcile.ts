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
import { placeIdentity, type ImageName, type PlaceId } from '../domain/image-ref.js';
import { planMirrors, type MirrorPlan, type MirrorSettings, type WantedCopy } from '../domain/mirror.js';
import type { SkipSettings } from '../domain/opt-out.js';
import { planRecords, type ImageUse, type RecordPlan } from '../domain/record-plan.js';
import type { ImageRecord, RecordUsage } from '../domain/record.js';
import type { Rule } from '../domain/rule.js';
import type { Pod } from '../domain/usage.js';
import { imagesInUse, recordedImages, type PodSource } from './picture.js';

export interface ReconcileDeps {
  readonly cluster: Pick<Cluster, 'applyUsage' | 'deleteRecord'>;
  readonly usage: PodSource & { podsAt(place: PlaceId): readonly Pod[] };
  readonly rules: { snapshot(): readonly Rule[] };
  readonly records: { snapshot(): readonly ImageRecord[]; byImage(image: ImageName): ImageRecord | undefined; holder(place: PlaceId): ImageName | undefined };
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
  readonly settings: MirrorSettings & { readonly skip: SkipSettings };
  readonly claims: ClaimSink;
  /** has the keepers of destinations tell again what they know; never rejects, and may be forgotten */
  readonly tellAgain: (destinations: readonly PlaceId[]) => void;
  readonly report: (picture: Picture) => Promise<void>;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

/** Where claims go: it compares with what was sent, paces and repeats. */
export interface ClaimSink {
  /** the complete wanted set, and the copies of ours nothing wants any more */
  want(wanted: ReadonlyMap<PlaceId, WantedCopy>, released: readonly PlaceId[]): void;
}

/** One consistent look at everything. */
export interface Picture {
  readonly used: readonly ImageUse[];
  readonly rules: readonly Rule[];
  readonly records: readonly ImageRecord[];
  readonly plan: MirrorPlan;
  readonly now: number;
}

const writesAtOnce = 8;

export class Reconciler {
  readonly #deps: ReconcileDeps;
  /** what was last written, so that an unchanged record costs no request */
  readonly #written = new Map<ImageName, string>();
  /** which records were there at the last look */
  #present: ReadonlySet<ImageName> = new Set();

  constructor(deps: ReconcileDeps) {
    this.#deps = deps;
  }

  /** @throws Failure of the first write that failed, after all others were tried: the next pass repeats it */
  async pass(): Promise<void> {
    const picture = this.#look();
    const records = this.#planRecords(picture);

    const failed = await this.#write(records);
    this.#deps.claims.want(picture.plan.wanted, records.released);
    this.#rebuild(picture);
    await this.#deps.report(picture);
    if (failed !== undefined) throw failed;
  }

  /** A record that somebody deleted took along what only the keepers know: which copies exist. They write it again. */
  #rebuild({ records, plan }: Picture): void {
    const present = new Set(records.map(({ image }) => image));
    const gone = [...plan.wanted.values()].filter(({ image }) => this.#present.has(image) && !present.has(image));
    if (gone.length > 0) this.#deps.tellAgain(gone.map(({ destination }) => destination));
    this.#present = present;
  }

  /** Writes everything once more at the next pass: somebody may have edited a record behind our back. */
  forget(): void {
    this.#written.clear();
  }

  #look(): Picture {
    const { usage, settings, namespaceLabels } = this.#deps;
    const used = imagesInUse(usage, { skip: settings.skip, namespaceLabels });
    const rules = this.#deps.rules.snapshot();
    const records = this.#deps.records.snapshot();
    const isPulledFrom = (place: PlaceId): boolean => usage.podsAt(place).length > 0;
    return { used, rules, records, plan: planMirrors({ used, rules, records, isPulledFrom, settings }), now: this.#deps.now() };
  }

  #planRecords({ used, rules, records, plan, now }: Picture): RecordPlan {
    const isKnownCopy = (place: PlaceId): boolean => this.#deps.records.holder(place) !== undefined;
    const recorded = recordedImages(used, rules, (ref) => isKnownCopy(placeIdentity(ref)));
    return planRecords({ used: recorded, plan, rules, records, retentionMs: this.#deps.settings.retentionMs, now });
  }

  /** @returns the first error, after everything was tried */
  async #write(plan: RecordPlan): Promise<Error | undefined> {
    const tasks = [...plan.apply.map((usage) => () => this.#apply(usage)), ...plan.remove.map((image) => () => this.#remove(image))];
    let failed: Error | undefined;
    const worker = async (): Promise<void> => {
      for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) await task().catch((error: unknown) => (failed ??= error instanceof Error ? error : new Error(String(error))));
    };
    await Promise.all(Array.from({ length: writesAtOnce }, worker));
    return failed;
  }

  async #apply(usage: RecordUsage): Promise<void> {
    const text = JSON.stringify(usage);
    const exists = this.#deps.records.byImage(usage.image) !== undefined;
    if (exists && this.#written.get(usage.image) === text) return;
    await this.#deps.cluster.applyUsage(usage);
    this.#written.set(usage.image, text);
  }

  async #remove(image: ImageName): Promise<void> {
    await this.#deps.cluster.deleteRecord(image);
    this.#written.delete(image);
  }
}
