import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseSelector, readSelector } from '../../src/domain/selector.js';
import { selecting } from '../support/builders.js';

type Labels = Readonly<Record<string, string>>;

/** What labels.Parse and Matches of k8s.io/apimachinery v0.34.4 answered: one digit per map of labels, null where refused. */
const captured = JSON.parse(readFileSync(join(import.meta.dirname, 'selector.captured.json'), 'utf8')) as { labels: Labels[]; selectors: [string, string | null][] };

describe('selectors', () => {
  test.each<[string, Labels[], Labels[]]>([
    ['app!=a', [{}, { app: 'b' }], [{ app: 'a' }]],
    ['app notin (a)', [{}, { app: 'b' }], [{ app: 'a' }]],
    ['app=', [{ app: '' }], [{}, { app: 'a' }]],
    ['app in ()', [{ app: '' }], [{}, { app: 'a' }]],
    ['app in (,a)', [{ app: '' }, { app: 'a' }], [{ app: 'b' }, {}]],
    ['n>5', [{ n: '7' }], [{ n: '5' }, {}]],
    ['n<5', [{ n: '4' }, { n: '-1' }], [{ n: '5' }, { n: 'four' }, {}]],
    ['app=a,tier=x', [{ app: 'a', tier: 'x' }], [{ app: 'a' }, { app: 'a', tier: 'y' }]],
    ['app==a', [{ app: 'a' }], [{ app: 'b' }, {}]],
    ['app', [{ app: '' }, { app: 'a' }], [{}]],
    ['!app', [{}], [{ app: '' }]],
    [' app  in ( a , b ) , ! legacy ', [{ app: 'b' }], [{ app: 'b', legacy: '' }, { app: 'c' }]],
    ['example.com/tier=x', [{ 'example.com/tier': 'x' }], [{ tier: 'x' }]],
    ['in=notin', [{ in: 'notin' }], [{}]],
    ['constructor', [{ constructor: 'a' }], [{}]],
    ['', [{}, { app: 'a' }], []],
    ['  ', [{}, { app: 'a' }], []],
  ])('%j holds for what it says and for nothing else', (text, holding, failing) => {
    const selector = selecting(text);

    expect(holding.filter((labels) => !selector(labels))).toEqual([]);
    expect(failing.filter((labels) => selector(labels))).toEqual([]);
  });

  test.each([
    ['app=http://x', '"http://x" is not a legal label value'],
    ['app=a b', 'found "b", expected "," or the end'],
    ['app in a', 'found "a", expected "("'],
    ['app in (a', 'found the end, expected "," or ")"'],
    ['app in (a=', 'found "=", expected "," or ")"'],
    ['app in (=', 'found "=", expected a value'],
    ['app,', 'found the end, expected a key'],
    ['-app', '"-app" is not a legal key'],
    ['a/b/c', '"a/b/c" is not a legal key'],
    ['/a', '"/a" is not a legal key'],
    ['A/b', '"A/b" is not a legal key'],
    [`${'a'.repeat(254)}/b`, `"${'a'.repeat(254)}/b" is not a legal key`],
    ['a'.repeat(64), `"${'a'.repeat(64)}" is not a legal key`],
    ['n>x', '"x" is not an integer'],
    ['n>9223372036854775808', '"9223372036854775808" is not an integer'],
    ['app ~ a', 'found "~", expected an operator (=, ==, !=, in, notin, <, >)'],
    ['!app=a', 'found "=", expected "," or the end'],
    ['=a', 'found "=", expected a key'],
    ['app=!a', 'found "!", expected a value'],
  ])('%j is refused, and the problem says why', (text, problem) => {
    expect(readSelector(text)).toEqual({ problem });
    expect(parseSelector(text)).toBeUndefined();
  });

  test.each(captured.selectors)('%j means what it means to the API server', (text, answers) => {
    const selector = parseSelector(text);

    expect(selector === undefined ? null : captured.labels.map((labels) => (selector(labels) ? '1' : '0')).join('')).toBe(answers);
  });

  test('any text is read or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'ab=!<>(), in'.split('')) })), (text) => {
        parseSelector(text)?.({ a: 'b' });
      }),
    );
  });

  test('requirements joined by commas must all hold, in any order', () => {
    const one = fc.constantFrom('a', '!a', 'a=x', 'a!=x', 'a in (x,y)', 'b notin (x)', 'b>3', 'b<3', 'b=');
    const labels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'y', '', '2', '4'));
    fc.assert(
      fc.property(fc.array(one, { minLength: 1 }), labels, (requirements, map) => {
        const expected = requirements.every((requirement) => selecting(requirement)(map));

        expect(selecting(requirements.join(','))(map)).toBe(expected);
        expect(selecting(requirements.toReversed().join(' , '))(map)).toBe(expected);
      }),
    );
  });
});
