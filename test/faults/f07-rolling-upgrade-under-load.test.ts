import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { AdmissionLab, aProcessReplica, type ProcessReplica } from '../support/admission-lab.js';
import { fault } from '../support/fault.js';

describe('both replicas are replaced, one after the other', () => {
  let lab: AdmissionLab;
  let replicas: readonly ProcessReplica[];
  beforeAll(async () => {
    ({ lab, replicas } = await AdmissionLab.open((cluster) => Promise.all([aProcessReplica(cluster), aProcessReplica(cluster)])));
    await lab.mirrorEverything();
  }, 120_000);
  afterAll(async () => {
    await Promise.all((replicas ?? []).map((replica) => replica.kill()));
    await lab?.close();
  });

  fault('F7', 'no Pod is refused', async ({ size }) => {
    const upgrades = size({ quick: 2, soak: 20 });
    let isOver = false;
    const upgrading = (async () => {
      for (let done = 0; done < upgrades; done++) {
        for (const replica of replicas) {
          await replica.stop();
          await replica.start();
        }
      }
      isOver = true;
    })();

    const seen = await lab.create({ count: size({ quick: 500, soak: 10_000 }), while: () => !isOver, images: (number) => [lab.image(number)] });
    await upgrading;

    expect(seen).toMatchObject({ undecided: 0, refused: [] });
  }, 180_000);
});
