import type { ClusterEvent } from '../cluster/cluster.js';
import type { ImageName } from '../domain/image-ref.js';
import { apiVersion } from '../domain/names.js';
import { checkNews, placeNews, type News } from '../domain/place-news.js';
import type { ImageRecord, PlaceRecord } from '../domain/record.js';
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
    return [
      ...placeNews(known, place).flatMap((news) => told(news, record, rule === undefined ? [] : [rule])),
      ...(isChecked(place, record) ? checkNews(known, place) : []).flatMap((news) => told(news, record, trackersOf(record, rules))),
    ];
  });
}

/** On the record, and on its rules: they have many images, so their events say which. */
function told(news: News, record: ImageRecord, rules: readonly Rule[]): ClusterEvent[] {
  return [{ regarding: recordReference(record), ...news }, ...rules.map(({ id }) => ({ regarding: ruleReference(id), ...news, note: `${record.image}: ${news.note}` }))];
}

/** Of an origin that nobody tracks, copies tell why they fail; of a copy only checks say whether it can be pulled. */
function isChecked({ role }: PlaceRecord, { trackedBy = [] }: ImageRecord): boolean {
  return role === 'mirror' || (role === 'origin' && trackedBy.length > 0);
}

function trackersOf({ trackedBy = [] }: ImageRecord, rules: ReadonlyMap<string, Rule>): readonly Rule[] {
  return trackedBy.map((name) => rules.get(`ClusterImageSetAvailability/${name}`)).filter((rule) => rule !== undefined);
}

function recordReference({ name, uid }: ImageRecord): ClusterEvent['regarding'] {
  return { apiVersion, kind: 'ImageAvailability', name, ...(uid === undefined ? {} : { uid }) };
}

/** How events name a rule. */
export function ruleReference({ kind, namespace, name, uid }: RuleId): ClusterEvent['regarding'] {
  return { apiVersion, kind, name, uid, ...(namespace === undefined ? {} : { namespace }) };
}
