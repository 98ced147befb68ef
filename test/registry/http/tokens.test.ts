import { describe, expect, test } from '@jest/globals';
import { TokenCache, type TokenAnswer, type TokenRequest } from '../../../src/registry/http/tokens.js';
import type { HttpRegistry } from '../../../src/registry/http/client.js';
import type { Fault, FaultRegistry } from '../../support/fault-registry.js';
import { aBlob, aCall, anImage, pushImage, single, sourceOf } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt } from '../../support/registry-client.js';

closeAfterEach();
const ann = { id: 'aaaaaaaaaaaa', username: 'ann', password: 'correct horse' };
const accounts = { ann: ann.password };

function scopesAsked(server: FaultRegistry): readonly string[] {
  return server.requests.filter(({ route }) => route === 'token').flatMap(({ path }) => new URL(path, 'http://registry.test').searchParams.getAll('scope'));
}

describe('tokens', () => {
  test('nobody pings: the first request is the real one, and the next carries its token at once', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    const { registry } = aClient();

    await registry.head(refAt(server, 'app:1'), [ann], aCall());
    expect(server.log()).toEqual(['HEAD manifest', 'GET token', 'HEAD manifest']);
    server.calm();

    await registry.head(refAt(server, 'app:1'), [ann], aCall());
    expect(server.log()).toEqual(['HEAD manifest']);
  });

  test('a hundred requests at once need one token', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    const { registry } = aClient();

    await Promise.all(Array.from({ length: 100 }, (_, index) => registry.head(refAt(server, `app:${index}`), [ann], aCall())));

    expect(server.log().filter((line) => line === 'GET token')).toHaveLength(1);
  });

  test('the token is asked for with service, scope, client and account', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    await aClient().registry.head(refAt(server, 'team/app:1'), [ann], aCall());

    const asked = new URL(server.requests.find(({ route }) => route === 'token')!.path, 'http://registry.test');

    expect(Object.fromEntries(asked.searchParams)).toEqual({ service: 'test-registry', scope: 'repository:team/app:pull', client_id: 'kube-image-keeper', account: 'ann' });
  });

  test('without credentials an anonymous token is asked for, and the answer is known as anonymous', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts, isPublic: true } });
    const { registry } = aClient();
    await pushImage(registry, `${server.host}/app:1`, single(anImage('app')), [ann]);

    expect(await aClient().registry.head(refAt(server, 'app:1'), [], aCall())).toMatchObject({ identity: 'anonymous' });
  });

  test('a token that the registry no longer takes is renewed once', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    const { registry } = aClient();
    await registry.head(refAt(server, 'app:1'), [ann], aCall());
    server.door.revokeAll();
    server.calm();

    expect(await registry.head(refAt(server, 'app:1'), [ann], aCall())).toBe('missing');
    expect(server.log()).toEqual(['HEAD manifest', 'GET token', 'HEAD manifest']);
  });

  test('401 for ever costs at most two tokens, and is unauthorized', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    server.fault({ on: { route: 'manifest' }, times: 100, does: { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${server.host}/token",scope="repository:other:pull"` } } });

    await expect(aClient().registry.head(refAt(server, 'app:1'), [ann], aCall())).rejects.toMatchObject({ code: 'unauthorized' });

    expect(server.log().filter((line) => line === 'GET token').length).toBeLessThanOrEqual(2);
    expect(server.log().filter((line) => line === 'HEAD manifest').length).toBeLessThanOrEqual(3);
  });

  test('a scope that only the challenge knows is asked for, first in line', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    server.fault({ on: { route: 'manifest' }, does: { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${server.host}/token",scope="repository:mapped/app:pull"` } } });

    await aClient().registry.head(refAt(server, 'app:1'), [ann], aCall());

    const asked = new URL(server.requests.find(({ route }) => route === 'token')!.path, 'http://registry.test');
    expect(asked.searchParams.getAll('scope')).toEqual(['repository:mapped/app:pull', 'repository:app:pull']);
  });

  test.each([
    ['lives 300 s by default 60', undefined, 50_000, 0],
    ['that lives 5 s counts as 60', 5, 50_000, 0],
    ['of 61 s is still good after 54 s', 61, 54_000, 0],
    ['of 61 s is renewed a tenth of it before its end', 61, 55_000, 1],
    ['is renewed before it ends', 300, 271_000, 1],
    ['of 300 s is still good after 260 s', 300, 260_000, 0],
  ])('a token %s', async (_sentence, expiresIn, laterMs, renewals) => {
    let now = 1_700_000_000_000;
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    server.fault({ on: { route: 'token' }, times: 100, does: { status: 200, body: JSON.stringify({ access_token: 'abc', ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) }) } });
    const { registry } = aClient({ clock: () => now });
    await registry.head(refAt(server, 'app:1'), [ann], aCall()).catch(() => undefined);
    server.calm();
    server.fault({ on: { route: 'token' }, times: 100, does: { status: 200, body: JSON.stringify({ token: 'def' }) } });
    server.fault({ on: { route: 'manifest' }, times: 100, does: { status: 404 } });

    now += laterMs;
    await registry.head(refAt(server, 'app:1'), [ann], aCall());

    expect(server.log().filter((line) => line === 'GET token')).toHaveLength(renewals);
  });

  test.each([
    ['ten minutes fast', 600_000],
    ['ten minutes slow', -600_000],
  ])('a token service whose clock is %s gives tokens that live', async (_sentence, skewMs) => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    const body = JSON.stringify({ token: 'abc', expires_in: 300, issued_at: new Date(Date.now() + skewMs).toISOString() });
    server.fault({ on: { route: 'token' }, times: 100, does: { status: 200, body } });
    const { registry } = aClient();
    await registry.head(refAt(server, 'app:1'), [ann], aCall()).catch(() => undefined);
    server.calm();
    server.fault({ on: { route: 'manifest' }, times: 100, does: { status: 404 } });

    await registry.head(refAt(server, 'app:1'), [ann], aCall());

    expect(server.log()).toEqual(['HEAD manifest']);
  });

  test('a token from the future ends by our clock, not by that of its service', async () => {
    let now = 1_700_000_000_000;
    const server = await aRegistryServer({ access: { type: 'bearer', accounts, clock: () => now, lies: (honest) => ({ ...honest, expires_in: 300, issued_at: new Date(now + 600_000).toISOString() }) } });
    const { registry } = aClient({ clock: () => now });
    await registry.head(refAt(server, 'app:1'), [ann], aCall());
    server.calm();

    now += 280_000;
    await registry.head(refAt(server, 'app:1'), [ann], aCall());

    expect(server.log()).toEqual(['GET token', 'HEAD manifest']);
  });

  test.each<[string, Fault['does']['headers']]>([
    ['without a challenge', { 'www-authenticate': undefined }],
    ['with an empty challenge', { 'www-authenticate': '' }],
    ['with a challenge that is garbage', { 'www-authenticate': '"""realm=,,=' }],
    ['with a realm that is no URL', { 'www-authenticate': 'Bearer realm="http://[",service="x"' }],
    ['with a challenge that has no realm', { 'www-authenticate': 'Bearer service="x"' }],
  ])('a 401 %s is unauthorized, and nobody is asked for a token', async (_sentence, headers) => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    server.fault({ on: { route: 'manifest' }, times: 9, does: { status: 401, headers } });

    await expect(aClient().registry.head(refAt(server, 'app:1'), [ann], aCall())).rejects.toMatchObject({ code: 'unauthorized' });

    expect(server.log()).toEqual(['HEAD manifest']);
  });

  test('a challenge of several schemes, in any case and with commas in quotes, is answered with a token', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    server.fault({ on: { route: 'manifest' }, does: { status: 401, headers: { 'www-authenticate': `Negotiate, BASIC REALM="a, b", BEARER Realm="http://${server.host}/token", SERVICE="test-registry"` } } });

    expect(await aClient().registry.head(refAt(server, 'app:1'), [ann], aCall())).toBe('missing');

    expect(server.log()).toEqual(['HEAD manifest', 'GET token', 'HEAD manifest']);
  });

  test.each(['access_token', 'both'] as const)('the token is found where the service writes it: %s', async (tokenField) => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts, tokenField } });

    expect(await aClient().registry.head(refAt(server, 'app:1'), [ann], aCall())).toBe('missing');
  });

  test('a service that grants less than was asked, without a word, is asked twice at most, and then it is not allowed', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts, grants: (asked) => asked.map((scope) => scope.replace(/:pull,push$/, ':pull')) } });
    const layer = aBlob('layer', 2_000_000);

    await expect(aClient().registry.putBlob(refAt(server, 'app'), layer.descriptor, sourceOf(layer.bytes), [ann], aCall({ side: 'destination' }))).rejects.toMatchObject({ code: 'unauthorized', side: 'destination' });

    expect(server.log().filter((line) => line === 'POST upload')).toHaveLength(2);
    expect(server.door.issued.length).toBeLessThanOrEqual(2);
  });

  test('a mount asks for both repositories in one token: to write here first, then to read there', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    const layer = aBlob('layer');
    const { registry } = aClient();
    const call = aCall({ side: 'destination' });
    await registry.putBlob(refAt(server, 'from'), layer.descriptor, sourceOf(layer.bytes), [ann], call);
    server.calm();

    expect(await registry.putBlob(refAt(server, 'to'), layer.descriptor, sourceOf(layer.bytes), [ann], call)).toBe('mounted');

    expect(scopesAsked(server)).toEqual(['repository:to:pull,push', 'repository:from:pull']);
  });

  test.each<[string, (registry: HttpRegistry, server: FaultRegistry) => Promise<unknown>, string]>([
    ['reading asks for pull', (registry, server) => registry.head(refAt(server, 'app:1'), [ann], aCall()), 'repository:app:pull'],
    ['writing asks for pull and push', (registry, server) => registry.putManifest(refAt(server, 'app:1'), anImage('app').manifest, [ann], aCall()), 'repository:app:pull,push'],
    ['deleting asks for delete too', (registry, server) => registry.deleteManifest(refAt(server, 'app:1'), [ann], aCall({ purpose: 'delete' })), 'repository:app:pull,push,delete'],
  ])('%s, and for nothing else', async (_sentence, asks, scope) => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });

    await asks(aClient().registry, server).catch(() => undefined);

    expect(scopesAsked(server)).toEqual([scope]);
  });

  test('an identity token is exchanged by POST', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts, refreshTokens: { ann: 'refresh-me' } } });
    const as = [{ id: 'bbbbbbbbbbbb', identityToken: 'refresh-me' }];

    expect(await aClient().registry.head(refAt(server, 'app:1'), as, aCall())).toBe('missing');
    expect(server.log()).toEqual(['HEAD manifest', 'POST token', 'HEAD manifest']);
  });

  test.each([400, 401, 404, 405])('a token service that answers %d to the exchange is asked by GET', async (status) => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    server.fault({ on: { route: 'token', method: 'POST' }, does: { status } });
    const as = [{ ...ann, identityToken: 'refresh-me' }];

    await aClient().registry.head(refAt(server, 'app:1'), as, aCall());

    expect(server.log()).toEqual(['HEAD manifest', 'POST token', 'GET token', 'HEAD manifest']);
  });

  test('a registry token is shown as it is', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'manifest' }, does: { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${server.host}/token"` } } });

    await aClient().registry.head(refAt(server, 'app:1'), [{ id: 'cccccccccccc', registryToken: 'ready-made' }], aCall());

    expect(server.log()).toEqual(['HEAD manifest', 'HEAD manifest']);
    expect(server.requests[1]?.headers.authorization).toBe('Bearer ready-made');
  });

  test.each([
    ['401', { status: 401 }, 'unauthorized'],
    ['429', { status: 429, headers: { 'retry-after': '7' } }, 'throttled'],
    ['an answer without a token', { status: 200, body: '{}' }, 'unauthorized'],
    ['a gigantic answer', { status: 200, body: JSON.stringify({ token: 'x'.repeat(1_000_000) }) }, 'unauthorized'],
  ] as const)('a token service that answers %s makes the request fail as %s says', async (_sentence, does, code) => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    server.fault({ on: { route: 'token' }, times: 10, does });

    await expect(aClient().registry.head(refAt(server, 'app:1'), [ann], aCall())).rejects.toMatchObject({ code });
  });

  test('a refusal of the token service is remembered: bad passwords are not tried in a row', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts } });
    const { registry } = aClient();
    const wrong = [{ ...ann, password: 'wrong' }];
    for (let time = 0; time < 3; time++) await expect(registry.head(refAt(server, 'app:1'), wrong, aCall())).rejects.toMatchObject({ code: 'unauthorized' });

    expect(server.log().filter((line) => line === 'GET token')).toHaveLength(1);
  });

  test.each([400, 403])('a token service that answers %d to the action delete is asked once more without it', async (status) => {
    const asked: (readonly string[])[] = [];
    const send = (request: TokenRequest): Promise<TokenAnswer> => {
      asked.push(request.url.searchParams.getAll('scope'));
      return Promise.resolve(asked.length === 1 ? { status, text: '' } : { status: 200, text: '{"token":"t"}' });
    };
    const cache = new TokenCache(() => 0);
    const ask = { realm: new URL('https://auth.test/token'), service: 's', scopes: ['repository:a:pull,push,delete'], credential: ann };

    expect(await cache.ask(ask, send)).toMatchObject({ value: 't' });

    expect(asked).toEqual([['repository:a:pull,push,delete'], ['repository:a:pull,push']]);
    expect(cache.held(ask)).toBeDefined(); // the registry decides: it is not asked for again each time
  });

  test('two tenants never share a token', async () => {
    const server = await aRegistryServer({ access: { type: 'bearer', accounts: { ann: 'a', bob: 'b' } } });
    const { registry } = aClient();
    const tenants = [
      { id: 'aaaaaaaaaaaa', username: 'ann', password: 'a' },
      { id: 'bbbbbbbbbbbb', username: 'bob', password: 'b' },
    ];
    for (let round = 0; round < 3; round++) for (const tenant of tenants) await registry.head(refAt(server, 'app:1'), [tenant], aCall());

    const [annsToken, bobsToken] = server.door.issued;
    expect(server.door.issued).toHaveLength(2);
    const shown = server.requests.filter(({ route }) => route === 'manifest').map(({ headers }) => headers.authorization);
    expect(shown.filter((header) => header === `Bearer ${annsToken}`)).toHaveLength(3);
    expect(shown.filter((header) => header === `Bearer ${bobsToken}`)).toHaveLength(3);
  });
});
