/** Nothing is checked for a rule that rests: whoever asks would wait for nothing. */
import { translateRule } from '../../api/translate.js';
import type { Cluster } from '../../cluster/cluster.js';
import { readEnvironment } from '../../config/environment.js';
import { isFailure } from '../../domain/failure.js';
import type { ImageRecord } from '../../domain/record.js';
import { isResting } from '../../domain/rule.js';
import type { Chosen } from './choose.js';

/** @returns by name of the record, why its image is not checked, with the next step; nothing where rules may not be read */
export async function whyNotChecked(chosen: readonly Chosen[], cluster: Pick<Cluster, 'list'>): Promise<ReadonlyMap<string, string>> {
  const checks = chosen.filter(({ what }) => what === 'check');
  const resting = checks.length === 0 ? new Set<string>() : await restingMonitors(cluster);
  return new Map(checks.filter(({ record }) => rest(record, resting)).map(({ record }) => [record.name, whyFor(record)]));
}

async function restingMonitors(cluster: Pick<Cluster, 'list'>): Promise<ReadonlySet<string>> {
  try {
    const rules = (await cluster.list('ClusterImageSetAvailability')).map((resource) => translateRule(resource, readEnvironment()));
    return new Set(rules.filter(isResting).map(({ id }) => id.name));
  } catch (error) {
    if (!isFailure(error) || error.code !== 'denied') throw error;
    return new Set();
  }
}

function rest({ trackedBy = [] }: ImageRecord, resting: ReadonlySet<string>): boolean {
  return trackedBy.every((name) => resting.has(name));
}

function whyFor({ image, trackedBy = [] }: ImageRecord): string {
  const [first = ''] = trackedBy;
  return `${image}: what monitors it is suspended or cannot be read (${trackedBy.map((name) => `ClusterImageSetAvailability/${name}`).join(', ')}), so nothing is checked; kuik resume cisa/${first}, or kubectl describe cisa ${first}`;
}
