import { describe, expect, test } from '@jest/globals';
import { compareVersions } from '../../src/domain/version.js';

/** The example of the specification, and ours. */
const ordered = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '2.3.1', '2.10.0', '3.0.0-alpha.0', '3.0.0'];

describe('versions', () => {
  test('are in order', () => {
    for (const [at, version] of ordered.entries()) {
      for (const [otherAt, other] of ordered.entries()) expect([version, other, Math.sign(compareVersions(version, other) ?? NaN)]).toEqual([version, other, Math.sign(at - otherAt)]);
    }
  });

  test.each([['v3.0.0', '3.0.0'], ['3.0.0+build.7', '3.0.0']])('%s is as good as %s', (one, other) => {
    expect(compareVersions(one, other)).toBe(0);
  });

  test.each(['', '3', '3.0', 'latest', '3.0.0-', '3.0.0.1'])('%j is none', (text) => {
    expect(compareVersions(text, '3.0.0')).toBeUndefined();
  });
});
