import { z } from 'zod';
import { availabilityStates } from '../../domain/availability.js';
import { failureCodes, sides, type FailureCode } from '../../domain/failure.js';
import type { PlaceBlock } from '../../domain/record.js';
import { blockReasons } from '../../domain/task.js';
import { conditions, observedGeneration } from './condition.js';
import { bytes, count, flag, listOf, mapByKey, oneOf, optional, shortText, time } from './field-types.js';
import { ageColumn, type Column, type Kind } from './kind.js';
import { immutable, validated } from './validation.js';

const someDigest = `sha256:${'0'.repeat(64)}`;
const reasons = [...new Set([...blockReasons, ...failureCodes])] as unknown as readonly [PlaceBlock['reason'], ...PlaceBlock['reason'][]];
const codes = failureCodes as readonly [FailureCode, ...FailureCode[]];

export const ImageAvailabilitySpec = z
  .object({
    image: validated(
      z.string().min(1).max(1024),
      { description: 'Name of the image, host and repository written out, with tag or digest. Cannot be changed.', example: 'docker.io/library/nginx:1.27' },
      [immutable],
    ),
  })
  .meta({ description: 'Which image this is the record of.' });
export type ImageAvailabilitySpec = z.infer<typeof ImageAvailabilitySpec>;

const Failure = z
  .object({
    code: oneOf(codes, { description: 'What went wrong, from a closed list.', example: 'denied' }),
    side: oneOf(sides, { description: 'On which side of the copy; cluster: with us.', example: 'destination' }).optional(),
    message: shortText(256, { description: 'The same for people.', example: 'denied by registry.example.com: push to mirror/library/nginx' }),
    since: time('When it first failed so.'),
    attempts: count({ description: 'How many attempts failed since then.', example: 3 }),
  })
  .meta({ description: 'Why the last copy failed; absent when it did not.' });

const Blocked = z
  .object({
    reason: oneOf(reasons, { description: 'What stood in the way, from a closed list: a guard, or the code of a failure.', example: 'in-use' }),
    message: shortText(256, { description: 'The same for people.', example: 'pod shop/web-6d5f pulls from it' }),
    since: time('When it was first not deleted for this reason.'),
    attempts: count({ description: 'How often its deletion was tried since then.', example: 3 }),
  })
  .meta({ description: 'Why a copy that nobody uses any more was not deleted; tried again daily.' });

const Drift = z
  .object({
    origin: shortText(256, { description: 'What the tag of the origin names now; looked at with drift: warn.', example: someDigest }).optional(),
    destination: shortText(256, { description: 'What the destination answers with, and kuik did not write; neither overwritten nor deleted.', example: someDigest }).optional(),
    since: time('When it was seen first.'),
  })
  .meta({ description: 'What moved behind our back since the copy was made; absent when nothing did.' });

const SecretName = z
  .object({
    namespace: shortText(253, { description: 'Namespace of the Secret.', example: 'kuik-system' }),
    name: shortText(253, { description: 'Name of the Secret.', example: 'registry-push' }),
  })
  .meta({ description: 'The Secret for clean-up, for the time when rule or mirror are gone.' });

const platform = shortText(256, { description: 'os/architecture[/variant]', example: 'linux/amd64' });

const Place = z.object({
  reference: shortText(1024, { description: 'Name of the image at this place.', example: 'registry.example.com/mirror/library/nginx:1.27' }),
  ...optional({
    role: oneOf(['origin', 'mirror', 'replica'], { description: 'origin: where it comes from; mirror: we copy it there; replica: somebody else keeps it equal.', example: 'mirror' }),
    rule: shortText(600, { description: 'The first rule that names this place: kind, namespace of a namespaced kind, name.', example: 'ClusterImageSetMirror/global-mirror' }),
    secret: SecretName,
    retention: shortText(64, { description: 'How long the copy is kept once nobody uses the image: what its rule says, or said last. Absent: for ever.', example: '720h' }),
    state: oneOf(availabilityStates, { description: 'What the last check found.', example: 'Available' }),
    checkedAt: time('When it was last checked.'),
    identity: shortText(64, { description: 'Whose credentials it was checked with: anonymous, or 12 hexadecimal digits that stand for a Secret.', example: 'anonymous' }),
    checkFailure: shortText(256, { description: 'Why the last check failed; empty when it did not.', example: 'not found on quay.io: acme/api' }),
    digest: shortText(256, { description: 'What the tag answers with.', example: someDigest }),
    sourceDigest: shortText(256, { description: 'Digest at the source when it was copied.', example: someDigest }),
    strategy: oneOf(['all', 'sparse', 'rewrite', 'adopted'], { description: 'How it was copied; adopted: it was there already.', example: 'all' }),
    platforms: listOf(platform, 128, { description: 'Platforms of the copy, at most 128.' }),
    missingPlatforms: listOf(platform, 64, { description: 'Wanted platforms the source does not have, at most 64.' }),
    bytes: bytes({ description: 'Size of the copy in bytes.', example: 73_400_320 }),
    mirroredAt: time('When the copy was verified.'),
    retiringSince: time('Since when no Pod is sent there any more, because the copy is about to be deleted.'),
    triedAt: time('When the last copy ended, well or not.'),
    failure: Failure,
    blocked: Blocked,
    drift: Drift,
    workflowId: shortText(255, { description: 'The Temporal workflow that keeps this copy.', example: 'keep/registry.example.com/mirror/library/nginx:1.27' }),
  }).shape,
}).meta({ description: 'One reference the image can be pulled from.' });

