/** Resources as users of v2 write them. */
export const v2Resources: readonly (readonly [string, string])[] = [
  [
    'a global mirror, as the migration page shows it',
    `
apiVersion: kuik.enix.io/v1alpha1
kind: ClusterImageSetMirror
metadata: {name: global-mirror}
spec:
  priority: -1
  imageFilter: {include: [".*"], exclude: ["localhost[^/]*/.+"]}
  cleanup: {enabled: true, retention: 168h}
  mirrors:
  - registry: my-registry.company.com
    path: /my-project
    credentialSecret: {name: my-registry-secret, namespace: kuik-system}
`,
  ],
  [
    'Docker Hub and a second registry',
    `
apiVersion: kuik.enix.io/v1alpha1
kind: ClusterReplicatedImageSet
metadata: {name: thanos}
spec:
  upstreams:
  - {registry: docker.io, path: /thanosio/thanos, imageFilter: {include: ["/thanosio/thanos:.+"]}}
  - {registry: quay.io, path: /thanos/thanos/, imageFilter: {include: ["/thanos/thanos:.+"]}}
`,
  ],
  [
    'a negative priority and ranks inside a rule',
    `
apiVersion: kuik.enix.io/v1alpha1
kind: ClusterImageSetMirror
metadata: {name: near-and-far}
spec:
  priority: -1
  filter: {include: [{image: 'ghcr\\.io/acme/.+'}], exclude: [{namespace: 'ci-.*'}]}
  mirrors:
  - {registry: far.example.com, path: /m, priority: 5}
  - {registry: near.example.com:5000, path: /m, priority: 1}
`,
  ],
  [
    'an upstream that is left behind',
    `
apiVersion: kuik.enix.io/v1alpha1
kind: ClusterReplicatedImageSet
metadata: {name: bitnami}
spec:
  upstreams:
  - {registry: docker.io, path: /bitnami, discardAlternative: true, imageFilter: {include: ["/bitnami/.*"]}}
  - {registry: registry.bitnami.com, path: /bitnami, imageFilter: {include: ["/bitnami/.*"]}}
`,
  ],
  [
    "a tenant's own mirror",
    `
apiVersion: kuik.enix.io/v1alpha1
kind: ImageSetMirror
metadata: {name: team-cache, namespace: default}
spec:
  priority: -10
  filter: {include: [{image: 'quay\\.io/acme/.+'}, {label: tier=backend}]}
  cleanup: {enabled: true}
  mirrors:
  - registry: harbor.example.com
    path: /team-a
    layout: host
    platforms: [{os: linux, architecture: amd64}, {os: linux, architecture: arm64}]
    credentialSecret: {name: harbor-push, namespace: ignored}
    pullSecret: {name: harbor-pull}
    cleanup: {retention: 24h}
`,
  ],
  [
    'monitoring with expiry',
    `
apiVersion: kuik.enix.io/v1alpha1
kind: ClusterImageSetAvailability
metadata: {name: critical}
spec:
  unusedImageExpiry: 720h
  filter: {include: [{image: '.+/nginx:.+'}, {image: 'quay\\.io/.+'}], exclude: [{namespace: sandbox}]}
`,
  ],
  [
    'replicas for one namespace',
    `
apiVersion: kuik.enix.io/v1alpha1
kind: ReplicatedImageSet
metadata: {name: team-replicas, namespace: default}
spec:
  priority: 3
  filter: {exclude: [{annotation: 'example.com/skip'}]}
  upstreams:
  - {registry: quay.io, path: "", priority: -2, imageFilter: {exclude: ["/secret/.*"]}, credentialSecret: {name: quay}}
`,
  ],
];

/** Statuses as v2 writes them. */
export const v2Statuses: Readonly<Record<string, object>> = {
  'clusterimagesetmirrors/global-mirror': {
    matchingImages: [
      {
        image: 'docker.io/library/nginx:1.27',
        unusedSince: '0001-01-01T00:00:00Z',
        mirrors: [
          { image: 'my-registry.company.com/my-project/library/nginx:1.27', mirroredAt: '2025-01-02T03:04:05Z' },
          { image: 'other.example.com/library/nginx:1.27', lastError: 'e'.repeat(5000) },
        ],
      },
      ...Array.from({ length: 700 }, (_, index) => ({ image: `docker.io/library/app:${index}` })),
    ],
  },
  'clusterimagesetavailabilities/critical': {
    imageCount: 2,
    images: [
      { image: 'docker.io/library/nginx:1.27', status: 'QuotaExceeded', lastError: 'e'.repeat(5000), lastMonitor: '2025-01-02T03:04:05Z', original: true },
      { image: 'quay.io/acme/api:v4', status: 'Scheduled', unusedSince: '2025-01-02T03:04:05Z' },
    ],
  },
};
