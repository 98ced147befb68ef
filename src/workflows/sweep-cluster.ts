/**
 * The daily sweep of one cluster, started by its Schedule, or by whoever presses Trigger:
 *
 * 1. send every claim of the cluster again: a keeper that was lost comes back, one that was confused is put right;
 * 2. compare records with what their keepers know, and have those tell again that differ;
 * 3. look for tags below our prefixes that nobody keeps, and report them.
 *
 * A step that fails does not stop the others; the run then fails, visibly. Its result is numbers only.
 */
import { isCancellation, log, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { SweepReport, SweepTask } from '../domain/sweep.js';
import type { SweepClusterActivities, SweepRegistryActivities } from '../temporal/activities.js';
import { clusterQueue, registryQueue } from '../temporal/contract.js';
import { applicationFailure, failureOf } from '../temporal/failures.js';
import { policiesAt } from './policies.js';

const priority = { priorityKey: 5 };

export async function sweepCluster({ cluster, pace = 1 }: SweepTask): Promise<SweepReport> {
  const { sweepStep } = policiesAt(pace);
  const { renewClaims, compareRecords } = proxyActivities<SweepClusterActivities>({ ...sweepStep, taskQueue: clusterQueue(cluster), priority });
  const { findOrphans } = proxyActivities<SweepRegistryActivities>({ ...sweepStep, taskQueue: registryQueue(cluster), priority });

  const claims = await attempt(cluster, () => renewClaims.executeWithOptions({ summary: 'every claim once more' }, []));
  const records = await attempt(cluster, () => compareRecords.executeWithOptions({ summary: 'records and keepers' }, []));
  const orphans = await attempt(cluster, () => findOrphans.executeWithOptions({ summary: 'tags nobody keeps' }, []));

  if (!('value' in claims)) throw claims.failed;
  if (!('value' in records)) throw records.failed;
  if (!('value' in orphans)) throw orphans.failed;
  const report: SweepReport = { v: 1, claims: claims.value, records: records.value, orphans: orphans.value };
  setCurrentDetails(storyOf(report));
  return report;
}

type Attempt<T> = { readonly value: T } | { readonly failed: Error };

async function attempt<T>(cluster: string, step: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await step() };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = failureOf(error, cluster);
    log.warn('a step of the sweep failed, going on with the next', { ...failure });
    return { failed: applicationFailure(failure) };
  }
}

function storyOf({ claims, records, orphans }: SweepReport): string {
  return [
    `${claims.sent} claims sent again${claims.failed > 0 ? `, ${claims.failed} could not be` : ''}`,
    `${records.compared} records compared, ${records.repaired} put right, ${records.unkept} without a keeper, ${records.silent} without an answer`,
    `${orphans.tags} tags in ${orphans.repositories} repositories, ${orphans.orphans} of them nobody keeps${orphans.unread > 0 ? `; ${orphans.unread} repositories could not be listed` : ''}`,
  ].join('\n\n');
}
