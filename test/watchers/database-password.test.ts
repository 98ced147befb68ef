import { describe, expect, test } from '@jest/globals';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { ensurePassword, keepPassword } from '../../src/watchers/database-password.js';
import { silentLog } from '../webhook/support.js';

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

describe('the leader', () => {
  /** What happens between one look and the next; the term ends after the last. */
  async function look(cluster: Pick<MemoryCluster, 'secret' | 'createSecret'>, ...between: readonly (() => unknown)[]): Promise<readonly number[]> {
    const term = new AbortController();
    const pauses: number[] = [];
    let made = 0;
    const sleep = async (ms: number): Promise<void> => {
      pauses.push(ms);
      const next = between[pauses.length - 1];
      if (next === undefined) term.abort();
      else await next();
    };
    await keepPassword({ cluster, secret: ref, random: () => `password ${(made += 1)}`, sleep, log: silentLog }, term.signal);
    return pauses;
  }

  test('makes another password when somebody deleted the Secret in the middle of a term, and looks every half a minute', async () => {
    const cluster = new MemoryCluster();

    const pauses = await look(cluster, () => cluster.deleteSecret(ref));

    expect(await passwordIn(cluster)).toBe('password 2');
    expect(pauses).toEqual([30_000, 30_000]);
  });

  test('keeps the password that somebody put there meanwhile', async () => {
    const cluster = new MemoryCluster();

    await look(cluster, async () => {
      await cluster.deleteSecret(ref);
      cluster.putSecret({ ...ref, type: 'Opaque', data: { password: Buffer.from('theirs') } });
    });

    expect(await passwordIn(cluster)).toBe('theirs');
  });

  test('tries again soon, and then less often, while the cluster does not answer', async () => {
    const cluster = new MemoryCluster();
    let refusals = 3;
    const secret = async (...args: Parameters<MemoryCluster['secret']>) => ((refusals -= 1) >= 0 ? Promise.reject(new Error('away')) : cluster.secret(...args));

    const pauses = await look({ secret, createSecret: cluster.createSecret.bind(cluster) }, () => {}, () => {}, () => {});

    expect(pauses).toEqual([1_000, 2_000, 4_000, 30_000]);
    expect(await passwordIn(cluster)).toBe('password 1');
  });
});
