import { describe, expect, test } from '@jest/globals';
import type { Secret } from '../../src/domain/secret.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import { Failure } from '../../src/domain/failure.js';
import type { Registry } from '../../src/registry/registry.js';
import { answerReview } from '../../src/webhook/admission.js';
import { secretCopyName } from '../../src/domain/secret-copy.js';
import { settled } from './support.js';
import { aPod, aWorld, imagesOf, noteOf, type World, type WorldOptions } from './world.js';

/** A mirror before the origin, whose Secret lives with us. */
const preferred = `
kind: ClusterImageSetMirror
metadata: {name: main, uid: u1}
spec:
  priority: -1
  filter: {include: [{image: '.*'}]}
  mirrors:
  - {registry: mirror.example.com, path: /m, credentialSecret: {name: pull, namespace: kuik-system}}
`;
const mirrored = 'mirror.example.com/m/library/nginx:1';
const copyName = secretCopyName({ namespace: 'kuik-system', name: 'pull' }, 'u1');

function aMirrorWorld(options: WorldOptions = {}): World {
  const world = aWorld({ rules: [preferred], ...options });
  world.registry.host('mirror.example.com').requires('robot', 'p');
  world.pullSecret('kuik-system', 'pull', 'mirror.example.com', 'robot');
  world.push('docker.io/library/nginx:1');
  world.push(mirrored);
  return world;
}

describe('a Pod is left alone', () => {
  test.each<[string, Parameters<typeof aPod>[1]]>([
    ['when it is the mirror of a static Pod', { annotations: { 'kubernetes.io/config.mirror': 'x' } }],
    ['when it says so', { labels: { 'kuik.enix.io/ignore': 'true' } }],
    ["with v1's label", { labels: { 'kube-image-keeper.enix.io/image-caching-policy': 'ignore' } }],
  ])('%s', async (_sentence, more) => {
    const { patch, outcome, warnings } = await aMirrorWorld().create(aPod('nginx:1', more));

    expect([patch, outcome, warnings]).toEqual([[], 'skipped', []]);
  });

  test('when it belongs to a Node', async () => {
    const pod = aPod('nginx:1');
    Object.assign(pod.metadata, { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }] });

    expect((await aMirrorWorld().create(pod)).outcome).toBe('skipped');
  });

  test('when its namespace says so', async () => {
    const world = aMirrorWorld();
    world.namespaces.apply({ type: 'put', key: 'shop', object: { name: 'shop', labels: { 'kuik.enix.io/ignore': 'true' } } });

    expect((await world.create(aPod('nginx:1'))).outcome).toBe('skipped');
  });

  test("when the request's namespace says so, whatever the object says", async () => {
    const world = aMirrorWorld({ settings: { skip: { labels: [], annotations: [], namespaces: [(name) => name === 'real'] } } });

    expect((await world.create(aPod('nginx:1', { namespace: 'claimed' }), { namespace: 'real' })).outcome).toBe('skipped');
  });
});

describe('a usage is kept', () => {
  test.each([
    ['with pull policy Never', 'nginx:1', 'Never', 'PullPolicyNever'],
    ['when its text is no reference', 'Nginx:1', 'IfNotPresent', 'InvalidReference'],
  ])('%s, and recorded all the same', async (_sentence, image, policy, reason) => {
    const world = aMirrorWorld();

    const { pod } = await world.create(aPod(image, { policy }));

    expect([imagesOf(pod), noteOf(pod, 'original-images'), noteOf(pod, 'reason')]).toEqual([[image], { c0: image }, { c0: reason }]);
    expect(world.decisions).toEqual([['skip', reason]]);
  });

  test('with pull policy Never unless the configuration wants otherwise', async () => {
    const { pod } = await aMirrorWorld({ settings: { rewriteOnNever: true } }).create(aPod('nginx:1', { policy: 'Never' }));

    expect(imagesOf(pod)).toEqual([mirrored]);
  });

  test('when the user recorded it at creation', async () => {
    const { pod, outcome } = await aMirrorWorld().create(aPod(['nginx:1', 'nginx:1'], { annotations: { 'kuik.enix.io/original-images': '{"c0":"nginx:1"}' } }));

    expect([imagesOf(pod), outcome]).toEqual([['nginx:1', mirrored], 'rewritten']);
    expect(noteOf(pod, 'original-images')).toEqual({ c0: 'nginx:1', c1: 'nginx:1' });
  });

  test("when v2 recorded it under its key for init containers, which is not written again", async () => {
    const pod = aPod('nginx:1', { annotations: { 'kuik.enix.io/original-images': '{"init:i":"nginx:1"}' } });
    pod.spec.initContainers = [{ name: 'i', image: 'nginx:1' }];

    const created = await aMirrorWorld().create(pod);

    expect(created.pod.spec.initContainers?.[0]?.image).toBe('nginx:1');
    expect(noteOf(created.pod, 'original-images')).toEqual({ c0: 'nginx:1', i: 'nginx:1' });
  });
});

