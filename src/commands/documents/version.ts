import type { z } from 'zod';
import { document, text, time } from './document.js';

export const Version = document('Version', 'What kuik version prints.', {
  version: text('Of this program.'),
  revision: text('Commit it was built from; ends in -dirty when files were changed; absent in a checkout.').optional(),
  built: time('When that commit was made; absent in a checkout.').optional(),
  node: text('Version of Node it runs on.'),
  platform: text('operating system/architecture, as Node names them.'),
});
export type Version = z.infer<typeof Version>;
