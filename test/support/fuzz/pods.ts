/** Pods as nobody should write them, and AdmissionReviews changed at random: what the fuzzers feed the webhook. */
import fc from 'fast-check';
import type { TestPod } from '../../webhook/world.js';

export const image = fc.oneof(
  fc.constantFrom('nginx', 'nginx:1', 'nginx:2', 'quay.io/a/b:1', 'ghcr.io/c/d', `nginx@sha256:${'b'.repeat(64)}`, 'localhost:7439/nginx:1', 'mirror.example.com/m/library/nginx:1'),
  fc.string({ maxLength: 40 }),
);
// no colon but in `volume:`: the API server refuses it in names, and v2's prefix `init:` relies on that
export const name = fc.oneof(fc.constantFrom('web', 'sidecar', '__proto__', 'constructor', '1', 'volume:v', ''), fc.string({ maxLength: 20 }));
const container = fc.record({ name, image, imagePullPolicy: fc.constantFrom(undefined, 'Always', 'IfNotPresent', 'Never') });
const note = fc.oneof(
  fc.constantFrom('{"web":"nginx:1"}', '{"init:web":"nginx"}', '{}', '[]', '{oops', '{"__proto__":"x"}', '{"web":7}', 'null'),
  fc.dictionary(name, image).map((map) => JSON.stringify(map)),
);

export const anyPod: fc.Arbitrary<TestPod> = fc.record(
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
        ephemeralContainers: fc.array(container, { maxLength: 2 }),
        volumes: fc.array(fc.record({ name, image: fc.record({ reference: image, pullPolicy: fc.constant('Always') }, { requiredKeys: [] }) }, { requiredKeys: ['name'] }), { maxLength: 3 }),
        imagePullSecrets: fc.oneof(fc.constant(null), fc.array(fc.record({ name: fc.constantFrom('mine', 'gone') }), { maxLength: 2 })),
        nodeSelector: fc.dictionary(fc.constantFrom('kubernetes.io/arch', 'kubernetes.io/os'), fc.constantFrom('arm64', 'linux')),
      },
      { requiredKeys: ['containers'] },
    ),
  },
  { requiredKeys: ['metadata', 'spec'] },
) as fc.Arbitrary<TestPod>;

/** The body of a call, and whatever became of it. */
export interface MutatedReview {
  readonly request?: { readonly uid?: unknown; readonly operation?: unknown; readonly subResource?: unknown; readonly object?: unknown };
}

/** An AdmissionReview with up to four places changed; `null` when nothing is left of it. */
export const mutatedReview: fc.Arbitrary<MutatedReview | null> = fc
  .record({
    object: anyPod,
    oldObject: anyPod,
    operation: fc.constantFrom('CREATE', 'CREATE', 'UPDATE', 'DELETE'),
    subResource: fc.constantFrom('', '', 'ephemeralcontainers'),
    mutations: fc.array(fc.record({ kind: fc.constantFrom('replace', 'delete', 'insert', 'wrap'), at: fc.nat(), key: fc.oneof(name, fc.string()), value: anyJunk() }), { maxLength: 4 }),
  })
  .map(({ object, oldObject, operation, subResource, mutations }) => {
    const root = inJson({ body: { kind: 'AdmissionReview', request: { uid: 'u-1', operation, subResource, namespace: 'shop', object, oldObject } } });
    for (const one of mutations) mutate(root, { ...one, value: inJson(one.value) }); // a later mutation may change an earlier value
    return root.body ?? null;
  });

function anyJunk(): fc.Arbitrary<unknown> {
  return fc.oneof(fc.constantFrom<unknown>(null, true, 0, -1, 1e308, '', '__proto__', [], {}, [[]], { length: 1 }, '\ud800', 'x'.repeat(5_000)), fc.jsonValue({ maxDepth: 3 }));
}

interface Mutation {
  readonly kind: string;
  /** which of all places, counted round and round */
  readonly at: number;
  readonly key: string;
  readonly value: unknown;
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly child: string;
}

/** Changes one place anywhere in a JSON value. */
function mutate(root: object, { kind, at, key, value }: Mutation): void {
  const places = placesIn(root);
  const place = places[at % places.length];
  if (place === undefined) return;
  const { holder, child } = place;
  const inside = holder[child];
  if (kind === 'delete') delete holder[child];
  else if (kind === 'wrap') holder[child] = [inside];
  else if (kind === 'insert' && Array.isArray(inside)) inside.splice(at % (inside.length + 1), 0, value); // an array in JSON has no other keys
  else if (kind === 'insert' && typeof inside === 'object' && inside !== null) Object.defineProperty(inside, key, { value, enumerable: true, configurable: true, writable: true });
  else holder[child] = value;
}

function placesIn(value: unknown): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Place['holder'];
  return Object.keys(holder).flatMap((child) => [{ holder, child }, ...placesIn(holder[child])]);
}

/** What a value is after its way through JSON, as everything the API server sends. */
export function inJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
