import { z } from 'zod';
import { count, document, text } from './document.js';

const shape = {
  verdict: z.enum(['copied', 'current', 'failed', 'interrupted']).meta({ description: 'current: the destination held it already, nothing was sent.' }),
  source: text('What was copied.'),
  destination: text('Where to.'),
  digest: text("What the destination's tag answers with.").optional(),
  sourceDigest: text('Digest at the source.').optional(),
  strategy: text('How it was copied.').optional(),
  platforms: z.array(text('os/architecture[/variant]')).meta({ description: 'What the copy has.' }).optional(),
  missingPlatforms: z.array(text('os/architecture[/variant]')).meta({ description: 'Asked for, and not in the source.' }).optional(),
  warnings: z.array(text('What did not come along.')).meta({ description: 'The copy is good all the same.' }).optional(),
  bytes: count('Sent to the destination.').optional(),
  message: text('What failed, for people.').optional(),
  failure: z.object({ code: text('From the closed list.'), side: text('source or destination.'), host: text('host[:port]').optional(), message: text('The same for people.'), retryAfterMs: count('Milliseconds the registry asked to wait.').optional() }).meta({ description: 'The same as data.' }).optional(),
  nextStep: text('What to do about it.').optional(),
};

export const CopyResult = document('CopyResult', 'What kuik copy prints of one image.', shape);
export const CopyResultList = document('CopyResultList', 'What kuik copy prints of a list.', { items: z.array(CopyResult).meta({ description: 'In the order of the list.' }) });
export type CopyResult = z.infer<typeof CopyResult>;
export type CopyResultList = z.infer<typeof CopyResultList>;
