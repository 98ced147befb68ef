import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { AdmissionLab, aProcessReplica, type ProcessReplica } from '../support/admission-lab.js';
import { fault } from '../support/fault.js';
import { startRelay, type Relay } from '../support/relay.js';

describe('every registry swallows what it is sent', () => {
  let lab: AdmissionLab;
  let replicas: readonly ProcessReplica[];
  let hole: Relay;
  beforeAll(async () => {
    ({ lab, replicas } = await AdmissionLab.open((cluster) => Promise.all([aProcessReplica(cluster), aProcessReplica(cluster)])));
    hole = await startRelay(lab.registry.host);
    hole.blackhole(true);
    await lab.mirrorEverything(hole.address);
  }, 120_000);
  afterAll(async () => {
    await Promise.all((replicas ?? []).map((replica) => replica.kill()));
    await hole?.close();
    await lab?.close();
  });

  // an answer that takes longer than the three seconds of the registration is a refused Pod
  fault('F3', 'every Pod is admitted as it is, before the API server loses patience', async ({ size }) => {
    const count = size({ quick: 100, soak: 1_000 });

    const images = (number: number): string[] => Array.from({ length: 5 }, (_, container) => `${hole.address}/library/web:${number}-${container}`);
    const seen = await lab.create({ count, images, atOnce: 32 });

    expect(seen).toEqual({ admitted: count, undecided: 0, reasons: { NoPlaceAvailable: 5 * count }, refused: [], refusedTwice: [] });
  });
});
