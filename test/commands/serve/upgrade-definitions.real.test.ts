/** What the leading manager makes of definitions that it finds, on a real API server and with the rights of the chart. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { kinds } from '../../../src/api/v1alpha1/kinds.js';
import { connectCluster, type KubernetesCluster } from '../../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../../src/cluster/kubernetes/kubeconfig.js';
import { upgradeDefinitions } from '../../../src/commands/serve/upgrade-definitions.js';
import { projectRoot } from '../../../tools/programs.js';
import { startApiServer, toolOutput, type ApiServer } from '../../../tools/servers.js';
import { render } from '../../chart/helm.js';

const ours = kinds.map(({ plural }) => `${plural}.kuik.enix.io`);
const mirrors = 'imagesetmirrors.kuik.enix.io';

let api: ApiServer;
let manager: KubernetesCluster;
beforeAll(async () => {
  api = await startApiServer();
  await apply('--server-side', '-f', join(projectRoot(), 'charts', 'kube-image-keeper', 'crds'));
  await kubectl('create', 'namespace', 'kuik-system');
  const rights = (await render({})).filter(({ kind }) => /^(?:ServiceAccount|(?:Cluster)?Role(?:Binding)?)$/.test(kind));
  await kubectlWith(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: rights }), 'apply', '--server-side', '-f', '-');
  manager = connectCluster(loadKubeConfig({ file: await managersKubeconfig(), kubeconfig: '', home: '' }));
}, 300_000);
afterAll(async () => {
  manager?.close();
  await api?.kill();
});

const kubectl = (...args: string[]): Promise<string> => toolOutput('kubectl', [`--kubeconfig=${api.kubeconfig}`, ...args]);
const kubectlWith = (input: string, ...args: string[]): Promise<string> => toolOutput('kubectl', [`--kubeconfig=${api.kubeconfig}`, ...args], { input });
const apply = (...args: string[]): Promise<string> => kubectl('apply', '--force-conflicts', ...args);

async function managersKubeconfig(): Promise<string> {
  const token = (await kubectl('create', 'token', 'kube-image-keeper-manager', '--namespace=kuik-system', '--duration=1h')).trim();
  const config = JSON.parse(await readFile(api.kubeconfig, 'utf8')) as object;
  const file = join(api.dir, 'kubeconfig-manager');
  await writeFile(file, JSON.stringify({ ...config, users: [{ name: 'admin', user: { token } }] }), { mode: 0o600 });
  return file;
}

let told: { readonly level: string; readonly fields: Record<string, unknown>; readonly message: string }[];
beforeEach(() => void (told = []));
const tell = (level: string) => (fields: unknown, message?: string) => void told.push({ level, fields: fields as Record<string, unknown>, message: message ?? '' });
const log = { info: tell('info'), warn: tell('warn'), error: tell('error') } as unknown as Parameters<typeof upgradeDefinitions>[0]['log'];
const upgradeTo = (version: string): ReturnType<typeof upgradeDefinitions> => upgradeDefinitions({ cluster: manager, version, log });
const all = (what: string): Record<string, string> => Object.fromEntries(ours.map((name) => [name, what]));

async function read(name: string): Promise<{ metadata: { annotations?: Record<string, string> }; spec: { versions: { schema: { openAPIV3Schema: { properties: Record<string, unknown> } }; additionalPrinterColumns?: unknown[] }[] } }> {
  return JSON.parse(await kubectl('get', 'crd', name, '-o', 'json')) as Awaited<ReturnType<typeof read>>;
}

describe('definitions', () => {
  test('of an earlier version are upgraded, and each is told of', async () => {
    expect(await upgradeTo('3.1.0')).toEqual(all('upgraded'));

    expect(told.map(({ level, fields }) => [level, fields['definition'], fields['to']])).toEqual(ours.map((name) => ['info', name, '3.1.0']));
    expect((await read(mirrors)).metadata.annotations?.['kuik.enix.io/version']).toBe('3.1.0');
  });

  test('of the same version are left alone, and nothing is told', async () => {
    await upgradeTo('3.1.0');
    told = [];

    expect(await upgradeTo('3.1.0')).toEqual(all('current'));
    expect(told).toEqual([]);
  });

  test('of a later version stay as they are, and it is told why', async () => {
    await upgradeTo('3.2.0');
    const before = await read(mirrors);
    told = [];

    expect(await upgradeTo('3.1.9')).toEqual(all('newer'));

    expect(told[0]).toEqual({ level: 'warn', fields: { definition: ours[0], has: '3.2.0', ours: '3.1.9' }, message: expect.stringContaining('a later version of kuik wrote it') });
    expect(await read(mirrors)).toEqual(before);
  });

  test('that somebody wrote as v2 did, with another schema and no version, become ours', async () => {
    const found = await read(mirrors);
    const columns = [{ name: 'Old', type: 'string', jsonPath: '.status.old' }];
    const [version] = found.spec.versions;
    const old = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: mirrors }, spec: { ...found.spec, versions: [{ ...version, additionalPrinterColumns: columns, schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, status: { type: 'object' } } } } }] } };
    await kubectl('annotate', 'crd', mirrors, 'kuik.enix.io/version-', '--overwrite');
    await kubectlWith(JSON.stringify(old), 'replace', '-f', '-');

    expect(await upgradeTo('3.2.0')).toEqual({ ...all('current'), [mirrors]: 'upgraded' });

    const { spec, metadata } = await read(mirrors);
    expect(metadata.annotations?.['kuik.enix.io/version']).toBe('3.2.0');
    expect(JSON.stringify(spec.versions[0]?.schema.openAPIV3Schema)).toContain('credentialSecret');
    expect(JSON.stringify(spec.versions[0]?.additionalPrinterColumns)).not.toContain('.status.old');
  });

  test('that are gone are not made: only whoever installs kuik may, and is told how', async () => {
    await kubectl('delete', 'crd', 'replicatedimagesets.kuik.enix.io');

    expect(await upgradeTo('3.2.0')).toMatchObject({ 'replicatedimagesets.kuik.enix.io': 'absent' });
    expect(told).toEqual([{ level: 'error', fields: { definition: 'replicatedimagesets.kuik.enix.io' }, message: expect.stringContaining('kubectl apply --server-side') }]);
    await apply('--server-side', '-f', join(projectRoot(), 'charts', 'kube-image-keeper', 'crds'));
  });

  test('of others are out of reach', async () => {
    await expect(manager.definition('pods.example.com')).rejects.toMatchObject({ code: 'denied' });
  });
});
