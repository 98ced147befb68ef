import { translateRecord } from '../../api/translate-record.js';
import { isFailure } from '../../domain/failure.js';
import type { ImageName } from '../../domain/image-ref.js';
import { fieldManagers } from '../../domain/names.js';
import type { ImageRecord, PlaceRecord, RecordUsage } from '../../domain/record.js';
import { partOf, saysSomething, type PlaceManager, type PlacePart } from '../ownership.js';
import { recordName } from '../record-name.js';
import { apply, merge } from './apply.js';
import { appliedPlaces, type ManagedFields } from './managed-fields.js';
import type { Requests } from './requests.js';
import { watchedTypes, type Address } from './resources.js';
import { againOnConflict } from './retry.js';

const type = watchedTypes.ImageAvailability;

/** What is read of a record to change it. */
interface StoredRecord {
  readonly metadata: { readonly resourceVersion: string; readonly annotations?: Readonly<Record<string, string>>; readonly managedFields?: readonly ManagedFields[] };
  readonly status?: { readonly places?: readonly PlacePart[] };
}

export async function readRecord(requests: Requests, image: ImageName): Promise<ImageRecord | undefined> {
  const object = await requests.jsonOrNothing({ ...at(image), verb: 'get', type });
  return object === undefined ? undefined : translateRecord(object);
}

/** A record exists far more often than not: its status is written first, the object only when that fails. */
export async function applyUsage(requests: Requests, usage: RecordUsage): Promise<void> {
  const { image, places, ...rest } = usage;
  const parts = places.map((place) => partOf(place, fieldManagers.usage));
  // the spec never changes after creation, so its generation stays 1
  const status = { ...rest, places: parts, observedGeneration: 1 };
  const applyStatus = (): Promise<unknown> => apply(requests, type, { ...at(image), subresource: 'status' }, fieldManagers.usage, { status }, { force: true });

  try {
    await applyStatus();
  } catch (error) {
    if (!isFailure(error) || error.code !== 'missing') throw error;
    await apply(requests, type, at(image), fieldManagers.usage, { spec: { image } }, { force: true });
    await applyStatus();
  }
}

/**
 * An apply replaces all that its manager said before, so one place is changed together with the manager's
 * others, under the version they were read at; who was slower reads again.
 */
export async function changePlace(
  requests: Requests,
  image: ImageName,
  reference: ImageName,
  manager: Exclude<PlaceManager, 'kuik-usage'>,
  change: (place: PlaceRecord) => PlaceRecord,
): Promise<'changed' | 'unchanged' | 'absent'> {
  return againOnConflict(async () => {
    const object = await requests.jsonOrNothing({ ...at(image), verb: 'get', type });
    if (object === undefined) return 'absent';

    const { metadata, status } = object as StoredRecord;
    const before = translateRecord(object).places.find((place) => place.reference === reference) ?? { reference };
    const after = partOf(change(before), manager);
    if (isEqual(after, partOf(before, manager))) return 'unchanged';

    const others = appliedPlaces(metadata.managedFields ?? [], status?.places ?? [], manager).filter((place) => place.reference !== reference);
    const places = saysSomething(after) ? [...others, after] : others;
    const { resourceVersion } = metadata;
    await apply(requests, type, { ...at(image), subresource: 'status' }, manager, { status: { places } }, { force: true, resourceVersion });
    return 'changed';
  });
}

export async function deleteRecord(requests: Requests, image: ImageName): Promise<void> {
  await requests.jsonOrNothing({ ...at(image), verb: 'delete', type });
}

/** A merge, because an apply would take back the annotations that were asked for before. */
export async function annotateRecord(requests: Requests, image: ImageName, annotations: Readonly<Record<string, string | undefined>>, options: { readonly dryRun?: boolean } = {}): Promise<ImageRecord> {
  const values = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, value ?? null]));
  return translateRecord(await merge(requests, type, at(image), fieldManagers.cli, { metadata: { annotations: values } }, options));
}

/** Under the version it was read at: a request that was made again meanwhile is another one. */
export async function takeAnnotation(requests: Requests, image: ImageName, annotation: string, value: string): Promise<void> {
  await againOnConflict(async () => {
    const object = await requests.jsonOrNothing({ ...at(image), verb: 'get', type });
    if (object === undefined) return;
    const { resourceVersion, annotations = {} } = (object as StoredRecord).metadata;
    if (annotations[annotation] !== value) return;
    await merge(requests, type, at(image), fieldManagers.cli, { metadata: { resourceVersion, annotations: { [annotation]: null } } });
  });
}

function at(image: ImageName): Address {
  return { name: recordName(image) };
}

/** `partOf` writes fields in one order, so equal parts have equal texts. */
function isEqual(a: PlacePart, b: PlacePart): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
