/** What commands print that ask for something: retry, mirror, pin, unpin, pause, resume, cluster. */
import { z } from 'zod';
import { count, document, text, time } from './document.js';

const RequestedCopy = z.object({
  image: text('Name of the image.'),
  record: text('Name of its ImageAvailability.'),
  destination: text('Where its copy is, or should be.'),
  result: z.enum(['asked', 'waiting', 'copied', 'failed', 'unwanted', 'refused']).meta({ description: 'asked: the manager has not seen the request yet; waiting: it has; unwanted: no rule wants this copy any more; refused: it could not be asked for.' }),
  digest: text('What its tag answers with.').optional(),
  failure: z
    .object({ code: text('From the closed list.'), side: text('source, destination or cluster.').optional(), message: text('The same for people.'), since: time('When it first failed so.'), attempts: count('How often since then.') })
    .meta({ description: 'Why it failed.' })
    .optional(),
  message: text('Why it was refused.').optional(),
  nextStep: text('What to do about it.').optional(),
});

const RequestedCheck = z.object({
  image: text('Name of the image.'),
  record: text('Name of its ImageAvailability.'),
  result: z.enum(['asked', 'waiting', 'available', 'unavailable', 'untracked', 'refused']).meta({ description: 'asked: the manager has not seen the request yet; waiting: it has; untracked: no rule tracks it any more; refused: it could not be asked for.' }),
  state: text('What was found, in the words of the record.').optional(),
  digest: text('What its tag answers with.').optional(),
  message: text('Why it cannot be pulled, or was refused.').optional(),
  nextStep: text('What to do about it.').optional(),
});

export const RetryResultList = document('RetryResultList', 'What kuik retry and kuik mirror print.', {
  items: z.array(RequestedCopy).meta({ description: 'One per copy.' }),
  checks: z.array(RequestedCheck).meta({ description: 'One per image that is only monitored, and was checked instead.' }),
});
export type RetryResultList = z.infer<typeof RetryResultList>;

const PinnedImage = z.object({ image: text('Name of the image.'), record: text('Name of its ImageAvailability.'), pods: count('Pods that use it now.'), keepUntil: text('Kept until then, or forever; absent: as its retention says.').optional() });

export const PinnedImageList = document('PinnedImageList', 'What kuik pin and kuik unpin print.', { items: z.array(PinnedImage).meta({ description: 'In the order they were asked for.' }) });
export type PinnedImageList = z.infer<typeof PinnedImageList>;

const Paused = z.object({ subject: text('Name of the image, or kind and name of the rule.'), state: z.enum(['paused', 'running']).meta({ description: 'How it is from now on.' }), changed: z.boolean().meta({ description: 'Whether it was otherwise before.' }) });

export const PausedList = document('PausedList', 'What kuik pause and kuik resume print.', { items: z.array(Paused).meta({ description: 'Images, then rules.' }) });
export type PausedList = z.infer<typeof PausedList>;

const KnownCluster = z.object({ id: text('Its ID.'), claims: count('Destinations it claims together with this one.'), heardAt: time('When the newest of its claims came.'), state: z.enum(['this cluster', 'silent', 'alive']).meta({ description: 'silent: it missed its daily renewal.' }) });

export const ClusterList = document('ClusterList', 'What kuik cluster list prints.', { at: time('When the sweep saw it so.'), items: z.array(KnownCluster).meta({ description: 'By ID.' }) });
export type ClusterList = z.infer<typeof ClusterList>;

export const ForgottenCluster = document('ForgottenCluster', 'What kuik cluster forget prints.', {
  v: z.literal(1).meta({ description: 'Version of the report of the manager.' }),
  cluster: text('Its ID.'),
  requestedAt: time('When it was asked for.'),
  at: time('When it was done.'),
  keepers: count('Keepers that were told.'),
  refused: text('Why nothing was done.').optional(),
  dryRun: z.enum(['none', 'client', 'server']).meta({ description: 'Whether anything was changed: none says yes.' }),
});
export type ForgottenCluster = z.infer<typeof ForgottenCluster>;
