import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { defaultPullPolicy, podOf, templateOf, usagesOf } from '../../src/domain/pod.js';
import { workloadKinds } from '../../src/domain/usage.js';
import { aPod, aWorkloadObject } from '../support/builders.js';

const hex = 'ab'.repeat(32);

const everything = {
  metadata: {
    namespace: 'shop',
    name: 'web-1',
    uid: '8f0a',
    labels: { app: 'web' },
    annotations: { note: '' },
    creationTimestamp: '2026-11-20T10:00:00Z',
  },
  spec: {
    containers: [{ name: 'web', image: 'nginx:1.27', imagePullPolicy: 'Never' }, { name: 'side', image: 'redis' }],
    initContainers: [{ name: 'init', image: 'busybox:1.36' }],
    ephemeralContainers: [{ name: 'debug', image: 'alpine:latest', targetContainerName: 'web' }],
    volumes: [{ name: 'scratch', emptyDir: {} }, { name: 'model', image: { reference: 'quay.io/acme/model:v1', pullPolicy: 'Always' } }],
    imagePullSecrets: [{ name: 'first' }, { name: 'second' }, {}],
    nodeSelector: { 'kubernetes.io/arch': 'arm64', 'kubernetes.io/os': 'linux', zone: 'a' },
  },
  status: { phase: 'Running' },
};

describe('a Pod', () => {
  test('is projected to the few fields decisions read', () => {
    expect(podOf(everything)).toEqual({
      key: 'shop/web-1',
      namespace: 'shop',
      name: 'web-1',
      uid: '8f0a',
      labels: { app: 'web' },
      annotations: { note: '' },
      usages: [
        { key: 'web', field: 'containers', index: 0, written: 'nginx:1.27', pullPolicy: 'Never' },
        { key: 'side', field: 'containers', index: 1, written: 'redis', pullPolicy: 'Always' },
        { key: 'init', field: 'initContainers', index: 0, written: 'busybox:1.36', pullPolicy: 'IfNotPresent' },
        { key: 'debug', field: 'ephemeralContainers', index: 0, written: 'alpine:latest', pullPolicy: 'Always' },
        { key: 'volume:model', field: 'volumes', index: 1, written: 'quay.io/acme/model:v1', pullPolicy: 'Always' },
      ],
      pullSecrets: ['first', 'second'],
      platform: { os: 'linux', architecture: 'arm64' },
      phase: 'Running',
      isStatic: false,
      isDeleted: false,
      createdAt: '2026-11-20T10:00:00Z',
    });
  });

  test('belongs to the namespace of the request, which the object may lack', () => {
    expect(podOf({ metadata: { generateName: 'web-' } }, 'shop')).toMatchObject({ key: 'shop/', namespace: 'shop', name: '' });
    expect(podOf(everything, 'other').namespace).toBe('other');
  });

  test.each([
    ['a static Pod shows by its annotation', { annotations: { 'kubernetes.io/config.mirror': 'hash' } }, { isStatic: true }],
    ['a static Pod shows by its owner', { metadata: { ownerReferences: [{ kind: 'Node', name: 'n1' }] } }, { isStatic: true }],
    ['a Pod of a workload is not static', { metadata: { ownerReferences: [{ kind: 'ReplicaSet', name: 'web' }] } }, { isStatic: false }],
    ['a Pod that is being deleted says so', { metadata: { deletionTimestamp: '2026-11-20T10:00:00Z' } }, { isDeleted: true }],
    ['the operating system of the spec wins over the node selector', { spec: { os: { name: 'windows' } }, nodeSelector: { 'kubernetes.io/os': 'linux' } }, { platform: { os: 'windows' } }],
    ['a Pod without wishes states no platform', { nodeSelector: { zone: 'a' } }, { platform: undefined }],
  ] as const)('%s', (_sentence, pod, expected) => {
    expect(aPod(pod)).toMatchObject(expected);
  });

  test.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1.27', 'IfNotPresent'],
    [`nginx@sha256:${hex}`, 'IfNotPresent'],
    [`nginx:latest@sha256:${hex}`, 'Always'],
    ['localhost:5000/nginx', 'Always'],
    ['Not A Reference', 'IfNotPresent'],
  ])('%s is pulled %s unless the Pod says otherwise', (written, policy) => {
    expect(defaultPullPolicy(written)).toBe(policy);
  });

  test.each([
    ['nothing', undefined],
    ['a text', 'pod'],
    ['lists where objects belong', { metadata: [], spec: [] }],
    ['objects where lists belong', { spec: { containers: {}, volumes: { image: {} }, imagePullSecrets: 'x' } }],
    ['odd items', { spec: { containers: [null, 1, 'web', [], { name: 'a' }, { image: 'b' }, { name: 1, image: 'c' }, { name: 'd', image: 1 }, { name: 'e', image: '' }] } }],
    ['image volumes without reference', { spec: { volumes: [{ name: 'a', image: {} }, { name: 'b', image: null }] } }],
  ])('with %s has no usages, and is no reason to stop', (_sentence, object) => {
    expect(podOf(object)).toMatchObject({ usages: [], pullSecrets: [] });
  });

  test('keeps the positions of its containers when one is odd', () => {
    expect(usagesOf({ containers: [null, { name: 'web', image: 'nginx:1' }] })).toMatchObject([{ key: 'web', index: 1 }]);
  });

  test('loses labels that are no texts, and no others', () => {
    expect(podOf({ metadata: { labels: { a: 'x', b: 1, c: null } } }).labels).toEqual({ a: 'x' });
  });

  test('is read whatever its shape', () => {
    const odd = fc.anything({ withNullPrototype: true });
    const part = fc.oneof(odd, fc.array(fc.oneof(odd, fc.record({ name: odd, image: odd, imagePullPolicy: odd }, { requiredKeys: [] }))));
    const object = fc.record({ metadata: fc.record({ labels: odd, annotations: odd, ownerReferences: part, name: odd }), spec: fc.record({ containers: part, volumes: part, nodeSelector: odd, imagePullSecrets: part }) });
    fc.assert(
      fc.property(fc.oneof(odd, object), (pod) => {
        const { usages, labels } = podOf(pod);

        expect(usages.every(({ key, written }) => typeof key === 'string' && typeof written === 'string')).toBe(true);
        expect(Object.values(labels).every((value) => typeof value === 'string')).toBe(true);
      }),
    );
  });
});

describe('the template of a workload', () => {
  test.each(workloadKinds)('of kind %s reads as the Pod it would make, under the name of the workload', (kind) => {
    const object = aWorkloadObject(kind, { name: 'nightly', labels: { tier: 'back' }, annotations: { note: 'a' }, images: { job: 'nginx:1.27' }, initImages: { init: 'busybox:1' } });

    const template = templateOf(kind, object);

    expect(template).toMatchObject({ key: 'shop/nightly', namespace: 'shop', name: 'nightly', workload: kind, labels: { app: 'nightly', tier: 'back' }, annotations: { note: 'a' } });
    expect(template.usages.map(({ written }) => written)).toEqual(['nginx:1.27', 'busybox:1']);
  });

  test.each([undefined, null, 7, {}, { spec: { template: 7 } }, { spec: { jobTemplate: { spec: 'none' } } }])('is empty in %j, and nothing is thrown', (object) => {
    for (const kind of workloadKinds) expect(templateOf(kind, object)).toMatchObject({ usages: [], workload: kind });
  });
});
