import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { recordName } from '../../src/cluster/record-name.js';
import { imageName, knownImageRef, type ImageName } from '../../src/domain/image-ref.js';

test.each([
  ['docker.io/library/nginx:1.27', 'docker.io-library-nginx-1.27-6965a10c'],
  ['quay.io/a/b_c:RC1', 'quay.io-a-b-c-rc1-d3638544'],
  ['ghcr.io/acme/api:v4', 'ghcr.io-acme-api-v4-088adce9'],
])('the record of %s is called %s', (image, name) => {
  expect(recordName(imageName(knownImageRef(image)))).toBe(name);
});

test('every name is one that Kubernetes accepts', () => {
  fc.assert(
    // a name begins with a host, whatever comes then
    fc.property(fc.string({ unit: 'binary', maxLength: 1023 }), (text) => {
      const name = recordName(`h${text}` as ImageName);

      expect(name.length).toBeLessThanOrEqual(253);
      expect(name).toMatch(/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)$/);
    }),
  );
});
