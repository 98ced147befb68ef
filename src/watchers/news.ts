import type { Cluster, ClusterEvent } from '../cluster/cluster.js';
import type { ImageName } from '../domain/image-ref.js';
import { apiVersion } from '../domain/names.js';
import { placeNews } from '../domain/place-news.js';
import type { ImageRecord } from '../domain/record.js';
import { ruleText, type Rule, type RuleId } from '../domain/rule.js';

export interface NewsDeps {
  readonly cluster: Pick<Cluster, 'emitEvent'>;
  readonly onError: (error: unknown) => void;
}

const mostWaiting = 1_000;

/**
 * Tells what changed between two looks at the records: as events, on the record and on its rule. Only the leader
 * looks, so that one process counts what comes too often. Nothing is told of the first look, and nobody waits for an
 * event; when too many wait, the later ones are lost, as statuses tell the same.
 */
export class NewsDesk {
  readonly #deps: NewsDeps;
  #known: ReadonlyMap<ImageName, ImageRecord> | undefined;
  readonly #waiting: ClusterEvent[] = [];
  #telling: Promise<void> = Promise.resolve();

  constructor(deps: NewsDeps) {
    this.#deps = deps;
  }

  /** Somebody else may have led meanwhile, and told. */
  forget(): void {
    this.#known = undefined;
  }

  look(records: readonly ImageRecord[], rules: readonly Rule[]): void {
    const before = this.#known;
    this.#known = new Map(records.map((record) => [record.image, record]));
    if (before === undefined) return;
    const byText = new Map(rules.map((rule) => [ruleText(rule.id), rule]));
    const events = records.filter((record) => before.get(record.image) !== record).flatMap((record) => eventsOf(before.get(record.image), record, byText));
    this.#waiting.push(...events.slice(0, mostWaiting - this.#waiting.length));
    this.#telling = this.#telling.then(() => this.#tell());
  }

  /** Resolves when everything so far has been told. */
  async told(): Promise<void> {
    await this.#telling;
  }

  async #tell(): Promise<void> {
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) await this.#deps.cluster.emitEvent(event).catch(this.#deps.onError);
  }
}

function eventsOf(before: ImageRecord | undefined, record: ImageRecord, rules: ReadonlyMap<string, Rule>): ClusterEvent[] {
  return record.places.flatMap((place) => {
    const known = before?.places.find(({ reference }) => reference === place.reference);
    const rule = rules.get(place.rule ?? '');
    return placeNews(known, place).flatMap((news) => [
      { regarding: recordReference(record), ...news },
      // a rule has many images: its events say which
      ...(rule === undefined ? [] : [{ regarding: ruleReference(rule.id), ...news, note: `${record.image}: ${news.note}` }]),
    ]);
  });
}

function recordReference({ name, uid }: ImageRecord): ClusterEvent['regarding'] {
  return { apiVersion, kind: 'ImageAvailability', name, ...(uid === undefined ? {} : { uid }) };
}

/** How events name a rule. */
export function ruleReference({ kind, namespace, name, uid }: RuleId): ClusterEvent['regarding'] {
  return { apiVersion, kind, name, uid, ...(namespace === undefined ? {} : { namespace }) };
}
