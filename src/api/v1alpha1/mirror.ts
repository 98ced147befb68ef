/** What `ClusterImageSetMirror` and `ImageSetMirror` share. */
import { z } from 'zod';
import { bytes, count, flag, freeList, freeText, integer, listOf, mapByKey, oneOf, optional, shortText, time } from './field-types.js';
import { ImageFilter } from './filter.js';
import { conditions, observedGeneration } from './condition.js';
import { ageColumn, countColumn, readyColumn, reasonColumn, type Column } from './kind.js';
import { cleanupOf, Platform, priorityOfRule, PullSecret, secretOf } from './spec-parts.js';

const Mirror = optional({
  registry: freeText({ description: 'Registry of the copies, host[:port]. Joined with path. Default: empty, then path names it.', example: 'registry.example.com' }),
  path: freeText({ description: 'Path in front of the names of the copies; duplicate and outer slashes vanish. Default: empty.', example: '/mirror' }),
  priority: integer({ description: 'Rank inside this rule; lower is earlier. Any whole number. Default: 0.', example: 1 }),
  credentialSecret: secretOf('Pulls, pushes and deletes at this destination. Default: none, everything is anonymous.'),
  pullSecret: PullSecret,
  cleanup: cleanupOf('Clean-up of this mirror; each field present here wins over that of the rule.', 'what the rule says'),
  platforms: listOf(Platform, 16, { description: 'Wanted platforms, at most 16. Default: mirroring.platforms of the configuration.' }),
  copy: oneOf(['all', 'sparse', 'rewrite', 'auto'], {
    description:
      'How multi-platform images are copied. all: every platform; sparse: the original index with the wanted platforms only; rewrite: a new index of the wanted platforms, with another digest; auto: all if nothing would be left out, else sparse, else rewrite. Default: auto.',
    example: 'auto',
  }),
  layout: oneOf(['path', 'host'], {
    description: 'Names of the copies. path: without the host of the origin, so two registries can collide; host: with it. Default: path.',
    example: 'host',
  }),
  referrers: oneOf(['auto', 'none'], { description: 'Whether signatures, attestations and SBOMs are copied where they exist. Default: auto.', example: 'none' }),
  shared: flag({ description: 'Whether other clusters use this destination too; they must share the Temporal namespace. Default: false.', example: true }),
}).meta({ description: 'One destination of copies.' });

/** The fields of a mirror rule besides `filter`, which differs by scope. */
export const mirrorFields = {
  priority: integer({ description: priorityOfRule, example: -1 }),
  imageFilter: ImageFilter,
  cleanup: cleanupOf('Clean-up of all mirrors of this rule. Default: off.', ''),
  mirrors: freeList(Mirror, { description: 'Destinations. Default: none.' }),
  drift: oneOf(['keep', 'warn', 'sync'], { description: 'What to do when the tag of the origin moves. keep: nothing; warn: say so; sync: copy again. Default: keep.', example: 'warn' }),
  suspend: flag({ description: 'Whether the rule rests: it offers nothing, copies nothing and deletes nothing; what is there stays. Default: false.', example: true }),
};

export const mirrorSpecExample = {
  priority: -1,
  filter: { include: [{ image: 'docker\\.io/.+' }] },
  mirrors: [{ registry: 'registry.example.com', path: '/mirror', credentialSecret: { name: 'registry-push' } }],
};

const MirrorCopy = z.object({
  image: freeText({ description: 'The destination.', example: 'registry.example.com/mirror/library/nginx:1.27' }),
  ...optional({
    mirroredAt: time('When the copy was verified.'),
    lastError: freeText({ description: 'Why the last attempt failed; empty when it did not. At most 256 characters.', example: 'denied by registry.example.com: push to mirror/library/nginx' }),
    digest: shortText(256, { description: 'Digest of the copy.', example: `sha256:${'0'.repeat(64)}` }),
    missingPlatforms: listOf(shortText(256, { description: 'os/architecture[/variant]', example: 'linux/arm64' }), 64, { description: 'Wanted platforms the origin does not have, at most 64.' }),
  }).shape,
}).meta({ description: 'One copy of an image.' });

const MatchingImage = z.object({
  image: freeText({ description: 'Name of the image, host and repository written out.', example: 'docker.io/library/nginx:1.27' }),
  ...optional({
    unusedSince: time('Since when no Pod uses it; absent while one does.'),
    mirrors: mapByKey('image', freeList(MirrorCopy, { description: 'Its copies, at most 32 of them.' })),
  }).shape,
}).meta({ description: 'One image and its copies.' });

const PendingDeletion = z
  .object({
    image: shortText(1024, { description: 'The copy that goes.', example: 'registry.example.com/mirror/library/nginx:1.26' }),
    at: time('The earliest time; other clusters and guards can delay it.'),
  })
  .meta({ description: 'One copy that will be deleted.' });

const counts = optional({
  images: count({ description: 'Images the rule matches, used or retained.', example: 41 }),
  mirrored: count({ description: 'Images with a verified copy at every mirror.', example: 39 }),
  pending: count({ description: 'Images without a copy somewhere, none of which failed.', example: 1 }),
  failed: count({ description: 'Images a copy of which failed.', example: 1 }),
  unused: count({ description: 'Images no Pod uses any more.', example: 3 }),
  missingPlatforms: count({ description: 'Images that lack a wanted platform somewhere.', example: 0 }),
  listed: count({ description: 'Images in matchingImages, which is capped.', example: 41 }),
}).meta({ description: 'Numbers of images, over all of them.' });

export const MirrorStatus = optional({
  observedGeneration,
  conditions,
  counts,
  matchingImages: mapByKey('image', freeList(MatchingImage, { description: 'Images and their copies, worst first, at most 500; kubectl get ia shows all.' })),
  bytes: bytes({ description: 'Size of all copies in bytes; layers shared by several count for each.', example: 1_073_741_824 }),
  lastSync: time('When a copy was last verified.'),
  pendingDeletion: listOf(PendingDeletion, 50, { description: 'What is deleted next, at most 50.' }),
}).meta({ description: 'What kuik found; written by kuik.' });
export type MirrorStatus = z.infer<typeof MirrorStatus>;

export const mirrorColumns: readonly Column[] = [
  readyColumn,
  countColumn('Images', 'images', 'Images the rule matches'),
  countColumn('Mirrored', 'mirrored', 'Images with a verified copy at every mirror'),
  countColumn('Failed', 'failed', 'Images a copy of which failed'),
  countColumn('Unused', 'unused', 'Images no Pod uses any more'),
  ageColumn,
  reasonColumn,
  { name: 'Bytes', type: 'integer', jsonPath: '.status.bytes', description: 'Size of all copies in bytes', isWide: true },
  { name: 'Last-Sync', type: 'date', jsonPath: '.status.lastSync', description: 'Time since a copy was last verified', isWide: true },
];
