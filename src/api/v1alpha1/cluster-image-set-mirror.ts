import type { z } from 'zod';
import { optional } from './field-types.js';
import { ClusterFilter } from './filter.js';
import { category, type Kind } from './kind.js';
import { mirrorColumns, mirrorFields, mirrorSpecExample, MirrorStatus } from './mirror.js';
import { onlyOneFilter, validated } from './validation.js';

export const ClusterImageSetMirrorSpec = validated(
  optional({ filter: ClusterFilter, ...mirrorFields }),
  { description: 'Which images of which Pods are copied, and where to.', example: mirrorSpecExample },
  [onlyOneFilter],
);
export type ClusterImageSetMirrorSpec = z.infer<typeof ClusterImageSetMirrorSpec>;

export const clusterImageSetMirror: Kind = {
  kind: 'ClusterImageSetMirror',
  plural: 'clusterimagesetmirrors',
  shortName: 'cism',
  scope: 'Cluster',
  categories: [category],
  description: 'Copies the images that Pods of the cluster use to one or more registries, and lets Pods pull from there when that is better.',
  spec: ClusterImageSetMirrorSpec,
  status: MirrorStatus,
  columns: mirrorColumns,
  examples: ['quickstart.yaml', 'cluster-mirror.yaml', 'near-and-far.yaml'],
};
