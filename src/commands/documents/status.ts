import { z } from 'zod';
import { count, document, text, time } from './document.js';

const Trouble = z.object({ what: text('What is wrong.'), next: text('What to do about it.') });

const StatusRule = z.object({
  rule: text('Kind and name of the resource.'),
  ready: z.enum(['True', 'False', 'Unknown']).meta({ description: 'Its condition Ready.' }),
  reason: text('Reason of that condition.').optional(),
  message: text('Why it is not ready, or what it waits for.').optional(),
  suspended: z.boolean().meta({ description: 'Whether spec.suspend is true.' }),
  counts: z.record(z.string(), z.int()).meta({ description: 'Its status.counts.' }),
});

const Waiting = z.object({
  image: text('Name of the image.'),
  destination: text('Where it is to be copied.'),
  state: z.enum(['copying', 'waiting']).meta({ description: 'copying: under way, or between two attempts; waiting: for its turn.' }),
  since: time('Since when a copy is missing.').optional(),
  bytesDone: count('Bytes that are there; only where Temporal was asked, with --watch.').optional(),
  bytesTotal: count('Bytes of the whole copy; as above.').optional(),
});

export const Status = document('Status', 'What kuik status prints.', {
  version: text('Version of this command.'),
  context: text('Context of the kubeconfig.'),
  namespace: text('Where kuik is installed.'),
  webhook: z.enum(['registered', 'untrusted', 'absent', 'unknown']).meta({ description: 'How the webhook is known to the API server; untrusted: nobody published its authority; unknown: you may not look.' }),
  leader: z.object({ holder: text('Who leads.'), renewedAt: time('When it last said so.') }).meta({ description: 'The manager that leads.' }).optional(),
  troubles: z.array(Trouble).meta({ description: 'What is wrong, the worst first.' }),
  images: z
    .object({
      used: count('In use.'),
      unavailable: count('In use, and their origin does not serve them.'),
      unpullable: count('In use, and no place is left to pull them from.'),
      mirrored: count('In use, with every wanted copy.'),
      waiting: count('In use, and a copy is not there yet.'),
      failed: count('In use, and a copy failed.'),
      unmirrored: count('In use, and no rule wants a copy.'),
      drifted: count('With a tag that moved since they were copied.'),
      unused: count('Not in use; copies of them are kept.'),
    })
    .meta({ description: 'Counts of records.' }),
  oldestWaiting: time('Since when the oldest copy is waited for.').optional(),
  copies: z.array(Waiting).meta({ description: 'Copies that are not there yet, the oldest first; at most 20.' }),
  registries: z.array(z.object({ registry: text('host[:port]'), state: text('What checks or copies met there.'), images: count('How many images met it.') })).meta({ description: 'Registries that do not serve us.' }),
  rules: z.array(StatusRule).meta({ description: 'Every rule.' }),
});
export type Status = z.infer<typeof Status>;
