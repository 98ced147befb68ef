import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { ChartValues } from '../../src/config/chart/values.js';
import { valuesSchema } from '../../src/config/chart/schema-file.js';
import { chart, chartFiles } from '../support/chart-files.js';

const root = join(import.meta.dirname, '..', '..');
const files = chartFiles(root);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test.each(Object.keys(files))('%s is what npm run generate writes', (path) => {
  expect(read(path)).toBe(files[path]);
});

test('values.yaml states the default of every value', () => {
  expect(parse(read(`${chart}/values.yaml`))).toEqual(ChartValues.parse({}));
});

test.each(['values-demo.yaml', 'values-ha.yaml', 'values-external-temporal.yaml'])('the profile %s sets only values there are', (profile) => {
  expect(ChartValues.safeParse(parse(read(`${chart}/${profile}`))).error?.issues ?? []).toEqual([]);
});

test('every value is described', () => {
  const undescribed = (node: { description?: string; properties?: Record<string, object> }, path: string): string[] =>
    node.properties === undefined ? (node.description || path === '' ? [] : [path]) : Object.entries(node.properties).flatMap(([key, child]) => undescribed(child, `${path}.${key}`));
  const { properties } = valuesSchema() as { properties: Record<string, object> };
  const ours = Object.fromEntries(Object.entries(properties).filter(([key, node]) => key !== 'configuration' && Object.keys(node).length > 0));

  expect(undescribed({ properties: ours }, '')).toEqual([]);
});

test('the chart and the application have the version of the package', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };

  expect(parse(read(`${chart}/Chart.yaml`))).toMatchObject({ version, appVersion: version });
});
