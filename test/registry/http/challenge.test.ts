import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseChallenges } from '../../../src/registry/http/challenge.js';

describe('challenges', () => {
  test.each([
    ['a bearer challenge', 'Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a/b:pull,push"', [{ scheme: 'bearer', parameters: { realm: 'https://auth.test/token', service: 'registry.test', scope: 'repository:a/b:pull,push' } }]],
    ['a basic challenge', 'Basic realm="Registry"', [{ scheme: 'basic', parameters: { realm: 'Registry' } }]],
    ['names in any case', 'BEARER Realm="https://a.test/t", SERVICE=x', [{ scheme: 'bearer', parameters: { realm: 'https://a.test/t', service: 'x' } }]],
    ['two schemes in one header', 'Basic realm="a, b", Bearer realm="https://a.test/t"', [{ scheme: 'basic', parameters: { realm: 'a, b' } }, { scheme: 'bearer', parameters: { realm: 'https://a.test/t' } }]],
    ['two headers', ['Basic realm="a"', 'Bearer realm="b"'], [{ scheme: 'basic', parameters: { realm: 'a' } }, { scheme: 'bearer', parameters: { realm: 'b' } }]],
    ['a scheme without parameters', 'Negotiate, Basic realm="x"', [{ scheme: 'negotiate', parameters: {} }, { scheme: 'basic', parameters: { realm: 'x' } }]],
    ['a scheme with a token', 'Negotiate YIIC1g==, Basic realm="x"', [{ scheme: 'negotiate', parameters: {} }, { scheme: 'basic', parameters: { realm: 'x' } }]],
    ['quotes inside quotes', 'Basic realm="a \\"b\\" c"', [{ scheme: 'basic', parameters: { realm: 'a "b" c' } }]],
    ['blanks around the equals sign', 'Bearer realm = "x" , service = "y"', [{ scheme: 'bearer', parameters: { realm: 'x', service: 'y' } }]],
    ['a parameter twice: the first counts', 'Bearer realm="a",realm="b"', [{ scheme: 'bearer', parameters: { realm: 'a' } }]],
    ['garbage after something good', 'Bearer realm="a",service="unfinished', [{ scheme: 'bearer', parameters: { realm: 'a' } }]],
    ['garbage alone', '"""', []],
    ['nothing', undefined, []],
    ['an empty header', '', []],
  ])('%s', (_sentence, header, expected) => {
    expect(parseChallenges(header)).toEqual(expected);
  });

  test('whatever a registry writes, reading it ends', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (header) => Array.isArray(parseChallenges(header))));
  });
});
