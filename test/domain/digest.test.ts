import { describe, expect, test } from '@jest/globals';
import { algorithmOf, hexOf, isDigest, parseDigest } from '../../src/domain/digest.js';

const hex = 'a1'.repeat(32);

describe('digests', () => {
  test.each([
    [`sha256:${hex}`, 'sha256', hex],
    [`sha512:${hex}${hex}`, 'sha512', hex + hex],
  ])('%s is taken apart', (text, algorithm, digits) => {
    const digest = parseDigest(text);

    expect(digest).toBe(text);
    expect(digest && algorithmOf(digest)).toBe(algorithm);
    expect(digest && hexOf(digest)).toBe(digits);
  });

  test.each(['', hex, `sha256:${hex.toUpperCase()}`, `sha256:${hex}0`, `sha512:${hex}`, `md5:${hex}`, `sha256:${hex}\n`, ` sha256:${hex}`])('%j is none', (text) => {
    expect(isDigest(text)).toBe(false);
    expect(parseDigest(text)).toBeUndefined();
  });

  test('nothing is none', () => {
    expect(parseDigest(undefined)).toBeUndefined();
  });
});
