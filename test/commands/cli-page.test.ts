import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { commands } from '../../src/commands/all.js';
import { cliPage, cliPath } from '../../src/commands/cli-page.js';

test('the page of the command line is what npm run generate writes', async () => {
  expect(readFileSync(join(import.meta.dirname, '..', '..', cliPath), 'utf8')).toBe(await cliPage());
});

test('every question a person can ask is on it, with its exit codes', async () => {
  const page = await cliPage();

  for (const [name, { isProcess, isHidden }] of Object.entries(commands)) if (!isProcess && !isHidden) expect(page).toContain(`## kuik ${name}\n`);
});
