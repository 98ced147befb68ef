import type { KubernetesCluster } from '../cluster/kubernetes/client.js';
import type { ApiObject } from '../cluster/kubernetes/objects.js';
import { eventType } from '../cluster/kubernetes/resources.js';
import { isFailure } from '../domain/failure.js';

/** An Event as people read it. */
export interface TellingEvent {
  /** RFC 3339; of the last of a series */
  readonly at: string;
  readonly type: string;
  readonly reason: string;
  readonly note: string;
}

/** Events about the record of an image, in order of time; the API server keeps them for an hour. None where one may not list them. */
export async function eventsOfRecord(name: string, cluster: Pick<KubernetesCluster, 'objects'>): Promise<readonly TellingEvent[]> {
  try {
    const found = await cluster.objects(eventType, { namespace: 'default', fieldSelector: `regarding.kind=ImageAvailability,regarding.name=${name}` });
    return (found ?? []).map(eventOf).sort((one, other) => (one.at < other.at ? -1 : 1));
  } catch (error) {
    if (isFailure(error) && error.code === 'denied') return [];
    throw error;
  }
}

interface EventFields {
  readonly eventTime?: string | null;
  readonly deprecatedLastTimestamp?: string | null;
  readonly series?: { readonly lastObservedTime?: string };
  readonly type?: string;
  readonly reason?: string;
  readonly note?: string;
}

function eventOf(object: ApiObject): TellingEvent {
  const { eventTime, deprecatedLastTimestamp, series, type = '', reason = '', note = '' } = object as EventFields & ApiObject;
  const at = series?.lastObservedTime ?? eventTime ?? deprecatedLastTimestamp ?? object.metadata.creationTimestamp ?? '';
  return { at, type, reason, note };
}
