import { expect, test } from '@jest/globals';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { ensurePassword } from '../../src/watchers/database-password.js';

const ref = { namespace: 'kuik-system', name: 'kuik-postgresql' };

async function passwordIn(cluster: MemoryCluster): Promise<string> {
  return Buffer.from((await cluster.secret(ref))?.data['password'] ?? []).toString();
}

test('a password is made when there is none, and stays when the next leader looks', async () => {
  const cluster = new MemoryCluster();

  expect(await ensurePassword(cluster, ref, () => 'first')).toBe('created');
  expect(await ensurePassword(cluster, ref, () => 'second')).toBe('present');

  expect(await passwordIn(cluster)).toBe('first');
});

test('two leaders at once, which a lost Lease allows, agree on one password', async () => {
  const cluster = new MemoryCluster();
  const late = { secret: async () => undefined, createSecret: cluster.createSecret.bind(cluster) };

  await ensurePassword(cluster, ref, () => 'first');
  expect(await ensurePassword(late, ref, () => 'second')).toBe('present');

  expect(await passwordIn(cluster)).toBe('first');
});
