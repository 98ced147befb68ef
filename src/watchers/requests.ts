import type { Cluster } from '../cluster/cluster.js';
import type { PlaceId } from '../domain/image-ref.js';
import { annotations } from '../domain/names.js';
import type { ImageRecord } from '../domain/record.js';

export interface RequestDeps {
  readonly records: { snapshot(): readonly ImageRecord[] };
  readonly cluster: Pick<Cluster, 'annotateRecord'>;
  /** has the keeper of a destination copy now; jumps the queue */
  readonly retry: (destination: PlaceId) => Promise<void>;
}

/**
 * Turns what people ask through annotations into signals. The annotation goes when the signal has been taken, so a
 * request survives whatever fails in between, and may at worst be carried out twice.
 *
 * @throws Failure when a keeper or the cluster cannot be reached: the next pass repeats it
 */
export async function carryOutRequests({ records, cluster, retry }: RequestDeps): Promise<void> {
  for (const record of records.snapshot()) {
    if (record.requestedAt === undefined) continue;
    for (const place of record.places) if (place.role === 'mirror') await retry(place.reference as string as PlaceId);
    await cluster.annotateRecord(record.image, { [annotations.requestedAt]: undefined });
  }
}
