import { z } from 'zod';
import { count, document, text } from './document.js';

const verdict = z.enum(['stuck', 'moves', 'stays']).meta({ description: 'stuck: nothing would be left to pull it from; moves: it would be pulled from elsewhere than now; stays: it is pulled from elsewhere already.' });

export const RehearsedContainer = z.object({
  container: text('Name of the container, or volume:NAME.'),
  image: text('The image, as its user wrote it.'),
  verdict,
  reason: text('Why, from the closed list of routing reasons.'),
  pulls: text('What it would pull; absent where nothing is left.').optional(),
  why: text('The same for people, where nothing is left.').optional(),
});
export type RehearsedContainer = z.infer<typeof RehearsedContainer>;

export const RehearsedWorkload = z.object({
  namespace: text('Its namespace.'),
  name: text('Kind and name: deployment/web; pod/web-1 where there is nothing but the Pod.'),
  pods: count('Pods of it that run now.'),
  verdict,
  containers: z.array(RehearsedContainer).meta({ description: 'Those that could be pulled from one of the registries.' }),
});
export type RehearsedWorkload = z.infer<typeof RehearsedWorkload>;

export const Rehearsal = document('Rehearsal', 'What kuik rehearse prints.', {
  registries: z.array(text('host[:port]')).meta({ description: 'The registries that are imagined to be away.' }),
  hidden: z.array(text('As in list imageavailabilities.')).meta({ description: 'What may not be read, and did not count: the webhook may decide otherwise; absent when everything may.' }).optional(),
  looked: count('Workloads that were looked at.'),
  workloads: z.array(RehearsedWorkload).meta({ description: 'Those that these registries matter to, by namespace and name.' }),
  images: z.array(text('Name of the image.')).meta({ description: 'Images of these workloads for which no rule offers a second place.' }),
});
export type Rehearsal = z.infer<typeof Rehearsal>;
