/**
 * One copy, as a story that people read in the UI and start again by hand:
 *
 * 1. say so in the cluster's record: also tells whether that cluster works at all;
 * 2. resolve the source: digests and sizes, what is copied, what is there already;
 * 3. copy each platform, together;
 * 4. publish the tag, last;
 * 5. read it back;
 * 6. record the outcome in every cluster, and tell the keeper; then end, visibly failed if it failed.
 */
import type { Published } from '../domain/published.js';
import { ActivityFailure, CancellationScope, isCancellation, log, workflowInfo } from '@temporalio/workflow';
import { Failure } from '../domain/failure.js';
import { whereIs } from '../domain/keeper-story.js';
import type { CopyOutcome, CopyTask, Outcome, Report } from '../domain/task.js';
import type { Resolved } from '../registry/copy-engine.js';
import { applicationFailure, failureOf } from '../temporal/failures.js';
import { createAttributes, type Attributes } from './attributes.js';
import { copyParts } from './copy-parts.js';
import { createCopyActivities, subjectOf, type CopyActivities } from './copy-activities.js';
import { installRetry, type Persistence } from './persist.js';
import { tellKeeper } from './tell-keeper.js';

export async function copyImage(task: CopyTask): Promise<CopyOutcome> {
  const activities = createCopyActivities(task);
  const persist = installRetry();
  const upsert = createAttributes(task.searchable);
  upsert(attributesOf(task));

  try {
    await announce(task, activities);
    const outcome = await copyFrom(task, activities, persist);
    upsert({ KuikBytes: outcome.bytes, KuikSourceRegistry: whereIs(outcome.source ?? task.image).host });
    await conclude(task, activities, outcome);
    return outcome;
  } catch (error) {
    const failure = failureOf(error, task.cluster);
    upsert({ KuikErrorType: failure.code });
    await conclude(task, activities, { v: 1, result: 'failed', failure, ...sawTag(task), failedAt: new Date(Date.now()).toISOString(), plan: task.plan });
    throw isCancellation(error) ? error : applicationFailure(failure);
  }
}

/** Doubles as the sign of life: when nobody takes it, the keeper asks another cluster. Kubernetes errors do not stop a copy. */
async function announce(task: CopyTask, { signOfLife }: CopyActivities): Promise<void> {
  try {
    await signOfLife(reportInput(task, { state: 'copying' }));
  } catch (error) {
    const isDeaf = error instanceof ActivityFailure && failureOf(error, task.cluster).code === 'unreachable';
    if (isDeaf || isCancellation(error)) throw error;
    log.warn('the record does not say that the copy began', { destination: task.destination });
  }
}

/** Content that is damaged at one source is looked for at the next. */
async function copyFrom(task: CopyTask, activities: CopyActivities, persist: Persistence): Promise<CopyOutcome> {
  for (let { sources } = task; ; ) {
    const resolved = await persist(() => activities.resolveSource({ ...subjectOf(task), sources, platforms: task.platforms, copy: task.copy, referrers: task.referrers, recorded: task.recorded, sourceDigest: task.sourceDigest, keeps: task.keeps }));
    try {
      return await copyResolved(task, resolved, activities, persist);
    } catch (error) {
      const rest = resolved.verdict === 'adopted' ? [] : sources.slice(resolved.plan.sourceIndex + 1);
      const { code, side } = failureOf(error, task.cluster);
      if (isCancellation(error) || code !== 'corrupt' || side !== 'source' || rest.length === 0) throw error;
      log.warn('the content of this source is damaged, trying the next', { destination: task.destination });
      sources = rest;
    }
  }
}

async function copyResolved(task: CopyTask, resolved: Resolved, activities: CopyActivities, persist: Persistence): Promise<CopyOutcome> {
  if (resolved.verdict === 'adopted') return outcomeOf(task, 'adopted', resolved.published);
  const { plan } = resolved;
  const facts = { source: plan.source, bytes: plan.parts.reduce((sum, { bytes }) => sum + bytes, 0) };
  if (resolved.verdict === 'current') return outcomeOf(task, 'unchanged', resolved.published, facts);

  const warnings = await persist(() => copyParts(task, plan, activities));
  const published = await persist(() => activities.publishTag({ ...subjectOf(task), plan }));
  const { digest } = await persist(() => activities.verify(subjectOf(task)));
  if (digest !== published.digest) throw changedBehindUs(task, published, digest);
  return outcomeOf(task, 'copied', warned(published, warnings), facts);
}

const mostWarnings = 8;

/** What the parts warned of stands beside what publishing did, each once: a history holds no long lists. */
function warned(published: Published, ofParts: readonly string[]): Published {
  const warnings = [...new Set([...ofParts, ...(published.warnings ?? [])])].slice(0, mostWarnings);
  return warnings.length === 0 ? published : { ...published, warnings };
}

function outcomeOf(task: CopyTask, result: CopyOutcome['result'], published: Published, facts: { readonly source?: CopyOutcome['source']; readonly bytes: number } = { bytes: 0 }): CopyOutcome {
  return { v: 1, result, ...published, ...facts, ...sawTag(task), mirroredAt: new Date(Date.now()).toISOString(), plan: task.plan };
}

/** Who looked for a digest saw nothing of the tag. */
function sawTag({ cluster, sourceDigest }: CopyTask): { readonly by?: string } {
  return sourceDigest === undefined ? { by: cluster } : {};
}

function changedBehindUs({ destination }: CopyTask, { digest }: Published, found: string): Failure {
  const { host } = whereIs(destination);
  return new Failure({ code: 'corrupt', side: 'destination', host, message: `destination answers ${found} after ${digest} was published` });
}

/** The last step, in every ending and even when cancelled; it never turns a good copy into a failed one. */
async function conclude(task: CopyTask, activities: CopyActivities, outcome: Outcome): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    const report = reportOf(outcome);
    const clusters = listening(task, outcome);
    const ended = { by: task.cluster, tookMs: Date.now() - workflowInfo().runStartTime.getTime() };
    const written = await Promise.allSettled(clusters.map((cluster) => activities.record(cluster, { ...reportInput(task, report), ended })));
    const untold = clusters.filter((_cluster, index) => written[index]?.status === 'rejected');
    if (untold.length > 0) log.warn('some records do not say how the copy ended; the keeper tries once more', { destination: task.destination, untold });
    await tellKeeper(task.keeper, { v: 1, runId: workflowInfo().runId, kind: 'copy', outcome, ...(untold.length === 0 ? {} : { untold }) });
  });
}

function reportOf(outcome: Outcome): Report {
  if (outcome.result !== 'failed') return { state: 'copied', outcome };
  const { failure, by, failedAt } = outcome;
  return { state: 'failed', failure, by, failedAt };
}

/** A cluster that did not take the first word would not take the last one either. */
function listening({ cluster, clusters }: CopyTask, outcome: Outcome): readonly string[] {
  const isDeaf = outcome.result === 'failed' && outcome.failure.side === 'cluster' && outcome.failure.code === 'unreachable';
  return isDeaf ? clusters.filter((each) => each !== cluster) : clusters;
}

function reportInput({ image, destination }: CopyTask, report: Report) {
  return { v: 1, image, destination, workflowId: workflowInfo().workflowId, report, at: new Date(Date.now()).toISOString() } as const;
}

function attributesOf({ destination, image, clusters }: CopyTask): Attributes {
  const { host, repository } = whereIs(destination);
  return { KuikRegistry: host, KuikRepository: repository, KuikSourceRegistry: whereIs(image).host, KuikClusters: clusters };
}
