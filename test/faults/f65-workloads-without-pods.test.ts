import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { WorkloadKind } from '../../src/domain/usage.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { aWorkloadObject } from '../support/builders.js';
import { fault } from '../support/fault.js';
import { openKeepers, type Keepers } from '../support/keepers.js';
import { createPod, push, until, untilMirrored } from '../support/stage.js';

const images = ['nightly:1.0', 'web:1.0', 'gone:1.0'];

describe.each([
  ['keep what their Pods brought in, and nothing else', true],
  ['keep nothing while that is switched off', false],
])('workloads without Pods %s', (sentence, isOn) => {
  let stage: Stage;
  let keepers: Keepers;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder(`f65-${isOn ? 'on' : 'off'}`), clusterId: 'berlin', configuration: `retention:\n  workloads: ${isOn}\n` });
    keepers = await openKeepers(stage.temporalAddress);
    const spec = { filter: { include: [{ image: '.+' }] }, cleanup: { enabled: true, retention: '24h' }, mirrors: [{ registry: stage.mirror.address, path: '/kept' }] };
    await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'everything' }, spec }));
  }, 180_000);
  afterAll(async () => {
    await keepers?.close();
    await stage?.close();
  });

  fault('F65', `a suspended CronJob and a Deployment scaled to zero ${sentence}`, async () => {
    await createWorkload('CronJob', 'nightly', 'nightly:1.0');
    await createWorkload('Deployment', 'web', 'web:1.0');
    await createWorkload('StatefulSet', 'never', 'never:1.0'); // no Pod has used its image
    for (const image of images) {
      await push(stage, image);
      await createPod(stage, image.replace(/:.*/, ''), stage.image(image));
    }
    for (const image of images) await untilMirrored(stage, stage.image(image));

    await stage.kubectl('delete', 'pod', '--all', '--force', '--grace-period=0');
    await untilUnused(isOn ? ['gone:1.0'] : images);
    await untilClaimed(isOn ? ['nightly:1.0', 'web:1.0'] : []);

    await stage.kuik.stop('kill');
    await stage.kuik.start();
    await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'later', namespace: 'default' }, spec: { containers: [{ name: 'web', image: stage.image('gone:1.0') }] } }));
    await untilUnused(isOn ? [] : ['nightly:1.0', 'web:1.0']); // a pass after the restart
    await untilClaimed(isOn ? images : ['gone:1.0']);
    expect((await records()).map(({ image }) => image).sort()).toEqual([...images].sort());
    expect((await records()).map(({ pods }) => pods).sort()).toEqual([0, 0, 1]);

    await stage.kubectl('delete', 'cronjob,deployment', '--all');
    await untilUnused(['nightly:1.0', 'web:1.0']);
    await untilClaimed(['gone:1.0']);
  });

  async function createWorkload(kind: WorkloadKind, name: string, image: string): Promise<void> {
    const object = aWorkloadObject(kind, { namespace: 'default', name, images: { web: stage.image(image) } });
    const spec = kind === 'CronJob' ? object['spec'] : { ...(object['spec'] as object), replicas: 0 };
    await stage.apply(JSON.stringify({ ...object, spec }));
  }

  /** Images by their short names, with what their records say. */
  async function records(): Promise<{ image: string; pods: number; unusedSince?: string; expiresAt?: string }[]> {
    const { items } = await stage.read<{ items: { spec: { image: string }; status?: { pods?: number; unusedSince?: string; expiresAt?: string } }[] }>('/apis/kuik.enix.io/v1alpha1/imageavailabilities');
    return items.map(({ spec, status }) => ({ image: spec.image.replace(/.*\//, ''), pods: 0, ...status }));
  }

  /** Exactly these are announced to go. */
  async function untilUnused(expected: readonly string[]): Promise<void> {
    await until(`${expected.join(' and ') || 'nothing'} to be unused`, async () => {
      const unused = (await records()).filter(({ unusedSince, expiresAt }) => unusedSince !== undefined && expiresAt !== undefined);
      return unused.map(({ image }) => image).sort().join() === [...expected].sort().join();
    });
  }

  /** This cluster claims the copies of exactly these, as their keepers have it; claims are sent within seconds. */
  async function untilClaimed(expected: readonly string[]): Promise<void> {
    await until(`claims on ${expected.join(' and ') || 'nothing'}`, async () => {
      const claimed = await Promise.all(images.map(async (image) => ((await keepers.claimants(stage.copyOf(image))).includes('berlin') ? [image] : [])));
      return claimed.flat().sort().join() === [...expected].sort().join();
    });
  }
});
