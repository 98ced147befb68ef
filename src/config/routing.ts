import { z } from 'zod';
import { duration, flag, whole } from './value-types.js';

// the API server waits 10 s at most for any webhook, and one second is ours
const longestDeadlineMs = 9000;

const staleMirrorCleanup = z
  .strictObject({
    maxConcurrent: whole('How many keepers are asked at once to look at a copy that did not answer.', 1).default(10),
    timeout: duration('How long one of them may take.').prefault('5s'),
  })
  .prefault({});

const activeCheck = z
  .strictObject({
    timeout: duration('How long one place may take to answer a probe, with all its credentials.', { isAbove: true }).prefault('1s'),
    deadline: duration('How long all probes of one Pod may take; at most 9s. Default: 2s, or timeout + 500ms if that is more.', { isAbove: true, most: longestDeadlineMs }).optional(),
    positiveTTL: duration('How long a place counts as available after it answered.').prefault('30s'),
    negativeTTL: duration('How long a place counts as unavailable after it did not.').prefault('3s'),
    resolveDigest: flag('Whether the digest a tag names is asked for, too: some registries answer for tags whose content is gone.').default(false),
    staleMirrorCleanup,
  })
  .transform((written) => ({ ...written, deadline: written.deadline ?? usualDeadlineMs(written.timeout) }))
  .refine(({ deadline }) => deadline <= longestDeadlineMs, { path: ['timeout'], error: 'leaves no room for a deadline of at most 9s; write at most 8.5s, or set deadline' })
  .prefault({});

const pullSecrets = z
  .strictObject({
    renewEvery: duration('How often copies of pull Secrets are compared with their source.', { isAbove: true }).prefault('5m'),
    expiry: duration('How long a copy stays that no Pod names.').prefault('24h'),
  })
  .prefault({});

export const routing = z
  .strictObject({
    activeCheck,
    rewriteOnNeverImagePullPolicy: flag('Whether containers with pull policy Never are routed, too.').default(false),
    honorPrioritiesOnAlwaysImagePullPolicy: flag('Whether negative priorities hold for containers with pull policy Always; otherwise their origin ranks first.').default(false),
    pinDigests: flag('Whether rewritten images are pinned to the digest that was seen.').default(false),
    pullSecrets,
  })
  .prefault({});

/** Room for one place that needs all its time, and for the answer. */
function usualDeadlineMs(timeoutMs: number): number {
  return Math.max(2000, timeoutMs + 500);
}
