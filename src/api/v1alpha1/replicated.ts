/** What `ClusterReplicatedImageSet` and `ReplicatedImageSet` share. */
import { z } from 'zod';
import { conditions, observedGeneration } from './condition.js';
import { count, flag, freeText, integer, listOf, optional, shortText } from './field-types.js';
import { UpstreamImageFilter } from './filter.js';
import { ageColumn, countColumn, readyColumn, reasonColumn, type Column } from './kind.js';
import { priorityOfRule, secretOf } from './spec-parts.js';

const Upstream = z
  .object({
    registry: freeText({ description: 'Registry of this upstream, host[:port]. May be empty, then path names it.', example: 'quay.io' }),
    path: freeText({ description: 'Path in front of what all upstreams have in common. May be empty.', example: '/thanos/thanos' }),
    ...optional({
      priority: integer({ description: 'Rank inside this rule; lower is earlier. Any whole number. Default: 0.', example: 1 }),
      discardAlternative: flag({ description: 'Whether images match here but are never pulled from here: a registry that is going away. Default: false.', example: true }),
      imageFilter: UpstreamImageFilter,
      credentialSecret: secretOf('Pulls at this upstream. Default: none, pulls are anonymous.'),
    }).shape,
  })
  .meta({ description: 'One of several places that somebody else keeps equal.' });

/** The fields of a replica rule besides `filter`, which differs by scope. */
export const replicatedFields = {
  priority: integer({ description: priorityOfRule, example: 10 }),
  upstreams: listOf(Upstream, 32, { description: 'Places declared equal, at most 32. The first that matches an image, in this order, is the match. Default: none.' }),
  suspend: flag({ description: 'Whether the rule rests: it offers nothing. Default: false.', example: true }),
};

export const replicatedSpecExample = {
  upstreams: [
    { registry: 'docker.io', path: '/thanosio/thanos', imageFilter: { include: ['/thanosio/thanos:.+'] } },
    { registry: 'quay.io', path: '/thanos/thanos', imageFilter: { include: ['/thanos/thanos:.+'] } },
  ],
};

export const ReplicatedStatus = optional({
  observedGeneration,
  conditions,
  counts: optional({
    images: count({ description: 'Images in use that an upstream matches.', example: 12 }),
    pods: count({ description: 'Pods that use one of them.', example: 30 }),
    rerouted: count({ description: 'Pods that pull from another upstream because of this rule.', example: 2 }),
  }).meta({ description: 'Numbers of what the rule matches.' }),
  upstreams: shortText(32, { description: 'How many upstreams can be used, of how many: available/all.', example: '2/2' }),
}).meta({ description: 'What kuik found; written by kuik.' });
export type ReplicatedStatus = z.infer<typeof ReplicatedStatus>;

export const replicatedColumns: readonly Column[] = [
  readyColumn,
  { name: 'Upstreams', type: 'string', jsonPath: '.status.upstreams', description: 'Upstreams that can be used, of all' },
  countColumn('Pods', 'pods', 'Pods that use a matching image'),
  countColumn('Rerouted', 'rerouted', 'Pods that pull from another upstream'),
  ageColumn,
  reasonColumn,
  { name: 'Priority', type: 'integer', jsonPath: '.spec.priority', description: 'Rank of the rule', isWide: true },
];
