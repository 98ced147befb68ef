/** The worked examples of the contract, section 14. */
import { describe, expect, test } from '@jest/globals';
import { aPod, aWorld, imagesOf, noteOf, type World } from './world.js';

describe('the global mirror of the migration page', () => {
  const rule = `
kind: ClusterImageSetMirror
metadata: {name: global-mirror, uid: 0f5b6c2e-9a51-4c0e-8f0a-3f6f2d1c7b90}
spec:
  priority: -1
  imageFilter: {include: [".*"], exclude: ["localhost[^/]*/.+"]}
  mirrors:
  - registry: my-registry.company.com
    path: /my-project
    credentialSecret: {name: my-registry-secret, namespace: kuik-system}
`;
  const mirrored = 'my-registry.company.com/my-project/library/nginx:1.27';
  const copyName = 'kuik-my-registry-secret-da9df5ef5ace7ba5';

  function mirrorWorld(): World {
    const world = aWorld({ rules: [rule] });
    world.registry.host('my-registry.company.com').requires('robot', 'p');
    world.pullSecret('kuik-system', 'my-registry-secret', 'my-registry.company.com', 'robot');
    world.push('docker.io/library/nginx:1.27');
    return world;
  }

  test('the first Pod keeps its image, because the mirror is still empty', async () => {
    const { pod, outcome } = await mirrorWorld().create(aPod('nginx:1.27'));

    expect(imagesOf(pod)).toEqual(['nginx:1.27']);
    expect(outcome).toBe('unchanged');
    expect([noteOf(pod, 'original-images'), noteOf(pod, 'reason'), noteOf(pod, 'rewritten-by')]).toEqual([{ c0: 'nginx:1.27' }, { c0: 'PreferredUnavailable' }, undefined]);
    expect(pod.spec.imagePullSecrets).toBeUndefined();
  });

  test('the second Pod pulls from the mirror, with a copy of its Secret', async () => {
    const world = mirrorWorld();
    world.push(mirrored);

    const { pod, outcome } = await world.create(aPod('nginx:1.27'));

    expect(imagesOf(pod)).toEqual([mirrored]);
    expect(outcome).toBe('rewritten');
    expect(pod.metadata.annotations).toEqual({
      'kuik.enix.io/original-images': '{"c0":"nginx:1.27"}',
      'kuik.enix.io/reason': '{"c0":"PlacePreferred"}',
      'kuik.enix.io/rewritten-by': '{"c0":"ClusterImageSetMirror/global-mirror"}',
    });
    expect(pod.spec.imagePullSecrets).toEqual([{ name: copyName }]);
    expect(await world.cluster.secret({ namespace: 'shop', name: copyName })).toMatchObject({
      type: 'kubernetes.io/dockerconfigjson',
      annotations: { 'kuik.enix.io/source': 'kuik-system/my-registry-secret' },
    });
    expect(world.secretActions).toEqual(['created']);
  });

  test('with pull policy Always the origin comes first', async () => {
    const world = mirrorWorld();
    world.push(mirrored);

    const { pod } = await world.create(aPod('nginx:1.27', { policy: 'Always' }));

    expect(imagesOf(pod)).toEqual(['nginx:1.27']);
    expect(noteOf(pod, 'reason')).toEqual({ c0: 'OriginAvailable' });
  });

  test('with pull policy Always the mirror helps when Docker Hub throttles', async () => {
    const world = mirrorWorld();
    world.push(mirrored);
    world.registry.host('docker.io').fails('throttled');

    const { pod } = await world.create(aPod('nginx:1.27', { policy: 'Always' }));

    expect(imagesOf(pod)).toEqual([mirrored]);
    expect(noteOf(pod, 'reason')).toEqual({ c0: 'OriginUnavailable' });
  });

  test('a name of v1 is read as what it stands for', async () => {
    const world = mirrorWorld();
    world.push(mirrored);

    const { pod } = await world.create(aPod('localhost:7439/nginx:1.27'));

    expect(imagesOf(pod)).toEqual([mirrored]);
    expect(noteOf(pod, 'original-images')).toEqual({ c0: 'localhost:7439/nginx:1.27' });
  });

  test("a Pod with v1's opt-out is untouched", async () => {
    const world = mirrorWorld();
    world.push(mirrored);

    const { patch, outcome } = await world.create(aPod('nginx:1.27', { labels: { 'kube-image-keeper.enix.io/image-caching-policy': 'ignore' } }));

    expect([patch, outcome]).toEqual([[], 'skipped']);
  });

  test('a Pod that names the copy is kept without a probe', async () => {
    const world = mirrorWorld();

    const { pod } = await world.create(aPod(mirrored));

    expect(imagesOf(pod)).toEqual([mirrored]);
    expect(noteOf(pod, 'reason')).toEqual({ c0: 'OnlyOrigin' });
    expect(world.registry.host('my-registry.company.com').calls).toEqual([]);
  });
});

