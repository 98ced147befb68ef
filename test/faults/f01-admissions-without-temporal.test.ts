import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { startKuik, type Kuik } from '../../tools/demo/kuik.js';
import { freePort, scratchFolder, startTemporal, type TemporalServer } from '../../tools/servers.js';
import { AdmissionLab, aProcessReplica, type ProcessReplica } from '../support/admission-lab.js';
import { fault } from '../support/fault.js';

describe('Temporal is dead', () => {
  let lab: AdmissionLab;
  let replicas: readonly ProcessReplica[];
  let manager: Kuik;
  let temporal: TemporalServer;
  beforeAll(async () => {
    temporal = await startTemporal();
    ({ lab, replicas } = await AdmissionLab.open(async (cluster) => Promise.all([aProcessReplica(cluster, temporal.address), aProcessReplica(cluster, temporal.address)])));
    const ports = { webhook: await freePort(), metrics: await freePort(), health: await freePort() };
    manager = await startKuik({ role: 'manager', dir: scratchFolder('manager'), kubeconfig: lab.api.kubeconfig, temporalAddress: temporal.address, ports, until: 'ready' });
    await lab.mirrorEverything();
    await lab.untilKnown();
  }, 120_000);
  afterAll(async () => {
    await Promise.all([manager, temporal, ...(replicas ?? [])].map((each) => each?.kill()));
    await lab?.close();
  });

  fault('F1', 'every Pod is admitted, and sent where it was sent before', async ({ size }) => {
    const count = size({ quick: 500, soak: 10_000 });
    await temporal.kill();

    const seen = await lab.create({ count, images: (number) => [lab.image(number)] });

    expect(seen).toEqual({ admitted: count, undecided: 0, reasons: { PlacePreferred: count }, refused: [], refusedTwice: [] });
  });
});
