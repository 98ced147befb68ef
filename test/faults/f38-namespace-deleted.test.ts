import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { createPod, push, until, untilMirrored } from '../support/stage.js';

describe('a namespace goes, and takes the Secret of its rule along first', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f38'), configuration: 'retention:\n  finalizerDeadline: 20s\n' });
    await push(stage, 'web:1.0');
    await createPod(stage, 'first', stage.image());
  });
  afterAll(() => stage?.close());

  fault('F38', 'the rule is gone within a minute: with Temporal after handing over, without it through the exit', async ({ size }) => {
    for (let round = 0; round < size({ quick: 2, soak: 50 }); round += 1) {
      await stage.temporal.start();
      await stage.kubectl('delete', 'events', '--all');
      await createRule(`round-${round}`);
      await untilMirrored(stage, stage.image());
      await until('the finalizer', async () => (await stage.kubectl('get', 'ism', 'cache', '-o', 'jsonpath={.metadata.finalizers}')).includes('kuik.enix.io/mirror-cleanup'));
      const isAway = round % 2 === 1;
      if (isAway) await stage.temporal.stop();

      const started = performance.now();
      await stage.kubectl('delete', 'secret', 'push');
      await stage.kubectl('delete', 'ism', 'cache', '--wait=false');
      await until('the rule to be gone', async () => (await stage.kubectl('get', 'ism', '-o', 'name')) === '', 60_000);

      expect(performance.now() - started).toBeLessThan(60_000);
      const events = await stage.kubectl('get', 'events', '-o', 'jsonpath={range .items[*]}{.reason} {.message}{"\\n"}{end}');
      expect(events.includes('CleanupSkipped')).toBe(isAway);
      if (!isAway) expect(await stage.kubectl('get', 'ia', '-o', 'jsonpath={.items[*].status.places[?(@.role=="mirror")].secret.name}')).toBe('push');
    }
  });

  async function createRule(path: string): Promise<void> {
    await stage.kubectl('create', 'secret', 'docker-registry', 'push', `--docker-server=${stage.mirror.address}`, '--docker-username=u', '--docker-password=p');
    const mirror = { registry: stage.mirror.address, path: `/${path}`, credentialSecret: { name: 'push' } };
    await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ImageSetMirror', metadata: { name: 'cache', namespace: 'default' }, spec: { filter: { include: [{ image: '.+' }] }, cleanup: { enabled: true, retention: '24h' }, mirrors: [mirror] } }));
  }
});
