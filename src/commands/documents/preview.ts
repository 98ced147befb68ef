import { z } from 'zod';
import { count, document, text, time } from './document.js';

const CopyFate = z.object({
  image: text('Name of the image.'),
  place: text('Where the copy is.'),
  rule: text('The rule it was made for.').optional(),
  pods: count('Pods that use the image.'),
  fate: z.enum(['goes', 'stays']).meta({ description: 'What becomes of it.' }),
  at: time('When it goes, at the earliest.').optional(),
  by: z.enum(['in-use', 'claimed', 'pinned', 'no-cleanup']).meta({ description: 'What keeps it.' }).optional(),
  until: time('When that ends, where it is known.').optional(),
});

export const CopyFateList = document('CopyFateList', 'What kuik preview prints.', { items: z.array(CopyFate).meta({ description: 'Every copy that is there.' }) });
export type CopyFateList = z.infer<typeof CopyFateList>;

const RuleChange = z.object({
  action: z.enum(['copy', 'release', 'delete']).meta({ description: 'What applying the rules would do.' }),
  image: text('Name of the image.'),
  place: text('Where its copy is, or would be.'),
  rule: text('The rule.').optional(),
  at: time('When a copy would go, at the earliest.').optional(),
});

export const RuleChangeList = document('RuleChangeList', 'What kuik preview -f prints.', {
  items: z.array(RuleChange).meta({ description: 'In the order copy, release, delete.' }),
  problems: z.array(text('Object, field and what is wrong.')).meta({ description: 'What is wrong with the rules.' }),
});
export type RuleChangeList = z.infer<typeof RuleChangeList>;
