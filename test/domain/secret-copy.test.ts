import { describe, expect, test } from '@jest/globals';
import type { Secret } from '../../src/domain/secret.js';
import type { RuleId } from '../../src/domain/rule.js';
import { isSecretCopy, secretCopy, secretCopyName } from '../../src/domain/secret-copy.js';
import { xxh64 } from '../../src/domain/xxh64.js';

// reference values of the xxHash project and of the Go implementation v2 uses
test.each([
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['abc', '44bc2cf5ad770999'],
  ['message digest', '066ed728fceeb3be'],
  ['abcdefghijklmnopqrstuvwxyz', 'cfe1f278fa89835c'],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 'aaa46907d3047814'],
  ['12345678901234567890123456789012345678901234567890123456789012345678901234567890', 'e04a477f19ee145d'],
])('XXH64 of %j is %s', (text, hash) => {
  expect(xxh64(text)).toBe(hash);
});

test.each([
  ['kuik-system', 'registry-secret', '11111111-2222-3333-4444-555555555555', 'kuik-registry-secret-eaa6c8721a53aed3'],
  ['default', 'registry-secret', '11111111-2222-3333-4444-555555555555', 'kuik-registry-secret-0f82de69327e5aba'],
  ['kuik-system', 'my-registry-secret', '0f5b6c2e-9a51-4c0e-8f0a-3f6f2d1c7b90', 'kuik-my-registry-secret-da9df5ef5ace7ba5'],
  ['kuik-system', 'registry-secret', '00000000-0000-0000-0000-000000000004', 'kuik-registry-secret-01b573ae26fe0ecb'],
])('a copy of %s/%s for rule %s has the name v2 gave it', (namespace, name, uid, copy) => {
  expect(secretCopyName({ namespace, name }, uid)).toBe(copy);
});

test('a long name is cut so that the copy has a legal one', () => {
  const name = secretCopyName({ namespace: 'n', name: `${'a'.repeat(229)}.-${'b'.repeat(20)}` }, 'uid');

  expect(name.length).toBeLessThanOrEqual(253);
  expect(name).toMatch(/^kuik-a{229}-[0-9a-f]{16}$/);
});

describe('a copy', () => {
  const source: Secret = {
    namespace: 'kuik-system',
    name: 'registry-secret',
    uid: 's',
    resourceVersion: '42',
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from('{}') },
    labels: { team: 'a' },
    annotations: {},
  };
  const rule: RuleId = { kind: 'ClusterImageSetMirror', name: `${'r'.repeat(62)}.x`, uid: '11111111-2222-3333-4444-555555555555' };

  test('says whose it is and goes with its rule', () => {
    expect(secretCopy(source, rule, 'shop')).toEqual({
      namespace: 'shop',
      name: 'kuik-registry-secret-eaa6c8721a53aed3',
      type: source.type,
      data: source.data,
      labels: {
        'kuik.enix.io/owner-version': 'v1alpha1',
        'kuik.enix.io/owner-group': 'kuik.enix.io',
        'kuik.enix.io/owner-kind': 'ClusterImageSetMirror',
        'kuik.enix.io/owner-uid': rule.uid,
        'kuik.enix.io/owner-name': 'r'.repeat(62), // 63 characters would end in a dot, which no label may
      },
      annotations: { 'kuik.enix.io/source': 'kuik-system/registry-secret', 'kuik.enix.io/source-version': '42' },
      owner: { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', name: rule.name, uid: rule.uid },
    });
  });

  test('is recognised as one', () => {
    expect(isSecretCopy({ labels: secretCopy(source, rule, 'shop').labels ?? {} })).toBe(true);
    expect(isSecretCopy(source)).toBe(false);
  });
});
