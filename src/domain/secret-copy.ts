/**
 * Copies of pull Secrets: their names, what stands in one, and what becomes of it. A copy is found by its computed
 * name only; whether it is ours its labels say, and of which rule.
 *
 * @see docs/concepts/pull-secrets.md
 */
import type { AppliedSecret, Secret } from './secret.js';
import { annotations, apiGroup, apiVersion, labels } from './names.js';
import type { RuleId, SecretRef } from './rule.js';
import { xxh64 } from './xxh64.js';

const longestSourceName = 231; // 253 for a name, less `kuik-`, `-` and 16 digits
const longestLabel = 63;

/** The name of a copy: the same from every replica, and from v2, for the same source and rule. */
export function secretCopyName(source: SecretRef, ruleUid: string): string {
  const readable = source.name.slice(0, longestSourceName).replace(/[.-]+$/, '');
  return `kuik-${readable}-${xxh64(`${source.namespace}/${ruleUid}`)}`;
}

/** A copy of a pull Secret for the Pods of a namespace, owned by the rule it was made for. */
export function secretCopy(source: Secret, rule: RuleId, namespace: string): AppliedSecret {
  return {
    namespace,
    name: secretCopyName(source, rule.uid),
    type: source.type,
    data: source.data,
    labels: ownerLabels(rule),
    annotations: { [annotations.secretSource]: `${source.namespace}/${source.name}`, [annotations.secretSourceVersion]: source.resourceVersion },
    // only a cluster-scoped rule can own an object of another namespace, and only those need copies
    ...(rule.namespace === undefined && { owner: { apiVersion, kind: rule.kind, name: rule.name, uid: rule.uid } }),
  };
}

/**
 * The same copy with its clock running, or stopped, unless somebody writes it meanwhile. What it holds stays: its
 * source may be gone.
 *
 * @param unusedSince RFC 3339: since when no Pod names it
 */
export function restatedCopy(copy: Secret, source: SecretRef, rule: RuleId, unusedSince?: string): AppliedSecret {
  const { namespace, name } = source;
  const made = secretCopy({ ...copy, namespace, name, resourceVersion: copy.annotations[annotations.secretSourceVersion] ?? '' }, rule, copy.namespace);
  const restated = { ...made, version: copy.resourceVersion };
  if (unusedSince === undefined) return restated;
  return { ...restated, annotations: { ...restated.annotations, [annotations.secretUnusedSince]: unusedSince } };
}

/** Whether the clock of a copy runs. */
export function isIdleCopy(copy: Pick<Secret, 'annotations'>): boolean {
  return copy.annotations[annotations.secretUnusedSince] !== undefined;
}

/** Whether a Secret is a copy of ours, whatever the rule: a copy is never copied. */
export function isSecretCopy(secret: Pick<Secret, 'labels'>): boolean {
  return Object.hasOwn(secret.labels, labels.ownerUid);
}

/** Whether a Secret is the copy made for a rule. Only this label is asked: v2 wrote another kind than the rule's own. */
export function isCopyFor(rule: Pick<RuleId, 'uid'>, secret: Pick<Secret, 'labels'>): boolean {
  return secret.labels[labels.ownerUid] === rule.uid;
}

/**
 * Whether a copy says what it should, and its clock does not run. Versions are opaque, so equality is all that can be
 * asked; v2's copies name none and are written anew.
 */
export function isCurrentCopy(copy: Secret, source: Secret): boolean {
  const { [annotations.secretSource]: from, [annotations.secretSourceVersion]: version } = copy.annotations;
  if (isIdleCopy(copy) || from !== `${source.namespace}/${source.name}` || version !== source.resourceVersion || copy.type !== source.type) return false;
  const keys = Object.keys(source.data);
  return keys.length === Object.keys(copy.data).length && keys.every((key) => isSameContent(copy.data[key], source.data[key]));
}

/** A webhook that has just answered knows Secrets for seconds, and its Pod shows a moment later. */
const shortestIdleMs = 60_000;

/**
 * When a copy that no Pod names may go.
 *
 * @param now milliseconds since the epoch
 * @returns milliseconds since the epoch; undefined when its clock does not run, or was set in the future
 */
export function expiryOfCopy(copy: Pick<Secret, 'annotations'>, expiryMs: number, now: number): number | undefined {
  const since = Date.parse(copy.annotations[annotations.secretUnusedSince] ?? '');
  return Number.isNaN(since) || since > now ? undefined : since + Math.max(expiryMs, shortestIdleMs);
}

function isSameContent(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function ownerLabels(rule: RuleId): Readonly<Record<string, string>> {
  return {
    [labels.ownerVersion]: apiVersion.slice(apiGroup.length + 1),
    [labels.ownerGroup]: apiGroup,
    [labels.ownerKind]: rule.kind,
    [labels.ownerUid]: rule.uid,
    [labels.ownerName]: rule.name.slice(0, longestLabel).replace(/[^A-Za-z0-9]+$/, ''),
  };
}
