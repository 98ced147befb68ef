import type { Cluster, ClusterEvent } from '../cluster/cluster.js';
import { apiVersion } from '../domain/names.js';
import type { ImageRecord } from '../domain/record.js';
import type { RecordInput } from '../temporal/activities.js';

/** Tells people what becomes of a copy, on the record of its image: that it is about to go, that it is gone, or why it stays. */
export async function tellRetention(input: RecordInput, cluster: Pick<Cluster, 'emitEvent' | 'record'>): Promise<void> {
  const told = toldOf(input);
  const record = told === undefined ? undefined : await cluster.record(input.image);
  if (told !== undefined && record !== undefined) await cluster.emitEvent({ regarding: regarding(record), action: 'Retain', ...told });
}

/** @returns undefined for what is no news */
export function toldOf({ destination, report }: RecordInput): Pick<ClusterEvent, 'type' | 'reason' | 'note'> | undefined {
  switch (report.state) {
    case 'retiring':
      return { type: 'Normal', reason: 'Expiring', note: `the copy at ${destination} is about to be deleted: no Pod is sent there any more; kuik pin keeps it` };
    case 'deleted':
      return { type: 'Normal', reason: 'Deleted', note: `the copy at ${destination} is gone: nobody claimed it for its whole retention` };
    case 'stays':
      if (report.block === undefined) return undefined;
      return { type: 'Warning', reason: 'DeletionBlocked', note: `the copy at ${destination} stays: ${'reason' in report.block ? report.block.reason : report.block.code}, ${report.block.message}` };
    case 'copying':
    case 'copied':
    case 'failed':
      return undefined;
  }
}

function regarding({ name, uid }: ImageRecord): ClusterEvent['regarding'] {
  return { apiVersion, kind: 'ImageAvailability', name, ...(uid === undefined ? {} : { uid }) };
}
