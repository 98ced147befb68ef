import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseForeignJson } from '../../src/registry/json.js';

const padding = `"${'x'.repeat(70_000)}"`;

describe('JSON of strangers', () => {
  test.each([
    ['brackets without end', '['.repeat(100_000)],
    ['objects inside one another', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`],
    ['a hundred levels', `${'['.repeat(100)}${padding}${']'.repeat(100)}`],
    ['more values than any manifest has', `[${'0,'.repeat(200_001)}0]`],
    ['more objects than any manifest has', `[${'{},'.repeat(100_001)}{}]`],
  ])('%s are not parsed', (_sentence, text) => {
    expect(() => parseForeignJson(text)).toThrow('nested too deeply, or too many values');
  });

  test.each([
    ['brackets inside a string', [padding.slice(1, -1), '['.repeat(100_000)]],
    ['quotes and backslashes inside a string', ['\\'.repeat(50_000), '"[{,'.repeat(50_000), '\\"']],
    ['an index of 4,000 images', { manifests: Array.from({ length: 4000 }, (_, at) => ({ mediaType: 'm', digest: `sha256:${at}`, size: at, platform: { os: 'linux', architecture: 'amd64', variant: 'v8' }, annotations: { a: 'b', c: 'd' } })) }],
  ])('%s is', (_sentence, value) => {
    expect(parseForeignJson(JSON.stringify(value))).toEqual(value);
  });

  test('whatever JSON says is read as it is', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = JSON.stringify([padding, value]);
      expect(parseForeignJson(text)).toEqual(JSON.parse(text));
    }));
  });
});
