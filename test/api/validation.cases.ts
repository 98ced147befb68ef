/**
 * Specs and whether they are accepted: one table for the API server and for our own schemas, so that both sides
 * can be seen to agree.
 */
import type { Kind } from '../../src/api/v1alpha1/kind.js';

export interface ValidationCase {
  readonly sentence: string;
  readonly kind: Kind['kind'];
  readonly spec: Readonly<Record<string, unknown>>;
  /** a part of the refusal; undefined: accepted */
  readonly refusal?: string;
  /** only the API server decides this: JavaScript has no such number */
  readonly isServerOnly?: true;
}

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const upstream = { registry: 'quay.io', path: '/a' };

const mirrorKinds = ['ClusterImageSetMirror', 'ImageSetMirror'] as const;
const replicaKinds = ['ClusterReplicatedImageSet', 'ReplicatedImageSet'] as const;
const filterKinds = [...mirrorKinds, 'ClusterImageSetAvailability'] as const;
const clusterKinds = ['ClusterImageSetMirror', 'ClusterImageSetAvailability', 'ClusterReplicatedImageSet'] as const;
const allKinds = [...mirrorKinds, ...replicaKinds, 'ClusterImageSetAvailability'] as const;

function forEach(kinds: readonly Kind['kind'][], sentence: string, spec: Readonly<Record<string, unknown>>, refusal?: string): ValidationCase[] {
  return kinds.map((kind) => ({ sentence, kind, spec, ...(refusal !== undefined && { refusal }) }));
}

