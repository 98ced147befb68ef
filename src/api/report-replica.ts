import type { ReplicaRule } from '../domain/rule.js';
import { claim, credentialClaims, messagesOf, ruleClaims, toConditions, type Claim, type RuleFacts } from './report.js';
import type { ReplicatedStatus } from './v1alpha1/replicated.js';

export interface ReplicaFacts extends RuleFacts<ReplicaRule> {
  /** images in use that an upstream matches */
  readonly images: number;
  /** Pods that use one of them */
  readonly pods: number;
  /** Pods that pull from another upstream because of this rule */
  readonly rerouted: number;
  /** images whose name does not begin with registry and path of the upstream that matches them, in words */
  readonly unjoinable?: readonly string[];
}

/** The status of a `ClusterReplicatedImageSet` or `ReplicatedImageSet`. */
export function reportReplica(facts: ReplicaFacts): ReplicatedStatus {
  const { rule, images, pods, rerouted } = facts;
  const usable = rule.upstreams.length;
  return {
    observedGeneration: rule.generation,
    conditions: toConditions([...ruleClaims(facts), ...credentialClaims(facts, rule.upstreams.some(({ credentialSecret }) => credentialSecret) ? 'some' : 'none'), upstreamClaim(facts)], facts),
    counts: { images, pods, rerouted },
    upstreams: `${usable}/${usable + leftOut(rule)}`,
  };
}

function upstreamClaim({ rule, unjoinable = [] }: ReplicaFacts): Claim {
  const found = [...rule.problems.filter(({ reason }) => reason === 'InvalidUpstream').map(({ message }) => message), ...unjoinable];
  return found.length > 0 ? claim('UpstreamsValid', false, 'InvalidUpstream', messagesOf(found)) : claim('UpstreamsValid', true, 'Usable', 'every upstream can be used');
}

/** Upstreams with a problem that leaves them out; one can have several problems. */
function leftOut({ problems }: ReplicaRule): number {
  const items = problems.filter(({ disables }) => disables === 'item').map(({ field }) => /^spec\.upstreams\[\d+\]/.exec(field)?.[0] ?? field);
  return new Set(items).size;
}
