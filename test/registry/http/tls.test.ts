import { beforeAll, describe, expect, test } from '@jest/globals';
import { failureOfError } from '../../../src/registry/http/errors.js';
import type { HostSettings } from '../../../src/registry/http/settings.js';
import type { KeyPair } from '../../../src/webhook/x509.js';
import { aCall, anImage, pushImage, single } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, closeLater, resolving } from '../../support/registry-client.js';
import { aCertificate, anAuthority, day, startTlsFront, type TlsFront, type TlsFrontOptions } from '../../support/tls-front.js';

closeAfterEach();
const name = 'registry.test';
let authority: KeyPair;
let good: KeyPair;
beforeAll(async () => {
  authority = await anAuthority();
  good = await aCertificate(authority, { dns: [name] });
});

interface Stage {
  readonly front: TlsFront;
  readonly host: string;
  readonly head: (settings?: HostSettings) => Promise<unknown>;
}

/** A registry with one image behind TLS, and a client of our own for each way to speak to it. */
async function aStage(options: Partial<TlsFrontOptions> = {}): Promise<Stage> {
  const server = await aRegistryServer();
  await pushImage(aClient().registry, `${server.host}/app:1`, single(anImage('app')));
  const front = closeLater(await startTlsFront({ pair: good, to: server.host, ...options }));
  const host = `${name}:${front.port}`;
  let settings: HostSettings = {};
  const { registry } = aClient({ settings: () => settings, resolve: resolving() });
  return {
    front,
    host,
    head: (now = { ca: authority.certificate }) => {
      settings = now;
      return registry.head({ host, path: 'app', tag: '1' }, [], aCall({ purpose: 'probe' }));
    },
  };
}

