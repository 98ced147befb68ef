import { expect, test } from '@jest/globals';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { Failure } from '../../src/domain/failure.js';
import { carryOutForget } from '../../src/watchers/forget-cluster.js';
import { t0 } from '../support/keeper.js';

const at = { namespace: 'kuik-system', name: 'kuik-clusters' };
const request = { 'kuik.enix.io/forget-cluster': 'paris', 'kuik.enix.io/requested-at': '2026-09-01T11:59:59Z' };

async function asked(annotations: Record<string, string> = request): Promise<MemoryCluster> {
  const cluster = new MemoryCluster();
  await cluster.setConfigMap(at, { 'clusters.json': '{}' });
  await cluster.annotateConfigMap(at, annotations);
  return cluster;
}

async function carriedOut(cluster: MemoryCluster, forget: (id: string) => Promise<number> = async () => 3) {
  await carryOutForget({ cluster, at, self: 'berlin', forget, now: () => t0 });
  const { data, annotations } = (await cluster.configMap(at))!;
  return { annotations, forgotten: JSON.parse(data['forgotten.json'] ?? 'null') as unknown };
}

test('a cluster that somebody gave up is forgotten, the answer stands beside, and the request is taken off', async () => {
  const told: string[] = [];
  const { annotations, forgotten } = await carriedOut(await asked(), async (id) => told.push(id));

  expect(told).toEqual(['paris']);
  expect(annotations).toEqual({});
  expect(forgotten).toEqual({ v: 1, cluster: 'paris', requestedAt: '2026-09-01T11:59:59Z', at: '2026-09-01T12:00:00.000Z', keepers: 1 });
});

test.each([
  ['the cluster itself', 'berlin', /this is the cluster itself/],
  ['what is no cluster ID', 'x" OR "1"="1', /not a cluster ID/],
])('%s is not forgotten, and the answer says why', async (_what, id, refused) => {
  const never = (): never => {
    throw new Error('nobody may be told');
  };
  const { annotations, forgotten } = await carriedOut(await asked({ ...request, 'kuik.enix.io/forget-cluster': id }), never);

  expect(annotations).toEqual({});
  expect(forgotten).toMatchObject({ keepers: 0, refused: expect.stringMatching(refused) });
});

test('the request stays while keepers cannot be reached', async () => {
  const cluster = await asked();
  const away = new Failure({ code: 'unreachable', side: 'cluster', message: 'temporal gone' });

  await expect(carriedOut(cluster, () => Promise.reject(away))).rejects.toBe(away);

  expect((await cluster.configMap(at))?.annotations).toEqual(request);
});

test('where nothing is asked for nothing is written', async () => {
  const cluster = new MemoryCluster();

  await carryOutForget({ cluster, at, self: 'berlin', forget: async () => 0, now: () => t0 });

  expect(await cluster.configMap(at)).toBeUndefined();
});
