import { z } from 'zod';
import { flag, freeText, optional, shortText } from './field-types.js';

const retentionText = 'Go duration with the units h, m, s, ms: 168h is a week; days are not a unit';

/** `cleanup` of a mirror rule, or of one of its mirrors. */
export function cleanupOf(description: string, inherited: string) {
  return optional({
    enabled: flag({ description: `Whether copies that nobody uses are deleted. Default: ${inherited === '' ? 'false' : inherited}.`, example: true }),
    retention: freeText({ description: `How long an unused copy is kept. ${retentionText}. 0s: only for the safety pause${inherited === '' ? '' : ', unless the rule names a retention, too: v2 wrote 0s where nothing was written'}. Default: ${inherited === '' ? 'retention.default of the configuration, 720h' : inherited}.`, example: '168h' }),
  }).meta({ description });
}

/** A Secret of v2: both fields may be left out, and namespaced kinds ignore the namespace. */
export function secretOf(description: string) {
  return optional({
    name: freeText({ description: 'Name of a Secret of type kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg.', example: 'registry-push' }),
    namespace: freeText({ description: 'Namespace of the Secret. Namespaced kinds ignore it and use their own. Default: the namespace kuik is installed in.', example: 'kuik-system' }),
  }).meta({ description });
}

/** The Secret Pods get; new, so its name can be required. */
export const PullSecret = z
  .object({
    name: z.string().min(1).max(253).meta({ description: 'Name of a Secret of type kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg.', example: 'registry-pull' }),
    namespace: shortText(63, { description: 'Namespace of the Secret. Namespaced kinds ignore it and use their own. Default: the namespace kuik is installed in.', example: 'kuik-system' }).optional(),
  })
  .meta({ description: 'What Pods get to pull from this mirror; when set, credentialSecret never leaves its namespace. Default: credentialSecret.' });

export const Platform = z
  .object({
    os: shortText(64, { description: 'Operating system. Empty: any.', example: 'linux' }).optional(),
    architecture: z.string().min(1).max(64).meta({ description: 'Processor architecture.', example: 'amd64' }),
    variant: shortText(64, { description: 'Variant of the architecture. Empty: any. arm64 equals arm64/v8, arm equals arm/v7.', example: 'v8' }).optional(),
  })
  .meta({ description: 'An operating system and processor; an empty field matches any.' });
export type Platform = z.infer<typeof Platform>;

export const priorityOfRule = 'Rank of what this rule offers among all rules; lower is earlier, negative is before the original image. Any whole number. Default: 0.';