export const validationCases: readonly ValidationCase[] = [
  ...forEach(allKinds, 'an empty spec', {}),
  ...forEach(allKinds, 'a suspended rule', { suspend: true }),
  ...forEach(allKinds, 'a suspend that is a text', { suspend: 'yes' }, 'suspend'),

  // one key per item
  ...forEach(filterKinds, 'items with one key each', { filter: { include: [{ image: 'a' }, { label: 'a=b' }, { annotation: 'c' }] } }),
  ...forEach(filterKinds, 'an item with an empty text', { filter: { include: [{ image: '' }] } }),
  ...forEach(allKinds, 'an item with two keys', { filter: { include: [{ label: 'a=b', annotation: 'c' }] } }, 'exactly one of'),
  ...forEach(allKinds, 'an item with two keys, one of them empty', { filter: { exclude: [{ label: 'a=b', annotation: '' }] } }, 'exactly one of'),
  ...forEach(allKinds, 'an item without a key', { filter: { exclude: [{}] } }, 'exactly one of'),
  ...forEach(clusterKinds, 'an item on the namespace, in a cluster kind', { filter: { include: [{ namespace: 'team-.+' }] } }),
  ...forEach(['ImageSetMirror', 'ReplicatedImageSet'], 'an item on the namespace, in a namespaced kind', { filter: { include: [{ namespace: 'team-.+' }] } }, 'exactly one of'),

  // no images in the filter of replica kinds
  ...forEach(replicaKinds, 'a filter on Pods', { filter: { include: [{ label: 'a=b' }], exclude: [{ annotation: 'c' }] } }),
  ...forEach(replicaKinds, 'a filter on images', { filter: { include: [{ image: 'a' }] } }, 'image is not allowed here'),
  ...forEach(replicaKinds, 'a filter that excludes images', { filter: { exclude: [{ image: 'a' }] } }, 'image is not allowed here'),

  // patterns of imageFilter compile
  ...forEach(filterKinds, 'patterns that compile', { imageFilter: { include: ['docker\\.io/.+', '(?i)nginx', '\\pL+'], exclude: ['a{1000}'] } }),
  ...forEach(filterKinds, 'an included pattern with a bracket too few', { imageFilter: { include: ['a', '['] } }, 'each pattern is a valid RE2 expression'),
  ...forEach(filterKinds, 'an excluded pattern that looks ahead', { imageFilter: { exclude: ['(?=a)'] } }, 'each pattern is a valid RE2 expression'),
  ...forEach(filterKinds, 'a pattern that refers back', { imageFilter: { include: ['(a)\\1'] } }, 'each pattern is a valid RE2 expression'),
  ...forEach(filterKinds, 'a pattern that repeats too often', { imageFilter: { include: ['a{1001}'] } }, 'each pattern is a valid RE2 expression'),
  ...forEach(filterKinds, 'a pattern that only compiles inside parentheses', { imageFilter: { include: ['a)(b'] } }, 'each pattern is a valid RE2 expression'),
  ...forEach(replicaKinds, 'an upstream whose patterns compile', { upstreams: [{ ...upstream, imageFilter: { include: ['/a/.+'] } }] }),
  ...forEach(replicaKinds, 'an upstream with a pattern that does not compile', { upstreams: [{ ...upstream, imageFilter: { exclude: ['*'] } }] }, 'each pattern is a valid RE2 expression'),

  // not both filters
  ...forEach(filterKinds, 'only a filter', { filter: { include: [{ image: 'a' }] }, imageFilter: {} }),
  ...forEach(filterKinds, 'only an imageFilter', { filter: {}, imageFilter: { include: ['a'] } }),
  ...forEach(filterKinds, 'both filters', { filter: { include: [{ image: 'a' }] }, imageFilter: { include: ['a'] } }, 'cannot be used together'),
  ...forEach(filterKinds, 'both filters, both lists empty', { filter: { exclude: [] }, imageFilter: { include: [] } }, 'cannot be used together'),

  // what v2 left to be found when it is read
  ...forEach(filterKinds, 'a filter pattern that does not compile', { filter: { include: [{ image: '[' }] } }),
  ...forEach(allKinds, 'a filter selector that is none', { filter: { include: [{ label: 'app=a b' }] } }),
  ...forEach(mirrorKinds, 'a retention in days', { cleanup: { enabled: true, retention: '7d' } }),
  ...forEach(['ClusterImageSetAvailability'], 'an expiry in days', { unusedImageExpiry: '30d' }),
  ...forEach(mirrorKinds, 'a mirror that is no place', { mirrors: [{ registry: 'https://registry.example.com', path: '../x' }] }),
  ...forEach(mirrorKinds, 'a mirror without any field', { mirrors: [{}] }),
  ...forEach(replicaKinds, 'an upstream of empty texts', { upstreams: [{ registry: '', path: '' }] }),
  ...forEach(mirrorKinds, 'a Secret without namespace', { mirrors: [{ credentialSecret: { name: 'push' } }] }),

  // bounds of v2
  ...forEach(filterKinds, 'an image pattern of 128 characters', { filter: { include: [{ image: 'a'.repeat(128) }] } }),
  ...forEach(filterKinds, 'an image pattern of 129 characters', { filter: { include: [{ image: 'a'.repeat(129) }] } }, '128'),
  ...forEach(allKinds, 'a label selector of 512 characters', { filter: { include: [{ label: 'a'.repeat(512) }] } }),
  ...forEach(allKinds, 'a label selector of 513 characters', { filter: { include: [{ label: 'a'.repeat(513) }] } }, '512'),
  ...forEach(allKinds, 'an annotation selector of 512 characters', { filter: { include: [{ annotation: 'a'.repeat(512) }] } }),
  ...forEach(allKinds, 'an annotation selector of 513 characters', { filter: { include: [{ annotation: 'a'.repeat(513) }] } }, '512'),
  ...forEach(clusterKinds, 'a namespace pattern of 128 characters', { filter: { include: [{ namespace: 'a'.repeat(128) }] } }),
  ...forEach(clusterKinds, 'a namespace pattern of 129 characters', { filter: { include: [{ namespace: 'a'.repeat(129) }] } }, '128'),
  ...forEach(allKinds, '16 items', { filter: { include: times(16, () => ({ label: 'a=b' })), exclude: times(16, () => ({ annotation: 'c' })) } }),
  ...forEach(allKinds, '17 included items', { filter: { include: times(17, () => ({ label: 'a=b' })) } }, '16'),
  ...forEach(allKinds, '17 excluded items', { filter: { exclude: times(17, () => ({ label: 'a=b' })) } }, '16'),
  ...forEach(filterKinds, '16 patterns of 128 characters', { imageFilter: { include: times(16, () => 'a'.repeat(128)), exclude: times(16, () => 'a'.repeat(128)) } }),
  ...forEach(filterKinds, '17 patterns', { imageFilter: { include: times(17, () => 'a') } }, '16'),
  ...forEach(filterKinds, 'an imageFilter pattern of 129 characters', { imageFilter: { exclude: ['a'.repeat(129)] } }, '128'),
  ...forEach(replicaKinds, '32 upstreams, each with 16 patterns of 128 characters', { upstreams: times(32, () => ({ ...upstream, imageFilter: { include: times(16, () => 'a'.repeat(128)) } })) }),
  ...forEach(replicaKinds, '33 upstreams', { upstreams: times(33, () => upstream) }, '32'),
  ...forEach(replicaKinds, 'an upstream without registry', { upstreams: [{ path: '/a' }] }, 'registry'),
  ...forEach(replicaKinds, 'an upstream without path', { upstreams: [{ registry: 'quay.io' }] }, 'path'),
  ...forEach(mirrorKinds, '200 mirrors with long paths', { mirrors: times(200, (index) => ({ registry: 'r'.repeat(300), path: `/${'p'.repeat(2000)}/${index}`, priority: -index })) }),
  ...forEach(mirrorKinds, 'a priority that is a text', { priority: '1' }, 'priority'),
  ...[...mirrorKinds, ...replicaKinds].map((kind) => ({ sentence: 'a priority beyond 2^53', kind, spec: { priority: -9_223_372_036_854_775_000 }, isServerOnly: true as const })),

  // what is new
  ...forEach(mirrorKinds, 'every new field', {
    drift: 'sync',
    mirrors: [{ registry: 'r.example.com', pullSecret: { name: 'pull' }, platforms: [{ os: 'linux', architecture: 'arm64', variant: 'v8' }], copy: 'sparse', layout: 'host', referrers: 'none', shared: true, cleanup: { retention: '0s' } }],
  }),
  ...forEach(mirrorKinds, 'a drift that is not in the list', { drift: 'follow' }, 'drift'),
  ...forEach(mirrorKinds, 'a way to copy that is not in the list', { mirrors: [{ copy: 'some' }] }, 'copy'),
  ...forEach(mirrorKinds, 'a layout that is not in the list', { mirrors: [{ layout: 'flat' }] }, 'layout'),
  ...forEach(mirrorKinds, 'referrers that are not in the list', { mirrors: [{ referrers: 'all' }] }, 'referrers'),
  ...forEach(mirrorKinds, 'a pull Secret without name', { mirrors: [{ pullSecret: {} }] }, 'name'),
  ...forEach(mirrorKinds, 'a platform without architecture', { mirrors: [{ platforms: [{ os: 'linux' }] }] }, 'architecture'),
  ...forEach(mirrorKinds, 'a platform with an empty architecture', { mirrors: [{ platforms: [{ architecture: '' }] }] }, 'architecture'),
  ...forEach(mirrorKinds, '16 platforms', { mirrors: [{ platforms: times(16, () => ({ architecture: 'amd64' })) }] }),
  ...forEach(mirrorKinds, '17 platforms', { mirrors: [{ platforms: times(17, () => ({ architecture: 'amd64' })) }] }, '16'),

  // the record
  ...forEach(['ImageAvailability'], 'an image', { image: 'docker.io/library/nginx:1.27' }),
  ...forEach(['ImageAvailability'], 'an image of 1024 characters', { image: 'a'.repeat(1024) }),
  ...forEach(['ImageAvailability'], 'an image of 1025 characters', { image: 'a'.repeat(1025) }, '1024'),
  ...forEach(['ImageAvailability'], 'no image', {}, 'image'),
];
