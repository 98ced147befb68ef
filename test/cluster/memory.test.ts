import { describe, expect, test } from '@jest/globals';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { Failure } from '../../src/domain/failure.js';
import { clusterConformance, type ClusterBench } from '../conformance/cluster.js';
import { aPod, aTemplate } from '../support/builders.js';

describe('the cluster in memory', () => {
  const bench = memoryBench();
  clusterConformance(() => bench);
});

describe('the twin', () => {
  const away = new Failure({ code: 'unreachable', side: 'cluster', message: 'API server not reachable' });

  test('can be away: calls fail, and watches catch up when it is back', async () => {
    const cluster = new MemoryCluster();
    const seen: string[] = [];
    void cluster.watch('Pod', (change) => seen.push(change.type), new AbortController().signal);
    await cluster.settle();
    cluster.outage(away);
    cluster.put('Pod', aPod({ name: 'made-meanwhile' }));
    await cluster.settle();

    await expect(cluster.list('Pod')).rejects.toBe(away);
    expect(seen).toEqual(['synced']);
    expect(cluster.watchHealth()).toMatchObject([{ kind: 'Pod', connected: false }]);

    cluster.outage(undefined);
    await cluster.settle();
    expect(seen).toEqual(['synced', 'put']);
  });

  test('never calls a handler inside the call that caused the change', async () => {
    const cluster = new MemoryCluster();
    let isWriting = false;
    const inside: boolean[] = [];
    void cluster.watch('Pod', () => inside.push(isWriting), new AbortController().signal);

    isWriting = true;
    cluster.put('Pod', aPod());
    isWriting = false;
    await cluster.settle();

    expect(inside).toEqual([false, false]);
  });
});

function memoryBench(): ClusterBench {
  const cluster = new MemoryCluster({ now: () => 1 });
  cluster.put('Namespace', { name: 'kube-system', labels: {} });
  return {
    cluster,
    another: () => cluster,
    createPod: async (name, images) => cluster.put('Pod', aPod({ namespace: 'default', name, images })),
    deletePod: async (name) => cluster.remove('Pod', `default/${name}`),
    createWorkload: async (kind, name, images) => cluster.put(kind, aTemplate(kind, { namespace: 'default', name, images })),
    deleteWorkload: async (kind, name) => cluster.remove(kind, `default/${name}`),
    createNamespace: async (name, labels) => cluster.put('Namespace', { name, labels }),
    createNode: async (name, labels) => cluster.put('Node', { name, platform: { os: labels['kubernetes.io/os'], architecture: labels['kubernetes.io/arch'] ?? '' } }),
    async createRule(name, finalizers = []) {
      cluster.put('ClusterImageSetMirror', { key: name, kind: 'ClusterImageSetMirror', name, uid: `uid-of-${name}`, generation: 1, labels: {}, annotations: {}, finalizers, spec: {}, status: {} });
    },
    async deleteRule(name) {
      const known = (await cluster.list('ClusterImageSetMirror')).find((rule) => rule.name === name);
      if (known === undefined || known.finalizers.length === 0) cluster.remove('ClusterImageSetMirror', name);
      else cluster.put('ClusterImageSetMirror', { ...known, deletionTimestamp: '2026-11-20T10:00:00Z' });
    },
    async createSecret(name, data, labels = {}) {
      const bytes = Object.fromEntries(Object.entries(data).map(([key, text]) => [key, new Uint8Array(Buffer.from(text))]));
      cluster.putSecret({ namespace: 'default', name, data: bytes, labels });
    },
    events: async (reason) => cluster.events.filter(({ event }) => event.reason === reason).map(({ event, count }) => ({ note: event.note, count })),
    async createWebhook(name, timeoutSeconds) {
      cluster.webhookConfigurations.set(name, { name, client: { url: 'https://127.0.0.1' }, caBundle: '', failurePolicy: 'Ignore', timeoutSeconds });
    },
    async webhook(name) {
      const found = cluster.webhookConfigurations.get(name);
      return found === undefined ? undefined : { caBundle: found.caBundle, timeoutSeconds: found.timeoutSeconds };
    },
  };
}