describe('Docker Hub and a second registry', () => {
  const rule = `
kind: ClusterReplicatedImageSet
metadata: {name: thanos}
spec:
  upstreams:
  - {registry: docker.io, path: /thanosio/thanos, imageFilter: {include: ["/thanosio/thanos:.+"]}}
  - {registry: quay.io, path: /thanos/thanos/, imageFilter: {include: ["/thanos/thanos:.+"]}}
`;
  const hub = 'docker.io/thanosio/thanos:v0.36';
  const quay = 'quay.io/thanos/thanos:v0.36';

  test.each<[string, string, (world: World) => void, string, string]>([
    ['kept while Docker Hub answers', 'thanosio/thanos:v0.36', () => {}, 'thanosio/thanos:v0.36', 'OriginAvailable'],
    ['moved to Quay when Docker Hub throttles', 'thanosio/thanos:v0.36', (world) => world.registry.host('docker.io').fails('throttled'), quay, 'OriginUnavailable'],
    [
      'kept when both fail',
      'thanosio/thanos:v0.36',
      (world) => {
        world.registry.host('docker.io').fails('throttled');
        world.registry.host('quay.io').fails('unreachable');
      },
      'thanosio/thanos:v0.36',
      'NoPlaceAvailable',
    ],
    ['moved to Docker Hub when Quay is down', quay, (world) => world.registry.host('quay.io').fails('unreachable'), hub, 'OriginUnavailable'],
    ['kept untagged, as no upstream matches', 'thanosio/thanos', () => {}, 'thanosio/thanos', 'OnlyOrigin'],
  ])('the image is %s', async (_sentence, written, situation, image, reason) => {
    const world = aWorld({ rules: [rule] });
    world.push(hub);
    world.push(quay);
    situation(world);

    const { pod } = await world.create(aPod(written, { policy: 'IfNotPresent' }));

    expect(imagesOf(pod)).toEqual([image]);
    expect(noteOf(pod, 'reason')).toEqual({ c0: reason });
    expect(pod.spec.imagePullSecrets).toBeUndefined();
  });
});

describe('ranks inside a rule', () => {
  const rule = `
kind: ClusterImageSetMirror
metadata: {name: near-and-far}
spec:
  priority: -1
  filter: {include: [{image: 'ghcr\\.io/acme/.+'}], exclude: [{namespace: 'ci-.*'}]}
  mirrors:
  - {registry: far.example.com, path: /m, priority: 5}
  - {registry: near.example.com:5000, path: /m, priority: 1}
`;
  const image = 'ghcr.io/acme/api:v4';

  function nearAndFar(): World {
    const world = aWorld({ rules: [rule] });
    world.push(image);
    world.registry.host('far.example.com');
    world.registry.host('near.example.com:5000');
    return world;
  }

  test('the better rank wins when both have the image', async () => {
    const world = nearAndFar();
    world.push('far.example.com/m/acme/api:v4');
    world.push('near.example.com:5000/m/acme/api:v4');

    const { pod } = await world.create(aPod(image, { namespace: 'prod' }));

    expect(imagesOf(pod)).toEqual(['near.example.com:5000/m/acme/api:v4']);
  });

  test('the other one wins when the better one is unreachable', async () => {
    const world = nearAndFar();
    world.push('far.example.com/m/acme/api:v4');
    world.registry.host('near.example.com:5000').fails('unreachable');

    const { pod } = await world.create(aPod(image, { namespace: 'prod' }));

    expect(imagesOf(pod)).toEqual(['far.example.com/m/acme/api:v4']);
    expect(noteOf(pod, 'reason')).toEqual({ c0: 'PlacePreferred' });
  });

  test('the image is kept when neither has it', async () => {
    const { pod } = await nearAndFar().create(aPod(image, { namespace: 'prod' }));

    expect(imagesOf(pod)).toEqual([image]);
    expect(noteOf(pod, 'reason')).toEqual({ c0: 'PreferredUnavailable' });
  });

  test('a namespace out of scope sees no mirror', async () => {
    const world = nearAndFar();
    world.push('far.example.com/m/acme/api:v4');

    const { pod } = await world.create(aPod(image, { namespace: 'ci-42' }));

    expect(noteOf(pod, 'reason')).toEqual({ c0: 'OnlyOrigin' });
  });

  test('a pinned image is probed by digest and keeps tag and digest', async () => {
    const world = nearAndFar();
    const digest = world.push('near.example.com:5000/m/acme/api:kuik-anchor');

    const { pod } = await world.create(aPod(`${image}@${digest}`, { namespace: 'prod' }));

    expect(imagesOf(pod)).toEqual([`near.example.com:5000/m/acme/api:v4@${digest}`]);
    expect(world.registry.host('near.example.com:5000').calls[0]?.on).toBe(`near.example.com:5000/m/acme/api@${digest}`);
  });
});

