import { CancellationScope } from '@temporalio/workflow';
import type { CopyTask } from '../domain/task.js';
import type { CopyPlan } from '../registry/copy-engine.js';
import { subjectOf, type CopyActivities } from './copy-activities.js';

/**
 * Copies all platforms together, and what refers to them. When one fails for good, so does the copy: the others are stopped, and have
 * stopped, before it ends; what they sent is found again by the next run.
 *
 * @returns what did not come along
 */
export async function copyParts(task: CopyTask, plan: CopyPlan, { copyPlatform }: CopyActivities): Promise<readonly string[]> {
  return CancellationScope.cancellable(async () => {
    // each input names one part only: an index with thirty children would fill the history with nine hundred
    const copies = plan.parts.map((part) => copyPlatform({ ...subjectOf(task), plan: { ...plan, parts: [part] }, part }));
    try {
      return (await Promise.all(copies)).flatMap(({ warnings = [] }) => warnings);
    } catch (error) {
      CancellationScope.current().cancel();
      await Promise.allSettled(copies);
      throw error;
    }
  });
}
