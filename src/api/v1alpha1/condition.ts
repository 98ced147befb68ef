import { z } from 'zod';
import { mapByKey, oneOf, time } from './field-types.js';

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/ and metav1.Condition */
export const Condition = z.object({
  type: z.string().max(316).meta({ description: 'What is claimed.', example: 'Ready' }),
  status: oneOf(['True', 'False', 'Unknown'], { description: 'Whether it holds.', example: 'True' }),
  reason: z.string().min(1).max(1024).meta({ description: 'Why, in one word from a closed list.', example: 'InForce' }),
  message: z.string().max(32768).meta({ description: 'Why, for people: object, field and next step.', example: '3 mirrors, 41 images' }),
  lastTransitionTime: time('When the status last changed.'),
  observedGeneration: generation('Generation of the object this was said about.').optional(),
}).meta({ description: 'One claim.' });
export type Condition = z.infer<typeof Condition>;

export const conditions = mapByKey('type', z.array(Condition).max(64).meta({ description: 'What is claimed about this object, one item per type; kstatus reads Ready, Reconciling and Stalled.' }));

/** `metadata.generation` as seen by a writer; -1 before the first look. */
export function generation(description: string): z.ZodNumber {
  return z.int().min(-1).meta({ description: `${description} -1: not looked at yet.`, example: 1, format: 'int64' });
}

export const observedGeneration = generation('Generation this status was made from.');
