import { describe, expect, test } from '@jest/globals';
import { isFailure } from '../../../src/domain/failure.js';
import type { Credential } from '../../../src/registry/registry.js';
import type { Fault } from '../../support/fault-registry.js';
import { aBlob, aCall, anImage, pushImage, single, sourceOf } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt, resolving } from '../../support/registry-client.js';

closeAfterEach();
const ann: Credential = { id: 'aaaaaaaaaaaa', username: 'ann', password: 'correct horse' };
const bob: Credential = { id: 'bbbbbbbbbbbb', username: 'bob', password: 'battery staple' };
const accounts = { ann: 'correct horse', bob: 'battery staple' };

describe('several credentials', () => {
  test.each([401, 403, 404])('the next one is tried after %d', async (status) => {
    const server = await aRegistryServer({ access: { type: 'basic', accounts } });
    const { registry } = aClient();
    await pushImage(registry, `${server.host}/app:1`, single(anImage('app')), [bob]);
    const fresh = aClient().registry;
    // the challenge, then ann's refusal
    server.fault({ on: { route: 'manifest' }, from: 2, does: { status } });

    expect(await fresh.head(refAt(server, 'app:1'), [ann, bob], aCall())).toMatchObject({ identity: bob.id });
  });

  test.each([
    [429, 'throttled'],
    [500, 'unreachable'],
  ] as const)('never after %d', async (status, code) => {
    const server = await aRegistryServer({ access: { type: 'basic', accounts } });
    server.fault({ on: { route: 'manifest' }, from: 2, times: 99, does: { status } });

    await expect(aClient().registry.head(refAt(server, 'app:1'), [ann, bob], aCall({ purpose: 'probe' }))).rejects.toMatchObject({ code });

    const bobs = `Basic ${Buffer.from('bob:battery staple').toString('base64')}`;
    expect(server.requests.map(({ headers }) => headers.authorization)).not.toContain(bobs);
  });

  test('the first failure is the one that is reported', async () => {
    const server = await aRegistryServer({ access: { type: 'basic', accounts: {} } });
    server.fault({ on: { route: 'manifest' }, from: 2, does: { status: 403, body: '{"errors":[{"code":"DENIED","message":"not ann"}]}' } });

    await expect(aClient().registry.manifest(refAt(server, 'app:1'), [ann, bob], aCall())).rejects.toMatchObject({ code: 'denied' });
  });

  test('the one that worked goes first next time', async () => {
    const server = await aRegistryServer({ access: { type: 'basic', accounts: { bob: 'battery staple' } } });
    const { registry } = aClient();
    await pushImage(registry, `${server.host}/app:1`, single(anImage('app')), [bob]);
    await registry.head(refAt(server, 'app:1'), [ann, bob], aCall());
    server.calm();

    await registry.head(refAt(server, 'app:1'), [ann, bob], aCall());

    expect(server.requests).toHaveLength(1);
  });

  test('a rotation with two keys is not noticed: whichever is right at the time is found', async () => {
    const passwords: Record<string, string> = { ann: 'old' };
    const server = await aRegistryServer({ access: { type: 'basic', accounts: passwords } });
    const keys = [{ ...ann, password: 'old' }, { ...ann, id: 'cccccccccccc', password: 'new' }];
    const { registry } = aClient();
    await pushImage(registry, `${server.host}/app:1`, single(anImage('app')), [keys[0]!]);
    const look = (): Promise<unknown> => registry.head(refAt(server, 'app:1'), keys, aCall());

    expect(await look()).toMatchObject({ identity: ann.id });
    passwords['ann'] = 'new';
    expect(await look()).toMatchObject({ identity: 'cccccccccccc' });
    server.calm();
    expect(await look()).toMatchObject({ identity: 'cccccccccccc' });
    expect(server.requests).toHaveLength(1);
    passwords['ann'] = 'old'; // rolled back
    expect(await look()).toMatchObject({ identity: ann.id });
  });

  test('a registry that asks for nothing is sent nothing', async () => {
    const server = await aRegistryServer();
    await aClient().registry.head(refAt(server, 'app:1'), [ann], aCall());

    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });
});

