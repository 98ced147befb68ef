import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { registriesPage, registriesPath } from '../conformance/oci/page.js';

test(`${registriesPath} is what npm run generate writes`, () => {
  expect(readFileSync(join(import.meta.dirname, '..', '..', registriesPath), 'utf8')).toBe(registriesPage());
});
