import { annotations } from '../domain/names.js';
import { originalsOf, readOriginals } from '../domain/original.js';
import { podOf } from '../domain/pod.js';
import type { Pod } from '../domain/usage.js';
import type { Log } from '../telemetry/log.js';
import { podPatch, type PodChanges } from './pod-patch.js';
import type { UsageDecision } from './pod-decision.js';
import { questionsOfCreate, questionsOfEphemeral, questionsOfUpdate, type Questions } from './questions.js';
import { allow, field, readReview, type Operation, type Review, type ReviewAnswer } from './review.js';
import { decidePod, type RouteDeps } from './route.js';

export type Outcome = 'unchanged' | 'rewritten' | 'skipped' | 'failed_open';

export interface AdmissionDeps extends RouteDeps {
  /** `true`, or what is not there yet: nothing is decided before every view is synced */
  readonly ready: () => true | string;
  readonly observe: { decided(verdict: UsageDecision['verdict'], reason: UsageDecision['reason']): void };
  readonly log: Log;
}

export interface Admitted {
  readonly answer: ReviewAnswer;
  readonly outcome: Outcome;
}

/** The API server's own patience is rounded up to a second and includes the way back. */
const marginMs = 1_000;
/** Nothing should ever wait beyond the deadline; if something does, the Pod must not. */
const backstopMs = 500;

/**
 * Answers one AdmissionReview. The one place where failures become answers: whatever is unexpected admits the Pod
 * unchanged, with a warning for its user, a line in the log and `failed_open` in the count.
 *
 * @param timeoutMs what the API server allows the whole call
 * @returns undefined when the review has no readable `uid`, so that there is nobody to answer to
 */
export async function answerReview(body: unknown, timeoutMs: number | undefined, deps: AdmissionDeps): Promise<Admitted | undefined> {
  const review = readReview(body);
  if (review === undefined) return undefined;
  try {
    const deadlineMs = deadlineOf(timeoutMs, deps);
    return await inTime(admit(review, deadlineMs, deps), deadlineMs, deps);
  } catch (error) {
    deps.log.warn({ err: error, uid: review.uid, namespace: review.namespace, pod: review.name }, 'pod admitted unchanged');
    return failedOpen(review, error instanceof Unfit ? error.message : 'an unexpected error, see the log of the webhook');
  }
}

/** Why a review cannot be decided, in words for users. */
class Unfit extends Error {}

async function admit(review: Review, deadlineMs: number, deps: AdmissionDeps): Promise<Admitted> {
  const ready = deps.ready();
  if (ready !== true) throw new Unfit(`kuik is not ready: ${ready}`);
  if (!isPodLike(review.object)) throw new Unfit('the object under review is no Pod');

  const pod = podOf(review.object, review.namespace);
  const questions = questionsOf(review, pod);
  if (questions === undefined) return { answer: allow(review.uid), outcome: 'skipped' };

  warnOfUnreadableOriginals(pod, deps.log);
  const { usages, mayAddSecrets } = questions;
  const decision = await decidePod(pod, { usages, mayAddSecrets, isDryRun: review.dryRun, deadlineMs }, deps);
  return 'skipped' in decision ? { answer: allow(review.uid), outcome: 'skipped' } : respond(review, pod, questions, decision.usages, deps);
}

function questionsOf(review: Review, pod: Pod): Questions | undefined {
  const kind = `${review.operation} ${review.subResource}`.trim();
  if (kind === 'CREATE') return questionsOfCreate(pod);
  if (kind !== 'UPDATE' && kind !== 'UPDATE ephemeralcontainers') return undefined;
  if (!isPodLike(review.oldObject)) throw new Unfit('the object under review has no predecessor');

  const old = podOf(review.oldObject, review.namespace);
  return kind === 'UPDATE' ? questionsOfUpdate(pod, old) : questionsOfEphemeral(pod, old);
}