describe('where credentials go', () => {
  test('a redirect to another origin carries none, on any hop', async () => {
    const server = await aRegistryServer({ access: { type: 'basic', accounts }, blobsAt: 'second' });
    const { registry } = aClient();
    const blob = aBlob('redirected', 5000);
    await registry.putBlob(refAt(server, 'app'), blob.descriptor, sourceOf(blob.bytes), [ann], aCall({ side: 'destination' }));

    for await (const chunk of registry.blob(refAt(server, 'app'), blob.descriptor, [ann], aCall())) void chunk;

    const redirected = server.requests.filter(({ route }) => route === 'second');
    expect(redirected).toHaveLength(1);
    expect(redirected[0]?.headers.authorization).toBeUndefined();
  });

  test('a redirect that comes back to the registry does not bring them back', async () => {
    const server = await aRegistryServer({ access: { type: 'basic', accounts } });
    const { registry } = aClient();
    await pushImage(registry, `${server.host}/app:1`, single(anImage('app')), [ann]);
    server.calm();
    server.fault({ on: { method: 'GET', path: '/v2/app/manifests/1' }, does: { status: 307, headers: { location: `http://${server.second}/away` } } });
    server.fault({ on: { route: 'second' }, does: { status: 307, headers: { location: `http://${server.host}/v2/app/manifests/1?back` } } });

    await expect(registry.manifest(refAt(server, 'app:1'), [ann], aCall())).rejects.toMatchObject({ code: 'unauthorized' });

    expect(server.requests.filter(({ path }) => path.endsWith('?back')).every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test('configured headers go to the registry alone', async () => {
    const server = await aRegistryServer({ blobsAt: 'second' });
    const { registry } = aClient({ settings: (host) => (host === server.host ? { headers: { 'x-team': 'blue' } } : {}) });
    const blob = aBlob('headed', 5000);
    await registry.putBlob(refAt(server, 'app'), blob.descriptor, sourceOf(blob.bytes), [], aCall({ side: 'destination' }));

    for await (const chunk of registry.blob(refAt(server, 'app'), blob.descriptor, [], aCall())) void chunk;

    expect(server.requests.filter(({ route }) => route === 'second').map(({ headers }) => headers['x-team'])).toEqual([undefined]);
    expect(server.requests.filter(({ route }) => route !== 'second').every(({ headers }) => headers['x-team'] === 'blue')).toBe(true);
  });

  test('an upload location on another origin gets the bytes and no credentials', async () => {
    const server = await aRegistryServer({ access: { type: 'basic', accounts }, singlePost: false });
    const blob = aBlob('elsewhere', 5000);
    server.fault({ on: { route: 'upload', method: 'POST' }, from: 1, times: 9, does: { headers: { location: `http://${server.second}/upload?state=1` } } });
    server.fault({ on: { route: 'second' }, does: { status: 201 } });

    await aClient().registry.putBlob(refAt(server, 'app'), blob.descriptor, sourceOf(blob.bytes), [ann], aCall({ side: 'destination' }));

    const [put] = server.requests.filter(({ route }) => route === 'second');
    expect(put).toMatchObject({ method: 'PUT', bodyBytes: 5000 });
    expect(put?.headers.authorization).toBeUndefined();
  });

  test('a realm on a strange host is asked anonymously', async () => {
    const server = await aRegistryServer();
    const strange = await aRegistryServer({ access: { type: 'bearer', accounts, isPublic: true } });
    const { registry } = aClient({ settings: () => ({ endpoint: server.host, plainHTTP: true }) });
    // the registry is known as 127.0.0.1, the realm as localhost with the same address: no shared parent
    server.fault({ on: { route: 'manifest' }, times: 9, does: { status: 401, headers: { 'www-authenticate': `Bearer realm="http://localhost:${strange.host.split(':')[1]}/token",service="x"` } } });

    await expect(registry.head({ host: 'registry.test', path: 'app', tag: '1' }, [ann], aCall())).rejects.toMatchObject({ code: 'unauthorized' });

    const [asked] = strange.requests;
    expect(asked?.headers.authorization).toBeUndefined();
    expect(asked?.path).not.toContain('account');
  });
});

describe('realms', () => {
  const strangeRealm = (server: { readonly host: string }, status = 401): Fault => ({ on: { route: 'manifest' }, times: 99, does: { status, headers: { 'www-authenticate': `Bearer realm="http://sso.strange.test:${server.host.split(':')[1]}/token",service="x"` } } });
  const open = { resolve: resolving(), network: { allow: ['127.0.0.1'] } };

  async function aStrangeRealm() {
    const server = await aRegistryServer();
    const realm = await aRegistryServer({ access: { type: 'bearer', accounts, isPublic: true } });
    server.fault(strangeRealm(realm));
    return { server, realm, at: refAt({ host: `registry.test:${server.host.split(':')[1]}` }, 'app:1') };
  }

  test('the failure names the realm that may not see the credential, and the setting', async () => {
    const { realm, at } = await aStrangeRealm();
    const { registry } = aClient({ ...open, settings: () => ({ plainHTTP: true }) });

    await expect(registry.head(at, [ann], aCall())).rejects.toMatchObject({ code: 'unauthorized', message: expect.stringMatching(/token service sso\.strange\.test:\d+ is another domain's .* registries\.items\.registry\.test:\d+\.allowHosts permits it/) as unknown });
    expect(realm.requests.every(({ headers, path }) => headers.authorization === undefined && !path.includes('account'))).toBe(true);
  });

  test('one that the operator allows sees it', async () => {
    const { realm, at } = await aStrangeRealm();
    const { registry } = aClient({ ...open, settings: () => ({ plainHTTP: true, allowHosts: ['sso.strange.test'] }) });

    await registry.head(at, [ann], aCall()).catch(() => undefined);

    expect(realm.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ann:correct horse').toString('base64')}`);
  });

  test('a token request follows no redirect', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    const canary = await aRegistryServer();
    server.fault({ on: { route: 'token' }, times: 9, does: { status: 307, headers: { location: `http://${canary.host}/token` } } });

    await expect(aClient().registry.head(refAt(server, 'app:1'), [ann], aCall())).rejects.toMatchObject({ code: 'unauthorized' });
    expect(canary.requests).toEqual([]);
  });

  test('a 401 of another origin is not answered', async () => {
    const server = await aRegistryServer({ access: { type: 'basic', accounts } });
    const realm = await aRegistryServer({ access: { type: 'bearer', accounts } });
    server.fault({ on: { route: 'manifest' }, times: 9, does: { status: 307, headers: { location: `http://${server.second}/x` } } });
    server.fault({ on: { route: 'second' }, times: 9, does: { status: 401, headers: { 'www-authenticate': `Basic realm="x", Bearer realm="http://${realm.host}/token"` } } });

    await expect(aClient().registry.manifest(refAt(server, 'app:1'), [ann], aCall())).rejects.toMatchObject({ code: 'unauthorized' });

    expect(realm.requests).toEqual([]);
    expect(server.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test('a registry that offers neither Bearer nor Basic is unsupported', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, times: 9, does: { status: 401, headers: { 'www-authenticate': 'Negotiate, NTLM' } } });

    await expect(aClient().registry.head(refAt(server, 'app:1'), [ann], aCall())).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('guards', () => {
  const https = { 'www-authenticate': 'Bearer realm="ftp://auth.test/token"' };
  test.each<[string, Fault['does'], string]>([
    ['a redirect to a metadata address', { status: 307, headers: { location: 'http://169.254.169.254/latest/meta-data' } }, '169.254.169.254'],
    ['a redirect to a metadata address written as a number', { status: 307, headers: { location: 'http://2852039166/latest' } }, '169.254.169.254'],
    ['a redirect to a private address that only the answer names', { status: 307, headers: { location: 'http://10.1.2.3/blob' } }, 'allowHosts'],
    ['a redirect to a mapped link-local address', { status: 307, headers: { location: 'http://[::ffff:169.254.169.254]/' } }, 'link-local'],
    ['a redirect to another scheme', { status: 307, headers: { location: 'file:///etc/passwd' } }, 'scheme'],
    ['a realm at a metadata address', { status: 401, headers: { 'www-authenticate': 'Bearer realm="http://169.254.169.254/token"' } }, '169.254.169.254'],
    ['a realm of another scheme', { status: 401, headers: https }, 'scheme'],
  ])('%s is refused, and the message says why', async (_sentence, does, why) => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, times: 99, does });
    const { registry, events } = aClient();

    await expect(registry.manifest(refAt(server, 'app:1'), [ann], aCall())).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(why) as unknown });
    expect(events.some(({ type }) => type === 'guard')).toBe(true);
  });

  test('a loop of redirects ends after five', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, times: 99, does: { status: 302, headers: { location: '/v2/app/manifests/1' } } });

    await expect(aClient().registry.manifest(refAt(server, 'app:1'), [], aCall())).rejects.toMatchObject({ code: 'invalid' });
    expect(server.requests).toHaveLength(6);
  });

  test('five redirects are followed', async () => {
    const server = await aRegistryServer();
    await pushImage(aClient().registry, `${server.host}/app:1`, single(anImage('app')));
    server.calm();
    server.fault({ on: { route: 'manifest' }, times: 5, does: { status: 302, headers: { location: '/v2/app/manifests/1' } } });

    expect(await aClient().registry.manifest(refAt(server, 'app:1'), [], aCall())).toMatchObject({ type: 'image' });
    expect(server.requests).toHaveLength(6);
  });

  test('a registry that is https never points to http', async () => {
    const { checkDowngrade } = await import('../../../src/registry/http/guard.js');
    const { endpointOf } = await import('../../../src/registry/http/settings.js');
    expect(() => checkDowngrade(new URL('http://registry.test/x'), endpointOf('registry.test', {}))).toThrow('plain http');
  });
});

describe('secrets stay secret', () => {
  const canaries = ['canary-password', 'canary-identity', 'canary-registry-token', 'canary-signature', 'canary-state'];
  const echo = (text: string): string => JSON.stringify({ errors: [{ code: 'UNKNOWN', message: text }] });

  test.each<[string, Fault]>([
    ['a registry that echoes the password', { on: { route: 'manifest' }, times: 99, does: { status: 403, body: echo('you sent canary-password') } }],
    ['a registry that echoes the header', { on: { route: 'manifest' }, times: 99, does: { status: 403, body: echo(`Authorization: Basic ${Buffer.from('ann:canary-password').toString('base64')}`) } }],
    ['a registry that prints a signed URL', { on: { route: 'manifest' }, times: 99, does: { status: 500, body: echo('cannot read https://storage.test/x?sig=canary-signature') } }],
    ['a redirect to a signed URL that is refused', { on: { route: 'manifest' }, times: 99, does: { status: 307, headers: { location: 'http://10.0.0.1/x?sig=canary-signature' } } }],
    ['a redirect to a signed URL that is no URL', { on: { route: 'manifest' }, times: 99, does: { status: 307, headers: { location: 'http://[bad?sig=canary-signature' } } }],
    ['a token service that echoes', { on: { route: 'token' }, times: 99, does: { status: 403, body: 'canary-password canary-identity' } }],
    ['a connection that breaks', { on: { route: 'manifest' }, times: 99, does: { reset: true } }],
  ])('%s gives away nothing', async (_sentence, fault) => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts: { ann: 'canary-password' } } });
    server.fault(fault);
    const canary: Credential = { id: 'cccccccccccc', username: 'ann', password: 'canary-password', identityToken: 'canary-identity', registryToken: _sentence.startsWith('a token') ? undefined : 'canary-registry-token' };
    const { registry, events } = aClient();

    const failure: unknown = await registry.manifest(refAt(server, 'app:1'), [canary], aCall()).catch((error: unknown) => error);

    expect(isFailure(failure)).toBe(true);
    const said = JSON.stringify([describeError(failure), events]);
    for (const secret of [...canaries, Buffer.from('ann:canary-password').toString('base64')]) expect(said).not.toContain(secret);
  });
});

/** Everything an error carries, causes included. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return { ...error, message: error.message, stack: error.stack, cause: describeError(error.cause) };
}
