import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { fieldLines, fieldsPath, schemaFiles, schemaFolder } from '../../src/commands/documents/all.js';

const root = join(import.meta.dirname, '..', '..');

describe('what the command line prints as data', () => {
  test('has the schema files that npm run generate writes, and no others', () => {
    const files = schemaFiles();

    for (const [path, text] of Object.entries(files)) expect(readFileSync(join(root, path), 'utf8')).toBe(text);
    const found = readdirSync(join(root, schemaFolder)).filter((name) => name.endsWith('.json'));
    expect(found.map((name) => `${schemaFolder}/${name}`).sort()).toEqual(Object.keys(files).sort());
  });

  test('only grows: every field that was promised is there, of the same type, and always where it always was', () => {
    const promised = readFileSync(join(root, fieldsPath), 'utf8').split('\n').filter((line) => line !== '');

    const now = new Set(fieldLines());

    expect(promised.filter((line) => !now.has(line))).toEqual([]);
  });

  test('keeps nothing to itself: every field is among the promised ones, and says what it is', () => {
    const promised = new Set(readFileSync(join(root, fieldsPath), 'utf8').split('\n'));

    expect(fieldLines().filter((line) => !promised.has(line))).toEqual([]);
  });
});
