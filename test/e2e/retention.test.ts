import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { imageName, knownImageRef, placeIdentity } from '../../src/domain/image-ref.js';
import { createKeeperClient } from '../../src/temporal/client.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { aClaim } from '../support/keeper.js';
import { createPod, push, recordOf, tagIsThere, until, untilMirrored } from '../support/stage.js';

describe('a copy that nobody uses any more', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('retention') });
  });
  afterAll(() => stage?.close());

  /** A keeper that was started at a pace of its own: ten minutes last 0.6 s. kuik finds it there and uses it. */
  async function startFastKeeper(image: string, copy: string): Promise<void> {
    const cluster = await stage.kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
    const { address, namespace } = stage.temporal.running;
    const keepers = createKeeperClient({ endpoint: { address, namespace }, searchable: () => true, pace: 0.001, deadlineMs: 20_000 });
    const [from, to] = [knownImageRef(image), knownImageRef(copy)];
    await keepers.claim(aClaim({ cluster, generation: 0, destination: placeIdentity(to), publishAs: imageName(to), image: imageName(from), sources: [imageName(from)], retentionMs: 0 }));
    await keepers.close();
  }

  test('retires, is deleted with its tag alone, and leaves the record', async () => {
    const mirror = { registry: stage.mirror.address, path: '/kept' };
    const spec = { filter: { include: [{ image: '.+' }] }, cleanup: { enabled: true, retention: '0s' }, mirrors: [mirror] };
    await push(stage, 'web:1.0');
    await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'everything' }, spec }));
    await until('the rule to be seen', async () => (await stage.kubectl('get', 'cism', 'everything', '-o', 'jsonpath={.status.conditions}')) !== '');
    await startFastKeeper(stage.image(), stage.copyOf());
    await createPod(stage, 'web', stage.image());
    await untilMirrored(stage, stage.image());
    await stage.crane('tag', stage.copyOf(), 'sibling');
    const digest = await stage.crane('digest', stage.copyOf());

    await stage.kubectl('delete', 'pod', 'web', '--now');
    await until('the copy to be deleted', async () => !(await tagIsThere(stage, stage.copyOf())));

    expect(await stage.crane('digest', stage.copyOf('web:sibling'))).toBe(digest);
    await stage.crane('validate', '--remote', stage.copyOf('web:sibling'));
    await until('people to be told', async () => {
      const reasons = await stage.kubectl('get', 'events', '-A', '-o', 'jsonpath={.items[*].reason}');
      return reasons.includes('Expiring') && reasons.includes('Deleted');
    });
    const { name = '' } = (await recordOf(stage, stage.image())) ?? {};
    await until('the place to leave the record', async () => !(await stage.kubectl('get', 'ia', name, '-o', 'jsonpath={.status.places[*].reference}')).includes(stage.mirror.address));
  });
});
