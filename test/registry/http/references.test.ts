/** References on the wire: which host is asked, for which repository, by what. The table is that of the contract, 2.2. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { knownImageRef } from '../../../src/domain/image-ref.js';
import { aBlob, aCall, anImage, sourceOf } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, closeLater } from '../../support/registry-client.js';

closeAfterEach();
const hex = '0123456789abcdef'.repeat(4);

/** Sees what would go to any host on earth, and answers that there is nothing. */
async function aProxy(): Promise<{ readonly host: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server = createServer((message, response) => {
    asked.push(`${message.method} ${message.url}`);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeLater({ close: () => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve()))) });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('a reference on the wire', () => {
  test.each([
    ['nginx', 'registry-1.docker.io/v2/library/nginx/manifests/latest'],
    ['nginx:1.27', 'registry-1.docker.io/v2/library/nginx/manifests/1.27'],
    ['library/nginx:1.27', 'registry-1.docker.io/v2/library/nginx/manifests/1.27'],
    ['index.docker.io/nginx:1.27', 'registry-1.docker.io/v2/library/nginx/manifests/1.27'],
    ['registry-1.docker.io/library/nginx:1.27', 'registry-1.docker.io/v2/library/nginx/manifests/1.27'],
    ['acme/api', 'registry-1.docker.io/v2/acme/api/manifests/latest'],
    ['my_ns/foo', 'registry-1.docker.io/v2/my_ns/foo/manifests/latest'],
    ['ghcr.io/foo', 'ghcr.io/v2/foo/manifests/latest'],
    ['quay.io:443/a:1', 'quay.io:443/v2/a/manifests/1'],
    ['localhost', 'registry-1.docker.io/v2/library/localhost/manifests/latest'],
    ['localhost:5000', 'registry-1.docker.io/v2/library/localhost/manifests/5000'],
    ['registry/foo', 'registry-1.docker.io/v2/registry/foo/manifests/latest'],
    ['registry:5000/foo', 'registry:5000/v2/foo/manifests/latest'],
    ['Registry/foo:1', 'registry/v2/foo/manifests/1'],
    ['EXAMPLE.com/foo:1', 'example.com/v2/foo/manifests/1'],
    ['example.com', 'registry-1.docker.io/v2/library/example.com/manifests/latest'],
    ['10.0.0.5:5000/a/b:1', '10.0.0.5:5000/v2/a/b/manifests/1'],
    ['[2001:db8::1]:5000/foo:1', '[2001:db8::1]:5000/v2/foo/manifests/1'],
    ['nginx:RC1', 'registry-1.docker.io/v2/library/nginx/manifests/RC1'],
    [`nginx:1.27@sha256:${hex}`, `registry-1.docker.io/v2/library/nginx/manifests/sha256:${hex}`],
    [`nginx@sha256:${hex}`, `registry-1.docker.io/v2/library/nginx/manifests/sha256:${hex}`],
    [`nginx@sha512:${hex}${hex}`, `registry-1.docker.io/v2/library/nginx/manifests/sha512:${hex}${hex}`],
    [`${hex}:1`, `registry-1.docker.io/v2/library/${hex}/manifests/1`],
    ['quay.io/a_b/c__d/e--f:1', 'quay.io/v2/a_b/c__d/e--f/manifests/1'],
    ['foo_bar.com/x:1', 'foo_bar.com/v2/x/manifests/1'],
  ])('%s is HEAD of %s', async (written, expected) => {
    const proxy = await aProxy();
    const { registry } = aClient({ settings: () => ({ plainHTTP: true }), proxy: { http: `http://${proxy.host}` } });

    expect(await registry.head(knownImageRef(written), [], aCall())).toBe('missing');

    expect(proxy.asked).toEqual([`HEAD http://${expected}`]);
  });

  test.each([
    ['localhost', (port: string) => `localhost:${port}/foo:1`],
    ['a loopback address', (port: string) => `127.0.0.1:${port}/foo:1`],
  ])('%s is asked without TLS and straight, whatever the settings of a proxy', async (_sentence, written) => {
    const [server, proxy] = [await aRegistryServer(), await aProxy()];
    const { registry } = aClient({ proxy: { http: `http://${proxy.host}` } });

    expect(await registry.head(knownImageRef(written(server.host.split(':')[1]!)), [], aCall())).toBe('missing');

    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['HEAD /v2/foo/manifests/1']);
    expect(proxy.asked).toEqual([]);
  });

  test('a tag beside a digest names the copy and is never asked for', async () => {
    const server = await aRegistryServer();
    const at = knownImageRef(`${server.host}/app:1.27@sha256:${hex}`);
    const { registry } = aClient();

    await registry.head(at, [], aCall());
    await registry.manifest(at, [], aCall()).catch(() => undefined);

    expect(server.carried('1.27')).toEqual([]);
  });

  test('two spellings of one place share a connection', async () => {
    const server = await aRegistryServer();
    const port = server.host.split(':')[1]!;
    const { registry } = aClient({ settings: () => ({ plainHTTP: true }), resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]) });

    for (const host of ['Registry.test', 'registry.test', 'REGISTRY.test']) await registry.head(knownImageRef(`${host}:${port}/app:1`), [], aCall());

    expect(new Set(server.requests.map(({ connection }) => connection)).size).toBe(1);
  });
});

describe('a name that is longer than its registry takes', () => {
  const long = Array.from({ length: 25 }, () => 'abcdefghi').join('/');
  const refusal = '{"errors":[{"code":"NAME_INVALID","message":"invalid repository name"}]}';

  test.each(['POST', 'PUT'] as const)('is invalid when its %s is refused, and the message tells the length', async (method) => {
    const server = await aRegistryServer();
    server.fault({ on: { method }, times: 99, does: { status: 400, body: refusal } });
    const [layer, { manifest }] = [aBlob('layer'), anImage('app')];
    const at = knownImageRef(`${server.host}/${long}:1`);
    const call = aCall({ side: 'destination' });
    const { registry } = aClient();

    const writing = method === 'POST' ? registry.putBlob(at, layer.descriptor, sourceOf(layer.bytes), [], call) : registry.putManifest(at, manifest, [], call);

    await expect(writing).rejects.toMatchObject({ code: 'invalid', side: 'destination', message: expect.stringContaining('249 characters') as unknown });
  });
});
