import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Cluster, WatchedKind } from '../../src/cluster/cluster.js';
import { allOrNone, watchOrFail } from '../../src/commands/watch-or-fail.js';
import { Outage } from '../../src/commands/outage.js';
import { Failure } from '../../src/domain/failure.js';

const denied = { code: 'denied', side: 'cluster', message: 'not allowed to watch pods' } as const;

const quiet = (): Outage => new Outage({ say: () => undefined });

/** Watches that go on until they are ended; those of one kind are refused again and again, as the real ones are. */
class Watches {
  readonly running = new Set<WatchedKind>();
  readonly cluster: Pick<Cluster, 'watch' | 'watchHealth'> = {
    watch: async (kind, _onChange, signal) => {
      this.running.add(kind);
      if (!signal.aborted) await once(signal, 'abort');
      this.running.delete(kind);
    },
    watchHealth: () => [...this.running].map((kind) => ({ kind, connected: kind !== this.refused, objects: 0, unreadable: 0, handlerErrors: 0, ...(kind === this.refused ? { lastError: denied } : {}) })),
  };

  constructor(private readonly refused?: WatchedKind) {}

  both(signal: AbortSignal): Promise<void> {
    return allOrNone(signal, (['ImageAvailability', 'Pod'] as const).map((kind) => (ended) => watchOrFail(this.cluster, kind, () => undefined, { signal: ended, outage: quiet() })));
  }
}

describe('several watches of one command', () => {
  test.each<WatchedKind>(['ImageAvailability', 'Pod'])('end together when that of %s is refused, with what it was refused for', async (refused) => {
    const watches = new Watches(refused);

    await expect(watches.both(new AbortController().signal)).rejects.toThrow(new Failure(denied));

    expect(watches.running.size).toBe(0);
  });

  test('go on until they are ended', async () => {
    const watches = new Watches();
    const end = new AbortController();
    const ended = watches.both(end.signal);
    expect(watches.running.size).toBe(2);

    end.abort();

    await expect(ended).resolves.toBeUndefined();
    expect(watches.running.size).toBe(0);
  });

  test('do not look any more at a watch that has broken', async () => {
    const broken = new Error('broken');
    const cluster = { watch: async () => Promise.reject(broken), watchHealth: () => [] };

    await expect(watchOrFail(cluster, 'Pod', () => undefined, { signal: new AbortController().signal, outage: quiet() })).rejects.toBe(broken);
  });
});
