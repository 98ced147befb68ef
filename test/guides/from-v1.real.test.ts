/** The page about moving from v1, as a reader meets it: v1 is a release of Helm, with its objects and its registry. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeImageLayout } from '../../tools/image.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder, startApiServer, startRegistry, toolOutput, type ApiServer, type RegistryServer } from '../../tools/servers.js';
import { blocksIn } from '../support/guide.js';
import { aReader, atApiServer, commandsOf, type Reader } from '../support/guide-reader.js';
import { pretendPod, startKubelet, type Kubelet } from '../support/kubelet.js';
import { cacheInV1, defineV1, v1Registration } from '../support/v1.js';

const blocks = blocksIn(readFileSync(join(projectRoot(), 'docs/guides/from-v1.md'), 'utf8'));

describe('the page about moving from v1', () => {
  const folder = scratchFolder('from-v1-guide');
  let api: ApiServer;
  let registries: { readonly v1: RegistryServer; readonly mirror: RegistryServer };
  let kubelet: Kubelet;
  let reader: Reader;
  beforeAll(async () => {
    api = await startApiServer({ dir: join(folder, 'api') });
    registries = { v1: await startRegistry({ name: 'v1', dir: join(folder, 'v1') }), mirror: await startRegistry({ name: 'mirror', dir: join(folder, 'mirror') }) };
    reader = await aReader({ folder, kubeconfig: api.kubeconfig, env: { TOKEN: 'secret' }, meaning: { 'registry.example.com': registries.mirror.address } });
    await installV1();
  }, 180_000);
  afterAll(async () => {
    await kubelet?.close();
    await Promise.all([registries?.v1.kill(), registries?.mirror.kill(), api?.kill()]);
  });

  /** What of its release and its objects the page meets. */
  async function installV1(): Promise<void> {
    const cluster = atApiServer(api);
    kubelet = await startKubelet(cluster, { 'kuik-system/registry-0:5000': Number(registries.v1.address.split(':')[1]) });
    await defineV1(cluster);
    const chart = join(folder, 'v1-chart');
    mkdirSync(join(chart, 'templates'), { recursive: true });
    writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: kube-image-keeper\nversion: 1.13.1\n');
    writeFileSync(join(chart, 'templates', 'webhook.yaml'), 'apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata:\n  name: {{ .Release.Name }}-mutating-webhook\nwebhooks: []\n');
    expect(await reader.run(`helm install kube-image-keeper ${chart} --namespace kuik-system --create-namespace --set cachedImagesExpiryDelay=7`)).toMatchObject({ code: 0 });
    await pretendPod(cluster, { namespace: 'kuik-system', name: 'registry-0', component: 'registry', ports: { registry: 5000 } });
    await cacheInV1(cluster, 'docker.io/library/nginx', { sourceImage: 'nginx:1.25', retain: true });
    await cacheInV1(cluster, 'quay.example.com/acme/gone', { sourceImage: 'quay.example.com/acme/gone:1.0', status: { isCached: true } });
    const layout = join(folder, 'layout');
    await writeImageLayout(layout, { name: 'gone:1.0', platforms: ['linux/amd64'], layers: [{ seed: 'gone', size: 1000 }] });
    await toolOutput('crane', ['push', layout, `${registries.v1.address}/quay.example.com/acme/gone:1.0`]);
  }

  /** There is something to look at: in the plan, and in a cluster where no Pod runs and so no kuik does. */
  const tellsTrouble = (command: string): boolean => command === 'kuik status' || (command.startsWith('kuik migrate v1') && !command.includes('--copy-images'));

  test.each(blocks.flatMap((block) => commandsOf(block)))('%s', async (command) => {
    const { code, errors } = await reader.run(command);

    const expected = tellsTrouble(command) ? 2 : 0;
    expect({ code, errors: code === expected ? '' : errors }).toEqual({ code: expected, errors: '' });
  }, 120_000);

  test('has moved what v1 kept for seven days to a rule that does, and what only v1 had to the registry', async () => {
    expect(await atApiServer(api).kubectl('get', 'cism', 'global-mirror', '-o', 'jsonpath={.spec.cleanup.retention} {.spec.mirrors[0].credentialSecret.namespace}')).toBe('168h kuik');
    expect(await toolOutput('crane', ['digest', `${registries.mirror.address}/kuik/acme/gone:1.0`])).toMatch(/^sha256:/);
  });

  test('leaves nothing that stops a Pod, and nothing of v1', async () => {
    const left = await atApiServer(api).kubectl('get', 'mutatingwebhookconfigurations,crds', '-o', 'name');

    expect(left).not.toContain('webhook');
    expect(left).not.toMatch(/cachedimages|repositories/);
  });

  test('is right that a release of the same name is refused while v1 is there, and that kuik check --pre says so first', async () => {
    const chart = join(folder, 'v1-chart');
    await reader.run(`helm install kube-image-keeper ${chart} --namespace kuik-system`);

    const refused = await reader.run('unset KUIK_FULL_NAME; helm install kube-image-keeper charts/kube-image-keeper --namespace kuik');
    const checked = await reader.run('unset KUIK_FULL_NAME; kuik check --pre');

    expect(refused).toMatchObject({ code: 1, errors: expect.stringContaining(v1Registration) });
    expect(checked).toMatchObject({ code: 2, output: expect.stringMatching(/names +bad/) });
  }, 120_000);
});
