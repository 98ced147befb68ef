/**
 * The worked examples of the contract, section 14, as data: rules, what the registries hold, a Pod, and what becomes of
 * it. They are played twice, in memory and through a real API server. What happens outside admission (copies, claims,
 * expiry, checks: 14.6 as a whole) is shown where it happens.
 */
import type { FailureCode } from '../../src/domain/failure.js';
import type { RouteReason } from '../../src/domain/names.js';
import type { PlaceRecord } from '../../src/domain/record.js';

export interface Chapter {
  readonly title: string;
  /** one resource, as users write it */
  readonly rule: string;
  /** registries that let in one user only, whose password is `p` */
  readonly accounts?: Readonly<Record<string, string>>;
  readonly secrets?: readonly { readonly namespace: string; readonly name: string; readonly host: string; readonly user: string }[];
  readonly examples: readonly Example[];
}

export interface Example {
  readonly sentence: string;
  /** images that are there; `#name` stands for their digest in what follows */
  readonly there?: readonly string[];
  readonly failing?: Readonly<Record<string, FailureCode>>;
  readonly record?: { readonly image: string; readonly places: readonly (Omit<PlaceRecord, 'reference'> & { readonly reference: string })[] };
  /** as changed for this example */
  readonly rule?: (text: string) => string;
  readonly pod: { readonly image: string; readonly namespace?: string; readonly policy?: string; readonly labels?: Readonly<Record<string, string>>; readonly spec?: object };
  readonly becomes: 'left alone' | Becomes;
}

export interface Becomes {
  readonly image: string;
  readonly reason: RouteReason;
  /** `<Kind>/<name>` */
  readonly by?: string;
  /** name of the Secret the Pod gets; `copy`: the one made from the rule's Secret */
  readonly secret?: string;
  /** hosts that were not contacted */
  readonly unasked?: readonly string[];
}

const copy = 'my-registry.company.com/my-project/library/nginx:1.27';
const hub = 'docker.io/thanosio/thanos:v0.36';
const quay = 'quay.io/thanos/thanos:v0.36';
const api = 'ghcr.io/acme/api:v4';
const [far, near] = ['far.example.com/m/acme/api:v4', 'near.example.com:5000/m/acme/api:v4'];
const bitnami = 'registry.bitnami.com/bitnami/nginx:1.29';
const tenants = 'quay.io/acme/api:v4';
const cached = 'harbor.example.com/team-a/quay.io/acme/api:v4';
const backend = { namespace: 'team-a', labels: { tier: 'backend' } };

const byGlobalMirror = { image: copy, by: 'ClusterImageSetMirror/global-mirror', secret: 'copy' } as const;
const byNearAndFar = 'ClusterImageSetMirror/near-and-far';

