import { isValid, type Rule, type SecretRef } from './rule.js';
import { secretCopyName } from './secret-copy.js';

/** A Secret a rule lets Pods pull with, and the name its copies have. */
export interface SecretGrant {
  readonly name: string;
  readonly source: SecretRef;
  readonly rule: Rule;
}

/**
 * Which Secrets are copied, by the name of the copies. Only cluster-scoped rules need copies; those of a rule that is
 * being deleted go with it. A rule that rests keeps its copies fresh: Pods that run still name them.
 */
export function secretGrants(rules: readonly Rule[]): ReadonlyMap<string, SecretGrant> {
  const grants = rules
    .filter((rule) => rule.id.namespace === undefined && rule.deletedAt === undefined && isValid(rule))
    .flatMap((rule) => pullSecretsOf(rule).map((source) => ({ name: secretCopyName(source, rule.id.uid), source, rule })));
  return new Map(grants.map((grant) => [grant.name, grant]));
}

/** What Pods get to pull from the places of a rule. */
function pullSecretsOf(rule: Rule): SecretRef[] {
  switch (rule.type) {
    case 'mirror':
      return rule.mirrors.map(({ pullSecret, credentialSecret }) => pullSecret ?? credentialSecret).filter((ref) => ref !== undefined);
    case 'replica':
      return rule.upstreams.map(({ credentialSecret }) => credentialSecret).filter((ref) => ref !== undefined);
    case 'monitor':
      return [];
  }
}

