import type { ClusterEvent } from '../cluster/cluster.js';
import type { ImageName } from '../domain/image-ref.js';
import { apiVersion } from '../domain/names.js';
import { placeNews } from '../domain/place-news.js';
import type { ImageRecord } from '../domain/record.js';
import { ruleText, type Rule, type RuleId } from '../domain/rule.js';
import { EventQueue, type EventQueueDeps } from './event-queue.js';

/**
 * Tells what changed between two looks at the records: as events, on the record and on its rule. Only the leader
 * looks, so that one process counts what comes too often. Nothing is told of the first look. When too many events
 * wait, the later ones are lost, as statuses tell the same.
 */
export class NewsDesk {
  readonly #queue: EventQueue;
  #known: ReadonlyMap<ImageName, ImageRecord> | undefined;

  constructor(deps: EventQueueDeps) {
    this.#queue = new EventQueue(deps);
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
    this.#queue.add(records.filter((record) => before.get(record.image) !== record).flatMap((record) => eventsOf(before.get(record.image), record, byText)));
  }

  /** Resolves when everything so far has been told. */
  told(): Promise<void> {
    return this.#queue.told();
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
