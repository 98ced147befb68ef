import type { Cluster } from '../cluster/cluster.js';
import type { Digest } from '../domain/digest.js';
import { knownImageRef, type ImageName, type PlaceId } from '../domain/image-ref.js';
import { publishedName } from '../domain/published-name.js';
import { referenceOf } from '../domain/record-plan.js';
import type { PlaceRecord } from '../domain/record.js';
import type { Subject } from '../temporal/activities.js';
import { withoutCopy } from './record.js';

export interface UnkeptDeps {
  readonly cluster: Pick<Cluster, 'changePlace'>;
  /** what this cluster's records say of a place */
  readonly records: { at(place: PlaceId): readonly { readonly record: { readonly image: ImageName }; readonly place: PlaceRecord }[] };
  /** asks the registry, with the credentials of the copy */
  readonly look: (subject: Subject) => Promise<Digest | 'missing'>;
}

/** `gone`: no record says any more that there is a copy */
export type Unkept = 'there' | 'gone';

/**
 * Looks at a copy that records speak of and nobody keeps. It may have been deleted while this cluster could not be told, or
 * counted as lost; then its records are put right, and nothing is copied.
 *
 * @throws Failure when the registry does not tell
 */
export async function lookAtUnkept(destination: PlaceId, { cluster, records, look }: UnkeptDeps): Promise<Unkept> {
  const holding = records.at(destination).filter(({ place }) => place.role === 'mirror' && place.mirroredAt !== undefined);
  const [first] = holding;
  if (first === undefined) return 'gone';

  const seen = await look({ v: 1, destination, publishAs: publishedName(knownImageRef(destination)), image: first.record.image, rules: [] });
  if (seen !== 'missing') return 'there';
  for (const { record } of holding) await cluster.changePlace(record.image, referenceOf(destination), 'kuik-mirror', withoutCopy);
  return 'gone';
}
