/** `kuik migrate` on a real API server that has what v1 leaves there, and with v1's registry behind a scripted kubelet. */
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeTlsFiles } from '../../bench/support/certificate.js';
import { v1StoredName } from '../../src/commands/migrate/v1-places.js';
import { encodedHost } from '../../src/domain/join.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder, startRegistry, type RegistryServer } from '../../tools/servers.js';
import { readDocument } from '../support/documents.js';
import { pretendPod, startKubelet, type Kubelet } from '../support/kubelet.js';
import { kuikOn, type Ended } from '../support/kuik.js';
import { push, recordOf, recordsOf, tagIsThere, until } from '../support/stage.js';
import { cacheInV1, defineV1, repositoryInV1 } from '../support/v1.js';

let stage: Stage;
let kubelet: Kubelet;
let v1Registry: RegistryServer;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('migrate') });
  v1Registry = await startRegistry({ name: 'v1', dir: join(stage.dir, 'v1') });
  kubelet = await startKubelet(stage, { 'v1-system/registry-0:5000': Number(v1Registry.address.split(':')[1]) });
  await stage.kubectl('create', 'namespace', 'v1-system');
  await pretendPod(stage, { namespace: 'v1-system', name: 'registry-0', component: 'registry', ports: { registry: 5000 } });
  await defineV1(stage);
  await cacheInV1(stage, 'docker.io/library/nginx', { sourceImage: 'nginx:1.25', retain: true });
  await cacheInV1(stage, 'quay.example.com/acme/gone', { sourceImage: 'quay.example.com/acme/gone:1.0', status: { isCached: true, phase: 'Ready' } });
  await repositoryInV1(stage, { name: 'docker.io/library/postgres', updateInterval: '1h', updateFilters: ['latest'] });
  await push(stage, 'gone:1.0');
  await stage.crane('copy', stage.image('gone:1.0'), `${v1Registry.address}/quay.example.com/acme/gone:1.0`);
});
afterAll(async () => {
  await stage?.close();
  await Promise.all([kubelet?.close(), v1Registry?.stop()]);
});

const wrongValues = join(scratchFolder('migrate-values'), 'v1.yaml');
writeFileSync(wrongValues, 'controllers: {webhook: {ignoredImages: alpine}}\n');

const kuik = (...args: string[]): Promise<Ended> => kuikOn(stage, ...args);

/** What the record of the image that is lost says of a place. */
async function placeAt(reference: string): Promise<{ readonly strategy?: string } | undefined> {
  const records = await recordsOf(stage);
  return records.flatMap(({ status }) => status?.places ?? []).find((place) => place.reference === reference);
}

const copyImages = (): string[] => ['migrate', 'v1', '--registry', stage.mirror.address, '--path', '/moved', '-n', 'v1-system', '--copy-images'];