test('containers, init containers and image volumes are all decided', async () => {
  const pod = aPod('nginx:1');
  pod.spec.initContainers = [{ name: 'i', image: 'nginx:1' }];
  pod.spec.volumes = [{ name: 'plain' }, { name: 'v', image: { reference: 'nginx:1' } }];

  const created = await aMirrorWorld().create(pod);

  expect([imagesOf(created.pod), created.pod.spec.initContainers?.[0]?.image, created.pod.spec.volumes?.[1]?.image?.reference]).toEqual([[mirrored], mirrored, mirrored]);
  expect(noteOf(created.pod, 'original-images')).toEqual({ c0: 'nginx:1', i: 'nginx:1', 'volume:v': 'nginx:1' });
});

test('an unreadable record of originals counts as empty', async () => {
  const { pod } = await aMirrorWorld().create(aPod('nginx:1', { annotations: { 'kuik.enix.io/original-images': '{oops' } }));

  expect(noteOf(pod, 'original-images')).toEqual({ c0: 'nginx:1' });
  expect(imagesOf(pod)).toEqual([mirrored]);
});

test('another invocation changes nothing, whatever was added meanwhile', async () => {
  const world = aMirrorWorld();
  const first = await world.create(aPod('nginx:1'));
  first.pod.spec.containers.push({ name: 'sidecar', image: 'nginx:1' });

  const second = await world.create(first.pod);
  const third = await world.create(second.pod);

  expect(imagesOf(second.pod)).toEqual([mirrored, mirrored]);
  expect(noteOf(second.pod, 'original-images')).toEqual({ c0: 'nginx:1', sidecar: 'nginx:1' });
  expect(second.pod.spec.imagePullSecrets).toHaveLength(1);
  expect([third.patch, third.outcome]).toEqual([[], 'unchanged']);
});

