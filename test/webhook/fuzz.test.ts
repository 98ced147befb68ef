/** What no input may bring about: a crash, a denial, a patch that does not apply, a second answer that differs. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/domain/failure.js';
import type { Registry } from '../../src/registry/registry.js';
import { answerReview } from '../../src/webhook/admission.js';
import { podPatch } from '../../src/webhook/pod-patch.js';
import { aPod, aWorld, applied, imagesOf, type TestPod, type World } from './world.js';

const runs = Number(process.env.FUZZ_RUNS ?? 1_500);

const mirrorRule = `
kind: ClusterImageSetMirror
metadata: {name: main, uid: u1}
spec:
  priority: -1
  filter: {include: [{image: '.*'}]}
  mirrors:
  - {registry: mirror.example.com, path: /m, credentialSecret: {name: pull, namespace: kuik-system}}
`;
const replicaRule = `
kind: ClusterReplicatedImageSet
metadata: {name: hub}
spec:
  upstreams:
  - {registry: docker.io, path: /, imageFilter: {include: [".*"]}}
  - {registry: quay.io, path: /hub, imageFilter: {include: [".*"]}}
`;

/** Half of all places answer, which half depends on their names only. */
const halfAnswers: Pick<Registry, 'head'> = {
  head: async (at) => {
    const code = [...`${at.host}/${at.path}:${at.tag ?? ''}`].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
    if (code % 3 === 0) throw new Failure({ code: 'unreachable', side: 'source', message: 'down' });
    return code % 3 === 1 ? 'missing' : { digest: `sha256:${'a'.repeat(64)}` as never, mediaType: 'x', size: 1, identity: 'anonymous' };
  },
};

function aFuzzWorld(): World {
  const world = aWorld({ rules: [mirrorRule, replicaRule], registry: halfAnswers });
  world.pullSecret('kuik-system', 'pull', 'mirror.example.com');
  return world;
}

const image = fc.oneof(
  fc.constantFrom('nginx', 'nginx:1', 'nginx:2', 'quay.io/a/b:1', 'ghcr.io/c/d', `nginx@sha256:${'b'.repeat(64)}`, 'localhost:7439/nginx:1', 'mirror.example.com/m/library/nginx:1'),
  fc.string({ maxLength: 40 }),
);
// no colon but in `volume:`: the API server refuses it in names, and v2's prefix `init:` relies on that
const name = fc.oneof(fc.constantFrom('web', 'sidecar', '__proto__', 'constructor', '1', 'volume:v', ''), fc.string({ maxLength: 20 }));
const container = fc.record({ name, image, imagePullPolicy: fc.constantFrom(undefined, 'Always', 'IfNotPresent', 'Never') });
const note = fc.oneof(
  fc.constantFrom('{"web":"nginx:1"}', '{"init:web":"nginx"}', '{}', '[]', '{oops', '{"__proto__":"x"}', '{"web":7}', 'null'),
  fc.dictionary(name, image).map((map) => JSON.stringify(map)),
);
const pod: fc.Arbitrary<TestPod> = fc.record(
  {
    metadata: fc.record(
      {
        name: fc.string({ maxLength: 10 }),
        annotations: fc.record({ 'kuik.enix.io/original-images': note, 'kuik.enix.io/reason': note, 'kuik.enix.io/rewritten-by': note, other: fc.string() }, { requiredKeys: [] }),
        labels: fc.dictionary(fc.string(), fc.string()),
      },
      { requiredKeys: [] },
    ),
    spec: fc.record(
      {
        containers: fc.array(container, { maxLength: 5 }),
        initContainers: fc.array(container, { maxLength: 3 }),
        volumes: fc.array(fc.record({ name, image: fc.record({ reference: image, pullPolicy: fc.constant('Always') }, { requiredKeys: [] }) }, { requiredKeys: ['name'] }), { maxLength: 3 }),
        imagePullSecrets: fc.oneof(fc.constant(null), fc.array(fc.record({ name: fc.constantFrom('mine', 'gone') }), { maxLength: 2 })),
        nodeSelector: fc.dictionary(fc.constantFrom('kubernetes.io/arch', 'kubernetes.io/os'), fc.constantFrom('arm64', 'linux')),
      },
      { requiredKeys: ['containers'] },
    ),
  },
  { requiredKeys: ['metadata', 'spec'] },
) as fc.Arbitrary<TestPod>;

const junk = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, '', '__proto__', [], {}, [[]], { length: 1 }, '\ud800', 'x'.repeat(5_000)),
  fc.jsonValue({ maxDepth: 3 }),
);
const mutation = fc.record({ kind: fc.constantFrom('replace', 'delete', 'insert', 'wrap'), at: fc.nat(), key: fc.oneof(name, fc.string()), value: junk });
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

/** Changes one place anywhere in a JSON value. */
function mutate(root: object, { kind, at, key, value }: Mutation): void {
  const places: Place[] = [];
  const visit = (holder: unknown): void => {
    if (typeof holder !== 'object' || holder === null) return;
    for (const child of Object.keys(holder)) {
      places.push({ holder: holder as Place['holder'], child });
      visit((holder as Place['holder'])[child]);
    }
  };
  visit(root);
  const place = places[at % places.length];
  if (place === undefined) return;
  const { holder, child } = place;
  const inside = holder[child];
  if (kind === 'delete') delete holder[child];
  else if (kind === 'wrap') holder[child] = [inside];
  else if (kind === 'insert' && typeof inside === 'object' && inside !== null) Object.defineProperty(inside, key, { value, enumerable: true, configurable: true, writable: true });
  else holder[child] = value;
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly child: string;
}

const inJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('an AdmissionReview, however mutated', () => {
  test('is answered with allowed, its own uid and a patch that applies, or by nobody', async () => {
    const world = aFuzzWorld();
    const operation = fc.constantFrom('CREATE', 'CREATE', 'UPDATE', 'DELETE');
    await fc.assert(
      fc.asyncProperty(pod, pod, operation, fc.constantFrom('', 'ephemeralcontainers'), fc.array(mutation, { maxLength: 4 }), async (object, oldObject, op, subResource, mutations) => {
        const root = inJson({ body: { kind: 'AdmissionReview', request: { uid: 'u-1', operation: op, subResource, namespace: 'shop', object, oldObject } } });
        for (const one of mutations) mutate(root, { ...one, value: inJson(one.value) }); // a later mutation may change an earlier value
        const body = inJson(root.body ?? null) as { request?: { uid?: unknown; object?: unknown } } | null;
        const uid = body?.request?.uid;

        const admitted = await answerReview(body, 3_000, world.deps);

        if (typeof uid !== 'string' || uid === '') return expect(admitted).toBeUndefined();
        if (admitted === undefined) throw new Error('nobody answered');
        expect(admitted.answer.response).toMatchObject({ uid, allowed: true });
        const { patch } = applied(admitted, body?.request?.object);
        for (const { op: verb } of patch) expect(['add', 'replace']).toContain(verb);
      }),
      { numRuns: runs },
    );
  });
});

describe('another invocation', () => {
  test('on the result changes nothing', async () => {
    const world = aFuzzWorld();
    await fc.assert(
      fc.asyncProperty(pod, async (object) => {
        const first = await world.create(inJson(object));
        const second = await world.create(inJson(first.pod));

        expect(second.patch).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  test('after another webhook added a container leaves the decided ones alone', async () => {
    const world = aFuzzWorld();
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(image, { maxLength: 4 }), image, async (images, added) => {
        const first = await world.create(aPod(images));
        const together = inJson(first.pod);
        together.spec.containers.unshift({ name: 'added', image: added });

        const second = await world.create(together);

        expect(imagesOf(second.pod).slice(1)).toEqual(imagesOf(first.pod));
      }),
      { numRuns: runs / 5 },
    );
  });
});

test('re-applying the original of an updated Pod restarts nothing', async () => {
  const world = aFuzzWorld();
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(image, { minLength: 1, maxLength: 4 }), async (images) => {
      const wanted = aPod(images);
      const running = await world.create(inJson(wanted));
      const applied = { ...inJson(running.pod), spec: { ...inJson(running.pod.spec), containers: inJson(wanted.spec.containers) } };

      const updated = await world.update(applied, inJson(running.pod));

      expect(imagesOf(updated.pod)).toEqual(imagesOf(running.pod));
    }),
    { numRuns: runs / 5 },
  );
});

describe('tenants', () => {
  /** A registry where each tenant may see its own images only. */
  const private_: Pick<Registry, 'head'> = {
    head: async (at, as) => {
      const opening = as.find(({ username }) => at.path.includes(`of-${username}`));
      if (opening === undefined) throw new Failure({ code: 'unauthorized', side: 'source', message: 'no' });
      return { digest: `sha256:${'a'.repeat(64)}` as never, mediaType: 'x', size: 1, identity: opening.id };
    },
  };
  const tenants = ['ann', 'bob'] as const;
  const act = fc.record({ tenant: fc.constantFrom(...tenants), image: fc.constantFrom('private.example.com/of-ann:1', 'private.example.com/of-bob:1', 'private.example.com/of-nobody:1'), secret: fc.boolean() });

  function aTenantWorld(): World {
    const world = aWorld({ rules: [mirrorRule.replace(/, credentialSecret: .*/, '}')], registry: private_ });
    for (const tenant of tenants) {
      world.cluster.putSecret({
        namespace: tenant,
        name: 'own',
        uid: `uid-${tenant}`,
        data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { 'mirror.example.com': { username: tenant, password: 'p' }, 'private.example.com': { username: tenant, password: 'p' } } })) },
      });
    }
    return world;
  }

  test('never decide by what another tenant may see: any interleaving gives each what it would get alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), fc.boolean(), async (acts, isConcurrent) => {
        const perform = async (world: World, own: typeof acts): Promise<string[]> => {
          const results: string[] = [];
          const all = own.map(async ({ tenant, image: wanted, secret }, index) => {
            const created = await world.create(aPod(wanted, { namespace: tenant, spec: secret ? { imagePullSecrets: [{ name: 'own' }] } : {} }));
            results[index] = `${imagesOf(created.pod).join()} ${created.pod.metadata.annotations?.['kuik.enix.io/reason']}`;
          });
          if (isConcurrent) await Promise.all(all);
          else for (const one of all) await one;
          return results;
        };

        const together = await perform(aTenantWorld(), acts);

        for (const tenant of tenants) {
          const alone = await perform(aTenantWorld(), acts.filter((one) => one.tenant === tenant));
          expect(together.filter((_, index) => acts[index]?.tenant === tenant)).toEqual(alone);
        }
      }),
      { numRuns: runs / 5 },
    );
  });
});

test('a patch never makes the annotations of a Pod too large', () => {
  fc.assert(
    fc.property(fc.integer({ min: 261_000, max: 262_144 }), fc.dictionary(name, image), (size, originals) => {
      const object = { metadata: { annotations: { big: 'x'.repeat(size - 3) } }, spec: {} };
      const map = new Map(Object.entries(originals));

      const patch = podPatch(object, { images: [], pullSecrets: [], originals: map, reasons: map, rewrittenBy: map });

      if (patch === 'too-large') return;
      const total = patch.reduce((sum, { path, value }) => sum + Buffer.byteLength(String(value)) + path.replace('/metadata/annotations/', '').replace('~1', '/').length, size);
      expect(total).toBeLessThanOrEqual(262_144);
    }),
  );
});