describe('kuik migrate v1', () => {
  test('prints resources that the API server takes and the manager brings into force, and the plan beside: exit 2', async () => {
    const values = join(stage.dir, 'v1.yaml');
    await writeFile(values, 'USER-SUPPLIED VALUES:\ncachedImagesExpiryDelay: 7\ncontrollers: {webhook: {ignoredNamespaces: [ci], ignoredImages: [alpine]}}\n');

    const { code, output, errors } = await kuik('migrate', 'v1', '--registry', stage.mirror.address, '--path', '/moved', '-n', 'v1-system', '--values', values);

    expect(output).toMatch(/^# Values of the chart:\n# {3}configuration:\n# {5}skipNamespaces:\n# {7}- kube-system\n# {7}- v1-system\n# {7}- ci\n---\n/);
    await stage.apply(output);
    await stage.kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'cism/global-mirror', 'cism/global-mirror-updated');
    expect(errors).toMatch(/1\. Copy 1 of 2 images, which are not at their origin any more/);
    expect(errors).toMatch(/quay\.example\.com\/acme\/gone:1\.0 -> \S+\/moved\/acme\/gone:1\.0\n/);
    expect(errors).toMatch(/kuik pin docker\.io\/library\/nginx:1\.25/);
    expect(errors).toMatch(/The way back/);
    expect(code).toBe(2);
  }, 120_000);

  test("--copy-images brings what exists only in v1's registry to its new place, and nothing else: exit 0", async () => {
    const { code, output } = await kuik(...copyImages());

    expect(output).toMatch(/\/moved\/acme\/gone:1\.0 +copied/);
    expect(code).toBe(0);
    expect(await tagIsThere(`${stage.mirror.address}/moved/acme/gone:1.0`)).toBe(true);
    expect(await tagIsThere(`${stage.mirror.address}/moved/library/nginx:1.25`)).toBe(false);
    expect(kubelet.forwarded).toContain('v1-system/registry-0:5000');
  });

  test('--copy-images goes past a Pod of that registry which was evicted, and leaves alone what has its copy: exit 0', async () => {
    // an evicted Pod keeps its labels; its name comes first
    await pretendPod(stage, { namespace: 'v1-system', name: 'registry-00', component: 'registry', ports: { registry: 5000 } });
    await stage.kubectl('patch', 'pod', 'registry-00', '-n', 'v1-system', '--subresource=status', '--type=merge', '-p', '{"status":{"phase":"Failed","reason":"Evicted","conditions":[{"type":"Ready","status":"False"}]}}');
    await stage.kubectl('delete', 'pod', 'registry-0', '-n', 'v1-system', '--grace-period=0', '--force');

    const none = await kuik(...copyImages());
    await pretendPod(stage, { namespace: 'v1-system', name: 'registry-0', component: 'registry', ports: { registry: 5000 } });
    const some = await kuik(...copyImages(), '-o', 'json');

    expect(none).toMatchObject({ code: 1, errors: expect.stringMatching(/^kuik migrate v1: no Pod of v1's registry in namespace v1-system is ready: registry-00; kubectl describe pod/m) });
    expect(some.code).toBe(0);
    expect(readDocument('CopyResultList', some.output)).toMatchObject({ items: [{ verdict: 'current', destination: `${stage.mirror.address}/moved/acme/gone:1.0` }] });
  }, 60_000);

  test('--copy-images takes what a rule looks for to where that looks, and nothing to the place of another image, which it says: exit 2', async () => {
    await cacheInV1(stage, 'ghcr.example.com/acme/twin', { sourceImage: 'ghcr.example.com/acme/twin:1', status: { isCached: true } });
    await cacheInV1(stage, 'quay.example.com/acme/twin', { sourceImage: 'quay.example.com/acme/twin:1', status: { isCached: true } });
    for (const host of ['ghcr', 'quay']) {
      await push(stage, `twin-${host}:1`);
      await stage.crane('copy', stage.image(`twin-${host}:1`), `${v1Registry.address}/${host}.example.com/acme/twin:1`);
    }
    const digest = (image: string): Promise<string> => stage.crane('digest', image);

    const first = await kuik(...copyImages());

    expect(first.errors).toMatch(/^kuik migrate v1: ghcr\.example\.com\/acme\/twin:1 and quay\.example\.com\/acme\/twin:1 both want \S+\/moved\/acme\/twin:1, which is the first one's: quay\.example\.com\/acme\/twin:1, which exists only in v1's registry, is not copied; --layout host/m);
    expect(first.code).toBe(2);
    expect(await digest(`${stage.mirror.address}/moved/acme/twin:1`)).toBe(await digest(stage.image('twin-ghcr:1')));

    await stage.kubectl('patch', 'cism', 'global-mirror', '--type=json', '-p', '[{"op":"add","path":"/spec/mirrors/0/layout","value":"host"}]');
    const second = await kuik(...copyImages());

    expect(second.code).toBe(0);
    expect(await digest(`${stage.mirror.address}/moved/quay.example.com/acme/twin:1`)).toBe(await digest(stage.image('twin-quay:1')));
    await stage.kubectl('patch', 'cism', 'global-mirror', '--type=json', '-p', '[{"op":"remove","path":"/spec/mirrors/0/layout"}]');
    await stage.kubectl('patch', 'cachedimages', '--type=merge', '-p', '{"metadata":{"finalizers":null}}', 'quay.example.com-acme-twin-1', 'ghcr.example.com-acme-twin-1');
    await stage.kubectl('delete', 'cachedimages', 'quay.example.com-acme-twin-1', 'ghcr.example.com-acme-twin-1');
  }, 120_000);

  test('--copy-images speaks to a registry with an authority of its own as kuik copy does, whose next step can be followed', async () => {
    const [ours, others] = [await makeTlsFiles(), await makeTlsFiles()];
    const secure = await startRegistry({ name: 'secure', dir: join(stage.dir, 'secure'), tls: ours });
    try {
      const args = ['migrate', 'v1', '--registry', secure.address, '-n', 'v1-system', '--copy-images'];

      const refused = await kuik(...args, '--ca-file', `${secure.address}=${others.caFile}`);
      const [, option = ''] = /(--ca-file \S+)=FILE/.exec(refused.errors) ?? [];
      const ran = await kuik(...args, ...`${option}=${ours.caFile}`.split(' '));

      expect({ option, ...refused }).toMatchObject({ code: 1, option: `--ca-file ${secure.address}` });
      expect(ran).toMatchObject({ code: 2, output: expect.stringMatching(/\/kuik\/acme\/gone:1\.0 +copied/) });
    } finally {
      await secure.stop();
    }
  }, 60_000);

  test('an image whose origin has gone since v1 copied it is brought as well, once kuik has found out', async () => {
    await cacheInV1(stage, `${stage.sourceAddress}/library/lost`, { sourceImage: stage.image('lost:1.0') });
    await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'lost', namespace: 'default' }, spec: { containers: [{ name: 'web', image: stage.image('lost:1.0') }] } }));
    await until('kuik to find out', async () => (await recordOf(stage, stage.image('lost:1.0')))?.failure?.code === 'missing');

    const { output } = await kuik('migrate', 'v1', '--registry', stage.mirror.address, '--path', '/moved', '-o', 'json');

    expect(readDocument('MigrationPlan', output)).toMatchObject({ onlyInV1: expect.arrayContaining([{ image: stage.image('lost:1.0'), destination: `${stage.mirror.address}/moved/library/lost:1.0` }]) });
  }, 60_000);

  test('and kuik takes it in where its rule looks, host of the origin and all', async () => {
    const image = stage.image('lost:1.0');
    await push(stage, 'kept:1.0');
    await stage.crane('copy', stage.image('kept:1.0'), `${v1Registry.address}/${v1StoredName(image)}`);
    await stage.kubectl('patch', 'cism', 'global-mirror', '--type=json', '-p', '[{"op":"add","path":"/spec/mirrors/0/layout","value":"host"}]');
    const place = `${stage.mirror.address}/moved/${encodedHost(stage.sourceAddress)}/library/lost:1.0`;
    await until('the rule to want it there', async () => (await placeAt(place)) !== undefined);

    const copied = await kuik(...copyImages());
    const retried = await kuik('retry', image);

    expect(copied.output).toMatch(new RegExp(`^${place.replace(/\./g, '\\.')} +copied`, 'm'));
    expect(retried.code).toBe(0);
    expect(await placeAt(place)).toMatchObject({ strategy: 'adopted' });
    await stage.kubectl('patch', 'cism', 'global-mirror', '--type=json', '-p', '[{"op":"remove","path":"/spec/mirrors/0/layout"}]');
    await stage.kubectl('delete', 'pod', 'lost', '--grace-period=0', '--force');
  }, 120_000);

  test('a Pod that a v1 before 1.3 holds is named, with the way to let it go', async () => {
    await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'held', namespace: 'default', finalizers: ['pod.kuik.enix.io/finalizer'] }, spec: { containers: [{ name: 'web', image: 'localhost:7439/nginx:1.25' }] } }));

    const { errors } = await kuik('migrate', 'v1', '--registry', 'registry.example.com');

    expect(errors).toMatch(/default\/held: held by a finalizer of v1 before 1\.3.*\n +kubectl patch pod --namespace NAMESPACE NAME/);
    expect(errors).toMatch(/1 Pods behind its proxy/);
    await stage.kubectl('patch', 'pod', 'held', '--type=merge', '--patch', '{"metadata":{"finalizers":null}}');
    await stage.kubectl('delete', 'pod', 'held', '--grace-period=0', '--force', '--timeout=20s');
  });

  test('values of a release that has none of its user are understood', async () => {
    const values = join(stage.dir, 'none.yaml');
    await writeFile(values, 'USER-SUPPLIED VALUES:\nnull\n');

    expect(await kuik('migrate', 'v1', '--registry', 'registry.example.com', '--values', values)).toMatchObject({ code: 2, output: expect.stringContaining('retention: 720h') });
  });

  test('prints data as its schema says', async () => {
    const { output } = await kuik('migrate', 'v1', '--registry', 'registry.example.com', '-o', 'json');

    expect(readDocument('MigrationPlan', output)).toMatchObject({ cached: 3, retained: ['docker.io/library/nginx:1.25'], onlyInV1: expect.arrayContaining([expect.objectContaining({ image: 'quay.example.com/acme/gone:1.0' })]) });
  });

  test.each<[string, string[], RegExp]>([
    ['no registry', ['migrate', 'v1'], /--registry: name the registry/],
    ['a registry that is none', ['migrate', 'v1', '--registry', 'https://x'], /^kuik migrate v1: --registry https:\/\/x --path \/kuik: /],
    ['a Secret without a namespace', ['migrate', 'v1', '--registry', 'r.example.com', '--secret', 'push'], /write namespace\/name/],
    ['values of a wrong type', ['migrate', 'v1', '--registry', 'r.example.com', '--values', wrongValues], /--values \S+: controllers\.webhook\.ignoredImages: must be a list \(found "alpine"\)/],
    ['a layout that is none', ['migrate', 'v1', '--registry', 'r.example.com', '--layout', 'flat'], /Allowed choices are path, host/],
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
