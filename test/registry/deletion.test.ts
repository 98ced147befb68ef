/** Deleting on the twin and on scripted registries, in every dialect of the delete matrix. */
import { describe, expect, test } from '@jest/globals';
import { createHttpRegistry, type HttpRegistry } from '../../src/registry/http/client.js';
import { deletionManners } from '../../src/registry/memory-deletion.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import { deletionConformance, type DeletionAbilities } from '../conformance/deletion.js';
import { startFaultRegistry, type FaultRegistryOptions } from '../support/fault-registry.js';
import { dialects, type Dialect } from '../support/fault-registry/dialects.js';

const byTag: DeletionAbilities = { alone: 'tag', shared: 'tag', isolated: 'tag' };
const byDigest: DeletionAbilities = { alone: 'digest', shared: 'shared-digest', isolated: 'isolated' };
const never: DeletionAbilities = { alone: 'unsupported', shared: 'shared-digest', isolated: 'unsupported' };

const onTheTwin = {
  'distribution-2.8': byDigest,
  'distribution-3': byTag,
  crane: byTag,
  quay: byTag,
  'artifact-registry': byTag,
  ecr: byTag,
  ghcr: never,
  nexus: byDigest,
  harbor: byDigest,
  pulp: byDigest,
  // the first sibling vanishes and is put back; from then on it counts as a registry without deletion by tag
  'tag-takes-digest': undefined,
  'says-yes': never,
} as const satisfies Record<keyof typeof deletionManners, DeletionAbilities | undefined>;

for (const [dialect, abilities] of Object.entries(onTheTwin)) {
  if (abilities === undefined) continue;
  deletionConformance(`the twin, deleting as ${dialect} does`, abilities, async () => {
    const registry = new MemoryRegistry('registry.test');
    registry.host('registry.test').deletion = deletionManners[dialect as keyof typeof deletionManners];
    const connect = (deleteShared: 'block' | 'isolate'): MemoryRegistry => {
      registry.host('registry.test').deleteShared = deleteShared;
      registry.forgetLearned();
      return registry;
    };
    return { host: 'registry.test', as: [], connect, close: async () => undefined };
  });
}

const scripted: Readonly<Partial<Record<Dialect, DeletionAbilities>>> = {
  'distribution-2.8': byDigest,
  'distribution-3': byTag,
  crane: byTag,
  zot: byTag,
  quay: byTag,
  'artifact-registry': byTag,
  acr: byDigest,
  gitlab: byTag,
  'gitlab-before-2023': byDigest,
  ghcr: never,
  hub: never,
  ecr: byTag,
  artifactory: byTag,
  nexus: byDigest,
  harbor: byDigest,
  pulp: byDigest,
};
const ann = { id: 'a1b2c3d4e5f6', username: 'ann', password: 'correct horse' };

for (const [dialect, abilities] of Object.entries(scripted)) deletionConformance(`a scripted registry, deleting as ${dialect} does`, abilities, () => underScript({ ...dialects[dialect as Dialect], createsRepositories: true }));

deletionConformance('a scripted registry with a token service', byTag, () => underScript({ access: { type: 'bearer', accounts: { ann: ann.password } } }));
deletionConformance('a scripted registry where a deleted tag answers for a while', byTag, () => underScript({ deletes: { lag: 2 } }));

async function underScript(options: FaultRegistryOptions): ReturnType<Parameters<typeof deletionConformance>[2]> {
  const server = await startFaultRegistry(options);
  const clients: HttpRegistry[] = [];
  return {
    host: server.host,
    as: options.access === undefined ? [] : [ann],
    connect: (deleteShared) => {
      const client = createHttpRegistry({ settings: () => ({ deleteShared }), clock: Date.now, userAgent: 'kube-image-keeper/test', random: () => 0, readBackMs: options.deletes?.lag === undefined ? 0 : 2000 });
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) await client.close();
      await server.close();
    },
  };
}

describe('the matrix is whole', () => {
  test('every dialect of the twin is deleted from', () => {
    expect(Object.keys(onTheTwin)).toEqual(Object.keys(deletionManners));
  });

  test('every dialect of the scripted registry is deleted from', () => {
    // the one that takes the digest has tests of its own
    expect([...Object.keys(scripted), 'tag-takes-digest'].sort()).toEqual(Object.keys(dialects).sort());
  });
});
