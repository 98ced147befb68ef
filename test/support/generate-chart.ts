/** Writes the chart's generated files; part of `npm run generate`. `test/chart/files.test.ts` compares. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartFiles } from './chart-files.js';

// dist/test/support, three folders below the root
const root = join(import.meta.dirname, '..', '..', '..');
for (const [path, text] of Object.entries(chartFiles(root))) {
  writeFileSync(join(root, path), text);
  console.log(path);
}
