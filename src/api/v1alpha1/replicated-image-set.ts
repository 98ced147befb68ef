import type { z } from 'zod';
import { optional } from './field-types.js';
import { NamespacedPodFilter } from './filter.js';
import { category, type Kind } from './kind.js';
import { replicatedColumns, replicatedFields, replicatedSpecExample, ReplicatedStatus } from './replicated.js';

export const ReplicatedImageSetSpec = optional({ filter: NamespacedPodFilter, ...replicatedFields }).meta({
  description: 'Which places hold the same images, and which Pods of this namespace may pull from any of them.',
  example: replicatedSpecExample,
});
export type ReplicatedImageSetSpec = z.infer<typeof ReplicatedImageSetSpec>;

export const replicatedImageSet: Kind = {
  kind: 'ReplicatedImageSet',
  plural: 'replicatedimagesets',
  shortName: 'ris',
  scope: 'Namespaced',
  categories: [category],
  description: 'Declares that several registries hold the same images, kept equal by somebody else, so that Pods of its namespace can pull from one when another fails. Nothing is copied.',
  spec: ReplicatedImageSetSpec,
  status: ReplicatedStatus,
  columns: replicatedColumns,
  examples: ['tenant-replicated-set.yaml'],
};