describe('discardAlternative', () => {
  const rule = `
kind: ClusterReplicatedImageSet
metadata: {name: bitnami}
spec:
  upstreams:
  - {registry: docker.io, path: /bitnami, discardAlternative: true, imageFilter: {include: ["/bitnami/.*"]}}
  - {registry: registry.bitnami.com, path: /bitnami, imageFilter: {include: ["/bitnami/.*"]}}
`;

  test('leads to the live upstream without asking the dead one', async () => {
    const world = aWorld({ rules: [rule] });
    world.push('registry.bitnami.com/bitnami/nginx:1.29');
    world.push('docker.io/bitnami/nginx:1.29');

    const { pod } = await world.create(aPod('bitnami/nginx:1.29'));

    expect(imagesOf(pod)).toEqual(['registry.bitnami.com/bitnami/nginx:1.29']);
    expect(noteOf(pod, 'reason')).toEqual({ c0: 'OriginDiscarded' });
    expect(world.registry.host('docker.io').calls).toEqual([]);
  });

  test('keeps the text when the live upstream does not answer either', async () => {
    const { pod } = await aWorld({ rules: [rule] }).create(aPod('bitnami/nginx:1.29'));

    expect(imagesOf(pod)).toEqual(['bitnami/nginx:1.29']);
    expect(noteOf(pod, 'reason')).toEqual({ c0: 'NoPlaceAvailable' });
  });

  test('leaves an image of the live upstream alone', async () => {
    const { pod } = await aWorld({ rules: [rule] }).create(aPod('registry.bitnami.com/bitnami/nginx:1.29'));

    expect(noteOf(pod, 'reason')).toEqual({ c0: 'OnlyOrigin' });
  });
});

describe("a tenant's own mirror", () => {
  const rule = `
kind: ImageSetMirror
metadata: {name: team-cache, namespace: team-a}
spec:
  priority: -10
  filter: {include: [{image: 'quay\\.io/acme/.+'}, {label: tier=backend}]}
  mirrors:
  - registry: harbor.example.com
    path: /team-a
    layout: host
    credentialSecret: {name: harbor-push, namespace: ignored}
    pullSecret: {name: harbor-pull}
`;
  const image = 'quay.io/acme/api:v4';
  const mirrored = 'harbor.example.com/team-a/quay.io/acme/api:v4';
  const backend = { namespace: 'team-a', labels: { tier: 'backend' } };

  function tenant(): World {
    const world = aWorld({ rules: [rule] });
    world.registry.host('harbor.example.com').requires('puller', 'p');
    world.pullSecret('team-a', 'harbor-pull', 'harbor.example.com', 'puller');
    world.push(mirrored);
    world.push(image);
    return world;
  }

  test('is used with the Secret of the namespace, which is named and not copied', async () => {
    const world = tenant();

    const { pod } = await world.create(aPod(image, backend));

    expect(imagesOf(pod)).toEqual([mirrored]);
    expect(noteOf(pod, 'rewritten-by')).toEqual({ c0: 'ImageSetMirror/team-cache' });
    expect(pod.spec.imagePullSecrets).toEqual([{ name: 'harbor-pull' }]);
    expect(world.secretActions).toEqual([]);
  });

  test('is passed over when the copy is known to lack the processor of the Pod', async () => {
    const world = tenant();
    world.record(image, { reference: mirrored, role: 'mirror', mirroredAt: '2026-11-20T10:00:00Z', platforms: ['linux/amd64'], missingPlatforms: ['linux/arm64'] });

    const { pod } = await world.create(aPod(image, { ...backend, spec: { nodeSelector: { 'kubernetes.io/arch': 'arm64' } } }));

    expect(imagesOf(pod)).toEqual([image]);
    expect(noteOf(pod, 'reason')).toEqual({ c0: 'OnlyOrigin' });
  });

  test.each([
    ['another namespace', { namespace: 'team-b', labels: { tier: 'backend' } }],
    ['another label', { namespace: 'team-a', labels: { tier: 'frontend' } }],
  ])('is not offered to %s', async (_sentence, pod) => {
    const world = tenant();

    const created = await world.create(aPod(image, pod));

    expect(noteOf(created.pod, 'reason')).toEqual({ c0: 'OnlyOrigin' });
    expect(world.registry.host('harbor.example.com').calls).toEqual([]);
  });
});
