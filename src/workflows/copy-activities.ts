import { proxyActivities } from '@temporalio/workflow';
import { whereIs } from '../domain/keeper-story.js';
import type { CopyTask } from '../domain/task.js';
import type { CopyPlatformInput, MirrorActivities, PublishInput, RecordActivities, RecordInput, ResolveInput, Subject, VerifyInput } from '../temporal/activities.js';
import { clusterQueue, registryQueue } from '../temporal/contract.js';
import { policiesAt } from './policies.js';

/** The activities of one copy, each with its policy, queue, priority, and a summary that reads as a line of the story. */
export type CopyActivities = ReturnType<typeof createCopyActivities>;

export function createCopyActivities(task: CopyTask) {
  const policies = policiesAt(task.pace ?? 1);
  const { host } = whereIs(task.destination);
  const copyPriority = task.urgency === 'waiting' ? 1 : 3;
  // what has been started is finished first: one better than the copy
  const priority = (key: number) => ({ priority: { priorityKey: Math.max(1, key), fairnessKey: host.slice(0, 64) } });
  const registry = { taskQueue: registryQueue(task.cluster) };
  const cluster = { taskQueue: clusterQueue(task.cluster) };

  const resolving = proxyActivities<MirrorActivities>({ ...policies.resolveSource, ...registry, ...priority(copyPriority) });
  const copying = proxyActivities<MirrorActivities>({ ...policies.copyPlatform, ...registry, ...priority(copyPriority) });
  const publishing = proxyActivities<MirrorActivities>({ ...policies.publishTag, ...registry, ...priority(copyPriority - 1) });
  const verifying = proxyActivities<MirrorActivities>({ ...policies.verify, ...registry, ...priority(copyPriority - 1) });
  const announcing = proxyActivities<RecordActivities>({ ...policies.signOfLife, ...cluster, ...priority(copyPriority) });
  const recording = proxyActivities<RecordActivities>({ ...policies.recordOutcome, ...priority(copyPriority) });
  const telling = proxyActivities<RecordActivities>({ ...policies.tell, ...priority(copyPriority) });

  return {
    signOfLife: (input: RecordInput) => announcing.recordOutcome.executeWithOptions({ summary: 'the copy begins' }, [input]),
    resolveSource: (input: ResolveInput) => resolving.resolveSource.executeWithOptions({ summary: input.sources[0] }, [input]),
    copyPlatform: (input: CopyPlatformInput) => copying.copyPlatform.executeWithOptions({ summary: `${input.part.label}, ${sizeText(input.part.bytes)}` }, [input]),
    publishTag: (input: PublishInput) => publishing.publishTag.executeWithOptions({ summary: input.publishAs }, [input]),
    verify: (input: VerifyInput) => verifying.verify.executeWithOptions({ summary: input.publishAs }, [input]),
    record: (inCluster: string, input: RecordInput) =>
      (inCluster === task.cluster ? recording : telling).recordOutcome.executeWithOptions({ taskQueue: clusterQueue(inCluster), summary: `${input.report.state}, in the record of ${inCluster}` }, [input]),
  };
}

export function subjectOf({ v, destination, publishAs, image, rules, urgency }: CopyTask): Subject {
  return { v, destination, publishAs, image, rules, urgency };
}

/** `412 MB`, `3.1 kB`: decimal units, as registries show them. */
function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}
