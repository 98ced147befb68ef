import { beforeAll, describe, expect, test } from '@jest/globals';
import { isFailure } from '../../../src/domain/failure.js';
import { Proxies } from '../../../src/registry/http/proxy.js';
import type { KeyPair } from '../../../src/webhook/x509.js';
import { aCall, anImage, pushImage, single } from '../../support/images.js';
import { startForwardProxy, type ForwardProxyOptions } from '../../support/forward-proxy.js';
import { aClient, aRegistryServer, closeAfterEach, closeLater, resolving } from '../../support/registry-client.js';
import { aCertificate, anAuthority, day, startTlsFront } from '../../support/tls-front.js';

closeAfterEach();

describe('which proxy', () => {
  const both = { http: 'http://plain.test:3128', https: 'http://secure.test:3129' };

  test.each([
    ['https goes through HTTPS_PROXY', both, 'https://reg.test/', 'secure.test:3129'],
    ['http goes through HTTP_PROXY', both, 'http://reg.test/', 'plain.test:3128'],
    ['https has none where only HTTP_PROXY is set', { http: 'http://plain.test:3128' }, 'https://reg.test/', undefined],
    ['a proxy without a scheme is http', { https: 'secure.test:3129' }, 'https://reg.test/', 'secure.test:3129'],
    ['localhost is never proxied', both, 'https://localhost:5000/', undefined],
    ['nor is a loopback address', both, 'https://127.0.0.9/', undefined],
    ['nor the one of IPv6', both, 'https://[::1]:5000/', undefined],
    ['an empty variable is none', { https: '' }, 'https://reg.test/', undefined],
  ])('%s', (_sentence, settings, url, proxy) => {
    expect(new Proxies(settings).for(new URL(url))?.host).toBe(proxy);
  });

  test.each<[string, string, 'proxied' | 'direct']>([
    ['example.com', 'https://example.com/', 'direct'],
    ['example.com', 'https://reg.example.com/', 'direct'],
    ['example.com', 'https://notexample.com/', 'proxied'],
    ['example.com', 'https://example.com.evil.test/', 'proxied'],
    ['.example.com', 'https://reg.example.com/', 'direct'],
    ['.example.com', 'https://example.com/', 'proxied'],
    ['*.example.com', 'https://reg.example.com/', 'direct'],
    ['*.example.com', 'https://example.com/', 'proxied'],
    ['EXAMPLE.com', 'https://Reg.Example.Com/', 'direct'],
    ['example.com:5000', 'https://reg.example.com:5000/', 'direct'],
    ['example.com:5000', 'https://reg.example.com/', 'proxied'],
    ['example.com:443', 'https://reg.example.com/', 'direct'],
    ['example.com:80', 'http://reg.example.com/', 'direct'],
    ['10.0.0.0/8', 'https://10.1.2.3:5000/', 'direct'],
    ['10.0.0.0/8', 'https://11.1.2.3/', 'proxied'],
    ['10.0.0.0/8', 'https://reg.test/', 'proxied'],
    ['fc00::/7', 'https://[fd12::1]:5000/', 'direct'],
    ['10.1.2.3', 'https://10.1.2.3:5000/', 'direct'],
    ['10.1.2.3:5000', 'https://10.1.2.3:5000/', 'direct'],
    ['10.1.2.3:5000', 'https://10.1.2.3:5001/', 'proxied'],
    ['[fd12::1]:5000', 'https://[fd12::1]:5000/', 'direct'],
    ['[fd12::1]:5000', 'https://[fd12::1]/', 'proxied'],
    ['fd12::1', 'https://[fd12::1]/', 'direct'],
    [' a.test , reg.test ,', 'https://reg.test/', 'direct'],
    ['10.0.0.0/99', 'https://10.1.2.3/', 'proxied'],
    [',', 'https://reg.test/', 'proxied'],
    ['*', 'https://reg.test/', 'direct'],
  ])('with NO_PROXY=%s, %s goes %s', (no, url, how) => {
    expect(new Proxies({ ...both, no }).for(new URL(url)) === undefined ? 'direct' : 'proxied').toBe(how);
  });

  test.each(['socks5://user:canary@proxy.test', 'http://', 'ftp://proxy.test', 'http://user:canary@:80'])('%s stops the start, and is not shown', (https) => {
    expect(() => new Proxies({ https })).toThrow(/^HTTPS_PROXY is no URL of an http or https proxy; write one such as http:\/\/proxy\.example\.com:3128$/);
  });
});

