import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CustomObjectsApi, KubeConfig, RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { connectCluster } from '../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import { startApiServer, type ApiServer } from '../../tools/servers.js';
import { clusterConformance } from '../conformance/cluster.js';
import { until } from '../support/until.js';
import { installKinds, kubernetesBench } from './kubernetes-bench.js';

let server: ApiServer;
let config: KubeConfig;
let bench: ReturnType<typeof kubernetesBench>;

beforeAll(async () => {
  server = await startApiServer();
  config = loadKubeConfig({ file: server.kubeconfig });
  await installKinds(server.kubeconfig);
  bench = kubernetesBench(config);
});

afterAll(async () => {
  bench.close();
  await server.kill();
});

describe('a real cluster', () => {
  clusterConformance(() => bench);
});

describe('rights', () => {
  test.each([
    ['list', 'pods', (as: ReturnType<typeof connectCluster>) => as.list('Pod'), 'not allowed to list pods: grant verb list on pods'],
    ['list', 'cronjobs', (as: ReturnType<typeof connectCluster>) => as.list('CronJob'), 'not allowed to list cronjobs: grant verb list on cronjobs in API group batch'],
    ['get', 'secrets', (as: ReturnType<typeof connectCluster>) => as.secret({ namespace: 'default', name: 's' }), 'not allowed to get secrets default/s: grant verb get on secrets'],
    [
      'patch',
      'imageavailabilities/status',
      (as: ReturnType<typeof connectCluster>) => as.applyRuleStatus({ kind: 'ClusterImageSetMirror', name: 'r' }, {}),
      'not allowed to patch clusterimagesetmirrors/status r: grant verb patch on clusterimagesetmirrors/status in API group kuik.enix.io',
    ],
  ] as const)('a missing one is named: %s %s', async (_verb, _resource, attempt, message) => {
    const nobody = connectCluster(impersonating('nobody'));

    await expect(attempt(nobody)).rejects.toMatchObject({ code: 'denied', side: 'cluster', message });
    nobody.close();
  });

  test('one that is granted later is noticed by a running watch', async () => {
    const reader = connectCluster(impersonating('reader'), { watch: { baseMs: 20, capMs: 50, paceMs: 0 } });
    const stop = new AbortController();
    const kinds: string[] = [];
    const watching = reader.watch('Namespace', (change) => kinds.push(change.type), stop.signal);
    await until(() => reader.watchHealth()[0]?.lastError?.message === 'not allowed to list namespaces: grant verb list on namespaces');

    const rbac = config.makeApiClient(RbacAuthorizationV1Api);
    await rbac.createClusterRole({ body: { metadata: { name: 'reader' }, rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] }] } });
    await rbac.createClusterRoleBinding({
      body: { metadata: { name: 'reader' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'reader' }] },
    });
    await until(() => kinds.includes('synced') && reader.watchHealth()[0]?.connected === true);

    expect(reader.watchHealth()[0]?.lastError).toBeUndefined();
    stop.abort();
    await watching;
    reader.close();
  });
});

describe('what an older release left', () => {
  test('its items of a status go with the next report', async () => {
    await bench.createRule('from-v2');
    const custom = config.makeApiClient(CustomObjectsApi);
    const at = { group: 'kuik.enix.io', version: 'v1alpha1', plural: 'clusterimagesetmirrors', name: 'from-v2' };
    const found = (await custom.getClusterCustomObject(at)) as { metadata: object };
    const status = { matchingImages: [{ image: 'docker.io/library/old:1' }, { image: 'docker.io/library/kept:1' }] };
    await custom.replaceClusterCustomObjectStatus({ ...at, fieldManager: 'kuik-webhook', body: { ...found, status } });

    const rule = { kind: 'ClusterImageSetMirror', name: 'from-v2' } as const;
    await bench.cluster.applyRuleStatus(rule, { observedGeneration: 1, matchingImages: [{ image: 'docker.io/library/kept:1' }] });

    const [report] = (await bench.cluster.list('ClusterImageSetMirror')).filter(({ name }) => name === 'from-v2');
    expect(report?.status).toEqual({ observedGeneration: 1, matchingImages: [{ image: 'docker.io/library/kept:1' }] });
    await bench.deleteRule('from-v2');
  });
});

test('events that go on are told as a series', async () => {
  let now = Date.now();
  const reporter = connectCluster(config, { now: () => now, instance: 'kuik-manager-0' });
  const event = { regarding: { apiVersion: 'v1', kind: 'Namespace', name: 'shop' }, type: 'Normal', action: 'Retain', reason: 'Expiring', note: 'x'.repeat(2000) } as const;
  await reporter.emitEvent(event);
  await reporter.emitEvent(event);
  now += 5 * 60_000;
  await reporter.emitEvent(event);

  const [written, ...others] = await bench.events('Expiring');
  expect(others).toEqual([]);
  expect(written?.count).toBe(3);
  expect(written?.note).toHaveLength(1019); // 1018 and an ellipsis, which takes 3 bytes
  reporter.close();
});

/** The administrator's connection, in the name of somebody without rights. */
function impersonating(user: string): KubeConfig {
  const copy = new KubeConfig();
  copy.loadFromString(config.exportConfig());
  copy.users = copy.users.map((known) => ({ ...known, impersonateUser: user }));
  return copy;
}
