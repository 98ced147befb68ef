/** Whatever is deleted and published at the same time, in whatever dialect: no tag vanishes that nobody asked to delete. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isFailure } from '../../src/domain/failure.js';
import { knownImageRef, type ImageRef } from '../../src/domain/image-ref.js';
import { deletionManners } from '../../src/registry/memory-deletion.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import type { Deletion } from '../../src/registry/registry.js';
import { pullWhole } from '../conformance/deletion.js';
import { aCall, anImage, anIndex, pushImage, single, type AGraph } from '../support/images.js';

const [amd64, arm64] = [anImage('one'), anImage('two', { platform: 'linux/arm64' })];
/** What shares what: two images, two indexes over them that share a child. */
const graphs: readonly AGraph[] = [single(amd64), single(arm64), anIndex([amd64, arm64]), anIndex([amd64])];
const tags = ['a', 'b', 'c', 'd', 'e'] as const;

type Step = { readonly type: 'push'; readonly tag: string; readonly graph: number } | { readonly type: 'delete'; readonly tag: string; readonly inventory: 'unshared' | 'shared' | 'unknown' };

const aTag = fc.constantFrom(...tags);
const aStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('push' as const), tag: aTag, graph: fc.nat(graphs.length - 1) }),
  // our inventory may be wrong: others push into the same repository
  fc.record({ type: fc.constant('delete' as const), tag: aTag, inventory: fc.constantFrom('unshared', 'unshared', 'shared', 'unknown') }),
);
/** Steps of one batch happen at once; between batches the process may start anew. */
const aHistory = fc.record({
  dialect: fc.constantFrom(...(Object.keys(deletionManners) as (keyof typeof deletionManners)[])),
  deleteShared: fc.constantFrom('block', 'isolate'),
  batches: fc.array(fc.record({ steps: fc.uniqueArray(aStep, { selector: ({ tag }) => tag, minLength: 1, maxLength: 4 }), restart: fc.boolean() }), { minLength: 1, maxLength: 8 }),
});

const host = 'registry.test';
const at = (tag: string): ImageRef => knownImageRef(`${host}/mirror/app:${tag}`);

test('no tag vanishes but the one asked for', async () => {
  await fc.assert(
    fc.asyncProperty(aHistory, async ({ dialect, deleteShared, batches }) => {
      const registry = new MemoryRegistry(host);
      Object.assign(registry.host(host), { deletion: deletionManners[dialect], deleteShared });
      const expected = new Map<string, AGraph>();

      for (const { steps, restart } of batches) {
        if (restart) registry.forgetLearned();
        const outcomes = await Promise.all(steps.map((step) => take(registry, step, expected.get(step.tag))));
        for (const [index, step] of steps.entries()) follow(expected, step, outcomes[index]!);
        await compare(registry, expected, deletionManners[dialect].digest === 'tags-dangle');
      }
    }),
    { numRuns: 1000 },
  );
});

/** @returns what became of it; a child of an index may be deleted before the index arrives, and then the push has to begin anew */
async function take(registry: MemoryRegistry, step: Step, had: AGraph | undefined): Promise<Deletion | 'pushed' | 'refused'> {
  if (step.type === 'push') {
    return pushImage(registry, `${host}/mirror/app:${step.tag}`, graphs[step.graph]!).then(
      () => 'pushed' as const,
      (error: unknown) => {
        if (isFailure(error) && error.code === 'missing') return 'refused' as const;
        throw error;
      },
    );
  }
  const digest = (had ?? graphs[0]!).root.digest;
  return registry.deleteTag(at(step.tag), { prefix: `${host}/mirror`, digest, inventory: step.inventory }, [], aCall({ side: 'destination', purpose: 'delete' }));
}

function follow(expected: Map<string, AGraph>, step: Step, became: Deletion | 'pushed' | 'refused'): void {
  if (step.type === 'push' && became === 'pushed') expected.set(step.tag, graphs[step.graph]!);
  if (typeof became === 'object' && became.outcome !== 'blocked') expected.delete(step.tag);
}

/** @param comesBack a tag that leads nowhere leads somewhere again once its digest is pushed under another tag */
async function compare(registry: MemoryRegistry, expected: ReadonlyMap<string, AGraph>, comesBack: boolean): Promise<void> {
  for (const tag of tags) {
    const graph = expected.get(tag);
    if (graph === undefined) expect(comesBack || (await registry.head(at(tag), [], aCall())) === 'missing').toBe(true);
    else await pullWhole(registry, at(tag), graph, []);
  }
}
