/**
 * What the statuses of all user kinds have in common. A report is a pure summary of the picture: who writes it
 * compares it with what is there, and writes only what changed.
 *
 * - `Ready` speaks about the rule, never about its images;
 * - `Reconciling` and `Stalled` stand there only while they are true, as kstatus wants them;
 * - a condition keeps its time while its status is the same.
 */
import { ruleText, type Problem, type Rule, type SecretRef } from '../domain/rule.js';
import { failures, type FailureCode, type FailureInfo } from '../domain/failure.js';
import type { ConditionReason } from './condition-reasons.js';
import { Field } from './field.js';
import type { Condition } from './v1alpha1/condition.js';

/** Facts about a rule that no record holds. */
export interface RuleFacts<R extends Rule = Rule> {
  readonly rule: R;
  /** Secrets the rule names and that cannot serve */
  readonly secrets: readonly { readonly secret: SecretRef; readonly problem: 'missing' | 'unusable' | 'denied' }[];
  /** registries the rule names that did not answer since this generation came: none once all have */
  readonly silent: readonly Pick<FailureInfo, 'code' | 'message'>[];
  /** whether one complete pass over the picture has been made with this generation, in which its registries were asked */
  readonly passDone: boolean;
  /** the status as it is, from the resource: unchanged conditions keep their time */
  readonly previous: unknown;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** A condition before it has a time. */
export interface Finding {
  readonly type: string;
  readonly status: Condition['status'];
  readonly reason: ConditionReason | (typeof failures)[FailureCode]['reason'];
  readonly message: string;
}

export function finding(type: string, holds: boolean, reason: Finding['reason'], message: string): Finding {
  return { type, status: holds ? 'True' : 'False', reason, message };
}

/** `Ready`, and `Reconciling` and `Stalled` where they are true. */
export function ruleFindings({ rule, secrets, silent, passDone }: RuleFacts, waitsForTemporal = false): readonly Finding[] {
  const invalid = invalidity(rule.problems);
  const findings = [readiness({ rule, secrets, silent, passDone }, invalid)];
  if (!passDone) findings.push(finding('Reconciling', true, 'Pending', `generation ${rule.generation} is not reflected everywhere yet`));
  else if (waitsForTemporal) findings.push(finding('Reconciling', true, 'TemporalUnavailable', 'copies and deletions wait until Temporal can be reached'));
  if (invalid) findings.push(finding('Stalled', true, invalid.reason, invalid.message));
  return findings;
}

function readiness({ rule, secrets, silent, passDone }: Pick<RuleFacts, 'rule' | 'secrets' | 'silent' | 'passDone'>, invalid: Invalidity | undefined): Finding {
  const missing = secrets.find(({ problem }) => problem === 'missing');
  const denied = secrets.find(({ problem }) => problem === 'denied');
  if (invalid) return finding('Ready', false, invalid.reason, invalid.message);
  if (missing) return finding('Ready', false, 'CredentialMissing', secretText(missing));
  if (denied) return finding('Ready', false, failures.denied.reason, secretText(denied));
  if (!passDone) return { type: 'Ready', status: 'Unknown', reason: 'Pending', message: 'the first complete pass is not done yet' };
  if (rule.suspended) return finding('Ready', true, 'Suspended', 'the rule rests until spec.suspend is false');
  const [worst] = silent;
  if (worst) return finding('Ready', false, failures[worst.code].reason, `${messagesOf(silent.map(({ message }) => message))}; the rule works for what does answer, and is ready once all have`);
  return finding('Ready', true, 'InForce', `${ruleText(rule.id)} is in force`);
}

interface Invalidity {
  readonly reason: 'InvalidFilter' | 'InvalidSpec';
  readonly message: string;
}

/** A broken filter is named first: it puts the whole rule out of force. Upstreams have a condition of their own. */
function invalidity(problems: readonly Problem[]): Invalidity | undefined {
  for (const reason of ['InvalidFilter', 'InvalidSpec'] as const) {
    const found = problems.filter((problem) => problem.reason === reason);
    if (found.length > 0) return { reason, message: messagesOf(found.map(({ message }) => message)) };
  }
  return undefined;
}

/**
 * `CredentialsValid`, for rules that name Secrets.
 *
 * @param refused what registries said that did not accept them
 */
export function credentialFindings({ secrets }: RuleFacts, named: 'none' | 'some' | 'push-shared', refused: readonly string[] = []): readonly Finding[] {
  const worst = secrets.find(({ problem }) => problem === 'missing') ?? secrets[0];
  if (named === 'none') return [];
  if (worst) return [finding('CredentialsValid', false, worst.problem === 'missing' ? 'CredentialMissing' : 'CredentialUnusable', messagesOf(secrets.map(secretText)))];
  if (refused.length > 0) return [finding('CredentialsValid', false, 'Unauthorized', messagesOf(refused))];
  if (named === 'push-shared') return [finding('CredentialsValid', true, 'PushCredentialShared', 'Pods pull with the credential that pushes; name another one in pullSecret')];
  return [finding('CredentialsValid', true, 'Accepted', 'every Secret can be read')];
}

function secretText({ secret, problem }: RuleFacts['secrets'][number]): string {
  const name = `secret ${secret.namespace}/${secret.name}`;
  switch (problem) {
    case 'missing':
      return `${name} not found; create it (type kubernetes.io/dockerconfigjson), or remove the reference`;
    case 'unusable':
      return `${name} holds no registry credentials; make it of type kubernetes.io/dockerconfigjson`;
    case 'denied':
      return `${name} may not be read by kuik; add ${secret.namespace} to the chart's rbac.secretNamespaces`;
  }
}

const mostNamed = 3;

/** A few messages in one; the rest is counted. */
export function messagesOf(messages: readonly string[]): string {
  const more = messages.length - mostNamed;
  return messages.slice(0, mostNamed).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** Completes conditions: generation, and the time their status last changed. */
export function toConditions(findings: readonly Finding[], { rule, previous, now }: RuleFacts): Condition[] {
  const before = new Field(previous, 'status', []).get('conditions').items();
  return findings.map((made) => {
    const old = before.find((item) => item.get('type').value === made.type && item.get('status').value === made.status);
    return { ...made, message: cut(made.message, longestMessage), observedGeneration: rule.generation, lastTransitionTime: old?.get('lastTransitionTime').text() ?? timeText(now) };
  });
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

const longestError = 256;
const longestMessage = 1024;

export function errorText(message: string): string {
  return cut(message, longestError);
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

const mostListed = 500;

/**
 * An object with its managed fields must stay below 256 KiB, and the managed fields of a list by key take about as
 * much as the list: each item is there again as a key, with the names of its fields.
 */
const mostStatusBytes = 120 * 1024;

/**
 * The first items of a list that fit into a status.
 *
 * @param rest everything else in that status
 */
export function fitting<T>(items: readonly T[], rest: unknown): T[] {
  const listed: T[] = [];
  let size = sizeOf(rest);
  for (const item of items.slice(0, mostListed)) {
    size += sizeOf(item);
    if (size > mostStatusBytes) break;
    listed.push(item);
  }
  return listed;
}

/** Bytes of a value as JSON, with the comma behind it. */
function sizeOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).byteLength + 1;
}
