import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { reportMirror } from '../../src/api/report-mirror.js';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import { startApiServer, toolOutput, type ApiServer } from '../../tools/servers.js';
import { installKinds, kubernetesBench } from '../cluster/kubernetes-bench.js';
import { fault } from '../support/fault.js';
import { aLargeRule, nameAt, standingAt } from '../support/large-rule.js';

describe('a rule with more images than an object can hold', () => {
  let server: ApiServer;
  let bench: ReturnType<typeof kubernetesBench>;
  beforeAll(async () => {
    server = await startApiServer();
    await installKinds(server.kubeconfig);
    bench = kubernetesBench(loadKubeConfig({ file: server.kubeconfig }));
  }, 180_000);
  afterAll(async () => {
    bench?.close();
    await server?.stop();
  });

  fault('F36', 'its status is written each time, stays below 256 KiB with its managed fields, and lists the worst', async () => {
    const facts = aLargeRule('large', 20_000, 5);
    const healed = { ...facts, images: facts.images.filter(({ image }) => standingAt(Number(image.split(':')[1])) !== 'failed') };
    await bench.createRule('large', []);

    // the second status lists other images: what the first one owned has to go
    for (const picture of [facts, healed]) {
      const status = reportMirror(picture);
      await bench.cluster.applyRuleStatus(picture.rule.id, status);

      const stored = await toolOutput('kubectl', ['--kubeconfig', server.kubeconfig, 'get', 'cism', 'large', '-o', 'json', '--show-managed-fields']);
      expect(Buffer.byteLength(JSON.stringify(JSON.parse(stored)))).toBeLessThan(256 * 1024);
      expect((JSON.parse(stored) as { status: object }).status).toEqual(status);
    }
    expect(healed.images).toHaveLength(19_900);
    expect(reportMirror(healed).matchingImages?.[0]?.image).toBe(nameAt(201));
  });
});