describe('pull Secrets', () => {
  const copyIn = (world: World): Promise<unknown> => world.cluster.secret({ namespace: 'shop', name: copyName });

  test('are added to those the Pod has', async () => {
    const { pod } = await aMirrorWorld().create(aPod('nginx:1', { spec: { imagePullSecrets: [{ name: 'mine' }] } }));

    expect(pod.spec.imagePullSecrets).toEqual([{ name: 'mine' }, { name: copyName }]);
  });

  test('of a dry run are named, not written', async () => {
    const world = aMirrorWorld();

    const { pod } = await world.create(aPod('nginx:1'), { dryRun: true });

    expect(pod.spec.imagePullSecrets).toEqual([{ name: copyName }]);
    expect([await copyIn(world), world.secretActions]).toEqual([undefined, []]);
  });

  test('are written once, and again when the source changes', async () => {
    const world = aMirrorWorld();

    await Promise.all([world.create(aPod('nginx:1')), world.create(aPod('nginx:1'))]);
    await world.create(aPod('nginx:1'));
    expect(world.secretActions).toEqual(['created']);
    expect(await copyIn(world)).toBeDefined();

    world.pullSecret('kuik-system', 'pull', 'mirror.example.com', 'robot');
    await world.clock.advance(5_000);
    await world.create(aPod('nginx:1'));
    expect(world.secretActions).toEqual(['created', 'renewed']);
  });

  test('whose time runs out are written anew at their next use: the manager then leaves them alone', async () => {
    const world = aMirrorWorld();
    await world.create(aPod('nginx:1'));
    const written = (await copyIn(world)) as Secret;
    await world.cluster.applySecret({ ...written, annotations: { ...written.annotations, 'kuik.enix.io/unused-since': '2026-11-20T12:00:00Z' } }, 'kuik-webhook');
    await world.clock.advance(5_000);

    await world.create(aPod('nginx:1'));

    expect(world.secretActions).toEqual(['created', 'renewed']);
    expect(await copyIn(world)).toMatchObject({ annotations: written.annotations });
  });

  test('of another type make room for their next version', async () => {
    const world = aMirrorWorld();
    await world.create(aPod('nginx:1'));
    const old = JSON.stringify({ 'mirror.example.com': { username: 'robot', password: 'p' } });
    world.cluster.putSecret({ namespace: 'kuik-system', name: 'pull', type: 'kubernetes.io/dockercfg', data: { '.dockercfg': Buffer.from(old) } });
    await world.clock.advance(5_000);

    await world.create(aPod('nginx:1'));

    expect(await copyIn(world)).toMatchObject({ type: 'kubernetes.io/dockercfg' });
  });

  test('that are missing cost their place, never the Pod', async () => {
    const world = aMirrorWorld();
    world.cluster.removeSecret({ namespace: 'kuik-system', name: 'pull' });

    const { pod, outcome } = await world.create(aPod('nginx:1'));

    expect([imagesOf(pod), noteOf(pod, 'reason'), outcome]).toEqual([['nginx:1'], { c0: 'OnlyOrigin' }, 'unchanged']);
  });

  test('that cannot be written cost their place, and the next place is chosen', async () => {
    const second = preferred.replace('name: main, uid: u1', 'name: second').replace('priority: -1', 'priority: 1').replace(/, credentialSecret: .*/, '}').replace('mirror.example.com', 'open.example.com');
    const world = aMirrorWorld({ rules: [preferred, second] });
    world.push('open.example.com/m/library/nginx:1');
    world.registry.host('docker.io').fails('unreachable');
    Object.assign(world.cluster, { applySecret: () => Promise.reject(new Failure({ code: 'denied', side: 'cluster', message: 'forbidden' })) });

    const { pod, outcome } = await world.create(aPod('nginx:1'));

    expect([imagesOf(pod), outcome]).toEqual([['open.example.com/m/library/nginx:1'], 'rewritten']);
    expect(pod.spec.imagePullSecrets).toBeUndefined();
    expect(world.secretActions).toEqual(['failed']);
  });

  test('of the Pod itself open a private origin', async () => {
    const world = aWorld({ rules: [preferred.replace('priority: -1', 'priority: 1').replace(/, credentialSecret: .*/, '}')] });
    world.registry.host('docker.io').requires('me', 'p');
    world.pullSecret('shop', 'mine', 'docker.io', 'me');
    world.push('docker.io/library/nginx:1');
    world.push(mirrored);

    const known = await world.create(aPod('nginx:1', { spec: { imagePullSecrets: [{ name: 'gone' }, { name: 'mine' }] } }));
    const unknown = await world.create(aPod('nginx:1'));

    expect([noteOf(known.pod, 'reason'), noteOf(unknown.pod, 'reason')]).toEqual([{ c0: 'OriginAvailable' }, { c0: 'OriginUnavailable' }]);
  });
});

describe('records', () => {
  const fresh = (world: World): string => new Date(world.clock.now() - 1_000).toISOString();

  test('that are young spare the probe', async () => {
    const world = aWorld({ rules: [preferred.replace(/, credentialSecret: .*/, '}')] });
    world.record('docker.io/library/nginx:1', { reference: mirrored, role: 'mirror', state: 'Available', identity: 'anonymous', checkedAt: fresh(world) });

    const { pod } = await world.create(aPod('nginx:1'));

    expect(imagesOf(pod)).toEqual([mirrored]);
    expect(world.registry.host('mirror.example.com').calls).toEqual([]);
  });

  test.each<[string, object]>([
    ['that are old are not believed', { checkedAt: '2026-11-20T00:00:00Z', identity: 'anonymous' }],
    ['about other credentials are not believed', { identity: '0123456789ab' }],
  ])('%s', async (_sentence, place) => {
    const world = aWorld({ rules: [preferred.replace(/, credentialSecret: .*/, '}')] });
    world.record('docker.io/library/nginx:1', { reference: mirrored, role: 'mirror', state: 'Available', checkedAt: fresh(world), ...place });
    world.push('docker.io/library/nginx:1');

    expect(imagesOf((await world.create(aPod('nginx:1'))).pod)).toEqual(['nginx:1']);
  });

  test.each<[string, string, object]>([
    ['a copy that is being deleted', 'docker.io/library/nginx:1', { retiringSince: '2026-11-21T00:00:00Z', mirroredAt: '2026-11-20T00:00:00Z' }],
    ['a copy that is being deleted, as only the record of another name of it tells', 'docker.io/library/nginx:2', { retiringSince: '2026-11-21T00:00:00Z' }],
    ['a destination that holds another image', 'quay.io/library/nginx:1', { mirroredAt: '2026-11-20T00:00:00Z' }],
  ])('keep Pods from %s', async (_sentence, image, place) => {
    const world = aMirrorWorld();
    world.record(image, { reference: mirrored, role: 'mirror', ...place });

    const { pod } = await world.create(aPod('nginx:1'));

    expect([imagesOf(pod), noteOf(pod, 'reason')]).toEqual([['nginx:1'], { c0: 'OnlyOrigin' }]);
  });
});

