/** Writes `docs/reference/cli.md`; part of `npm run generate`. `test/commands/cli-page.test.ts` compares. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliPage, cliPath } from '../../src/commands/cli-page.js';

// dist/test/support, three folders below the root
writeFileSync(join(import.meta.dirname, '..', '..', '..', cliPath), await cliPage());
console.log(cliPath);
