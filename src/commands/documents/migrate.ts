import { z } from 'zod';
import { count, document, text } from './document.js';

const Remark = z.object({ what: text('What needs a look.'), next: text('What to do about it.') });

export const MigrationPlan = document('MigrationPlan', 'What kuik migrate v1 prints.', {
  resources: z.array(z.looseObject({ apiVersion: text('kuik.enix.io/v1alpha1'), kind: text('Of the resource.') })).meta({ description: 'Resources to apply.' }),
  values: z.looseObject({}).meta({ description: 'Values of the chart.' }),
  cached: count('Images in the registry of v1.'),
  onlyInV1: z.array(z.object({ image: text('Name of the image.'), destination: text('Where the rules of the cluster look for it; before there are any, where the resources above want it.') })).meta({ description: 'Images v1 does not see at their origin any more: copy them before v1 goes.' }),
  retained: z.array(text('Name of an image.')).meta({ description: 'Images v1 keeps for ever: kuik pin does, once they are known.' }),
  pods: z.object({ rewritten: count('Pods that still pull through the proxy of v1.'), optedOut: count('Pods that v1 was told to leave alone; they stay so.') }).meta({ description: 'Pods of today.' }),
  remarks: z.array(Remark).meta({ description: 'What is not the same, or cannot be translated.' }),
});
export type MigrationPlan = z.infer<typeof MigrationPlan>;

export const DifferenceList = document('DifferenceList', 'What kuik migrate v2 prints.', {
  items: z
    .array(z.object({ subject: text('Kind and name of the resource, or what else it is about.'), what: text('What behaves differently.'), next: text('What to do; nothing to do is said, too.'), weight: z.enum(['act', 'know']).meta({ description: 'act: something should be changed; know: it is as it should be, and different.' }) }))
    .meta({ description: 'What to act on first.' }),
});
export type DifferenceList = z.infer<typeof DifferenceList>;