describe('the deadline', () => {
  const blackHole: Registry['head'] = () => new Promise(() => {});

  test.each([
    ['of the configuration', undefined, 2_000],
    ['of the API server, less a second for the way', 2_500, 1_500],
    ['of an impatient API server', 1_000, 0],
  ])('%s ends a review whose registries are black holes', async (_sentence, timeoutMs, endsAtMs) => {
    const world = aWorld({ rules: [preferred.replace(/, credentialSecret: .*/, '}')], registry: { head: blackHole }, probe: { timeoutMs: 10_000 } });
    const object = aPod(['nginx:1', 'nginx:2', 'quay.io/a/b:1', 'ghcr.io/c/d:1', 'nginx:5']);
    let answer: unknown;
    void world.review({ operation: 'CREATE', namespace: 'shop', object }, timeoutMs).then((reviewed) => (answer = reviewed));

    await settled();
    if (endsAtMs > 0) {
      await world.clock.advance(endsAtMs - 1);
      expect(answer).toBeUndefined();
    }
    await world.clock.advance(1);

    expect(answer).toMatchObject({ outcome: 'unchanged', pod: object.spec && { spec: object.spec } });
    expect(noteOf((answer as { pod: ReturnType<typeof aPod> }).pod, 'reason')).toEqual(Object.fromEntries([0, 1, 2, 3, 4].map((index) => [`c${index}`, 'NoPlaceAvailable'])));
  });

  test('does not delay a choice that is clear: a worse place may be a black hole', async () => {
    const twin = new MemoryRegistry();
    const world = aWorld({
      rules: [preferred.replace(/, credentialSecret: .*/, '}')],
      registry: { head: (at, as, call) => (at.host === 'docker.io' ? blackHole(at, as, call) : twin.head(at, as, call)) },
    });
    twin.host('mirror.example.com').open('m/library/nginx').manifests.set('sha256:x' as never, { bytes: new Uint8Array(), mediaType: 'x' });
    twin.host('mirror.example.com').open('m/library/nginx').tags.set('1', 'sha256:x' as never);

    const { pod } = await world.create(aPod('nginx:1'));

    expect(imagesOf(pod)).toEqual([mirrored]);
  });

  test('gives the Pod to a worse place that answered, when the better one did not in time', async () => {
    const world = aMirrorWorld();
    const twin = world.registry;
    const slow = aWorld({
      rules: [preferred.replace(/, credentialSecret: .*/, '}')],
      registry: { head: (at, as, call) => (at.host === 'mirror.example.com' ? blackHole(at, as, call) : twin.head(at, as, call)) },
      probe: { timeoutMs: 10_000 },
    });
    const review = slow.create(aPod('nginx:1'));
    await settled();
    await slow.clock.advance(2_000);

    expect(noteOf((await review).pod, 'reason')).toEqual({ c0: 'PreferredUnavailable' });
  });

  test('bounds Secrets that cannot be read', async () => {
    const world = aMirrorWorld();
    Object.assign(world.cluster, { secret: () => new Promise(() => {}) });
    const review = world.create(aPod('nginx:1'));
    await settled();
    await world.clock.advance(2_000);

    expect(noteOf((await review).pod, 'reason')).toEqual({ c0: 'OnlyOrigin' });
  });

  test('bounds Secrets that cannot be written, with a little grace', async () => {
    const world = aMirrorWorld();
    Object.assign(world.cluster, { applySecret: () => new Promise(() => {}) });
    const review = world.create(aPod('nginx:1'));
    await settled();
    await world.clock.advance(2_200);

    expect(imagesOf((await review).pod)).toEqual(['nginx:1']);
  });
});

