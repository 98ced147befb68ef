/** A command that nobody ever ran against a real API server is not done. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { commands } from '../../src/commands/all.js';

const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.real.test.ts'))
  .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'));

const ofPeople = Object.entries(commands).flatMap(([name, { isProcess }]) => (isProcess === true ? [] : [name])); // processes are started by every stage

test.each(ofPeople)('kuik %s is started by a test on a real API server', (name) => {
  const asArgument = new RegExp(String.raw`'${name}'[,)\]]|'kuik ${name} `);

  expect(tests.filter((text) => asArgument.test(text)).length).toBeGreaterThan(0);
});
