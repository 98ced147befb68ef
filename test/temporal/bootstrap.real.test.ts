import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import type { Endpoint } from '../../src/temporal/connection.js';
import { prepareNamespace } from '../../src/temporal/bootstrap.js';
import { createKeeperClient } from '../../src/temporal/client.js';
import { searchAttributes } from '../../src/temporal/contract.js';
import { freePort, startTemporal, type TemporalServer } from '../../tools/servers.js';
import { nap, quiet, someClaim, until } from '../support/temporal-lab.js';

let server: TemporalServer;
let connection: Connection;

beforeAll(async () => {
  server = await startTemporal();
  connection = await Connection.connect({ address: server.address });
});

afterAll(async () => {
  await connection.close();
  await server.kill();
});

const prepare = (endpoint: Endpoint, signal = new AbortController().signal) => prepareNamespace({ endpoint, log: quiet, signal, sleep: nap });
const days = async (namespace: string): Promise<number> => {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
};

test('a new namespace gets a week of retention and our search attributes, and a second time changes nothing', async () => {
  const endpoint = { address: server.address, namespace: 'fresh' };

  expect(await prepare(endpoint)).toEqual({ searchable: true });
  expect(await prepare(endpoint)).toEqual({ searchable: true });

  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'fresh' });
  expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(Object.keys(searchAttributes)));
  await until(async () => (await days('fresh')) === 7);
});

test('the day of retention of a development server becomes a week', async () => {
  await prepare({ address: server.address, namespace: server.namespace });

  await until(async () => (await days(server.namespace)) === 7);
});

test('a server that is away is waited for, until nobody wants it any more', async () => {
  const stop = new AbortController();
  const waiting = prepare({ address: `127.0.0.1:${await freePort()}`, namespace: 'kuik' }, stop.signal);

  stop.abort();

  expect(await waiting).toBeUndefined();
});

test('a client of a server that is away says so, and works as soon as it is there', async () => {
  const port = await freePort();
  const client = createKeeperClient({ endpoint: { address: `127.0.0.1:${port}`, namespace: 'kuik' }, searchable: () => true });
  const claim = someClaim('away');
  expect(client.connection()).toBe('unknown');

  await expect(client.claim(claim)).rejects.toMatchObject({ name: 'Failure', side: 'cluster', host: `127.0.0.1:${port}` });
  expect(client.connection()).toBe('away');

  const late = await startTemporal({ port });
  await until(() => client.claim(claim).then(() => true, () => false));
  expect(client.connection()).toBe('connected');
  expect(await client.retry(someClaim('nobody').destination)).toBe('absent');
  await client.close();
  await late.stop();
});