export const ImageAvailabilityStatus = optional({
  observedGeneration,
  conditions,
  pods: count({ description: 'Pods that use the image now.', example: 3 }),
  original: flag({ description: 'Whether a Pod was written with this name; false for names that only rewritten Pods use.', example: true }),
  unusedSince: time('Since when no Pod uses it; absent while one does.'),
  expiresAt: time('When an unused image is forgotten and its copies go; absent while something keeps it. Other clusters can delay it.'),
  trackedBy: listOf(shortText(253, { description: 'Name of a ClusterImageSetAvailability.', example: 'critical' }), 64, { description: 'Which ClusterImageSetAvailability resources track it, at most 64: once no Pod uses it any more, nothing else tells.' }),
  mirrors: shortText(32, { description: 'How many mirrors hold a verified copy, of how many wanted: present/wanted.', example: '1/2' }),
  platforms: shortText(256, { description: 'Platforms of all copies together, with commas between them; each place says which it has.', example: 'linux/amd64,linux/arm64' }),
  missing: shortText(256, { description: 'Wanted platforms that a copy lacks, because its source has none; absent when none does.', example: 'linux/s390x' }),
  places: mapByKey('reference', z.array(Place).max(64).meta({ description: 'Where the image can be pulled from, at most 64.' })),
}).meta({ description: 'What kuik knows; written by kuik.' });
export type ImageAvailabilityStatus = z.infer<typeof ImageAvailabilityStatus>;

const columns: readonly Column[] = [
  { name: 'Image', type: 'string', jsonPath: '.spec.image', description: 'Name of the image' },
  { name: 'Available', type: 'string', jsonPath: '.status.conditions[?(@.type=="Available")].status', description: 'Whether the origin can be pulled from' },
  { name: 'Mirrors', type: 'string', jsonPath: '.status.mirrors', description: 'Mirrors with a verified copy, of those wanted' },
  { name: 'Pods', type: 'integer', jsonPath: '.status.pods', description: 'Pods that use it now' },
  // a date column prints the time passed, and this one lies ahead
  { name: 'Expires', type: 'string', jsonPath: '.status.expiresAt', description: 'When an unused image goes' },
  ageColumn,
  { name: 'Digest', type: 'string', jsonPath: '.status.places[?(@.role=="origin")].digest', description: 'What the tag of the origin answers with', isWide: true },
  { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Available")].reason', description: 'Why it is available, or why not', isWide: true },
  { name: 'Checked', type: 'date', jsonPath: '.status.places[?(@.role=="origin")].checkedAt', description: 'Time since the origin was checked', isWide: true },
  { name: 'Platforms', type: 'string', jsonPath: '.status.platforms', description: 'Platforms of all copies together', isWide: true },
  { name: 'Missing', type: 'string', jsonPath: '.status.missing', description: 'Wanted platforms that a copy lacks', isWide: true },
];

export const imageAvailability: Kind = {
  kind: 'ImageAvailability',
  plural: 'imageavailabilities',
  shortName: 'ia',
  scope: 'Cluster',
  categories: [],
  description: 'The record of one image: where it can be pulled from, who uses it, when it goes. Made and kept by kuik; deleting one does no harm, it is made again.',
  spec: ImageAvailabilitySpec,
  isSpecRequired: true,
  status: ImageAvailabilityStatus,
  columns,
  examples: [],
};
