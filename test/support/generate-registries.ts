/** Writes `docs/reference/registries.md`; part of `npm run generate`. `test/registry/oci-page.test.ts` compares. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registriesPage, registriesPath } from '../conformance/oci/page.js';

// dist/test/support, three folders below the root
writeFileSync(join(import.meta.dirname, '..', '..', '..', registriesPath), registriesPage());
console.log(registriesPath);
