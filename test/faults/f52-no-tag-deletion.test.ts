/**
 * Real registries, one of which has no deletion by tag. `FAULT_SIZE` is the number of deletions on each registry:
 * 40 unless told, 1000 for the figure of the row. What is left is looked at over plain HTTP, with nothing of ours.
 */
import { describe, expect } from '@jest/globals';
import { request } from 'undici';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { createHttpRegistry, type HttpRegistry } from '../../src/registry/http/client.js';
import type { Deletion } from '../../src/registry/registry.js';
import { findOldRegistry, startCraneRegistry, startOldRegistry, startRegistry } from '../../tools/servers.js';
import { fault, type Chance } from '../support/fault.js';
import { aCall, aMultiPlatformImage, anImage, anIndex, pushImage, single, type AGraph } from '../support/images.js';

const deletions = Number(process.env['FAULT_SIZE'] ?? 40);
const tagsPerRound = 8;
const accept = ['application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json'].join(', ');

interface Running {
  readonly address: string;
  stop(): Promise<void>;
}

const old = await findOldRegistry();
const byDigestOnly = 'path' in old ? (): Promise<Running> => startOldRegistry(old.path) : old;
const registries: readonly (readonly [string, (() => Promise<Running>) | { readonly missing: string }])[] = [
  ['distribution 3', () => startRegistry()],
  ["crane's registry", () => startCraneRegistry()],
  ['distribution 2.8, which has no deletion by tag', byDigestOnly],
];

for (const [name, start] of registries) {
  if (typeof start !== 'function') describe.skip(`not run: ${start.missing}`, () => fault('F52', name, async () => undefined));
  else {
    fault('F52', `of tags that share digests, only those asked for go on ${name}`, async ({ seed, chance }) => {
      const server = await start();
      try {
        const seen = await playRounds(server.address, seed, chance);
        process.stderr.write(`F52 ${name}: ${JSON.stringify(Object.fromEntries(seen))}\n`);
        expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(deletions);
        // where a tag can be deleted alone nothing may be refused; elsewhere a few rounds may share everything, and then all of it is
        if (start !== byDigestOnly) expect(seen.get('blocked')).toBeUndefined();
      } finally {
        await server.stop();
      }
    }, 60_000 + deletions * 1000);
  }
}

/** Rounds of a repository each: tags that share, deleted one after the other in random order, two at a time now and then. */
async function playRounds(host: string, seed: string, chance: Chance): Promise<ReadonlyMap<string, number>> {
  const seen = new Map<string, number>();
  let client = aClient('block');
  for (let done = 0; done < deletions; ) {
    if (chance.next() < 0.3) {
      await client.close(); // a restart: what was learned is lost
      client = aClient(chance.next() < 0.5 ? 'isolate' : 'block');
    }
    const repository = `${host}/mirror/r${done}`;
    const left = await fill(client, repository, `${seed}-${done}`, chance);
    for (const asked of inPairs([...left.keys()], chance)) {
      const outcomes = await Promise.all(asked.map((tag) => remove(client, `${repository}:${tag}`, left.get(tag)!)));
      for (const [index, tag] of asked.entries()) {
        const deletion = outcomes[index]!;
        seen.set(deletion.outcome, (seen.get(deletion.outcome) ?? 0) + 1);
        if (deletion.outcome === 'blocked') expect(deletion.reason).toBe('shared-digest');
        else {
          left.delete(tag);
          expect(await statusOf(repository, 'manifests', tag)).toBe(404);
        }
      }
      for (const [tag, graph] of left) await expectPullable(repository, tag, graph);
      done += asked.length;
    }
  }
  await client.close();
  return seen;
}

function aClient(deleteShared: 'block' | 'isolate'): HttpRegistry {
  return createHttpRegistry({ settings: () => ({ deleteShared }), clock: Date.now, userAgent: 'kube-image-keeper/test', readBackMs: 1000 });
}

/** Some tags on few images and indexes, which share children. */
async function fill(client: HttpRegistry, repository: string, seed: string, chance: Chance): Promise<Map<string, AGraph>> {
  const images = [anImage(`${seed}-one`), anImage(`${seed}-two`, { platform: 'linux/arm64' })];
  const graphs = [single(images[0]!), single(images[1]!), anIndex(images), aMultiPlatformImage(seed, 'linux/amd64', 'linux/s390x')];
  const tags = new Map<string, AGraph>();
  for (let index = 0; index < tagsPerRound; index++) {
    const graph = graphs[chance.between(0, graphs.length - 1)]!;
    tags.set(`t${index}`, graph);
    await pushImage(client, `${repository}:t${index}`, graph);
  }
  return tags;
}

function remove(client: HttpRegistry, name: string, graph: AGraph): Promise<Deletion> {
  const at = knownImageRef(name);
  const guard = { prefix: `${at.host}/mirror`, digest: graph.root.digest, inventory: 'unshared' } as const;
  return client.deleteTag(at, guard, [], aCall({ side: 'destination', purpose: 'delete' }));
}

/** In random order; every fourth time two at once. */
function inPairs(tags: string[], chance: Chance): readonly (readonly string[])[] {
  const groups: string[][] = [];
  while (tags.length > 0) {
    const size = chance.next() < 0.25 ? 2 : 1;
    groups.push(Array.from({ length: Math.min(size, tags.length) }, () => tags.splice(chance.between(0, tags.length - 1), 1)[0]!));
  }
  return groups;
}

async function expectPullable(repository: string, tag: string, graph: AGraph): Promise<void> {
  const digests = [tag, graph.root.digest, ...graph.images.map(({ manifest }) => manifest.digest)];
  const blobs = graph.images.flatMap((image) => image.blobs.map(({ descriptor }) => descriptor.digest));
  const statuses = await Promise.all([...digests.map((name) => statusOf(repository, 'manifests', name)), ...new Set(blobs)].map(async (each) => (typeof each === 'string' ? statusOf(repository, 'blobs', each) : each)));
  expect([tag, ...new Set(statuses)]).toEqual([tag, 200]);
}

async function statusOf(repository: string, kind: 'manifests' | 'blobs', name: string): Promise<number> {
  const [host, ...path] = repository.split('/');
  const { statusCode, body } = await request(`http://${host}/v2/${path.join('/')}/${kind}/${name}`, { method: 'GET', headers: { accept } });
  await body.dump();
  return statusCode;
}
