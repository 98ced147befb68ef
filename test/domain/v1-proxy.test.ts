import { describe, expect, test } from '@jest/globals';
import { canonicalText } from '../../src/domain/image-ref.js';
import type { UsageField } from '../../src/domain/usage.js';
import { originOf } from '../../src/domain/v1-proxy.js';

function read(written: string, annotations: Record<string, string> = {}, port = 7439, field: UsageField = 'containers', key = 'web'): string | undefined {
  const origin = originOf({ key, field, written }, { annotations }, port);
  return origin && `${canonicalText(origin.ref)}${origin.isV1 ? ' (v1)' : ''}`;
}

describe("names of v1's proxy", () => {
  test.each([
    ['localhost:7439/nginx:1.27', 'docker.io/library/nginx:1.27 (v1)'],
    ['localhost:7439/library/nginx', 'docker.io/library/nginx (v1)'],
    ['localhost:7439/registry.example.com-5000/foo:1', 'registry.example.com:5000/foo:1 (v1)'],
    ['localhost:7439/registry.example.com/foo:1', 'registry.example.com/foo:1 (v1)'],
    ['localhost:7439/registry.example.com-500000/foo:1', 'registry.example.com-500000/foo:1 (v1)'],
    ['localhost:7439/registry-5000/foo:1', 'docker.io/registry-5000/foo:1 (v1)'],
    ['localhost:7439/nginx-1.27-5000', 'docker.io/library/nginx-1.27-5000 (v1)'],
    ['localhost:7439/', undefined],
    ['localhost:7439/Not A Reference', undefined],
    ['localhost:7440/nginx:1.27', 'localhost:7440/nginx:1.27'],
    ['localhost:7439', 'docker.io/library/localhost:7439'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
  ])('%s stands for %s', (written, text) => {
    expect(read(written)).toBe(text);
  });

  test('are left alone when the port is 0', () => {
    expect(read('localhost:7439/nginx:1.27', {}, 0)).toBe('localhost:7439/nginx:1.27');
    expect(read('localhost:0/nginx:1.27', {}, 0)).toBe('localhost:0/nginx:1.27');
  });

  test('stand for what v1 recorded on the Pod', () => {
    const annotations = { 'original-image-web': 'registry:5000/foo:1', 'original-init-image-web': 'registry:6000/foo:1' };

    expect(read('localhost:7439/registry-5000/foo:1', annotations)).toBe('registry:5000/foo:1 (v1)');
    expect(read('localhost:7439/registry-6000/foo:1', annotations, 7439, 'initContainers')).toBe('registry:6000/foo:1 (v1)');
  });

  test('stand for themselves when the record of v1 does not parse', () => {
    expect(read('localhost:7439/nginx:1.27', { 'original-image-web': 'Not A Reference' })).toBe('docker.io/library/nginx:1.27 (v1)');
  });

  test('get their port back where v1 recorded its own text, as it did at each update of a Pod', () => {
    expect(read('localhost:7439/registry.example.com-5000/foo:1', { 'original-image-web': 'registry.example.com-5000/foo:1' })).toBe('registry.example.com:5000/foo:1 (v1)');
  });

  test('stand for themselves when v1 recorded something else: asked once more, it wrote down what we had answered', () => {
    expect(read('localhost:7439/nginx:1.27', { 'original-image-web': 'registry.example.com/kuik/library/nginx:1.27' })).toBe('docker.io/library/nginx:1.27 (v1)');
  });

  test('of containers with long names are found by what v1 recorded under a hash', () => {
    const name = 'a-container-with-a-name-of-more-than-forty-eight-characters';
    const annotations = { [`original-image-${'0'.repeat(40)}`]: 'other:5000/foo:1', [`original-image-${'f'.repeat(40)}`]: 'registry:5000/foo:1' };

    expect(read('localhost:7439/registry-5000/foo:1', annotations, 7439, 'containers', name)).toBe('registry:5000/foo:1 (v1)');
  });
});
