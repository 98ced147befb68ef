import type { z } from 'zod';
import { optional } from './field-types.js';
import { ClusterPodFilter } from './filter.js';
import { category, type Kind } from './kind.js';
import { replicatedColumns, replicatedFields, replicatedSpecExample, ReplicatedStatus } from './replicated.js';

export const ClusterReplicatedImageSetSpec = optional({ filter: ClusterPodFilter, ...replicatedFields }).meta({
  description: 'Which places hold the same images, and which Pods may pull from any of them.',
  example: replicatedSpecExample,
});
export type ClusterReplicatedImageSetSpec = z.infer<typeof ClusterReplicatedImageSetSpec>;

export const clusterReplicatedImageSet: Kind = {
  kind: 'ClusterReplicatedImageSet',
  plural: 'clusterreplicatedimagesets',
  shortName: 'cris',
  scope: 'Cluster',
  categories: [category],
  description: 'Declares that several registries hold the same images, kept equal by somebody else, so that Pods of the cluster can pull from one when another fails. Nothing is copied.',
  spec: ClusterReplicatedImageSetSpec,
  status: ReplicatedStatus,
  columns: replicatedColumns,
  examples: ['replicated-set.yaml'],
};
