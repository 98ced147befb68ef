import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { generatedFiles } from '../src/api/generated-files.js';
import { readExamples, readVersion } from '../src/api/generate.js';
import { metricsPage, metricsPath } from '../src/telemetry/metrics-page.js';

const root = join(import.meta.dirname, '..');
const examples = readExamples(root);
const generated = (): Readonly<Record<string, string>> => ({ ...generatedFiles(examples, readVersion(root)), [metricsPath]: metricsPage() });
const files = generated();

describe('generated files', () => {
  test.each(Object.keys(files))('%s is what npm run generate writes', (path) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(files[path]);
  });

  test('the same schemas give the same bytes', () => {
    expect(generated()).toEqual(files);
  });

  test('the chart holds no definition that is not generated', () => {
    const folder = 'charts/kube-image-keeper/crds';

    const found = readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);

    expect(found.filter((path) => !(path in files))).toEqual([]);
  });

  test('a definition is small enough for client-side apply, which keeps a copy in an annotation', () => {
    const tooLarge = Object.entries(files).filter(([path, text]) => path.startsWith('charts/') && Buffer.byteLength(text) >= 200_000);

    expect(tooLarge.map(([path]) => path)).toEqual([]);
  });

  test('every example is printed on a page', () => {
    const pages = Object.entries(files).filter(([path]) => path.endsWith('.md')).map(([, text]) => text);

    const unprinted = Object.keys(examples).filter((name) => !pages.some((page) => page.includes(`\`examples/${name}\``)));

    expect(unprinted).toEqual([]);
  });
});
