import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { Stage } from '../../tools/demo/stage.js';
import { ask } from '../../tools/health.js';
import { scratchFolder } from '../../tools/servers.js';
import { readHistory } from '../support/temporal-lab.js';
import { applyMirrorRule, createPod, push, until, untilMirrored } from '../support/stage.js';

/** Ten checks a second: what takes days on Docker Hub takes moments here. */
const configuration = `
monitoring:
  registries:
    default:
      interval: 10s
      maxPerInterval: 100
`;

describe('an image in use whose registry loses it', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('monitor'), configuration });
  }, 120_000);
  afterAll(() => stage?.close());

  const setSays = (path: string): Promise<string> => stage.kubectl('get', 'cisa', 'critical', '-o', `jsonpath=${path}`);
  const recordSays = async (name: string, type: string): Promise<string> => {
    const { items } = await stage.read<{ items: { spec: { image: string }; status?: { conditions?: { type: string; status: string; reason: string }[] } }[] }>('/apis/kuik.enix.io/v1alpha1/imageavailabilities');
    const condition = items.find(({ spec }) => spec.image === stage.image(name))?.status?.conditions?.find((found) => found.type === type);
    return `${condition?.status} ${condition?.reason}`;
  };
  const eventsOf = async (reason: string): Promise<string> => {
    const kinds = await stage.kubectl('get', 'events.v1.events.k8s.io', '-A', '-o', `jsonpath={.items[?(@.reason=="${reason}")].regarding.kind}`);
    return kinds.split(' ').sort().join(' ');
  };
  const pageAt = async (path: string): Promise<string> => (await ask(stage.kuik.running.metricsUrl.replace('/metrics', path))).body;
  const page = async (query: string): Promise<unknown> => JSON.parse(await pageAt(`/status/images?${query}`));
  /** States of the set, and how many images are in each. */
  const metric = async (): Promise<string[][]> => {
    const text = await pageAt('/metrics');
    return [...text.matchAll(/^kube_image_keeper_monitoring_images\{name="critical",registry="[^"]+",status="(\w+)",used="true",original="true"\} (\d+)$/gm)].map(([, state = '', count = '']) => [state, count]).sort();
  };
  const digestAt = (reference: string): Promise<string> => stage.crane('digest', reference).then((text) => text.trim(), () => 'missing');
  const statusOf = async (name: string): Promise<string> => setSays(`{.status.images[?(@.image=="${stage.image(name)}")].status}`);

  test('is tracked, checked and reported, then missed, then found again', async () => {
    await push(stage, 'web:1.0');
    await push(stage, 'api:1.0');
    await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetAvailability', metadata: { name: 'critical' }, spec: { filter: { include: [{ image: '.+' }] } } }));
    await createPod(stage, 'web', stage.image('web:1.0'));
    await createPod(stage, 'api', stage.image('api:1.0'));

    await until('both images to be available', async () => (await setSays('{.status.counts.available}/{.status.imageCount}')) === '2/2');
    expect(await setSays('{.status.conditions[?(@.type=="AllImagesAvailable")].status}')).toBe('True');
    const digest = (await stage.crane('digest', stage.image('web:1.0'))).trim();

    await stage.crane('delete', stage.image('web:1.0'));
    await until('the set to miss it', async () => (await statusOf('web:1.0')) === 'NotFound');
    expect(await setSays('{.status.conditions[?(@.type=="AllImagesAvailable")].reason}')).toBe('ImagesUnavailable');
    expect(await setSays('{.status.images[0].image}')).toBe(stage.image('web:1.0')); // worst first
    await until('the record to say so', async () => (await recordSays('web:1.0', 'Available')) === 'False NotFound');
    await until('events to say so', async () => (await eventsOf('ImageUnavailable')) === 'ClusterImageSetAvailability ImageAvailability');
    expect(await metric()).toEqual([['Available', '1'], ['NotFound', '1']]);
    expect(await page('groupBy=cisa')).toMatchObject({ total: 2, groups: { critical: [{ image: stage.image('api:1.0'), status: 'Available' }, { image: stage.image('web:1.0'), status: 'NotFound', lastError: expect.stringContaining('not found') as unknown }] } });

    await push(stage, 'web:1.0');
    await until('the set to find it again', async () => (await setSays('{.status.counts.available}/{.status.imageCount}')) === '2/2');
    expect((await stage.crane('digest', stage.image('web:1.0'))).trim()).toBe(digest);
    expect(await setSays('{.status.images[*].lastError}')).toBe('');
    await until('the record to say so', async () => (await recordSays('web:1.0', 'Available')) === 'True Available');
    await until('events to say so', async () => (await eventsOf('ImageAvailable')) === 'ClusterImageSetAvailability ImageAvailability');
    expect(await metric()).toEqual([['Available', '2']]);
  });

  test('has one workflow per registry, which people can read, and which names no image', async () => {
    const connection = await Connection.connect({ address: stage.temporalAddress });
    const client = new Client({ connection, namespace: 'kuik' });
    try {
      const found: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query: 'WorkflowType="monitorRegistry" AND ExecutionStatus="Running"' })) found.push(workflowId);
      const cluster = await stage.kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
      expect(found).toEqual([`monitor/${cluster}/${stage.sourceAddress}`]);
      const history = await readHistory(client.workflow.getHandle(found[0]!));
      expect(history).toContain(stage.sourceAddress);
      expect(history).not.toContain('library');
    } finally {
      await connection.close();
    }
  });

  test('has its copy follow at once where the rule wants that: a check saw the tag move', async () => {
    await applyMirrorRule(stage, 'syncing', { image: '.+/sync:.+', drift: 'sync' });
    await push(stage, 'sync:1.0');
    await createPod(stage, 'sync', stage.image('sync:1.0'));
    await untilMirrored(stage, stage.image('sync:1.0'));

    await push(stage, 'other:1.0');
    await stage.crane('copy', stage.image('other:1.0'), stage.image('sync:1.0'));

    const moved = (await stage.crane('digest', stage.image('other:1.0'))).trim();
    await until('the copy to follow', async () => (await digestAt(stage.copyOf('sync:1.0'))) === moved);
  });

  test('has a copy that a Pod pulls from made again when a check misses it', async () => {
    await applyMirrorRule(stage, 'preferring', { image: '.+/near:.+', priority: -1 });
    await push(stage, 'near:1.0');
    await createPod(stage, 'near', stage.image('near:1.0'));
    await untilMirrored(stage, stage.image('near:1.0'));
    const copy = await digestAt(stage.copyOf('near:1.0'));
    expect(await createPod(stage, 'nearer', stage.image('near:1.0'))).toMatchObject({ image: stage.copyOf('near:1.0') });
    await until('the copy to be tracked under its own name', async () => JSON.stringify(await page('')).includes(stage.copyOf('near:1.0')));

    await stage.crane('delete', stage.copyOf('near:1.0'));
    await until('the copy to be gone', async () => (await digestAt(stage.copyOf('near:1.0'))) === 'missing', 5_000).catch(() => undefined); // it may be back already

    await until('the copy to be there again', async () => (await digestAt(stage.copyOf('near:1.0'))) === copy);
  });
});
