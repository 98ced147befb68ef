/** Writes `docs/reference/metrics.md`; part of `npm run generate`. `test/generated.test.ts` compares. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricsPage, metricsPath } from '../../src/telemetry/metrics-page.js';

// dist/test/support, three folders below the root
writeFileSync(join(import.meta.dirname, '..', '..', '..', metricsPath), metricsPage());
console.log(metricsPath);
