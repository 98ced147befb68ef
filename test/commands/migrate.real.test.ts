/** `kuik migrate` on a real API server that has what v1 leaves there, and with v1's registry behind a scripted kubelet. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder, startRegistry, type RegistryServer } from '../../tools/servers.js';
import { readDocument } from '../support/documents.js';
import { pretendPod, startKubelet, type Kubelet } from '../support/kubelet.js';
import { kuikOn, type Ended } from '../support/kuik.js';
import { push, tagIsThere } from '../support/stage.js';

let stage: Stage;
let kubelet: Kubelet;
let v1Registry: RegistryServer;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('migrate') });
  v1Registry = await startRegistry({ name: 'v1', dir: join(stage.dir, 'v1') });
  kubelet = await startKubelet(stage, { 'v1-system/registry-0:5000': Number(v1Registry.address.split(':')[1]) });
  await stage.kubectl('create', 'namespace', 'v1-system');
  await pretendPod(stage, { namespace: 'v1-system', name: 'registry-0', component: 'registry', ports: { registry: 5000 } });
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [definition('CachedImage', 'cachedimages'), definition('Repository', 'repositories')] }));
  await stage.kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd/cachedimages.kuik.enix.io', 'crd/repositories.kuik.enix.io');
  await cachedImage('kept', 'docker.io/library/nginx:1.25', { isCached: true, availableUpstream: true }, { retain: true });
  await cachedImage('gone', 'quay.example.com/acme/gone:1.0', { isCached: true });
  await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'Repository', metadata: { name: 'postgres' }, spec: { name: 'docker.io/library/postgres', updateInterval: '1h', updateFilters: ['latest'] } }));
  await push(stage, 'gone:1.0');
  await stage.crane('copy', stage.image('gone:1.0'), `${v1Registry.address}/quay.example.com/acme/gone:1.0`);
});
afterAll(async () => {
  await stage?.close();
  await Promise.all([kubelet?.close(), v1Registry?.stop()]);
});

const kuik = (...args: string[]): Promise<Ended> => kuikOn(stage, ...args);

/** As v1's chart installs it, as far as it counts. */
function definition(kind: string, plural: string): object {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.kuik.enix.io` },
    spec: { group: 'kuik.enix.io', names: { kind, plural, singular: kind.toLowerCase() }, scope: 'Cluster', versions: [{ name: 'v1alpha1', served: true, storage: true, schema, subresources: { status: {} } }] },
  };
}

async function cachedImage(name: string, sourceImage: string, status: object, spec: object = {}): Promise<void> {
  await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'CachedImage', metadata: { name }, spec: { sourceImage, ...spec } }));
  await stage.kubectl('patch', 'cachedimage', name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));
}

describe('kuik migrate v1', () => {
  test('prints resources that the API server takes and the manager brings into force, and the plan beside: exit 2', async () => {
    const values = join(stage.dir, 'v1.yaml');
    await writeFile(values, 'cachedImagesExpiryDelay: 7\ncontrollers: {webhook: {ignoredNamespaces: [kube-system], ignoredImages: [alpine]}}\n');

    const { code, output, errors } = await kuik('migrate', 'v1', '--registry', stage.mirror.address, '--path', '/moved', '--values', values);

    expect(output).toMatch(/^# Values of the chart:\n# {3}configuration:\n# {5}skipNamespaces:\n# {7}- kube-system\n---\n/);
    await stage.apply(output);
    await stage.kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'cism/global-mirror', 'cism/global-mirror-updated');
    expect(errors).toMatch(/1\. Copy 1 of 2 images, which v1 has not seen at their origin/);
    expect(errors).toMatch(/quay\.example\.com\/acme\/gone:1\.0 -> \S+\/moved\/acme\/gone:1\.0\n/);
    expect(errors).toMatch(/kuik pin docker\.io\/library\/nginx:1\.25/);
    expect(errors).toMatch(/The way back/);
    expect(code).toBe(2);
  }, 120_000);

  test("--copy-images brings what exists only in v1's registry to its new place, and nothing else: exit 0", async () => {
    const { code, output } = await kuik('migrate', 'v1', '--registry', stage.mirror.address, '--path', '/moved', '-n', 'v1-system', '--copy-images');

    expect(output).toMatch(/\/moved\/acme\/gone:1\.0 +copied/);
    expect(code).toBe(0);
    expect(await tagIsThere(stage, `${stage.mirror.address}/moved/acme/gone:1.0`)).toBe(true);
    expect(await tagIsThere(stage, `${stage.mirror.address}/moved/library/nginx:1.25`)).toBe(false);
    expect(kubelet.forwarded).toContain('v1-system/registry-0:5000');
  });

  test('prints data as its schema says', async () => {
    const { output } = await kuik('migrate', 'v1', '--registry', 'registry.example.com', '-o', 'json');

    expect(readDocument('MigrationPlan', output)).toMatchObject({ cached: 2, retained: ['docker.io/library/nginx:1.25'], onlyInV1: [{ image: 'quay.example.com/acme/gone:1.0' }] });
  });

  test.each<[string, string[], RegExp]>([
    ['no registry', ['migrate', 'v1'], /--registry: name the registry/],
    ['a registry that is none', ['migrate', 'v1', '--registry', 'https://x'], /^kuik migrate v1: --registry https:\/\/x --path \/kuik: /],
    ['a Secret without a namespace', ['migrate', 'v1', '--registry', 'r.example.com', '--secret', 'push'], /write namespace\/name/],
    ['values that are not there', ['migrate', 'v1', '--registry', 'r.example.com', '--values', '/nowhere.yaml'], /--values \/nowhere\.yaml: /],
    ['an unknown version', ['migrate', 'v9'], /write v1 or v2/],
  ])('of %s is refused with the next step: exit 1', async (_what, args, said) => {
    const { code, output, errors } = await kuik(...args);

    expect(output).toBe('');
    expect(errors).toMatch(said);
    expect(code).toBe(1);
  });
});

describe('kuik migrate v2', () => {
  test('tells what of a set-up is different, what to act on first: exit 2', async () => {
    await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'of-v2' }, spec: { filter: { include: [{ image: 'x' }] }, cleanup: { enabled: true, retention: '7d' }, mirrors: [{ registry: '10.9.8.7:5000', path: '/x' }] } }));

    const { code, output } = await kuik('migrate', 'v2');

    const [, ...lines] = output.split('\n');
    expect(lines.filter((line) => line.startsWith('act'))).toEqual([expect.stringMatching(/^act +ClusterImageSetMirror\/of-v2 +.*7d.*: its clean-up is off/), expect.stringMatching(/^act +10\.9\.8\.7:5000 +v2 spoke plain HTTP/)]);
    expect(lines[0]).toMatch(/^act/);
    expect(code).toBe(2);
    readDocument('DifferenceList', (await kuik('migrate', 'v2', '-o', 'json')).output);
  });
});