describe('through a proxy', () => {
  let authority: KeyPair;
  beforeAll(async () => {
    authority = await anAuthority();
  });

  const head = (host: string) => [{ host, path: 'app', tag: '1' }, [{ id: 'aaaaaaaaaaaa', username: 'ann', password: 'correct horse' }], aCall({ purpose: 'probe' as const })] as const;

  async function aProxiedRegistry(options: Partial<ForwardProxyOptions> & { readonly names?: readonly string[]; readonly endedOn?: number } = {}) {
    const server = await aRegistryServer({ access: { type: 'basic', accounts: { ann: 'correct horse' } } });
    await pushImage(aClient().registry, `${server.host}/app:1`, single(anImage('app')), head('')[1]);
    server.calm();
    const pair = options.endedOn === undefined ? await aCertificate(authority, { dns: [...(options.names ?? ['registry.test'])] }) : await aCertificate(authority, { dns: ['registry.test'] }, options.endedOn - day, day);
    const front = closeLater(await startTlsFront({ pair, to: server.host }));
    const routes: Record<string, string> = { 'registry.test:443': `127.0.0.1:${front.port}`, 'plain.test:5000': server.host };
    const proxy = closeLater(await startForwardProxy({ route: (target) => routes[target], ...options }));
    return { server, front, proxy };
  }

  test('an https registry is reached in a tunnel: the proxy sees its name and nothing else', async () => {
    const { proxy } = await aProxiedRegistry();
    const { registry } = aClient({ proxy: { https: `http://${proxy.host}` }, settings: () => ({ ca: authority.certificate }) });

    expect(await registry.head(...head('registry.test'))).toMatchObject({ identity: 'aaaaaaaaaaaa' });

    expect(new Set(proxy.log)).toEqual(new Set(['CONNECT registry.test:443']));
    expect(proxy.headers.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  test('an http registry is asked in the absolute form', async () => {
    const { proxy, server } = await aProxiedRegistry();
    const { registry } = aClient({ proxy: { http: proxy.host }, settings: () => ({ plainHTTP: true }) });

    expect(await registry.head(...head('plain.test:5000'))).toMatchObject({ identity: 'aaaaaaaaaaaa' });

    expect(proxy.log).toEqual(['HEAD http://plain.test:5000/v2/app/manifests/1', 'HEAD http://plain.test:5000/v2/app/manifests/1']);
    expect(server.requests.map(({ headers }) => headers.host)).toEqual(['plain.test:5000', 'plain.test:5000']);
  });

  test('a registry excepted by NO_PROXY is reached straight', async () => {
    const { proxy, front } = await aProxiedRegistry();
    const { registry } = aClient({ proxy: { https: proxy.host, no: '.other.test,registry.test' }, settings: () => ({ ca: authority.certificate }), resolve: resolving() });

    expect(await registry.head(...head(`registry.test:${front.port}`))).toMatchObject({ identity: 'aaaaaaaaaaaa' });
    expect(proxy.log).toEqual([]);
  });

  test('the proxy gets its own password, the registry does not', async () => {
    const { proxy, server } = await aProxiedRegistry({ account: 'squid:ink' });
    const { registry } = aClient({ proxy: { http: `http://squid:ink@${proxy.host}`, https: `http://squid:ink@${proxy.host}` }, settings: (host) => ({ plainHTTP: host.startsWith('plain'), ca: authority.certificate }) });

    await registry.head(...head('registry.test'));
    await registry.head(...head('plain.test:5000'));

    expect(server.requests.every(({ headers }) => headers['proxy-authorization'] === undefined)).toBe(true);
  });

  test.each([
    ['https', 'registry.test'],
    ['http', 'plain.test:5000'],
  ])('a proxy that refuses (%s) is named, its password is not', async (_scheme, host) => {
    const { proxy } = await aProxiedRegistry({ account: 'squid:ink' });
    const { registry } = aClient({ proxy: { http: `http://squid:canary@${proxy.host}`, https: `http://squid:canary@${proxy.host}` }, settings: () => ({ plainHTTP: host.startsWith('plain') }) });

    const failure: unknown = await registry.head(...head(host)).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'unreachable', message: expect.stringContaining(`through the proxy ${proxy.host}: refused (407)`) as unknown });
    expect(`${String(failure)} ${isFailure(failure) ? `${failure.stack} ${String(failure.cause)}` : ''}`).not.toMatch(/canary|squid/);
  });

  test('a proxy that is not there is named', async () => {
    const { proxy } = await aProxiedRegistry();
    await proxy.close();
    const { registry } = aClient({ proxy: { https: `http://squid:canary@${proxy.host}` } });

    await expect(registry.head(...head('registry.test'))).rejects.toMatchObject({ code: 'unreachable', message: expect.stringMatching(/through the proxy 127\.0\.0\.1:\d+: connection refused/) as unknown });
  });

  test.each([
    ['for another name', { names: ['other.test'] }, 'is for DNS:other.test'],
    ['that has ended', { endedOn: Date.parse('2021-03-02T00:00:00Z') }, 'ended on 2021-03-02'],
  ])('a certificate %s is refused in the tunnel, too', async (_sentence, options, why) => {
    const { proxy, front } = await aProxiedRegistry(options);
    const { registry } = aClient({ proxy: { https: proxy.host }, settings: () => ({ ca: authority.certificate }) });

    for (let time = 0; time < 2; time++) await expect(registry.head(...head('registry.test'))).rejects.toMatchObject({ code: 'tls', message: expect.stringContaining(why) as unknown });
    expect(front.received).toBe(0);
  });

  test('an address that may not be reached is not asked for, through a proxy either', async () => {
    const { proxy } = await aProxiedRegistry();
    const { registry } = aClient({ proxy: { http: proxy.host, https: proxy.host } });

    await expect(registry.head(...head('169.254.169.254'))).rejects.toMatchObject({ code: 'invalid' });
    expect(proxy.log).toEqual([]);
  });
});
