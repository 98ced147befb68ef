import type { ImageName } from '../../domain/image-ref.js';
import { annotations, fieldManagers } from '../../domain/names.js';
import type { ImageRecord, PlaceRecord, RecordUsage } from '../../domain/record.js';
import { partOf, saysSomething, type PlaceManager, type PlacePart } from '../ownership.js';
import { recordName } from '../record-name.js';

/** One record as the API server stores it: what each manager applied last, kept apart. */
export interface StoredRecord {
  readonly image: ImageName;
  readonly uid: string;
  readonly usage?: RecordUsage;
  readonly annotations: Readonly<Record<string, string>>;
  readonly parts: Readonly<Record<PlaceManager, readonly PlacePart[]>>;
}

export function emptyRecord(image: ImageName, uid: string): StoredRecord {
  return { image, uid, annotations: {}, parts: { 'kuik-usage': [], 'kuik-mirror': [], 'kuik-monitor': [] } };
}

/** Replaces all that one manager says of the places. */
export function withParts(record: StoredRecord, manager: PlaceManager, parts: readonly PlacePart[]): StoredRecord {
  return { ...record, parts: { ...record.parts, [manager]: parts } };
}

/** Replaces what one manager says of one place; a part that says nothing is dropped. */
export function withPart(record: StoredRecord, manager: PlaceManager, part: PlacePart): StoredRecord {
  const others = record.parts[manager].filter(({ reference }) => reference !== part.reference);
  return withParts(record, manager, saysSomething(part) ? [...others, part] : others);
}

/** What readers see: everybody's fields, merged by reference. */
export function mergedRecord({ image, uid, usage, annotations: notes, parts }: StoredRecord): ImageRecord {
  const places = new Map<ImageName, PlaceRecord>();
  for (const part of [...parts['kuik-usage'], ...parts['kuik-mirror'], ...parts['kuik-monitor']]) {
    places.set(part.reference, { ...places.get(part.reference), ...part });
  }
  const keepUntil = notes[annotations.keepUntil];
  const requestedAt = notes[annotations.requestedAt];
  return {
    name: recordName(image),
    image,
    uid,
    pods: usage?.pods ?? 0,
    ...(usage?.original === undefined ? {} : { original: usage.original }),
    ...(usage?.unusedSince === undefined ? {} : { unusedSince: usage.unusedSince }),
    ...(usage?.expiresAt === undefined ? {} : { expiresAt: usage.expiresAt }),
    ...(usage?.trackedBy === undefined ? {} : { trackedBy: usage.trackedBy }),
    places: [...places.values()],
    ...(usage === undefined ? {} : { conditions: usage.conditions }),
    ...(keepUntil === undefined ? {} : { keepUntil }),
    ...(requestedAt === undefined ? {} : { requestedAt }),
    ...(notes[annotations.paused] === 'true' ? { paused: true } : {}),
  };
}

/** The reverse, for records a test hands in: each field goes to the manager that owns it. */
export function storedRecord(record: ImageRecord, uid: string): StoredRecord {
  const partsOf = (manager: PlaceManager): PlacePart[] => record.places.map((place) => partOf(place, manager)).filter(saysSomething);
  const { image, pods, original, unusedSince, expiresAt, trackedBy, places, conditions } = record;
  return {
    image,
    uid: record.uid ?? uid,
    usage: { image, pods, original, unusedSince, expiresAt, trackedBy, mirrors: '', places, conditions: conditions ?? [] },
    annotations: definedOnly({ [annotations.keepUntil]: record.keepUntil, [annotations.requestedAt]: record.requestedAt, [annotations.paused]: record.paused === true ? 'true' : undefined }),
    parts: {
      [fieldManagers.usage]: places.map((place) => partOf(place, fieldManagers.usage)),
      [fieldManagers.mirror]: partsOf(fieldManagers.mirror),
      [fieldManagers.monitor]: partsOf(fieldManagers.monitor),
    },
  };
}

export function definedOnly(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
