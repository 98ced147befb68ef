import type { PlaceRecord } from '../domain/record.js';
import type { ReplicaRule } from '../domain/rule.js';
import { finding, credentialFindings, messagesOf, ruleFindings, toConditions, type Finding, type RuleFacts } from './report.js';
import { checkTroubles, reachFinding } from './report-reach.js';
import type { ReplicatedStatus } from './v1alpha1/replicated.js';

export interface ReplicaFacts extends RuleFacts<ReplicaRule> {
  /** images in use that an upstream matches */
  readonly images: number;
  /** Pods that use one of them */
  readonly pods: number;
  /** Pods that pull from another upstream because of this rule */
  readonly rerouted: number;
  /** what is known of the places of those images that upstreams of this rule declare */
  readonly places: readonly PlaceRecord[];
  /** images that are offered less than the rule declares, because their names do not fit its upstreams: in words, in order */
  readonly unjoinable?: readonly string[];
}

/** The status of a `ClusterReplicatedImageSet` or `ReplicatedImageSet`. */
export function reportReplica(facts: ReplicaFacts): ReplicatedStatus {
  const { rule, images, pods, rerouted } = facts;
  const usable = rule.upstreams.length;
  return {
    observedGeneration: rule.generation,
    conditions: toConditions([...ruleFindings(facts), ...credentialFindings(facts, rule.upstreams.some(({ credentialSecret }) => credentialSecret) ? 'some' : 'none'), reachFinding('SourceReachable', checkTroubles(facts.places)), upstreamFinding(facts)], facts),
    counts: { images, pods, rerouted },
    upstreams: `${usable}/${usable + leftOut(rule)}`,
  };
}

function upstreamFinding({ rule, unjoinable = [] }: ReplicaFacts): Finding {
  const found = [...rule.problems.filter(({ reason }) => reason === 'InvalidUpstream').map(({ message }) => message), ...unjoinable];
  return found.length > 0 ? finding('UpstreamsValid', false, 'InvalidUpstream', messagesOf(found)) : finding('UpstreamsValid', true, 'Usable', 'every upstream can be used');
}

/** Upstreams with a problem that leaves them out; one can have several problems. */
function leftOut({ problems }: ReplicaRule): number {
  const items = problems.filter(({ disables }) => disables === 'item').map(({ field }) => /^spec\.upstreams\[\d+\]/.exec(field)?.[0] ?? field);
  return new Set(items).size;
}
