/** T4, F66: wherever an answer of a registry points, nothing is connected to that it may not name. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isFailure } from '../../../src/domain/failure.js';
import type { Fault } from '../../support/fault-registry.js';
import { aBlob, aCall, sourceOf } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt, resolving } from '../../support/registry-client.js';

closeAfterEach();

/** Where an answer can name a host, and what makes the client follow. */
const ways: Readonly<Record<string, { readonly does: (url: string) => Fault; readonly ask: 'read' | 'write' | 'list' }>> = {
  realm: { ask: 'read', does: (url) => ({ on: { route: 'manifest' }, times: 99, does: { status: 401, headers: { 'www-authenticate': `Bearer realm="${url}",service="s"` } } }) },
  'redirect of a manifest': { ask: 'read', does: (url) => ({ on: { route: 'manifest' }, times: 99, does: { status: 307, headers: { location: url } } }) },
  'redirect, permanent': { ask: 'read', does: (url) => ({ on: { route: 'manifest' }, times: 99, does: { status: 301, headers: { location: url } } }) },
  'upload location': { ask: 'write', does: (url) => ({ on: { route: 'upload', method: 'POST' }, times: 99, does: { status: 202, headers: { location: url } } }) },
  'redirect of an upload': { ask: 'write', does: (url) => ({ on: { route: 'upload', method: 'POST' }, times: 99, does: { status: 307, headers: { location: url } } }) },
  'next page of tags': { ask: 'list', does: (url) => ({ on: { route: 'tags' }, times: 99, does: { status: 200, body: '{"tags":["a"]}', headers: { link: `<${url}>; rel="next"` } } }) },
};

/** Spellings of loopback, where the canaries listen, and of addresses that are nobody's registry. */
const hosts = [
  '127.0.0.1', '127.0.0.2', '127.1', '0x7f.1', '0x7f000001', '2130706433', '017700000001', '0177.0.0.1', '127.0.1', '127.0.0.1.', '[::1]',
  '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[2002:7f00:1::]', '%31%32%37.0.0.1',
  'localhost', 'LOCALHOST', 'loopback.test', 'mixed.test', 'registry.test.',
  '169.254.169.254', '2852039166', '0xa9fea9fe', '169.254.43518', '[::ffff:169.254.169.254]', '[64:ff9b::a9fe:a9fe]', '[fd00:ec2::254]', '[fe80::1]', 'metadata.test',
  '10.0.0.1', '[fd12::1]', 'private.test', '0.0.0.0', '[::]', '0',
];
const cases = Object.keys(ways).flatMap((way) => hosts.map((host) => [way, host] as const));

describe('server-side request forgery', () => {
  const canaries: Server[] = [];
  let connections = 0;
  let port = 0;
  beforeAll(async () => {
    const canary = (host: string, at: number): Promise<Server> =>
      new Promise((resolve, reject) => {
        const server = createServer((socket) => void (connections++, socket.destroy()));
        server.once('error', reject).listen(at, host, () => resolve(server));
      });
    canaries.push(await canary('127.0.0.1', 0));
    port = (canaries[0]!.address() as AddressInfo).port;
    for (const host of ['127.0.0.2', '::1']) canaries.push(...(await canary(host, port).then((server) => [server], () => [])));
  });
  afterAll(() => canaries.forEach((server) => server.close()));

  /** A registry that is not itself on loopback, as far as its name tells. */
  function aVictim(server: { readonly host: string }) {
    const names: Readonly<Record<string, readonly string[]>> = { 'mixed.test': ['203.0.113.7', '127.0.0.1'], 'metadata.test': ['169.254.169.254'], 'private.test': ['10.0.0.1'] };
    const { registry, events } = aClient({ resolve: resolving(names), settings: () => ({ plainHTTP: true }) });
    return { registry, events, at: refAt({ host: `registry.test:${server.host.split(':')[1]}` }, 'app:1') };
  }

  test(`F66: of ${cases.length} cases, no answer makes us connect to a canary`, async () => {
    const reached: string[] = [];
    const server = await aRegistryServer();
    for (const [way, host] of cases) {
      server.calm();
      server.fault(ways[way]!.does(`http://${host}:${port}/x?canary`));
      const { registry, events, at } = aVictim(server);
      const call = aCall({ purpose: 'probe', side: 'destination' });
      const before = connections;

      const failure: unknown = await attempt(async () => {
        if (ways[way]!.ask === 'read') return registry.manifest(at, [], call);
        if (ways[way]!.ask === 'list') return all(registry.tags(at, [], call));
        const blob = aBlob(`${way} ${host}`, 2000);
        return registry.putBlob(at, blob.descriptor, sourceOf(blob.bytes), [], call);
      });

      // refused by a guard, or the location was no URL at all; in any case before a connection
      if (connections !== before || !isFailure(failure) || failure.code !== 'invalid') reached.push(`${way} ${host}: ${String(failure)}`);
      else if (way !== 'next page of tags' && !events.some(({ type }) => type === 'guard') && URL.canParse(`http://${host}:${port}/x`)) reached.push(`${way} ${host}: no guard spoke`);
    }
    expect(cases.length).toBeGreaterThanOrEqual(200);
    expect(reached).toEqual([]);
    expect(connections).toBe(0);
  }, 60_000);

  test('F66: a name that has another address the second time is checked the second time', async () => {
    const server = await aRegistryServer();
    let lookups = 0;
    const { registry } = aClient({ settings: () => ({ plainHTTP: true }), resolve: () => Promise.resolve([{ address: lookups++ === 0 ? '127.0.0.1' : '169.254.169.254', family: 4 }]) });
    server.fault(ways.realm!.does(`http://rebinding.test:${port}/token`));

    await expect(registry.manifest(refAt({ host: `rebinding.test:${server.host.split(':')[1]}` }, 'app:1'), [], aCall())).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('169.254.169.254') as unknown });

    expect(lookups).toBe(2);
  });

  test('F66: the canaries hear those who may come', async () => {
    const { registry } = aClient();
    await attempt(() => registry.manifest(refAt({ host: `127.0.0.1:${port}` }, 'app:1'), [], aCall({ purpose: 'probe' })));
    expect(connections).toBeGreaterThan(0);
  });
});

async function all(tags: AsyncIterable<string>): Promise<void> {
  for await (const tag of tags) void tag;
}

async function attempt(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return error;
  }
}
