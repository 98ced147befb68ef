import { spawn } from 'node:child_process';
import { get } from 'node:http';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { kubernetesPrograms, startCluster, type Cluster } from '../../tools/cluster/cluster.js';
import { missingForCluster, thisMachine } from '../../tools/cluster/requirements.js';
import { until } from '../../tools/demo/story.js';
import { programsLayer, writeImage } from '../../tools/release/assemble.js';
import { scratchFolder, startRegistry, toolOutput, type RegistryServer } from '../../tools/servers.js';
import { findTool, toolPath } from '../../tools/toolchain.js';
import { isAlive } from './alive.js';

const unbuilt = (await Promise.all(kubernetesPrograms.map(async (program) => ((await findTool(program)) === undefined ? [program.name] : [])))).flat();
const missing = [...missingForCluster(thisMachine()), ...(unbuilt.length === 0 ? [] : [`${unbuilt.join(', ')}: node dist/tools/build.js cluster`])];
const where = missing.length === 0 ? describe : describe.skip;

where(`a cluster in which Pods run${missing.length === 0 ? '' : ` (not run, missing: ${missing.join('; ')})`}`, () => {
  const dir = scratchFolder('cluster-test');
  let cluster: Cluster;
  let registry: RegistryServer;

  beforeAll(async () => {
    cluster = await startCluster({ dir: join(dir, 'cluster') });
    registry = await startRegistry({ host: cluster.network.host });
  }, 180_000);
  afterAll(async () => {
    await cluster?.stop();
    await registry?.stop();
  });

  /** An image of one program, which answers to nobody: CoreDNS, or a program that waits. */
  async function imageOf(name: string, program: 'coredns' | 'pause'): Promise<string> {
    const layout = join(dir, name.replace(/[/:]/g, '-'));
    await writeImage(layout, { name, layers: [programsLayer({ [program]: await toolPath(program) })], config: { Entrypoint: [`/usr/local/bin/${program}`] } });
    return layout;
  }

  const pod = (name: string, image: string, more: object = {}): string =>
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', labels: { app: name } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, ...more }] } });
  const waits = (name: string): Promise<string> => cluster.kubectl('get', 'pod', name, '-o', 'jsonpath={.status.containerStatuses[0].state.waiting.reason}');

  test('the kubelet pulls from a registry of the host that it was told to trust', async () => {
    const image = `${registry.address}/library/web:1`;
    await toolOutput('crane', ['push', '--insecure', await imageOf(image, 'pause'), image]);
    cluster.trust(registry.address);

    await cluster.apply(pod('pulled', image));

    await cluster.kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/pulled');
  });

  test('an image that is at no registry runs when it was loaded', async () => {
    await cluster.load(await imageOf('nowhere.test/web:1', 'pause'));

    await cluster.apply(pod('loaded', 'nowhere.test/web:1'));

    await cluster.kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/loaded');
  });

  test('a registry that is gone shows in the Pod', async () => {
    const gone = await startRegistry({ host: cluster.network.host });
    cluster.trust(gone.address);
    await gone.stop();

    await cluster.apply(pod('stranded', `${gone.address}/library/web:1`));

    await until('ErrImagePull', async () => /ImagePull/.test(await waits('stranded')));
  });

  test('the host reaches a Pod by its Service, and names that were given resolve in Pods', async () => {
    const corefile = '.:8080 {\n  ready :8181\n}\n';
    await cluster.load(await imageOf('nowhere.test/names:1', 'coredns'));
    await cluster.resolve('registry.test');
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'names' }, data: { Corefile: corefile } }));
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'names' }, spec: { selector: { app: 'names' }, ports: [{ port: 80, targetPort: 8181 }] } }));
    await cluster.apply(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'names', namespace: 'default', labels: { app: 'names' } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image: 'nowhere.test/names:1', args: ['-conf', '/etc/names/Corefile'], volumeMounts: [{ name: 'names', mountPath: '/etc/names' }] }],
          volumes: [{ name: 'names', configMap: { name: 'names' } }],
        },
      }),
    );

    const address = await cluster.kubectl('get', 'service', 'names', '-o', 'jsonpath={.spec.clusterIP}');
    await until('the Service to answer', async () => (await status(`http://${address}/ready`)) === 200);
    expect(await cluster.node.enter('getent', 'hosts', 'names.default.svc.cluster.local')).toContain(address);
    expect(await cluster.node.enter('getent', 'hosts', 'registry.test')).toContain(cluster.network.host);
  });

  test('a claim is bound to a volume', async () => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec }));

    await cluster.kubectl('wait', '--for=jsonpath={.status.phase}=Bound', '--timeout=60s', 'pvc/data');
  });

  test('a second one runs beside it, and ends with whoever started it, also when that one is killed', async () => {
    const starter = spawn(process.execPath, ['dist/tools/cluster/main.js'], { env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    starter.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until('the second cluster', async () => said.includes('KUBECONFIG='), 150_000);
    const cable = /node (kuik\d+) is Ready/.exec(said)?.[1] ?? '';
    expect(cable).not.toBe(cluster.network.name);
    expect(existsSync(`/sys/class/net/${cable}`)).toBe(true);

    starter.kill('SIGKILL');

    await until('its cable to go', async () => !existsSync(`/sys/class/net/${cable}`));
    expect(existsSync(`/sys/class/net/${cluster.network.name}`)).toBe(true);
  }, 180_000);

  test('nothing of it is left when it was stopped', async () => {
    const inside = (await cluster.node.enter('ps', '-e', '-o', 'comm=')).split('\n');
    expect(inside).toEqual(expect.arrayContaining(['containerd', 'etcd', 'kubelet', 'kube-proxy']));

    await cluster.stop();

    expect(isAlive(cluster.node.pid)).toBe(false);
    expect(existsSync(`/sys/class/net/${cluster.network.name}`)).toBe(false);
    expect(existsSync(`/sys/fs/cgroup/memory/${cluster.network.name}`) || existsSync(`/sys/fs/cgroup/${cluster.network.name}`)).toBe(false);
  });
});

function status(url: string): Promise<number> {
  return new Promise((resolve) => {
    get(url, { timeout: 1_000, agent: false }, (response) => resolve(response.resume().statusCode ?? 0)).on('error', () => resolve(0)).on('timeout', () => resolve(0));
  });
}
