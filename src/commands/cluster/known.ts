import type { Cluster, ConfigMap, ObjectRef } from '../../cluster/cluster.js';
import { readEnvironment } from '../../config/environment.js';
import { clustersName } from '../../domain/names.js';
import { clustersKey, forgottenKey, type ClustersReport, type ForgottenReport, type SharingCluster } from '../../domain/sweep.js';
import type { ClusterCommandOptions } from '../cluster.js';

/** What the manager wrote, as far as it can be read. */
export interface Known {
  readonly report?: ClustersReport;
  readonly forgotten?: ForgottenReport;
}

export function clustersObject({ namespace }: Pick<ClusterCommandOptions, 'namespace'>): ObjectRef {
  return { namespace: namespace ?? readEnvironment().installNamespace, name: clustersName };
}

export async function readKnown(cluster: Pick<Cluster, 'configMap'>, at: ObjectRef): Promise<Known> {
  const found = await cluster.configMap(at);
  return found === undefined ? {} : knownOf(found);
}

export function knownOf({ data }: Pick<ConfigMap, 'data'>): Known {
  const report = parsed(data[clustersKey]) as ClustersReport | undefined;
  const forgotten = parsed(data[forgottenKey]) as ForgottenReport | undefined;
  return {
    ...(report?.v === 1 && Array.isArray(report.clusters) ? { report } : {}),
    ...(forgotten?.v === 1 ? { forgotten } : {}),
  };
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // somebody edited it: as if it were not there, the next sweep writes it again
  }
}

/** What to say, and to do, before there was a sweep. */
export function unknownYet({ namespace, name }: ObjectRef): string {
  return `nothing is known yet: the daily sweep writes ConfigMap ${namespace}/${name}; Trigger of its Schedule sweep/<cluster> in Temporal's UI does so now. Is kuik installed in namespace ${namespace}? Name another with -n`;
}

/** Claims are renewed daily, spread by a few hours: after two days one is missed. */
const silentAfterMs = 48 * 60 * 60 * 1000;

/** @param now milliseconds since the epoch, on the clock of the report */
export function isSilent({ heardAt }: SharingCluster, now: number): boolean {
  return now - Date.parse(heardAt) > silentAfterMs;
}

/** `12s`, `5h`, `3d4h`: how long ago, in two units at most. */
export function agoText(heardAt: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(heardAt)) / 1000));
  const minutes = Math.floor(seconds / 60);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  if (days > 0) return `${days}d${hours > 0 ? `${hours}h` : ''}`;
  if (hours > 0) return `${hours}h`;
  return minutes > 0 ? `${minutes}m` : `${seconds}s`;
}
