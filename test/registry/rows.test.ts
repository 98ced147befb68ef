import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { missing, rows } from './rows.js';

const root = join(import.meta.dirname, '..', '..');

describe.each(Object.entries(rows))('what the client must pass: %s', (_area, cases) => {
  test.each(Object.entries(cases))('%s', (_case, proofs) => {
    for (const { file, tests } of proofs) {
      expect(existsSync(join(root, file)) ? file : `${file} is not there`).toBe(file);
      const text = readFileSync(join(root, file), 'utf8');
      expect(tests.filter((name) => !text.includes(`'${name}'`))).toEqual([]);
    }
  });
});

test('what is missing is missing of a case', () => {
  const cases = Object.values(rows).flatMap((area) => Object.keys(area));

  expect(Object.keys(missing).filter((name) => !cases.includes(name))).toEqual([]);
});
