import type { PlaceField, PlaceManager, PlacePart } from '../ownership.js';
import type { ImageName } from '../../domain/image-ref.js';

/** Who owns which field, as the API server keeps it. */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly apiVersion?: string;
  readonly fieldsType?: string;
  readonly time?: string;
  readonly fieldsV1?: FieldSet;
}

/** `f:<name>` for a field, `k:<JSON of the key>` for an item of a list-map, `.` for the thing itself. */
export interface FieldSet {
  readonly [path: string]: FieldSet;
}

/** Who owns something of a status. Each of our writes takes it over whole, so any other has written since. */
export function statusWriters(managed: readonly ManagedFields[]): readonly string[] {
  return managed.filter(({ subresource }) => subresource === 'status').map(({ manager = '' }) => manager);
}

/**
 * What one manager last applied to the places of a record, read from the record itself: the API server, not we,
 * remembers who owns what.
 *
 * @param places `status.places` as sent
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function appliedPlaces(managed: readonly ManagedFields[], places: readonly PlacePart[], manager: PlaceManager): readonly PlacePart[] {
  const fields = managed.find((entry) => entry.manager === manager && entry.operation === 'Apply' && entry.subresource === 'status')?.fieldsV1;
  const items = Object.entries(fields?.['f:status']?.['f:places'] ?? {});
  return items.flatMap(([path, owned]) => {
    const reference = referenceOf(path);
    const place = places.find((candidate) => candidate.reference === reference);
    return place === undefined ? [] : [ownedPart(place, owned)];
  });
}

function ownedPart(place: PlacePart, owned: FieldSet): PlacePart {
  const names = Object.keys(owned).flatMap((path) => (path.startsWith('f:') ? [path.slice(2) as PlaceField] : []));
  return { ...Object.fromEntries(names.map((name) => [name, place[name]])), reference: place.reference };
}

function referenceOf(path: string): ImageName | undefined {
  if (!path.startsWith('k:')) return undefined;
  const key = JSON.parse(path.slice(2)) as { readonly reference?: ImageName };
  return key.reference;
}

/** Both sets together. */
export function unite(a: FieldSet, b: FieldSet): FieldSet {
  const united: Record<string, FieldSet> = { ...a };
  for (const [path, fields] of Object.entries(b)) united[path] = unite(united[path] ?? {}, fields);
  return united;
}
