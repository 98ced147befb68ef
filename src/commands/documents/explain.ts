import { z } from 'zod';
import { count, document, text } from './document.js';

const ExplainedPlace = z.object({
  place: text('The reference.'),
  rule: text('The rule that offers it; (origin) for what the user wrote.'),
  verdict: text('chosen, unavailable, skipped, unasked, ...'),
  why: text('What is known of it, and what follows.'),
  state: text('What was found there; absent where nobody looked.').optional(),
  as: text('With whose credentials: anonymous, namespace/name of a Secret, or the number of a credential.').optional(),
  digest: text('What its tag answered with.').optional(),
  tookMs: count('Milliseconds, of a probe that was made just now.').optional(),
});

const ExplainedContainer = z.object({
  container: text('Name of the container, or volume:NAME.'),
  image: text('As its user wrote it.'),
  verdict: z.enum(['keep', 'rewrite', 'skip']).meta({ description: 'What is done with its text.' }),
  reason: text('Why, from the closed list of routing reasons.'),
  pulls: text('What it would pull, decided now.'),
  now: z.object({ image: text('What the Pod names.'), reason: text('The reason recorded with it.').optional() }).meta({ description: 'The Pod that is there.' }).optional(),
  pullSecret: text('The Secret it would be given.').optional(),
  places: z.array(ExplainedPlace).meta({ description: 'In order of rank.' }),
});

const Explanation = z.object({
  namespace: text('Namespace of the Pod.'),
  name: text('Name of the Pod, or KIND/NAME of the workload.'),
  skipped: text('Why it is left alone as a whole.').optional(),
  containers: z.array(ExplainedContainer).meta({ description: 'Its containers and image volumes.' }),
});

export const ExplanationList = document('ExplanationList', 'What kuik explain prints.', {
  asIf: z.record(z.string(), z.string()).meta({ description: 'What was imagined, by registry.' }).optional(),
  hidden: z.array(text('As in list imageavailabilities.')).meta({ description: 'What may not be read, and did not count: the webhook may decide otherwise; absent when everything may.' }).optional(),
  items: z.array(Explanation).meta({ description: 'One per Pod.' }),
});
export type ExplanationList = z.infer<typeof ExplanationList>;