describe('failing open', () => {
  test.each<[string, WorldOptions, object]>([
    ['before the views are synced', { ready: () => 'rules are not synced' }, aPod('nginx:1')],
    ['when the object is no Pod', {}, { kind: 'Deployment' }],
    ['when something throws', { ready: () => { throw new Error('canary'); } }, aPod('nginx:1')],
  ])('the Pod is admitted unchanged, with a warning: %s', async (_sentence, options, object) => {
    const { patch, outcome, warnings } = await aMirrorWorld(options).review({ operation: 'CREATE', namespace: 'shop', object });

    expect([patch, outcome]).toEqual([[], 'failed_open']);
    expect(warnings).toEqual([expect.stringMatching(/^kuik admitted this Pod unchanged: /)]);
    expect(warnings.join()).not.toContain('canary');
  });

  test('one usage that cannot be decided leaves the others their decisions', async () => {
    const world = aMirrorWorld();
    const holder = world.records.holder.bind(world.records);
    Object.assign(world.records, { holder: (place: never) => (String(place).includes('quay') ? undefined : holder(place)) });
    Object.assign(world.records, {
      at: (place: string) => {
        if (place.includes('broken')) throw new Error('oops');
        return [];
      },
    });

    const { pod, outcome, warnings } = await world.create(aPod(['nginx:1', 'quay.io/broken/b:1']));

    expect([imagesOf(pod), outcome, warnings.length]).toEqual([[mirrored, 'quay.io/broken/b:1'], 'failed_open', 1]);
    expect(noteOf(pod, 'reason')).toEqual({ c0: 'PlacePreferred', c1: 'Error' });
  });

  test.each([
    ['half a second after the deadline of the configuration', undefined, 2_500],
    ['half a second after what an impatient API server leaves, which is before that one gives up', 2_000, 1_500],
    ['half a second after the deadline of the configuration, however patient the API server is', 10_000, 2_500],
  ])('a review that never ends is ended %s', async (_sentence, timeoutMs, endsAtMs) => {
    const world = aMirrorWorld();
    const deadlineMs = endsAtMs - 500;
    let outcome: string | undefined;
    const body = { request: { uid: 'u', operation: 'CREATE', namespace: 'shop', object: aPod('nginx:1') } };
    void answerReview(body, timeoutMs, {
      ...world.deps,
      identities: { find: () => new Promise(() => {}) },
      clock: { ...world.clock, sleep: (ms, signal) => (ms === deadlineMs ? new Promise(() => {}) : world.clock.sleep(ms, signal)) },
    }).then((admitted) => (outcome = admitted?.outcome));
    await settled();
    await world.clock.advance(endsAtMs - 1);
    expect(outcome).toBeUndefined();
    await world.clock.advance(1);

    expect(outcome).toBe('failed_open');
  });

  test('a Pod without room for annotations is not rewritten, because the next invocation would not know it', async () => {
    const { patch, outcome } = await aMirrorWorld().create(aPod('nginx:1', { annotations: { big: 'x'.repeat(262_144 - 3) } }));

    expect([patch, outcome]).toEqual([[], 'failed_open']);
  });

  test('a Pod with little room gets the record of its originals before the explanations', async () => {
    const { pod, outcome } = await aMirrorWorld().create(aPod('nginx:1', { annotations: { big: 'x'.repeat(262_144 - 3 - 60) } }));

    expect(outcome).toBe('rewritten');
    expect(noteOf(pod, 'original-images')).toEqual({ c0: 'nginx:1' });
    expect(noteOf(pod, 'reason')).toBeUndefined();
  });

  test.each([[undefined], [null], [5], ['x'], [[]], [{}], [{ request: {} }], [{ request: { uid: '' } }], [{ request: { uid: 7 } }], [{ request: [] }]])('there is nobody to answer to in %j', async (body) => {
    expect(await answerReview(body, undefined, aMirrorWorld().deps)).toBeUndefined();
  });
});

test.each(['DELETE', 'CONNECT', undefined, 7])('operation %s is none of ours', async (operation) => {
  expect(await aMirrorWorld().review({ operation, namespace: 'shop', object: aPod('nginx:1') })).toMatchObject({ patch: [], outcome: 'skipped' });
});

