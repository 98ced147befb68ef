import type { AppliedSecret, Secret } from '../cluster/cluster.js';
import { annotations, apiGroup, apiVersion, labels } from '../domain/names.js';
import type { RuleId, SecretRef } from '../domain/rule.js';
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

/** Whether a Secret is a copy of ours: a copy is never copied. */
export function isSecretCopy(secret: Pick<Secret, 'labels'>): boolean {
  return Object.hasOwn(secret.labels, labels.ownerUid);
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
