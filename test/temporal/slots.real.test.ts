import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { MonitorActivities } from '../../src/temporal/activities.js';
import { Monitored } from '../support/monitored.js';
import { aClient, aRegistryServer, closeAfterEach } from '../support/registry-client.js';
import { someClaim, startLab, until, World, type Lab } from '../support/temporal-lab.js';

closeAfterEach();

let lab: Lab;

beforeAll(async () => {
  lab = await startLab();
});

afterAll(async () => {
  await lab.stop();
});

/** Four checks a second: a go holds a minute's worth of them. */
const fast = { v: 1, intervalMs: 60_000, maxPerInterval: 240 } as const;

/** Activities of monitors, and what became of their goes, in order. */
async function fastRegistries(count: number, happened: string[]): Promise<{ readonly hosts: readonly string[]; readonly monitor: MonitorActivities }> {
  const servers = await Promise.all(Array.from({ length: count }, () => aRegistryServer()));
  const hosts = servers.map(({ host }) => host);
  const names = hosts.flatMap((host) => Array.from({ length: fast.maxPerInterval }, (_, at) => `${host}/app:${at}`));
  const { activities } = new Monitored(names, aClient().registry);
  const checkBatch: MonitorActivities['checkBatch'] = async (task) => {
    happened.push('a go begins');
    return activities.checkBatch(task).finally(() => happened.push('a go ends'));
  };
  return { hosts, monitor: { checkBatch } };
}

const countOf = (happened: readonly string[], what: string): number => happened.filter((each) => each === what).length;

test('a copy that somebody asks for does not wait for the checks of many fast registries', async () => {
  const world = new World();
  const happened: string[] = [];
  world.onPublish = () => happened.push('the copy is published');
  const { hosts, monitor } = await fastRegistries(12, happened);
  await lab.work('berlin', world, { monitor });
  for (const host of hosts) await lab.keepers.monitors('berlin').configure(host, fast);
  await until(async () => countOf(happened, 'a go begins') >= 8); // as many as a worker copies at once

  const claim = someClaim('wanted');
  await lab.keepers.claim(claim);
  await lab.keepers.retry(claim.destination);
  await until(async () => happened.includes('the copy is published'));

  expect(happened.slice(0, happened.indexOf('the copy is published'))).not.toContain('a go ends');
}, 120_000);

test('the checks of a registry do not wait for copies that last', async () => {
  const world = new World();
  const happened: string[] = [];
  world.close();
  world.onPublish = () => happened.push('a copy is published');
  const { hosts, monitor } = await fastRegistries(1, happened);
  await lab.work('paris', world, { monitor });
  for (let copy = 0; copy < 6; copy++) await lab.keepers.claim(someClaim('long', { cluster: 'paris' }));
  await until(async () => world.copiesStarted.length === 8); // two parts of each: those of four, and nobody has a slot for more

  await lab.keepers.monitors('paris').configure(hosts[0]!, fast);
  await until(async () => happened.includes('a go begins'));

  expect(happened).toEqual(['a go begins']);
  world.open();
}, 120_000);

test('fast registries do not wait for each other: what a go does most of its minute is to wait for its turn', async () => {
  const happened: string[] = [];
  const servers = await Promise.all(Array.from({ length: 25 }, () => aRegistryServer()));
  const { activities } = new Monitored(servers.map(({ host }) => `${host}/app:1`), aClient().registry);
  const checkBatch: MonitorActivities['checkBatch'] = (task) => activities.checkBatch(task).finally(() => happened.push('a go ends'));
  await lab.work('lima', new World(), { monitor: { checkBatch } });
  const began = Date.now();
  for (const { host } of servers) await lab.keepers.monitors('lima').configure(host, { v: 1, intervalMs: 60_000, maxPerInterval: 60 });

  await until(async () => Date.now() - began > 30_000 || servers.every(({ requests }) => requests.length >= 5));

  expect(servers.map(({ requests }) => Math.min(requests.length, 5))).toEqual(servers.map(() => 5));
  expect(happened).toEqual([]);
}, 120_000);
