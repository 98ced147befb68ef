/** An endpoint that stands for other registries: `ns` says which, and their credentials are not its business. */
import { describe, expect, test } from '@jest/globals';
import { knownImageRef } from '../../../src/domain/image-ref.js';
import type { HostSettings } from '../../../src/registry/http/settings.js';
import type { FaultRegistryOptions } from '../../support/fault-registry.js';
import { aCall, anImage, pushImage, single, sourceOf } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach } from '../../support/registry-client.js';

closeAfterEach();
const ann = { id: 'aaaaaaaaaaaa', username: 'ann', password: 'correct horse' };
const accounts = { ann: ann.password };
const image = anImage('app');
const at = (rest: string) => knownImageRef(`origin.test:5000/team/${rest}`);

/** A cache that holds an image of `origin.test:5000`, and a client that is told to ask it. */
async function aCache(options: FaultRegistryOptions = {}, more: HostSettings = {}) {
  const server = await aRegistryServer(options);
  await pushImage(aClient().registry, `${server.host}/team/app:1`, single(image), [ann]);
  server.calm();
  const { registry } = aClient({ settings: (host) => (host === 'origin.test:5000' ? { endpoint: server.host, proxies: true, ...more } : {}) });
  return { server, registry };
}

describe('an endpoint that is a proxy of other registries', () => {
  test('is told with every pull which registry is meant', async () => {
    const { server, registry } = await aCache({ pageLimit: 1 });
    server.store.find('team/app')?.tags.set('2', image.manifest.digest);

    await registry.head(at('app:1'), [], aCall());
    await registry.manifest(at('app:1'), [], aCall());
    for await (const chunk of registry.blob(at('app'), image.blobs[1]!.descriptor, [], aCall())) void chunk;
    const tags: string[] = [];
    for await (const tag of registry.tags(at('app'), [], aCall())) tags.push(tag);
    await registry.referrers({ ...at('app'), digest: image.manifest.digest }, [], aCall(), 'application/vnd.example.signature');

    expect(tags).toEqual(['1', '2']);
    expect(server.requests.length).toBeGreaterThanOrEqual(6);
    expect(server.requests.filter(({ path }) => new URL(path, 'http://cache.test').searchParams.getAll('ns').join() !== 'origin.test:5000')).toEqual([]);
  });

  test('is not told with what is written', async () => {
    const { server, registry } = await aCache();
    const layer = anImage('other').blobs[1]!;

    await registry.putBlob(at('app'), layer.descriptor, sourceOf(layer.bytes), [], aCall({ side: 'destination' }));
    await registry.putManifest(at('app:3'), image.manifest, [], aCall({ side: 'destination' }));

    expect(server.requests.filter(({ method, path }) => method !== 'HEAD' && path.includes('ns='))).toEqual([]);
  });

  test.each<[string, FaultRegistryOptions['access']]>([
    ['a password', { type: 'basic', accounts }],
    ['a token', { type: 'bearer', accounts }],
  ])('that asks for %s does not get the credentials of the registry', async (_sentence, access) => {
    const { server, registry } = await aCache({ access });

    await expect(registry.head(at('app:1'), [ann], aCall())).rejects.toMatchObject({ code: 'unauthorized' });

    expect(server.carried(Buffer.from('ann:correct horse').toString('base64'))).toEqual([]);
    expect(server.carried('account=ann')).toEqual([]);
  });

  test('gets them where allowHosts names it', async () => {
    const { registry } = await aCache({ access: { type: 'basic', accounts } }, { allowHosts: ['127.0.0.1'] });

    expect(await registry.head(at('app:1'), [ann], aCall())).toMatchObject({ identity: ann.id });
  });

  test('answers as nobody, so that no fact is taken for one about the credentials', async () => {
    const { registry } = await aCache();

    expect(await registry.head(at('app:1'), [ann], aCall())).toMatchObject({ identity: 'anonymous' });
  });

  test('is not told anything where it is only another name of the registry', async () => {
    const { server, registry } = await aCache({ access: { type: 'basic', accounts } }, { proxies: false });

    expect(await registry.head(at('app:1'), [ann], aCall())).toMatchObject({ identity: ann.id });
    expect(server.requests.some(({ path }) => path.includes('ns='))).toBe(false);
  });
});
