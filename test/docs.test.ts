import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const pages = globSync('{*.md,{docs,charts,examples,tools,temporal}/**/*.md}', { cwd: root }).sort();

/** Links of a page to files of the project, as `[path, anchor]`. */
function linksOf(page: string): readonly (readonly [string, string | undefined])[] {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    return [[path === '' ? join(root, page) : join(root, dirname(page), path), anchor] as const];
  });
}

/** Names of the headings of a page, as GitHub makes them. */
function anchorsOf(file: string): readonly string[] {
  const headings = readFileSync(file, 'utf8').replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = '']) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

describe('documentation', () => {
  test.each(pages)('%s links to what is there', (page) => {
    const broken = linksOf(page).filter(([file, anchor]) => !existsSync(file) || (anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).includes(anchor)));

    expect(broken.map(([file, anchor]) => [relative(root, file), anchor].join('#'))).toEqual([]);
  });

  test('every decision is in the list of decisions', () => {
    const list = readFileSync(join(root, 'docs/adr/README.md'), 'utf8');
    const missing = globSync('docs/adr/[0-9]*.md', { cwd: root }).filter((file) => !list.includes(`(${file.slice('docs/adr/'.length)})`));

    expect(missing).toEqual([]);
  });

  test('every decision has a number of its own', () => {
    const files = globSync('docs/adr/[0-9]*.md', { cwd: root }).sort();
    const numbers = files.map((file) => file.slice('docs/adr/'.length).slice(0, 4));

    expect(files.filter((_file, at) => numbers.indexOf(numbers[at]!) !== at)).toEqual([]);
  });
});
