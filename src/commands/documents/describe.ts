import { z } from 'zod';
import { count, document, text, time } from './document.js';
import { ImageItem } from './images.js';

const Usage = z.object({
  pod: text('namespace/name'),
  container: text('Its key: the name of the container, or volume:NAME.'),
  written: text('What the user wrote.'),
  pulls: text('What the Pod names now.'),
  reason: text('Why, as it was decided when the Pod was created.').optional(),
});

const Claim = z.object({
  cluster: text('ID of the cluster.'),
  state: z.enum(['live', 'expired']).meta({ description: 'expired: it missed its daily renewals, and still delays a deletion by the retention.' }),
  rules: z.array(text('<Kind>/[<namespace>/]<name>')).meta({ description: 'For whom it wants the copy.' }),
  heardAt: time('When the claim came.').optional(),
  expiresAt: time('Until when it holds without being renewed.'),
});

const Copy = z.object({
  destination: text('Where it is, or should be.'),
  rule: text('The first rule that wants it.').optional(),
  digest: text('What its tag answers with.').optional(),
  strategy: text('How it was copied.').optional(),
  bytes: count('Its size.').optional(),
  platforms: z.array(text('os/architecture[/variant]')).meta({ description: 'What it has.' }).optional(),
  missingPlatforms: z.array(text('os/architecture[/variant]')).meta({ description: 'What its origin lacks.' }).optional(),
  mirroredAt: time('When it was verified.').optional(),
  triedAt: time('When the last copy ended, well or not.').optional(),
  failure: z.object({ code: text('From the closed list.'), message: text('The same for people.'), since: time('When it first failed so.'), attempts: count('How often since then.'), next: text('What to do.') }).meta({ description: 'Why the last copy failed.' }).optional(),
  blocked: z.object({ reason: text('From the closed list.'), message: text('The same for people.'), since: time('Since when.') }).meta({ description: 'Why it was not deleted.' }).optional(),
  retention: text('How long it is kept unused; absent: for ever.').optional(),
  retiringSince: time('Since when no Pod is sent there any more.').optional(),
  workflowId: text('The keeper or the last operation in Temporal.').optional(),
  claims: z.array(Claim).meta({ description: 'Which clusters claim it, as its keeper knows; absent where copies are not shared, or it could not be asked.' }).optional(),
});

const Description = ImageItem.extend({
  usages: z.array(Usage).meta({ description: 'What in which Pod uses it; absent where Pods may not be listed.' }).optional(),
  copiesInDetail: z.array(Copy).meta({ description: 'Its copies.' }),
  nextCheck: z.object({ at: time('At the earliest; what fails may have another turn before.'), place: count('Its place in the row of its registry, from 1.'), of: count('How many are in that row.') }).meta({ description: 'When its origin is looked at next; absent when no rule monitors it.' }).optional(),
  keepUntil: text('Pinned until then, or forever.').optional(),
  events: z.array(z.object({ at: time('When.'), type: text('Normal or Warning.'), reason: text('From the closed list.'), note: text('What happened.') })).meta({ description: 'Events of the last hour about its record.' }),
});

export const ImageDescriptionList = document('ImageDescriptionList', 'What kuik describe prints.', {
  claimants: z.array(z.object({ cluster: text('Its ID.'), heardAt: time('When the newest of its claims came.') })).meta({ description: 'Clusters that claim destinations together with this one, as its last daily sweep knows.' }),
  items: z.array(Description).meta({ description: 'Images, in the order they were asked for.' }),
});
export type ImageDescriptionList = z.infer<typeof ImageDescriptionList>;
