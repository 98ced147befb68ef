import { describe, expect, test } from '@jest/globals';
import { compilePattern, patternError } from '../../src/api/pattern.js';

const matches = (pattern: string, text: string): boolean | undefined => compilePattern(pattern).matcher?.(text);

describe('patterns match whole texts', () => {
  test.each([
    ['docker\\.io/library/nginx:.+', 'docker.io/library/nginx:1.27', true],
    ['docker\\.io/library/nginx:.+', 'docker.io/library/nginx', false],
    ['nginx', 'docker.io/library/nginx', false],
    ['.*/nginx:1\\.27', 'docker.io/library/nginx:1.27', true],
    ['a|b', 'ab', false],
    ['a|b', 'b', true],
    ['^a$', 'a', true],
    ['Nginx', 'nginx', false],
    ['(?i)Nginx', 'nginx', true],
    ['(?i)a|b', 'B', true],
    ['(?m)a$', 'a\nb', false],
    ['a', 'a\n', false],
    ['.+', 'a\nb', false],
    ['(?s).+', 'a\nb', true],
    ['', '', true],
    ['', 'a', false],
    ['a{1000}', 'a'.repeat(1000), true],
    ['\\pL+', 'äß', true],
  ])('%p on %p: %p', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });
});

describe('patterns that are refused, with the reason', () => {
  test.each([
    ['a)(b', 'unexpected )'],
    ['[', 'missing closing ]'],
    ['*', 'missing argument to repetition operator'],
    ['a{1001}', 'invalid repeat count'],
    ['(?=a)', 'invalid or unsupported Perl syntax'],
    ['(a)\\1', 'invalid escape sequence'],
    ['a\\', 'trailing backslash'],
    ['\\Qabc', 'missing closing )'],
  ])('%p: %s', (pattern, reason) => {
    expect(compilePattern(pattern).error).toContain(reason);
  });

  test('the API server would accept one that is only broken by our parentheses', () => {
    expect(patternError('\\Qabc')).toBeUndefined();
  });
});

test('a pattern that ruins other engines is answered at once, since matching is linear', () => {
  expect(matches('(a*)*b', 'a'.repeat(50_000))).toBe(false);
});
