import http from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CoreV1Api, KubeConfig, type V1ConfigMap } from '@kubernetes/client-node';
import fc from 'fast-check';
import { connectCluster, type KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import { startApiServer, type ApiServer } from '../../tools/servers.js';
import { until } from '../support/until.js';
import { Line } from './line.js';

/**
 * Watch breaks of every kind against a real API server: afterwards the picture is the list (F31, F32, F33). What is
 * in the cluster is asked with the reference client, over a connection of its own.
 */
let server: ApiServer;
let config: KubeConfig;
let line: Line;
let cluster: KubernetesCluster;
const end = new AbortController();
const picture = new Map<string, string>();
const deleted = new Set<string>();
let watching: Promise<void>;

beforeAll(async () => {
  server = await startApiServer();
  config = loadKubeConfig({ file: server.kubeconfig });
  line = await new Line(server.port).start();
  cluster = connectCluster(over(line), { idleMs: 1_500, watch: { baseMs: 20, awayCapMs: 100, capMs: 200, paceMs: 10 } });
  watching = cluster.watch(
    'Namespace',
    (change) => {
      if (change.type === 'put') picture.set(change.key, change.object.labels['step'] ?? '');
      if (change.type === 'gone') {
        picture.delete(change.key);
        deleted.add(change.key);
      }
    },
    end.signal,
  );
});

afterAll(async () => {
  end.abort();
  await watching;
  cluster.close();
  await line.stop();
  await server.kill();
});

describe('the picture is the list', () => {
  test('after changes that were made while the line was cut', async () => {
    await change(1);
    await isListed();
    line.cut();
    await change(2);
    line.open();

    await isListed();
  });

  test('after the server died and came back', async () => {
    await server.kill();
    server = await startApiServer({ dir: server.dir, port: server.port });
    await change(3);

    await isListed();
  });

  test('after the server forgot everything that happened meanwhile: deletions too', async () => {
    await cluster.list('Namespace'); // the connection works
    const before = [...picture.keys()];
    deleted.clear();
    line.cut();
    await change(4);
    await compact();
    await server.stop(); // its cache would still know
    server = await startApiServer({ dir: server.dir, port: server.port });
    await change(5);
    await compact();
    const listed = listedAt();
    line.open();

    await isListed();
    expect(listedAt()).toBeGreaterThan(listed); // it had to list again
    const vanished = before.filter((name) => !picture.has(name));
    expect(vanished).not.toEqual([]);
    expect([...deleted]).toEqual(expect.arrayContaining(vanished));
  });

  test('after connections that stayed open and carried nothing any more', async () => {
    await change(6);
    await isListed();
    line.freeze();
    await change(7);

    await isListed();
  });

  test('after fifty breaks at random moments', async () => {
    const [breaks = []] = fc.sample(fc.array(fc.constantFrom('cut', 'freeze', 'none' as const), { minLength: 50, maxLength: 50 }), { seed: 20_261_121, numRuns: 1 });
    for (const [index, kind] of breaks.entries()) {
      if (kind === 'cut') line.cut();
      if (kind === 'freeze') line.freeze();
      await change(100 + index, 1);
      line.open();
    }

    await isListed();
  });
});

/** Namespaces cannot be deleted for good without a controller, so the test empties their finalizers itself. */
async function change(step: number, count = 3): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const known = (await core.listNamespace()).items.filter(({ metadata }) => metadata?.labels?.['step'] !== undefined);
  const oldest = known.slice(0, Math.max(0, known.length - count));
  for (const { metadata } of oldest) await remove(core, metadata?.name ?? '');
  for (const { metadata } of known.slice(-1)) {
    const body = { metadata: { name: metadata?.name, labels: { step: `changed-${step}` } } };
    await core.replaceNamespace({ name: metadata?.name ?? '', body: { ...body, spec: { finalizers: ['kubernetes'] } } });
  }
  for (let index = 0; index < count; index += 1) await core.createNamespace({ body: { metadata: { name: `ns-${step}-${index}`, labels: { step: String(step) } } } });
}

async function remove(core: CoreV1Api, name: string): Promise<void> {
  const gone = await core.deleteNamespace({ name });
  await core.replaceNamespaceFinalize({ name, body: { metadata: { name, resourceVersion: (gone as V1ConfigMap).metadata?.resourceVersion }, spec: { finalizers: [] } } }).catch(() => undefined);
}

async function isListed(): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  await until(async () => {
    const { items } = await core.listNamespace();
    const listed = items.map(({ metadata }) => `${metadata?.name}=${metadata?.labels?.['step'] ?? ''}`).sort();
    return JSON.stringify(listed) === JSON.stringify([...picture].map(([name, step]) => `${name}=${step}`).sort());
  });
}

function listedAt(): number {
  return cluster.watchHealth()[0]?.listedAt ?? 0;
}

async function compact(): Promise<void> {
  const { header } = (await etcd('/v3/maintenance/status', {})) as { header: { revision: string } };
  await etcd('/v3/kv/compaction', { revision: header.revision, physical: true });
}

function etcd(path: string, body: object): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const request = http.request(`${server.etcd.url}${path}`, { method: 'POST' }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => resolve(JSON.parse(text)));
  });
  request.on('error', reject).end(JSON.stringify(body));
  return promise;
}

function over(bad: Line): KubeConfig {
  const copy = new KubeConfig();
  copy.loadFromString(config.exportConfig());
  copy.clusters = copy.clusters.map((known) => ({ ...known, server: `https://127.0.0.1:${bad.port}` }));
  return copy;
}
