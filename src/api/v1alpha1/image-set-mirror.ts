import type { z } from 'zod';
import { optional } from './field-types.js';
import { NamespacedFilter } from './filter.js';
import { category, type Kind } from './kind.js';
import { mirrorColumns, mirrorFields, mirrorSpecExample, MirrorStatus } from './mirror.js';
import { onlyOneFilter, validated } from './validation.js';

export const ImageSetMirrorSpec = validated(
  optional({ filter: NamespacedFilter, ...mirrorFields }),
  { description: 'Which images of which Pods of this namespace are copied, and where to.', example: mirrorSpecExample },
  [onlyOneFilter],
);
export type ImageSetMirrorSpec = z.infer<typeof ImageSetMirrorSpec>;

export const imageSetMirror: Kind = {
  kind: 'ImageSetMirror',
  plural: 'imagesetmirrors',
  shortName: 'ism',
  scope: 'Namespaced',
  categories: [category],
  description: 'Copies the images that Pods of its namespace use to one or more registries, and lets these Pods pull from there when that is better. Its Secrets are read in its own namespace.',
  spec: ImageSetMirrorSpec,
  status: MirrorStatus,
  columns: mirrorColumns,
  examples: ['tenant-mirror.yaml'],
};
