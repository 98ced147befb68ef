import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { rows } from './support/fault-rows.js';

const root = join(import.meta.dirname, '..');
const files = readdirSync(join(root, 'test', 'faults')).filter((name) => name.endsWith('.test.ts'));

/** `f17-worker-killed.test.ts` is about row F17. */
function rowOf(file: string): string {
  const [, letter = '', number = ''] = /^([ft])(\d+)-/.exec(file) ?? [];
  return `${letter.toUpperCase()}${Number(number)}`;
}

const numbered = (letter: string, last: number): string[] => Array.from({ length: last }, (_, index) => `${letter}${index + 1}`);

describe('the fault table', () => {
  test('lists F1 to F78 and T1 to T22, and nothing else', () => {
    expect(Object.keys(rows)).toEqual([...numbered('F', 78), ...numbered('T', 22)]);
  });

  test.each(Object.entries(rows))('%s has tests, or says why it has none', (row, { at = [], missing }) => {
    const shown = [...files.filter((file) => rowOf(file) === row), ...at];

    expect(shown.length > 0 || missing !== undefined).toBe(true);
    expect(at.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  test.each(files)('%s plays the row it is named after', (file) => {
    const text = readFileSync(join(root, 'test', 'faults', file), 'utf8');

    expect(rows[rowOf(file)]).toBeDefined();
    expect(text.replaceAll(/\s/g, '')).toContain(`fault('${rowOf(file)}',`);
  });
});
