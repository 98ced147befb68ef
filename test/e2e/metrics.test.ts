/** What the two processes tell of the same story: the metrics of kuik, and those of the Temporal SDK beside them. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { ask } from '../../tools/health.js';
import { scratchFolder } from '../../tools/servers.js';
import { applyMirrorRule, createPod, push, until, untilMirrored } from '../support/stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('metrics'), processes: 'two' });
}, 300_000);
afterAll(() => stage?.close());

const processes = ['webhook', 'manager'] as const;

async function linesOf(url: string): Promise<readonly string[]> {
  return (await ask(url)).body.split('\n');
}

async function told(by: (typeof processes)[number]): Promise<readonly string[]> {
  return linesOf((by === 'webhook' ? stage.kuik : stage.manager)?.running.metricsUrl ?? '');
}

/** The value of one line of ours; undefined while there is none. */
async function value(by: (typeof processes)[number], line: string): Promise<number | undefined> {
  const found = (await told(by)).find((each) => each.startsWith(`kube_image_keeper_${line} `));
  return found === undefined ? undefined : Number(found.slice(found.lastIndexOf(' ')));
}

async function untilTold(by: (typeof processes)[number], line: string, expected: number): Promise<void> {
  await until(`${line} of the ${by} to be ${expected}`, async () => (await value(by, line)) === expected);
}

const registryOf = (address: string): string => `registry="${address}"`;

test('before anything happens each process tells of its own views, and the manager of Temporal', async () => {
  for (const view of ['rules', 'records', 'namespaces']) for (const by of processes) await untilTold(by, `view_synced{view="${view}"}`, 1);
  expect(await value('webhook', 'view_synced{view="usage"}')).toBeUndefined();
  await untilTold('manager', 'view_synced{view="usage"}', 1);
  await untilTold('manager', 'temporal_connected', 1);
  expect(await value('webhook', 'temporal_connected')).toBeUndefined();
  await untilTold('manager', 'manager_is_leader', 1);
  expect(await value('webhook', 'admission_reviews_total{outcome="failed_open"}')).toBe(0);
  expect(await value('webhook', 'routing_decisions_total{verdict="keep",reason="NoPlaceAvailable"}')).toBe(0);
  expect((await told('webhook')).filter((line) => line.startsWith('process_start_time_seconds '))).toHaveLength(1);
});

test('a workload hangs on the registry its image comes from', async () => {
  await push(stage, 'web:1.0');
  await createPod(stage, 'web', stage.image());

  await untilTold('manager', `workloads_at_risk{${registryOf(stage.sourceAddress)}}`, 1);
  expect(await value('webhook', 'routing_decisions_total{verdict="keep",reason="OnlyOrigin"}')).toBe(1);
});

test('a copy is counted, timed and weighed, and takes the risk away', async () => {
  await applyMirrorRule(stage, 'all');
  await untilMirrored(stage, stage.image());

  const at = registryOf(stage.mirror.address);
  await untilTold('manager', 'mirroring_images{kind="ClusterImageSetMirror",namespace="",name="all",state="mirrored"}', 1);
  await untilTold('manager', `mirroring_copies_total{${at},outcome="copied",code=""}`, 1);
  await untilTold('manager', `mirroring_copy_duration_seconds_count{${at}}`, 1);
  await untilTold('manager', `mirroring_oldest_waiting_seconds{${at}}`, 0);
  expect(await value('manager', `mirroring_bytes_total{${registryOf(stage.sourceAddress)},direction="read"}`)).toBeGreaterThan(2 << 20);
  expect(await value('manager', `mirroring_bytes_total{${at},direction="written"}`)).toBeGreaterThanOrEqual(2 << 20);
  expect(await value('manager', `registry_throttled_seconds{${registryOf(stage.sourceAddress)}}`)).toBe(0); // it was asked, and did not mind: KuikRegistryThrottled
  await until('nobody to be at risk', async () => (await value('manager', `workloads_at_risk{${registryOf(stage.sourceAddress)}}`)) === undefined);
});

test('the certificate that the webhook answers with is told of, from its begin to its end', async () => {
  const [begins = 0, ends = 0] = [await value('webhook', 'certificate_not_before_seconds{certificate="leaf"}'), await value('webhook', 'certificate_not_after_seconds{certificate="leaf"}')];

  expect(begins).toBeLessThan(Date.now() / 1000);
  expect(ends - begins).toBeGreaterThanOrEqual(7 * 86_400);
});

test('an image that nobody has is told of', async () => {
  await createPod(stage, 'gone', stage.image('gone:1.0'));

  await untilTold('manager', `images_unavailable{${registryOf(stage.sourceAddress)}}`, 1);
  await untilTold('manager', 'mirroring_images{kind="ClusterImageSetMirror",namespace="",name="all",state="failed"}', 1);
});

test('the Temporal SDK tells of pollers and of workflows that failed, at a port of its own', async () => {
  const sdk = async (name: string, ...labels: string[]): Promise<number> => {
    const found = (await linesOf(stage.manager?.running.sdkMetricsUrl ?? '')).find((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)));
    return Number(found?.slice(found.lastIndexOf(' ')) ?? 0);
  };

  await until('pollers to be told', async () => (await sdk('temporal_num_pollers', 'poller_type="workflow_task"', 'task_queue="kuik"')) > 0);
  await until('pollers for activities to be told', async () => (await sdk('temporal_num_pollers', 'poller_type="activity_task"', 'task_queue="kuik-cluster.')) > 0);
  const forWorkflows = (await linesOf(stage.manager?.running.sdkMetricsUrl ?? '')).filter((line) => line.startsWith('temporal_num_pollers{') && line.includes('poller_type="workflow_task"'));
  expect(forWorkflows.filter((line) => !line.includes('task_queue="kuik"'))).toEqual([]); // who runs no workflows tells of none, not even of 0: KuikTemporalUnpolled
  await until('the copy that failed to be told', async () => (await sdk('temporal_workflow_failed_total', 'workflow_type="copyImage"')) === 1);
});

test('no process tells the name of an image', async () => {
  const all = [...(await told('webhook')), ...(await told('manager')), ...(await linesOf(stage.manager?.running.sdkMetricsUrl ?? ''))];

  expect(all.filter((line) => line.includes('library/') || line.includes('web:1.0'))).toEqual([]);
});
