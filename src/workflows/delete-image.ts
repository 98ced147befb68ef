/**
 * One deletion, as a story that people read in the UI:
 *
 * 1. ask every known cluster whether it uses the copy, look whether the tag is there and ours, draw from the budgets;
 * 2. record that it retires: nobody is routed there any more;
 * 3. wait: what was routed there before shows up; then ask and look again;
 * 4. ask the keeper, which has one more look at the claims;
 * 5. delete the tag, if it still has what was recorded; once begun, this is not interrupted;
 * 6. read back that it is gone, record it in every cluster, and tell the keeper, in every ending.
 *
 * What keeps a copy is an outcome (`blocked`), and tried again by the keeper; the run fails visibly when it could
 * not find out, or not delete.
 */
import { CancellationScope, isCancellation, log, patched, sleep, workflowInfo } from '@temporalio/workflow';
import { Failure, type FailureInfo } from '../domain/failure.js';
import { fenceMs } from '../domain/keeper-deletion.js';
import { whereIs } from '../domain/keeper-story.js';
import type { Block, DeleteTask, DeletionOutcome, FailedOutcome, KnownCluster, Report } from '../domain/task.js';
import type { DeletePlan, Deleted, PlanDeleteInput } from '../temporal/activities.js';
import { applicationFailure, failureOf } from '../temporal/failures.js';
import { createAttributes, type Attributes } from './attributes.js';
import { createDeleteActivities, type DeleteActivities } from './delete-activities.js';
import { confirmUnused, drawBudgets, type Kept, type Unused } from './delete-confirm.js';
import { installConsent, type AskConsent } from './delete-consent.js';
import { policiesAt } from './policies.js';
import { tellKeeper } from './tell-keeper.js';

export async function deleteImage(task: DeleteTask): Promise<DeletionOutcome> {
  const activities = createDeleteActivities(task, workflowInfo().workflowId);
  const askConsent = installConsent(task);
  const upsert = createAttributes(task.searchable);
  upsert(attributesOf(task));

  try {
    const { silent, ...outcome } = await deleteCopy(task, activities, askConsent);
    if (outcome.result === 'blocked') upsert({ KuikErrorType: outcome.block.reason });
    await conclude(task, activities, outcome, { silent });
    return outcome;
  } catch (error) {
    if (isCancellation(error)) {
      const stopped = blocked({ reason: 'claimed', message: 'somebody claims the copy again, or stopped its deletion' });
      await conclude(task, activities, stopped, { report: { state: 'stays' } });
      throw error;
    }
    const failure = failureOf(error, task.clusters[0]?.cluster ?? 'unknown');
    upsert({ KuikErrorType: failure.code });
    await conclude(task, activities, { v: 1, result: 'failed', failure });
    throw applicationFailure(failure);
  }
}

/** How it ended, and who did not answer. */
type Ending = DeletionOutcome & { readonly silent?: string };

async function deleteCopy(task: DeleteTask, activities: DeleteActivities, askConsent: AskConsent): Promise<Ending> {
  const first = await confirmUnused(task, activities, 'budget');
  if ('block' in first) return kept(first);
  const seen = await look(task, first, activities);
  if (seen.verdict !== 'delete') return endOf(task, seen);
  const spent = await drawBudgets(task, first, activities);
  if (spent !== undefined) return blocked(spent);

  await retire(task, activities);
  const { resyncMs } = policiesAt(task.pace ?? 1);
  await sleep(Math.max(task.tombstoneMs * (task.pace ?? 1), resyncMs), { summary: 'tombstone: nobody is routed there any more' });

  const said: Word = { at: Date.now(), scope: CancellationScope.current() };
  const second = await confirmUnused(task, activities, 'use');
  if ('block' in second) return kept(second);
  const plan = await look(task, second, activities);
  if (plan.verdict !== 'delete') return endOf(task, plan);
  const refused = await askConsent();
  if (refused !== undefined) return blocked(refused);
  if (isOld(said, task)) return blocked({ reason: 'incomplete-inventory', message: 'what the clusters said of it is too old by now', retryAfterMs: wordRetryMs });

  return CancellationScope.nonCancellable(() => deleteTag(task, second, plan, said, activities));
}

/** What everybody said of the copy at the last moment. */
interface Word {
  /** when they were asked: milliseconds since the epoch */
  readonly at: number;
  /** cancelled when somebody comes for the copy, or stops its deletion */
  readonly scope: CancellationScope;
}

const wordRetryMs = 60 * 60 * 1000;

/** Workers that were away come back to this very moment, and what is in use by then the clusters could not say. Older releases did not mind. */
function isOld({ at }: Word, { pace = 1 }: DeleteTask): boolean {
  return Date.now() - at > policiesAt(pace).wordMs && patched('minds-old-words');
}

/** Without this word of every cluster Pods could still be sent there while it goes. */
async function retire(task: DeleteTask, { record }: DeleteActivities): Promise<void> {
  const written = await Promise.allSettled(listening(task).map((cluster) => record(cluster, { state: 'retiring' })));
  const lost = written.find((result) => result.status === 'rejected');
  if (lost !== undefined) throw lost.reason;
}

function look(task: DeleteTask, unused: Unused, { planDelete }: DeleteActivities): Promise<DeletePlan> {
  return planDelete(unused.executing.cluster, subjectOf(task, unused));
}

