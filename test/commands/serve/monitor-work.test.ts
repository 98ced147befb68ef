import { expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { MemoryCluster } from '../../../src/cluster/memory.js';
import { surroundings } from '../../../src/commands/serve/mirror-work.js';
import { monitorWork } from '../../../src/commands/serve/monitor-work.js';
import { loadConfig } from '../../../src/config/load-config.js';
import type { ImageName } from '../../../src/domain/image-ref.js';
import type { ChecksReport, ChecksTask } from '../../../src/domain/monitor-run.js';
import type { Pod } from '../../../src/domain/usage.js';
import { MemoryRegistry } from '../../../src/registry/memory.js';
import { sdkLogger } from '../../../src/temporal/logger.js';
import { NamespacesView } from '../../../src/views/namespaces.js';
import { RecordsView } from '../../../src/views/records.js';
import { RulesView } from '../../../src/views/rules.js';
import { UsageView } from '../../../src/views/usage.js';
import { WorkloadsView } from '../../../src/views/workloads.js';
import { aMonitorRule, aPod, aRecord, aTemplate } from '../../support/builders.js';
import { quiet } from '../../support/temporal-lab.js';

const host = 'registry.corp';
const image = `${host}/app:1` as ImageName;

/** One go, where the registry wants to know who asks and `shop/pull` says it; whoever uses the image names that Secret. */
async function checkedFor(users: readonly Pod[]): Promise<ChecksReport> {
  const views = { usage: new UsageView({ v1ProxyPort: 7439 }), workloads: new WorkloadsView({ v1ProxyPort: 7439 }), rules: new RulesView(), records: new RecordsView(), namespaces: new NamespacesView(), resource: () => undefined };
  for (const user of users) {
    if (user.workload === undefined) views.usage.apply({ type: 'put', key: user.key, object: user });
    else views.workloads.apply(user.workload, { type: 'put', key: user.key, object: user });
  }
  const record = aRecord({ image, trackedBy: ['main'] });
  views.rules.apply('ClusterImageSetAvailability', { type: 'put', key: 'main', object: aMonitorRule() });
  views.records.apply({ type: 'put', key: image, object: record });

  const cluster = new MemoryCluster();
  cluster.put('ImageAvailability', record);
  cluster.putSecret({ namespace: 'shop', name: 'pull', data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { [host]: { username: 'shop', password: 'right' } } })) } });
  cluster.putSecret({ namespace: 'shop', name: 'broken', data: { '.dockerconfigjson': Buffer.from('nonsense') } });
  const registry = new MemoryRegistry();
  registry.host(host).requires('shop', 'right');
  const { config = unreadable() } = loadConfig('', { readFile: () => '', installNamespace: 'kuik-system' });
  const { checkBatch } = monitorWork({ cluster, registry, config }, views, surroundings({ config }, views));
  const task: ChecksTask = { v: 1, registry: host, intervalMs: 60_000, maxPerInterval: 1 };
  return new MockActivityEnvironment({}, { logger: sdkLogger(quiet) }).run<[ChecksTask], ChecksReport, typeof checkBatch>(checkBatch, task);
}

function unreadable(): never {
  throw new Error('the configuration of this test does not read');
}

const images = { web: image };
const pullSecrets = ['pull'];
const open = aPod({ images, name: 'open' });
const optedOut = aPod({ images, name: 'out', pullSecrets, labels: { 'kuik.enix.io/ignore': 'true' } });

// no image is there: whoever may look is told so
test.each([
  ['with the Secret of a Pod that uses it', [aPod({ images, pullSecrets })], { NotFound: 1 }],
  ['with the Secret of the template that alone names it', [aTemplate('CronJob', { images, pullSecrets })], { NotFound: 1 }],
  ['with nobody\'s, where the Secret of its Pod is no docker configuration', [aPod({ images, pullSecrets: ['broken'] })], { UnavailableSecret: 1 }],
  ['with no Secret of a Pod that is opted out', [open, optedOut], { InvalidAuth: 1 }],
])('an image is checked %s', async (_sentence, users, counts) => {
  expect(await checkedFor(users)).toMatchObject({ counts });
});