function respond(review: Review, pod: Pod, questions: Questions, decided: readonly UsageDecision[], deps: AdmissionDeps): Admitted {
  const patch = patchOf(review, pod, questions, decided);
  for (const { verdict, reason } of decided) deps.observe.decided(verdict, reason);
  for (const { usage, error } of decided) if (error !== undefined) deps.log.warn({ err: error, pod: pod.key, container: usage.key }, 'image kept undecided');

  const undecided = decided.filter(({ reason }) => reason === 'Error').map(({ usage }) => warning(`${usage.key} was not decided, because of an unexpected error`));
  const isRewritten = questions.restored.length > 0 || decided.some(({ verdict }) => verdict === 'rewrite');
  return { answer: allow(review.uid, patch, undecided), outcome: undecided.length > 0 ? 'failed_open' : isRewritten ? 'rewritten' : 'unchanged' };
}

function patchOf(review: Review, pod: Pod, questions: Questions, decided: readonly UsageDecision[]): readonly Operation[] {
  const patch = podPatch(review.object, {
    images: [...decided.flatMap(({ usage, image }) => (image === undefined ? [] : [{ usage, image }])), ...questions.restored].map(({ usage, image }) => ({
      field: usage.field,
      index: usage.index,
      image,
    })),
    pullSecrets: questions.mayAddSecrets ? decided.flatMap(({ pullSecret }) => pullSecret ?? []) : [],
    ...(questions.mayAnnotate && decided.length > 0 && notesOf(pod, decided)),
  });
  if (patch === 'too-large') throw new Unfit('its annotations leave no room to record the original images');
  return patch;
}

/** What the Pod remembers: all it did before, and for each usage decided now the new entry, or none. */
function notesOf(pod: Pod, decided: readonly UsageDecision[]): Pick<PodChanges, 'originals' | 'rewrittenBy' | 'reasons'> {
  const originals = new Map(originalsOf(pod));
  const rewrittenBy = mapIn(pod, annotations.rewrittenBy);
  const reasons = mapIn(pod, annotations.reason);
  const hadRewritten = rewrittenBy.size > 0;
  for (const { usage, reason, to } of decided) {
    originals.set(usage.key, usage.written);
    reasons.set(usage.key, reason);
    if (to?.rule === undefined) rewrittenBy.delete(usage.key);
    else rewrittenBy.set(usage.key, `${to.rule.kind}/${to.rule.name}`);
  }
  return { originals, reasons, ...((hadRewritten || rewrittenBy.size > 0) && { rewrittenBy }) };
}

function mapIn(pod: Pod, annotation: string): Map<string, string> {
  return new Map(readOriginals(pod.annotations[annotation] ?? '{}') ?? []);
}

function warnOfUnreadableOriginals(pod: Pod, log: Log): void {
  const value = pod.annotations[annotations.originalImages];
  if (value !== undefined && readOriginals(value) === undefined) log.warn({ pod: pod.key }, 'annotation original-images is unreadable and counts as empty');
}

/** Milliseconds for a decision: what is configured, or less where the API server waits no longer. */
function deadlineOf(timeoutMs: number | undefined, { settings }: AdmissionDeps): number {
  return timeoutMs === undefined ? settings.deadlineMs : Math.min(settings.deadlineMs, Math.max(timeoutMs - marginMs, 0));
}

async function inTime(work: Promise<Admitted>, deadlineMs: number, { clock }: AdmissionDeps): Promise<Admitted> {
  const done = new AbortController();
  const tooLate = clock.sleep(deadlineMs + backstopMs, done.signal).then(() => {
    throw new Unfit('the decision took too long');
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    done.abort();
    tooLate.catch(() => {}); // nobody waits for it any more
  }
}

function failedOpen(review: Review, why: string): Admitted {
  return { answer: allow(review.uid, [], [warning(why)]), outcome: 'failed_open' };
}

function warning(why: string): string {
  return `kuik admitted this Pod unchanged: ${why}`;
}

function isPodLike(object: unknown): boolean {
  return typeof field(object, 'spec') === 'object' && field(object, 'spec') !== null;
}
