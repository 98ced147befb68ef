import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { AdmissionLab, aProcessReplica, type ProcessReplica } from '../support/admission-lab.js';
import { fault } from '../support/fault.js';

/** Pods are admitted between two kills for so long, in milliseconds. */
const peace = [500, 1_500] as const;

describe('a replica is killed again and again, one of two', () => {
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

  /*
   * What the dead process had in its hands nobody can answer, and an API server never repeats a call to a webhook. With
   * `Ignore`, as it is installed, such a Pod is admitted as it is; with `Fail`, as here, it is refused, and admitted when
   * whoever made it tries again. Nobody else may notice anything.
   */
  fault('F6', 'no Pod is refused but those whose review died with the process, and they are admitted at the next try', async ({ size, chance }) => {
    const kills = size({ quick: 4, soak: 60 });
    let isOver = false;
    const killing = (async () => {
      for (let done = 0; done < kills; done++) {
        await sleep(chance.between(...peace));
        const replica = replicas[done % replicas.length];
        await replica?.kill();
        await replica?.start();
      }
      isOver = true;
    })();

    const seen = await lab.create({ count: size({ quick: 500, soak: 10_000 }), while: () => !isOver, images: (number) => [lab.image(number)] });
    await killing;

    expect(seen).toMatchObject({ undecided: 0, refusedTwice: [] });
    expect(seen.refused.filter((message) => !message.includes('failed calling webhook'))).toEqual([]);
    expect(seen.refused.length).toBeLessThanOrEqual(lab.balancer.cut);
  }, 180_000);
});
