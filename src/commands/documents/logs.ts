import { z } from 'zod';
import { document, text, time } from './document.js';

const Line = z.object({
  at: time('When it happened.'),
  what: text('What happened, for people.'),
  workflowId: text('The workflow that tells it; absent where records and Events do.').optional(),
  runId: text('Its run.').optional(),
});

const Story = z.object({
  image: text('Name of the image.'),
  destination: text('Where its copy is, or should be.'),
  source: z.enum(['temporal', 'record']).meta({ description: 'Who tells it: the histories of its workflows, or its record and Events where those cannot be read.' }),
  lines: z.array(Line).meta({ description: 'In order of time.' }),
});

export const ImageStoryList = document('ImageStoryList', 'What kuik logs prints.', { items: z.array(Story).meta({ description: 'One per copy.' }) });
export type ImageStoryList = z.infer<typeof ImageStoryList>;
