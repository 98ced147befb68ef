import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CoordinationV1Api, KubeConfig } from '@kubernetes/client-node';
import { connectCluster, type KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import type { LeaseLeadership } from '../../src/cluster/kubernetes/lease.js';
import { startApiServer, type ApiServer } from '../../tools/servers.js';
import { until } from '../support/until.js';
import { Line } from './line.js';

let server: ApiServer;
let config: KubeConfig;
let story: string[] = [];
let running: Replica[] = [];

beforeAll(async () => {
  server = await startApiServer();
  config = loadKubeConfig({ file: server.kubeconfig });
});

afterEach(async () => {
  await Promise.all(running.map((replica) => replica.stop()));
  running = [];
  story = [];
});

afterAll(() => server.kill());

/** One process that wants to lead; the real figures, five times faster. */
class Replica {
  readonly leadership: LeaseLeadership;
  readonly #cluster: KubernetesCluster;
  readonly #end = new AbortController();
  readonly #ended: Promise<void>;

  constructor(identity: string, name: string, connection: KubeConfig = config) {
    this.#cluster = connectCluster(connection);
    this.leadership = this.#cluster.leadership({ namespace: 'default', identity, name, durationMs: 3_000, renewMs: 1_500, retryMs: 200 });
    this.#ended = this.leadership.run({ gained: () => story.push(`${identity} gained`), lost: () => story.push(`${identity} lost`) }, this.#end.signal);
    running.push(this);
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#ended;
    this.#cluster.close();
  }
}

describe('of several replicas', () => {
  test('one leads, and keeps leading', async () => {
    const replicas = ['a', 'b', 'c'].map((identity) => new Replica(identity, 'one'));
    await until(async () => (await renewals('one')) >= 5);

    expect(story).toHaveLength(1);
    expect(replicas.filter(({ leadership }) => leadership.isLeader)).toHaveLength(1);
  });

  test('the next leads at once when the leader ends: it gives the lead back', async () => {
    const first = new Replica('a', 'handed-over');
    await until(() => first.leadership.isLeader);
    const second = new Replica('b', 'handed-over');
    await first.stop();
    await until(() => second.leadership.isLeader);

    expect(story).toEqual(['a gained', 'a lost', 'b gained']);
    expect((await lease('handed-over')).spec?.leaseTransitions).toBe(1);
  });

  test('a leader that cannot reach the cluster steps down before another leads', async () => {
    const line = await new Line(server.port).start();
    const cutOff = new Replica('a', 'cut', over(line));
    await until(() => cutOff.leadership.isLeader);
    const other = new Replica('b', 'cut');
    line.cut();
    await until(() => other.leadership.isLeader);

    expect(story).toEqual(['a gained', 'a lost', 'b gained']);
    line.open();
    await until(async () => (await lease('cut')).spec?.holderIdentity === 'b');
    expect(cutOff.leadership.isLeader).toBe(false);
    await line.stop();
  });

  test('also when its connection hangs and says nothing', async () => {
    const line = await new Line(server.port).start();
    const frozen = new Replica('a', 'frozen', over(line));
    await until(() => frozen.leadership.isLeader);
    const other = new Replica('b', 'frozen');
    const freezing = setInterval(() => line.freeze(), 10);
    await until(() => other.leadership.isLeader);
    clearInterval(freezing);

    // a request may slip through between two freezes, so the lead may come back once or twice before it goes over
    expect(story.slice(-2)).toEqual(['a lost', 'b gained']);
    expect(story.every((line, index) => line.endsWith(index % 2 === 0 ? 'gained' : 'lost'))).toBe(true);
    await line.stop();
  });

  test('one whose Lease was taken by hand lets go', async () => {
    const replica = new Replica('a', 'taken');
    await until(() => replica.leadership.isLeader);
    const found = await lease('taken');
    const spec = { ...found.spec, holderIdentity: 'somebody', renewTime: undefined, acquireTime: undefined };
    await config.makeApiClient(CoordinationV1Api).patchNamespacedLease({ namespace: 'default', name: 'taken', body: [{ op: 'replace', path: '/spec', value: spec }] });
    await until(() => !replica.leadership.isLeader);

    expect(story).toEqual(['a gained', 'a lost']);
  });
});

const lease = (name: string) => config.makeApiClient(CoordinationV1Api).readNamespacedLease({ namespace: 'default', name });

const seen = new Map<string, Set<string>>();

/** How many versions of a Lease were there to see so far. */
async function renewals(name: string): Promise<number> {
  const version = (await lease(name).catch(() => undefined))?.metadata?.resourceVersion;
  const versions = seen.get(name) ?? new Set();
  seen.set(name, version === undefined ? versions : versions.add(version));
  return versions.size;
}

function over(bad: Line): KubeConfig {
  const copy = new KubeConfig();
  copy.loadFromString(config.exportConfig());
  copy.clusters = copy.clusters.map((known) => ({ ...known, server: `https://127.0.0.1:${bad.port}` }));
  return copy;
}
