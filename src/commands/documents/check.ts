import { z } from 'zod';
import { document, text } from './document.js';

const CheckedPart = z.object({
  part: text('Which part.'),
  state: z.enum(['good', 'bad', 'hidden']).meta({ description: 'hidden: it cannot be told, because you may not look, or because nothing tells.' }),
  what: text('What was found.'),
  next: text('What to do about it.').optional(),
});

export const Check = document('Check', 'What kuik check prints.', {
  healthy: z.boolean().meta({ description: 'Whether no part is bad.' }),
  namespace: text('Where kuik is installed.'),
  parts: z.array(CheckedPart).meta({ description: 'Every part that was checked, in order.' }),
});
export type Check = z.infer<typeof Check>;