export const chapters: readonly Chapter[] = [
  {
    title: "14.1 the migration page's global mirror",
    rule: `
kind: ClusterImageSetMirror
metadata: {name: global-mirror, uid: 0f5b6c2e-9a51-4c0e-8f0a-3f6f2d1c7b90}
spec:
  priority: -1
  imageFilter: {include: [".*"], exclude: ["localhost[^/]*/.+"]}
  cleanup: {enabled: true, retention: 168h}
  mirrors:
  - registry: my-registry.company.com
    path: /my-project
    credentialSecret: {name: my-registry-secret, namespace: kuik-system}
`,
    accounts: { 'my-registry.company.com': 'robot' },
    secrets: [{ namespace: 'kuik-system', name: 'my-registry-secret', host: 'my-registry.company.com', user: 'robot' }],
    examples: [
      { sentence: 'the first Pod keeps its image, because the mirror is still empty', there: ['docker.io/library/nginx:1.27'], pod: { image: 'nginx:1.27' }, becomes: { image: 'nginx:1.27', reason: 'PreferredUnavailable' } },
      { sentence: 'the second Pod pulls from the mirror, with a copy of its Secret', there: [copy], pod: { image: 'nginx:1.27' }, becomes: { ...byGlobalMirror, reason: 'PlacePreferred' } },
      { sentence: 'with pull policy Always the origin comes first', there: [copy, 'docker.io/library/nginx:1.27'], pod: { image: 'nginx:1.27', policy: 'Always' }, becomes: { image: 'nginx:1.27', reason: 'OriginAvailable' } },
      { sentence: 'with pull policy Always the mirror helps when Docker Hub throttles', there: [copy], failing: { 'docker.io': 'throttled' }, pod: { image: 'nginx:1.27', policy: 'Always' }, becomes: { ...byGlobalMirror, reason: 'OriginUnavailable' } },
      { sentence: 'a name of v1 is read as what it stands for', there: [copy], pod: { image: 'localhost:7439/nginx:1.27' }, becomes: { ...byGlobalMirror, reason: 'PlacePreferred' } },
      { sentence: "a Pod with v1's opt-out is untouched", there: [copy], pod: { image: 'nginx:1.27', labels: { 'kube-image-keeper.enix.io/image-caching-policy': 'ignore' } }, becomes: 'left alone' },
      { sentence: 'a Pod that names the copy is kept without a probe', pod: { image: copy }, becomes: { image: copy, reason: 'OnlyOrigin', unasked: ['my-registry.company.com'] } },
    ],
  },
  {
    title: '14.2 Docker Hub and a second registry',
    rule: `
kind: ClusterReplicatedImageSet
metadata: {name: thanos}
spec:
  upstreams:
  - {registry: docker.io, path: /thanosio/thanos, imageFilter: {include: ["/thanosio/thanos:.+"]}}
  - {registry: quay.io, path: /thanos/thanos/, imageFilter: {include: ["/thanos/thanos:.+"]}}
`,
    examples: [
      { sentence: 'the image is kept while Docker Hub answers', there: [hub, quay], pod: { image: 'thanosio/thanos:v0.36' }, becomes: { image: 'thanosio/thanos:v0.36', reason: 'OriginAvailable' } },
      { sentence: 'it moves to Quay when Docker Hub throttles', there: [hub, quay], failing: { 'docker.io': 'throttled' }, pod: { image: 'thanosio/thanos:v0.36' }, becomes: { image: quay, reason: 'OriginUnavailable', by: 'ClusterReplicatedImageSet/thanos' } },
      { sentence: 'it is kept when both fail', there: [hub, quay], failing: { 'docker.io': 'throttled', 'quay.io': 'unreachable' }, pod: { image: 'thanosio/thanos:v0.36' }, becomes: { image: 'thanosio/thanos:v0.36', reason: 'NoPlaceAvailable' } },
      { sentence: 'an image of Quay moves to Docker Hub when Quay is down', there: [hub, quay], failing: { 'quay.io': 'unreachable' }, pod: { image: quay }, becomes: { image: hub, reason: 'OriginUnavailable', by: 'ClusterReplicatedImageSet/thanos' } },
      { sentence: 'an untagged name is matched by no upstream, and nobody is asked', there: [hub, quay], pod: { image: 'thanosio/thanos' }, becomes: { image: 'thanosio/thanos', reason: 'OnlyOrigin', unasked: ['docker.io', 'quay.io'] } },
    ],
  },
  {
    title: '14.3 priority -1 and ranks inside a rule',
    rule: `
kind: ClusterImageSetMirror
metadata: {name: near-and-far}
spec:
  priority: -1
  filter: {include: [{image: 'ghcr\\.io/acme/.+'}], exclude: [{namespace: 'ci-.*'}]}
  mirrors:
  - {registry: far.example.com, path: /m, priority: 5}
  - {registry: near.example.com:5000, path: /m, priority: 1}
`,
    examples: [
      { sentence: 'the better rank wins when both have the image', there: [api, far, near], pod: { image: api, namespace: 'prod' }, becomes: { image: near, reason: 'PlacePreferred', by: byNearAndFar } },
      { sentence: 'the other one wins when the better one is unreachable', there: [api, far], failing: { 'near.example.com:5000': 'unreachable' }, pod: { image: api, namespace: 'prod' }, becomes: { image: far, reason: 'PlacePreferred', by: byNearAndFar } },
      { sentence: 'the image is kept when neither has it', there: [api], pod: { image: api, namespace: 'prod' }, becomes: { image: api, reason: 'PreferredUnavailable' } },
      { sentence: 'a namespace out of scope sees no mirror', there: [api, far, near], pod: { image: api, namespace: 'ci-42' }, becomes: { image: api, reason: 'OnlyOrigin', unasked: ['far.example.com', 'near.example.com:5000'] } },
      { sentence: 'priority -1 on the far one puts it before the near one', there: [far, near], rule: (text) => text.replace('priority: 5', 'priority: -1'), pod: { image: api, namespace: 'prod' }, becomes: { image: far, reason: 'PlacePreferred', by: byNearAndFar } },
      {
        sentence: 'a pinned image is asked for by its digest, and keeps tag and digest',
        there: ['near.example.com:5000/m/acme/api:kuik-anchor'],
        pod: { image: `${api}@#near.example.com:5000/m/acme/api:kuik-anchor`, namespace: 'prod' },
        becomes: { image: `${near}@#near.example.com:5000/m/acme/api:kuik-anchor`, reason: 'PlacePreferred', by: byNearAndFar },
      },
    ],
  },
  {
    title: '14.4 discardAlternative',
    rule: `
kind: ClusterReplicatedImageSet
metadata: {name: bitnami}
spec:
  upstreams:
  - {registry: docker.io, path: /bitnami, discardAlternative: true, imageFilter: {include: ["/bitnami/.*"]}}
  - {registry: registry.bitnami.com, path: /bitnami, imageFilter: {include: ["/bitnami/.*"]}}
`,
    examples: [
      { sentence: 'leads to the live upstream without asking the dead one', there: [bitnami, 'docker.io/bitnami/nginx:1.29'], pod: { image: 'bitnami/nginx:1.29' }, becomes: { image: bitnami, reason: 'OriginDiscarded', by: 'ClusterReplicatedImageSet/bitnami', unasked: ['docker.io'] } },
      { sentence: 'keeps the text when the live upstream does not answer either', there: ['docker.io/bitnami/nginx:1.29'], pod: { image: 'bitnami/nginx:1.29' }, becomes: { image: 'bitnami/nginx:1.29', reason: 'NoPlaceAvailable', unasked: ['docker.io'] } },
      { sentence: 'leaves an image of the live upstream alone', there: [bitnami], pod: { image: bitnami }, becomes: { image: bitnami, reason: 'OnlyOrigin' } },
    ],
  },
  {
    title: "14.5 a tenant's own mirror",
    rule: `
kind: ImageSetMirror
metadata: {name: team-cache, namespace: team-a}
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
    accounts: { 'harbor.example.com': 'puller' },
    secrets: [
      { namespace: 'team-a', name: 'harbor-pull', host: 'harbor.example.com', user: 'puller' },
      { namespace: 'team-a', name: 'harbor-push', host: 'harbor.example.com', user: 'pusher' },
    ],
    examples: [
      { sentence: 'is used with the pull Secret of the namespace, which is named and not copied', there: [cached, tenants], pod: { image: tenants, ...backend }, becomes: { image: cached, reason: 'PlacePreferred', by: 'ImageSetMirror/team-cache', secret: 'harbor-pull' } },
      {
        sentence: 'is passed over when the copy is known to lack the processor of the Pod',
        there: [cached, tenants],
        record: { image: tenants, places: [{ reference: cached, role: 'mirror', mirroredAt: '2026-11-20T10:00:00Z', platforms: ['linux/amd64'], missingPlatforms: ['linux/arm64'] }] },
        pod: { image: tenants, ...backend, spec: { nodeSelector: { 'kubernetes.io/arch': 'arm64' } } },
        becomes: { image: tenants, reason: 'OnlyOrigin', unasked: ['harbor.example.com'] },
      },
      { sentence: 'is not offered to another namespace', there: [cached, tenants], pod: { image: tenants, ...backend, namespace: 'team-b' }, becomes: { image: tenants, reason: 'OnlyOrigin', unasked: ['harbor.example.com'] } },
      { sentence: 'is not offered to another label', there: [cached, tenants], pod: { image: tenants, namespace: 'team-a', labels: { tier: 'frontend' } }, becomes: { image: tenants, reason: 'OnlyOrigin', unasked: ['harbor.example.com'] } },
    ],
  },
];

/** Puts the digests of what is there into a text. */
export function withDigests(text: string, digests: ReadonlyMap<string, string>): string {
  const [before, name] = text.split('#');
  return name === undefined ? text : `${before}${digests.get(name) ?? ''}`;
}
