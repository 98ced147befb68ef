import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { ask } from '../../tools/health.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { openKeepers, type Keepers } from '../support/keepers.js';
import { expectWhole, pushMany, untilAllMirrored } from '../support/many-images.js';
import { startRelay, type Relay } from '../support/relay.js';
import { applyQuickstart, createPod, podFor, push, until, untilMirrored } from '../support/stage.js';

describe('Temporal takes five seconds for every answer', () => {
  let stage: Stage;
  let line: Relay;
  let keepers: Keepers;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f28'), temporalLine: async (address) => (line = await startRelay(address)).address });
    keepers = await openKeepers(stage.temporalAddress);
    await applyQuickstart(stage);
    await refusePodsOfAFailedCall();
  }, 180_000);
  afterAll(async () => {
    await keepers?.close();
    await stage?.close();
    await line?.close();
  });

  fault('F28', 'every admission is answered as before, claims are taken, and images are mirrored all the same', async ({ size }) => {
    const names = await pushMany(stage, 'f28', size({ quick: 3, soak: 100 }));
    await push(stage, 'web:1.0');
    await createPod(stage, 'before', stage.image('web:1.0'));
    await untilMirrored(stage, stage.image('web:1.0'));

    line.delay(5_000);
    for (const name of names) expect(await createPod(stage, podFor(name), stage.image(name))).toMatchObject({ image: stage.image(name) });
    await stage.source.stop();
    await until('routing to the copy', async () => {
      await stage.kubectl('delete', 'pod', 'routed', '--ignore-not-found', '--force', '--grace-period=0');
      return (await createPod(stage, 'routed', stage.image('web:1.0'))).image === stage.copyOf('web:1.0');
    });
    await stage.source.start();
    for (const name of names) await until(`${name} to be claimed`, async () => (await keepers.claimants(stage.copyOf(name)).catch(() => [])).length > 0);
    line.delay(size({ quick: 500, soak: 5_000 })); // a copy is some twenty calls, one after the other
    await untilAllMirrored(stage, names.map((name) => stage.image(name)));
    await expectWhole(stage, names);
    expect(await failedOpen()).toBe('0');
    for (let start = 0; start < size({ quick: 0, soak: 1 }); start++) {
      await stage.kuik.stop();
      await stage.kuik.start(); // until its workers poll
    }
  }, 300_000);

  /** Pods are sent to kuik by a second configuration as well: a call that fails, or takes longer than the API server waits, shows as a Pod that is refused. */
  async function refusePodsOfAFailedCall(): Promise<void> {
    const { items } = JSON.parse(await stage.kubectl('get', 'mutatingwebhookconfiguration', '-o=json')) as { items: { apiVersion: string; kind: string; webhooks: object[] }[] };
    const [{ apiVersion, kind, webhooks }] = items as [(typeof items)[0]];
    await stage.apply(JSON.stringify({ apiVersion, kind, metadata: { name: 'strict' }, webhooks: webhooks.map((webhook) => ({ ...webhook, failurePolicy: 'Fail' })) }));
  }

  /** Reviews that were let through because a decision was not there in time, or broke. */
  async function failedOpen(): Promise<string | undefined> {
    const { body } = await ask(stage.kuik.running.metricsUrl);
    return /_admission_reviews_total\{outcome="failed_open"\} (\d+)/.exec(body)?.[1];
  }
});
