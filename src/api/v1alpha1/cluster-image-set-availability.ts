import { z } from 'zod';
import { availabilityStates } from '../../domain/availability.js';
import { conditions, observedGeneration } from './condition.js';
import { count, flag, freeList, freeText, integer, mapByKey, optional, shortText, time } from './field-types.js';
import { ClusterFilter, ImageFilter } from './filter.js';
import { ageColumn, category, countColumn, readyColumn, reasonColumn, type Kind } from './kind.js';
import { onlyOneFilter, validated } from './validation.js';

export const ClusterImageSetAvailabilitySpec = validated(
  optional({
    unusedImageExpiry: freeText({
      description: 'How long an image that no Pod uses stays tracked. Go duration with the units h, m, s, ms: 720h is 30 days. Default: 0, for ever.',
      example: '720h',
    }),
    filter: ClusterFilter,
    imageFilter: ImageFilter,
    suspend: flag({ description: 'Whether the rule rests: no checks on its behalf, nothing expires, the list stays. Default: false.', example: true }),
  }),
  { description: 'Which images of which Pods are tracked.', example: { unusedImageExpiry: '720h', filter: { include: [{ image: 'docker\\.io/.+' }] } } },
  [onlyOneFilter],
);
export type ClusterImageSetAvailabilitySpec = z.infer<typeof ClusterImageSetAvailabilitySpec>;

const TrackedImage = z
  .object({
    image: freeText({ description: 'Name of the image, host and repository written out.', example: 'docker.io/library/nginx:1.27' }),
    // required and with a default, as in v2
    status: z.enum(availabilityStates).default('Scheduled').meta({ description: 'What the last check found. Scheduled: not checked yet.', example: 'Available' }),
    ...optional({
      unusedSince: time('Since when no Pod uses it; absent while one does.'),
      lastError: freeText({ description: 'Why the last check failed; empty when it did not. At most 256 characters.', example: 'not found on quay.io: acme/api' }),
      lastMonitor: time('When it was last checked.'),
      original: flag({ description: 'Whether a Pod was written with this name; false for names that only rewritten Pods use.', example: true }),
    }).shape,
  })
  .meta({ description: 'One image and its availability.' });

export const ClusterImageSetAvailabilityStatus = optional({
  observedGeneration,
  conditions,
  counts: optional({
    available: count({ description: 'Images that can be pulled.', example: 40 }),
    unavailable: count({ description: 'Images that cannot.', example: 1 }),
    unchecked: count({ description: 'Images not checked yet.', example: 0 }),
    unused: count({ description: 'Images no Pod uses any more.', example: 3 }),
    listed: count({ description: 'Images in the list, which is capped.', example: 41 }),
  }).meta({ description: 'Numbers of images, over all of them.' }),
  imageCount: integer({ description: 'How many images are tracked.', example: 41 }),
  images: mapByKey('image', freeList(TrackedImage, { description: 'Tracked images, worst first, at most 500; kubectl get ia shows all.' })),
  cycle: shortText(32, { description: 'How long one round of checks takes at the current pace.', example: '7h12m' }),
  oldestCheck: time('The oldest check any tracked image rests on.'),
}).meta({ description: 'What kuik found; written by kuik.' });
export type ClusterImageSetAvailabilityStatus = z.infer<typeof ClusterImageSetAvailabilityStatus>;

export const clusterImageSetAvailability: Kind = {
  kind: 'ClusterImageSetAvailability',
  plural: 'clusterimagesetavailabilities',
  shortName: 'cisa',
  scope: 'Cluster',
  categories: [category],
  description: 'Checks, at a pace each registry can bear, whether the images that Pods use can still be pulled.',
  spec: ClusterImageSetAvailabilitySpec,
  status: ClusterImageSetAvailabilityStatus,
  columns: [
    readyColumn,
    { name: 'Images', type: 'integer', jsonPath: '.status.imageCount', description: 'Images that are tracked' },
    countColumn('Available', 'available', 'Images that can be pulled'),
    countColumn('Unavailable', 'unavailable', 'Images that cannot'),
    { name: 'Cycle', type: 'string', jsonPath: '.status.cycle', description: 'How long one round of checks takes' },
    ageColumn,
    reasonColumn,
    { name: 'Oldest-Check', type: 'date', jsonPath: '.status.oldestCheck', description: 'Time since the oldest check', isWide: true },
  ],
  examples: ['availability.yaml'],
};
