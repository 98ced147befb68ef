/** kuik is started where every answer of the API server takes seconds: with half a picture nobody may be sent anywhere. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { ask } from '../../tools/health.js';
import { scratchFolder, type ApiServer } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { startRelay, type Relay } from '../support/relay.js';
import { applyMirrorRule, createPod, push, until, untilMirrored } from '../support/stage.js';

describe('kuik starts while the API server is slow', () => {
  let stage: Stage;
  let line: Relay;
  beforeAll(async () => {
    const dir = scratchFolder('f08');
    const behindTheLine = async (_role: unknown, api: ApiServer): Promise<string> => {
      line ??= await startRelay(`127.0.0.1:${api.port}`);
      const file = join(dir, 'kubeconfig');
      await writeFile(file, (await readFile(api.kubeconfig, 'utf8')).replaceAll(api.url, `https://${line.address}`));
      return file;
    };
    stage = await Stage.open({ dir, account: behindTheLine });
    await applyMirrorRule(stage, 'preferred', { priority: -1 });
    await push(stage, 'web:1.0');
    await createPod(stage, 'first', stage.image());
    await untilMirrored(stage, stage.image());
    await until('Pods to be sent to the copy', async () => (await createPod(stage, `warm-${Date.now()}`, stage.image())).reason === 'PlacePreferred');
  }, 120_000);
  afterAll(async () => {
    await stage?.close();
    await line?.close();
  });

  fault('F8', 'it is not ready before it has seen everything, decides nothing until then, and keeps no Pod from being created', async ({ size }) => {
    const { healthUrl } = stage.kuik.running;
    await stage.kuik.stop();
    line.delay(size({ quick: 3_000, soak: 60_000 }));
    const starting = { over: false };
    const started = stage.kuik.start().finally(() => (starting.over = true));
    // its workers may need longer
    const hasSeenAll = async (): Promise<boolean> => (await ask(`${healthUrl}/readyz`).catch(() => undefined))?.body.includes('[+]views ok') === true;

    const undecided: string[] = [];
    while (!starting.over) {
      const { reason } = await createPod(stage, `early-${undecided.length}`, stage.image());
      if (await hasSeenAll()) break; // perhaps before that Pod came
      undecided.push(reason);
      await sleep(200);
    }
    await started;

    expect(undecided.length).toBeGreaterThan(5);
    expect(new Set(undecided)).toEqual(new Set(['']));
    expect(await createPod(stage, 'late', stage.image())).toEqual({ image: stage.copyOf(), reason: 'PlacePreferred' });
  }, 600_000);
});
