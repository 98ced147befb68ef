import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { MemoryCluster } from '../../../src/cluster/memory.js';
import { leadCluster, type LeadDeps } from '../../../src/commands/serve/leader.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import { admissionPath, webhookConfiguration } from '../../../src/webhook/configuration.js';
import { silentLog } from '../../webhook/support.js';

/** A manager with a webhook of the chart; Temporal is never there. */
async function aLeader() {
  const cluster = new MemoryCluster();
  const metrics = createMetrics({ version: '', revision: '', built: '' });
  await cluster.applyWebhookConfiguration(webhookConfiguration({ name: 'kuik-mutating-webhook', client: { service: { namespace: 'kuik-system', name: 'kuik-webhook', path: admissionPath, port: 443 } } }, ''));
  const environment = { webhooksEnabled: true, installNamespace: 'kuik-system', fullName: 'kuik', databaseSecret: 'kuik-postgresql' };
  const base = { flags: { webhookCertificate: { folder: '' } }, environment, cluster, metrics, log: silentLog };
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => wait(ms, undefined, { signal }).catch(() => {});
  const deps = { base, clusterId: 'west', isPrepared: () => false, sleep } as unknown as LeadDeps;
  return { deps, toldOfAuthority: async () => (await metrics.text()).split('\n').filter((line) => line.includes('certificate="ca"')).length };
}

test('a manager that leads no longer says nothing of the authority: the next leader renews it', async () => {
  const { deps, toldOfAuthority } = await aLeader();
  const term = new AbortController();

  const leading = leadCluster(deps, term.signal);
  while ((await toldOfAuthority()) === 0) await wait(5);
  expect(await toldOfAuthority()).toBe(2);
  term.abort();
  await leading;

  expect(await toldOfAuthority()).toBe(0);
});
