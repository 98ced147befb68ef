import type { Problem, ReplicaRule, Upstream } from '../domain/rule.js';
import type { Field } from './field.js';
import type { RuleBase } from './translate.js';
import { translateFilters, translateImageFilter, type ItemKey } from './translate-filter.js';
import { checkLocation, translateItems, translateSecret, type SecretScope } from './translate-place.js';

/** Reads the spec of a `ClusterReplicatedImageSet` or `ReplicatedImageSet`; images are selected per upstream. */
export function translateReplica(spec: Field, base: RuleBase, keys: readonly ItemKey[], secrets: SecretScope, problems: Problem[]): ReplicaRule {
  return {
    ...base,
    type: 'replica',
    pods: translateFilters(spec, keys).pods,
    upstreams: translateItems(spec.get('upstreams').blaming({ reason: 'InvalidUpstream' }), problems, (item, index) => translateUpstream(item, index, secrets)),
    problems,
  };
}

function translateUpstream(item: Field, index: number, secrets: SecretScope): Upstream {
  const upstream: Upstream = {
    index,
    registry: item.get('registry').text() ?? '',
    path: item.get('path').text() ?? '',
    priority: item.get('priority').integer() ?? 0,
    discarded: item.get('discardAlternative').boolean() ?? false,
    images: translateImageFilter(item.get('imageFilter')),
    credentialSecret: translateSecret(item.get('credentialSecret'), secrets),
  };
  checkLocation(item, upstream);
  return upstream;
}
