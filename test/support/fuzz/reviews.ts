/** What no AdmissionReview may bring about: a crash, a denial, a patch that does not apply, a second answer that differs. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Failure } from '../../../src/domain/failure.js';
import type { Registry } from '../../../src/registry/registry.js';
import { answerReview } from '../../../src/webhook/admission.js';
import { applied, aWorld, type World } from '../../webhook/world.js';
import { inJson, mutatedReview, type MutatedReview } from './pods.js';

export const mirrorRule = `
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

/** Mirrors and replicas of everything, behind registries of which half answer. */
export function aFuzzWorld(): World {
  const world = aWorld({ rules: [mirrorRule, replicaRule], registry: halfAnswers });
  world.pullSecret('kuik-system', 'pull', 'mirror.example.com');
  return world;
}

/** However mutated, a review is answered with allowed, its own uid and a patch that applies, or by nobody; and a second time nothing changes. */
export function reviewsAreAdmitted(): fc.IAsyncPropertyWithHooks<[MutatedReview | null]> {
  const world = aFuzzWorld();
  return fc
    .asyncProperty(mutatedReview, async (body) => {
      const result = await answered(body, world);
      if (result === undefined || !isCreation(body)) return;

      const again = await answered({ request: { ...body?.request, object: result } }, world);
      assert.deepEqual(again, result);
    })
    .afterEach(() => void (world.decisions.length = 0)); // a million reviews decide a lot
}

/** @returns the object with the patch applied; undefined when nobody had to answer */
async function answered(body: MutatedReview | null, world: World): Promise<object | undefined> {
  const admitted = await answerReview(body, 3_000, world.deps);
  const uid = body?.request?.uid;
  if (typeof uid !== 'string' || uid === '') {
    assert.equal(admitted, undefined);
    return undefined;
  }
  assert.ok(admitted, 'nobody answered');
  assert.deepEqual([admitted.answer.response.uid, admitted.answer.response.allowed], [uid, true]);
  const object = body?.request?.object ?? null;
  const { patch, pod } = applied(admitted, admitted.answer.response.patch === undefined ? object : inJson(object));
  for (const { op } of patch) assert.ok(op === 'add' || op === 'replace', op);
  return pod ?? undefined;
}

function isCreation(body: MutatedReview | null): boolean {
  return body?.request?.operation === 'CREATE';
}