describe('certificates of registries', () => {
  test('an authority of the operator’s own is trusted, beside those of the system', async () => {
    const { head } = await aStage();
    expect(await head()).toMatchObject({ size: expect.any(Number) as unknown });
  });

  test('without it the refusal names who signed, and the setting', async () => {
    const { head, host, front } = await aStage();

    await expect(head({})).rejects.toMatchObject({ code: 'tls', message: expect.stringMatching(/registry\.test .*is signed by test authority, which is not trusted.*registries\.items\.registry\.test:\d+\.caFile/) as unknown, host });
    expect(front.received).toBe(0);
  });

  test('another authority of the same name is another authority', async () => {
    const { head } = await aStage();
    await expect(head({ ca: (await anAuthority()).certificate })).rejects.toMatchObject({ code: 'tls' });
  });

  test('an expired one is refused, with the day it ended', async () => {
    const ended = await aCertificate(authority, { dns: [name] }, Date.parse('2021-03-01T00:00:00Z'), day);
    const { head, front } = await aStage({ pair: ended });

    await expect(head()).rejects.toMatchObject({ code: 'tls', message: expect.stringMatching(/certificate registry\.test \(serial \w+\) ended on 2021-03-02T00:00:00/) as unknown });
    expect(front.received).toBe(0);
  });

  test('one that begins tomorrow is refused, with the day', async () => {
    const early = await aCertificate(authority, { dns: [name] }, Date.now() + 2 * day);
    const { head } = await aStage({ pair: early });

    await expect(head()).rejects.toMatchObject({ code: 'tls', message: expect.stringContaining('is valid only from') as unknown });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('one for another name is refused over %s, every time: no session of it is taken up again', async (maxVersion) => {
    const { head, front } = await aStage({ pair: await aCertificate(authority, { dns: ['other.test'] }), maxVersion });

    for (let time = 0; time < 3; time++) {
      await expect(head()).rejects.toMatchObject({ code: 'tls', message: expect.stringMatching(/is for DNS:other\.test, not for registry\.test/) as unknown });
    }
    expect(front).toMatchObject({ received: 0, resumed: 0 });
  });

  test('an address needs a certificate for that address', async () => {
    const server = await aRegistryServer();
    const { registry } = aClient({ settings: () => ({ ca: authority.certificate }) });
    const right = closeLater(await startTlsFront({ pair: await aCertificate(authority, { ips: ['127.0.0.1'] }), to: server.host }));
    const wrong = closeLater(await startTlsFront({ pair: await aCertificate(authority, { ips: ['127.0.0.2'] }), to: server.host }));

    expect(await registry.head({ host: `127.0.0.1:${right.port}`, path: 'app', tag: '1' }, [], aCall())).toBe('missing');
    await expect(registry.head({ host: `127.0.0.1:${wrong.port}`, path: 'app', tag: '1' }, [], aCall())).rejects.toMatchObject({ code: 'tls' });
  });

  test('insecureSkipVerify takes any certificate', async () => {
    const { head } = await aStage({ pair: await aCertificate(await anAuthority('nobody'), { dns: ['other.test'] }) });
    expect(await head({ insecureSkipVerify: true })).toMatchObject({ size: expect.any(Number) as unknown });
  });

  test('settings that change hold from the next request on: no connection of before is used', async () => {
    const { head } = await aStage();
    await expect(head({})).rejects.toMatchObject({ code: 'tls' });
    await head();
    await expect(head({})).rejects.toMatchObject({ code: 'tls' });
  });

  test('a registry that speaks plain http is named as such', async () => {
    const server = await aRegistryServer();
    const { registry } = aClient({ resolve: resolving() });
    await expect(registry.head({ host: `${name}:${server.host.split(':')[1]}`, path: 'app', tag: '1' }, [], aCall())).rejects.toMatchObject({ code: 'tls', message: expect.stringContaining('plainHTTP') as unknown });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('a session that was accepted is taken up again over %s', async (maxVersion) => {
    const { head, front } = await aStage({ maxVersion });
    await head();
    front.drop();
    await head();

    expect(front).toMatchObject({ handshakes: 2, resumed: 1 });
  });
});

describe('client certificates', () => {
  test('are shown to the registry that they are for', async () => {
    const client = await anAuthority('client');
    const { head } = await aStage({ clientCertificate: client.certificate });

    expect(await head({ ca: authority.certificate, cert: client.certificate, key: client.privateKey })).toMatchObject({ size: expect.any(Number) as unknown });
  });

  test('without one, or with another, the registry does not answer', async () => {
    const other = await anAuthority('other');
    const { head } = await aStage({ clientCertificate: (await anAuthority('client')).certificate });

    await expect(head()).rejects.toMatchObject({ code: expect.stringMatching(/tls|unreachable/) as unknown });
    await expect(head({ ca: authority.certificate, cert: other.certificate, key: other.privateKey })).rejects.toMatchObject({ code: expect.stringMatching(/tls|unreachable/) as unknown });
  });

  test('a registry that says it wants one is a matter of settings', () => {
    const error = Object.assign(new Error('alert'), { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' });
    expect(failureOfError(error, { host: name, what: 'manifest app:1' }, aCall())).toMatchObject({ code: 'tls', message: expect.stringContaining('certFile and keyFile') as unknown });
  });

  test('a key that does not belong to the certificate is a matter of settings, too', async () => {
    const client = await anAuthority('client');
    const { head } = await aStage();
    await expect(head({ ca: authority.certificate, cert: client.certificate, key: authority.privateKey })).rejects.toMatchObject({ code: 'tls', message: expect.stringContaining('keyFile') as unknown });
  });

  test('a registry that redirects to another one does not make us show it there', async () => {
    const client = await anAuthority('client');
    const stage = await aStage({ clientCertificate: client.certificate });
    const evil = await aRegistryServer();
    evil.fault({ on: { route: 'manifest' }, times: 9, does: { status: 307, headers: { location: `https://${stage.host}/v2/app/manifests/1` } } });
    const withCertificate = { ca: authority.certificate, cert: client.certificate, key: client.privateKey };
    const { registry } = aClient({ settings: (host) => (host === stage.host ? withCertificate : { allowHosts: [name] }), resolve: resolving(), network: { allow: ['127.0.0.1'] } });

    await expect(registry.head({ host: evil.host, path: 'app', tag: '1' }, [], aCall({ purpose: 'probe' }))).rejects.toMatchObject({ code: 'unreachable' });
    expect(stage.front.handshakes).toBeGreaterThan(0);
    expect(stage.front.received).toBe(0);
  });
});

describe('https stays https', () => {
  test.each<[string, (host: string) => { readonly status: number; readonly headers: Readonly<Record<string, string>> }]>([
    ['a redirect', (host) => ({ status: 307, headers: { location: `http://${host}/elsewhere` } })],
    ['a realm', (host) => ({ status: 401, headers: { 'www-authenticate': `Bearer realm="http://${host}/token",service="x"` } })],
    ['a realm on the registry’s own host', () => ({ status: 401, headers: { 'www-authenticate': `Bearer realm="http://${name}/token"` } })],
  ])('%s to http is refused before a byte is sent', async (_sentence, does) => {
    const server = await aRegistryServer();
    const canary = await aRegistryServer();
    const front = closeLater(await startTlsFront({ pair: good, to: server.host }));
    server.fault({ on: { route: 'manifest' }, times: 9, does: does(canary.host) });
    const { registry, events } = aClient({ settings: () => ({ ca: authority.certificate, allowHosts: ['127.0.0.1'] }), resolve: resolving(), network: { allow: ['127.0.0.1'] } });

    await expect(registry.head({ host: `${name}:${front.port}`, path: 'app', tag: '1' }, [{ id: 'aaaaaaaaaaaa', username: 'ann', password: 'x' }], aCall())).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('plain http') as unknown });

    expect(events).toContainEqual(expect.objectContaining({ type: 'guard', rule: 'downgrade' }));
    expect(canary.requests).toEqual([]);
  });
});