test('with pinDigests a rewritten Pod runs what answered', async () => {
  const world = aMirrorWorld({ settings: { pinDigests: true } });
  const digest = world.push(mirrored);

  const { pod } = await world.create(aPod('nginx:1'));

  expect(imagesOf(pod)).toEqual([`${mirrored}@${digest}`]);
});

describe('a changed Pod', () => {
  async function running(world: World): Promise<ReturnType<typeof aPod>> {
    return (await world.create(aPod(['nginx:1', 'nginx:1']))).pod;
  }

  test('keeps what did not change', async () => {
    const world = aMirrorWorld();
    const old = await running(world);

    expect(await world.update(old, old)).toMatchObject({ patch: [], outcome: 'unchanged' });
  });

  test('has only its changed image decided, with the new text as the original', async () => {
    const world = aMirrorWorld();
    const old = await running(world);
    const pod = structuredClone(old);
    pod.spec.containers[1]!.image = 'nginx:2';
    world.push('docker.io/library/nginx:2');

    const updated = await world.update(pod, old);

    expect(imagesOf(updated.pod)).toEqual([mirrored, 'nginx:2']);
    expect(noteOf(updated.pod, 'original-images')).toEqual({ c0: 'nginx:1', c1: 'nginx:2' });
    expect(noteOf(updated.pod, 'rewritten-by')).toEqual({ c0: 'ClusterImageSetMirror/main' });
    expect(noteOf(updated.pod, 'reason')).toEqual({ c0: 'PlacePreferred', c1: 'PreferredUnavailable' });
  });

  test('to which its manifest is applied again does not restart', async () => {
    const world = aMirrorWorld();
    const old = await running(world);
    const pod = structuredClone(old);
    for (const container of pod.spec.containers) container.image = 'nginx:1';
    world.registry.host('mirror.example.com').fails('unreachable');

    const updated = await world.update(pod, old);

    expect(imagesOf(updated.pod)).toEqual([mirrored, mirrored]);
    expect(updated.pod.metadata.annotations).toEqual(old.metadata.annotations);
  });

  test('is not sent to a place whose Secret it does not name', async () => {
    const world = aMirrorWorld();
    const old = aPod('nginx:0');

    const updated = await world.update(aPod('nginx:1'), old);

    expect([imagesOf(updated.pod), noteOf(updated.pod, 'reason')]).toEqual([['nginx:1'], { c0: 'OnlyOrigin' }]);
    expect(updated.pod.spec.imagePullSecrets).toBeUndefined();
  });

  test('is sent there when it names the Secret already', async () => {
    const world = aMirrorWorld();
    const { pod } = await world.create(aPod('nginx:1'));
    const old = structuredClone(pod);
    old.spec.containers[0]!.image = 'nginx:0';
    pod.spec.containers[0]!.image = 'docker.io/library/nginx:1';

    expect(imagesOf((await world.update(pod, old)).pod)).toEqual([mirrored]);
  });

  test('that is being deleted is untouched', async () => {
    const world = aMirrorWorld();
    const pod = aPod('nginx:1');
    Object.assign(pod.metadata, { deletionTimestamp: '2026-11-21T00:00:00Z' });

    expect(await world.update(pod, aPod('nginx:0'))).toMatchObject({ patch: [], outcome: 'skipped' });
  });
});

describe('kubectl debug', () => {
  const open = preferred.replace(/, credentialSecret: .*/, '}');
  const debug = (images: readonly string[]): ReturnType<typeof aPod> => aPod('nginx:0', { spec: { ephemeralContainers: images.map((image, index) => ({ name: `d${index}`, image })) } });

  test('has new ephemeral containers routed, and records nothing on the Pod', async () => {
    const world = aWorld({ rules: [open] });
    world.push(mirrored);

    const { pod, patch } = await world.update(debug(['busybox:0', 'nginx:1']), debug(['busybox:0']), { subResource: 'ephemeralcontainers' });

    expect(pod.spec.ephemeralContainers?.map(({ image }) => image)).toEqual(['busybox:0', mirrored]);
    expect(patch).toHaveLength(1);
  });

  test('does not use a place whose Secret the Pod does not name', async () => {
    const { patch } = await aMirrorWorld().update(debug(['nginx:1']), debug([]), { subResource: 'ephemeralcontainers' });

    expect(patch).toEqual([]);
  });
});