const mostAttempts = 3;

/** An attempt that failed is repeated only when nothing of it can be under way any more, and nobody has come for the copy. */
async function deleteTag(task: DeleteTask, unused: Unused, { beside }: Extract<DeletePlan, { verdict: 'delete' }>, said: Word, activities: DeleteActivities): Promise<DeletionOutcome> {
  const { cluster } = unused.executing;
  for (let attempt = 1; ; attempt++) {
    try {
      const deleted = await activities.deleteTag(cluster, { ...subjectOf(task, unused), beside });
      return await verified(task, unused, deleted, activities);
    } catch (error) {
      const failure = failureOf(error, cluster);
      log.warn('the attempt to delete failed', { destination: task.destination, attempt, ...failure });
      if (attempt === mostAttempts || !mayHeal(failure)) throw error;
      await sleep(Math.max(fenceMs(task.pace ?? 1), failure.retryAfterMs ?? 0), { summary: 'until nothing of the attempt is under way' });
      if ((isOld(said, task) || isRevoked(said)) && (await isUntouched(task, unused, activities))) throw error;
    }
  }
}

function isRevoked({ scope }: Word): boolean {
  return scope.consideredCancelled && patched('minds-who-came');
}

/** What has begun is brought to its end: a tag that was moved to be deleted is nobody's copy any more. */
async function isUntouched(task: DeleteTask, unused: Unused, activities: DeleteActivities): Promise<boolean> {
  return look(task, unused, activities).then(
    ({ verdict }) => verdict === 'delete',
    () => true,
  );
}

function mayHeal({ code, retryAfterMs = 0 }: FailureInfo): boolean {
  return (code === 'unreachable' || code === 'timeout' || code === 'throttled') && retryAfterMs <= 5 * 60_000;
}

/** Only the registry's own word makes a deletion done. */
async function verified(task: DeleteTask, unused: Unused, deleted: Deleted, { verify }: DeleteActivities): Promise<DeletionOutcome> {
  if (deleted.verdict === 'blocked') return blocked(deleted.block);
  if ((deleted.restored ?? 0) > 0) log.warn('the registry took other tags along; they are back', { destination: task.destination, restored: deleted.restored });
  const { digest } = await verify(unused.executing.cluster, subjectOf(task, unused));
  if (digest === task.digest) throw new Failure({ code: 'corrupt', side: 'destination', host: whereIs(task.destination).host, message: `${task.publishAs} answers again after it was deleted` });
  if (digest !== 'missing') return blocked({ reason: 'digest-changed', message: `${task.publishAs} was pushed again while it was being deleted` });
  return endOf(task, { verdict: deleted.verdict });
}

function endOf({ digest }: DeleteTask, end: Exclude<DeletePlan, { verdict: 'delete' }> | { readonly verdict: 'deleted' | 'absent' }): DeletionOutcome {
  return end.verdict === 'blocked' ? blocked(end.block) : { v: 1, result: end.verdict, digest };
}

function kept({ block, silent, by = [] }: Kept): Ending {
  return { ...blocked(block, by), ...(silent === undefined ? {} : { silent }) };
}

function blocked(block: Block, by: readonly string[] = []): DeletionOutcome {
  return { v: 1, result: 'blocked', block: { ...block, message: block.message.slice(0, 256) }, ...(by.length === 0 ? {} : { by }) };
}

/** The last step, in every ending and even when cancelled; it never changes how the deletion ended. */
async function conclude(task: DeleteTask, activities: DeleteActivities, outcome: DeletionOutcome | FailedOutcome, { report = reportOf(outcome), silent }: { readonly report?: Report; readonly silent?: string } = {}): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    const written = listening(task, silent).map((cluster) => activities.record(cluster, report));
    const lost = (await Promise.allSettled(written)).filter(({ status }) => status === 'rejected').length;
    if (lost > 0) log.warn('some records do not say how the deletion ended; the daily sweep repairs them', { destination: task.destination, lost });
    await tellKeeper(task.keeper, { v: 1, runId: workflowInfo().runId, kind: 'delete', outcome });
  });
}

/** Clusters that are gone, or have just not answered, are not waited for. */
function listening({ clusters }: DeleteTask, silent?: string): readonly KnownCluster[] {
  return clusters.filter(({ cluster, isLost }) => isLost !== true && cluster !== silent);
}

function reportOf(outcome: DeletionOutcome | FailedOutcome): Report {
  switch (outcome.result) {
    case 'deleted':
    case 'absent':
      return { state: 'deleted' };
    case 'blocked':
      return { state: 'stays', block: outcome.block };
    case 'failed':
      return { state: 'stays', block: outcome.failure };
  }
}

function subjectOf({ v, destination, publishAs, digest }: DeleteTask, { executing, sharing }: Unused): PlanDeleteInput {
  return { v, destination, publishAs, image: executing.image, rules: executing.rules, digest, sharing };
}

function attributesOf({ destination, image, clusters }: DeleteTask): Attributes {
  const { host, repository } = whereIs(destination);
  return { KuikRegistry: host, KuikRepository: repository, KuikSourceRegistry: whereIs(image).host, KuikClusters: clusters.map(({ cluster }) => cluster) };
}
