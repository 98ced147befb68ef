import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { contentOf, createPod, push, until, untilMirrored } from '../support/stage.js';

describe('the database of Temporal is lost', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f27') });
    const rule = { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'everything' } };
    const spec = { filter: { include: [{ image: '.+' }] }, cleanup: { enabled: true, retention: '24h' }, mirrors: [{ registry: stage.mirror.address, path: '/kept' }] };
    await stage.apply(JSON.stringify({ ...rule, spec }));
  });
  afterAll(() => stage?.close());

  fault('F27', 'every copy has a keeper again, used or not, and no content is uploaded once more', async ({ size }) => {
    const names = Array.from({ length: size({ quick: 4, soak: 60 }) }, (_, index) => `web:1.${index}`);
    for (const name of names) {
      await push(stage, name, [{ seed: `${name}-{platform}`, size: 1 << 16 }]);
      await createPod(stage, name.replace(':', '-').replace('.', '-'), stage.image(name));
    }
    for (const name of names) await untilMirrored(stage, stage.image(name));
    await stage.kubectl('delete', 'pod', 'web-1-0', '--grace-period=0', '--force');
    await until('the clock of the unused copy', async () => (await stage.kubectl('get', 'ia', '-o', 'jsonpath={.items[*].status.expiresAt}')) !== '');
    const before = await contentOf(stage.mirror);

    await stage.temporal.stop();
    for (const file of ['temporal.db', 'temporal.db-wal', 'temporal.db-shm']) await rm(join(stage.dir, 'temporal', file), { force: true });
    await stage.temporal.start();

    await until('a keeper for every copy', async () => (await keepers()) === names.length, 90_000);
    await until('what is in use to stay mirrored', async () => (await stage.kubectl('get', 'ia', '-o', 'jsonpath={.items[*].status.mirrors}')).split(' ').filter((text) => text === '1/1').length >= names.length - 1);
    expect(await contentOf(stage.mirror)).toEqual(before);
  });

  /** How many keepers know of a copy: those that were told, or looked. */
  async function keepers(): Promise<number> {
    const { address, namespace } = stage.temporal.running;
    const connection = await Connection.connect({ address });
    try {
      const { count } = await new Client({ connection, namespace }).workflow.count('WorkflowType="keepImage" AND (KuikPhase="Mirrored" OR KuikPhase="Expiring") AND ExecutionStatus="Running"');
      return count;
    } finally {
      await connection.close();
    }
  }
});
