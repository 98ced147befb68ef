import { z } from 'zod';
import { count, document, text, time } from './document.js';

export const ImagePlace = z.object({
  reference: text('Name of the image at this place.'),
  role: text('origin, mirror or replica.').optional(),
  rule: text('The first rule that names this place.').optional(),
  state: text('What the last check found.').optional(),
  digest: text('What its tag answers with.').optional(),
  checkedAt: time('When it was last checked.').optional(),
  mirroredAt: time('When the copy was verified.').optional(),
  failure: z.object({ code: text('From the closed list of failures.'), message: text('The same for people.') }).meta({ description: 'Why the last copy failed.' }).optional(),
});
export type ImagePlace = z.infer<typeof ImagePlace>;

export const ImageItem = z.object({
  image: text('Name of the image, host and repository written out.'),
  record: text('Name of its ImageAvailability.'),
  origin: z.enum(['available', 'unavailable', 'unknown']).meta({ description: 'Whether it can be pulled from where it comes from.' }),
  pullable: z.enum(['yes', 'no', 'unknown']).meta({ description: 'Whether any place is left to pull it from.' }),
  copies: z.object({ there: count('Verified copies.'), wanted: count('Copies that should be there.') }).meta({ description: 'Its mirrors.' }),
  unmirrored: z.boolean().meta({ description: 'In use, and a copy is missing or nobody wants one.' }),
  drifted: z.boolean().meta({ description: 'Something moved behind our back since it was copied.' }),
  pods: count('Pods that use it now.'),
  users: z.array(text('namespace/name')).meta({ description: 'Those Pods, with -n only those of that namespace; absent where they may not be listed.' }).optional(),
  unusedSince: time('Since when no Pod uses it.').optional(),
  expiresAt: time('When an unused image goes.').optional(),
  hidden: z.literal(true).meta({ description: 'Its record may not be read: only image, record, pods and users are known; absent otherwise.' }).optional(),
  trouble: text('What is not as it should be; absent when all is well.').optional(),
  places: z.array(ImagePlace).meta({ description: 'Where it can be pulled from.' }),
});
export type ImageItem = z.infer<typeof ImageItem>;

export const ImageList = document('ImageList', 'What kuik images prints.', { items: z.array(ImageItem).meta({ description: 'Images, by name.' }) });
export type ImageList = z.infer<typeof ImageList>;
