import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { ImageName, PlaceId } from '../../src/domain/image-ref.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { aClaim } from '../support/keeper.js';
import { idsOf, openKeepers, type Keepers } from '../support/keepers.js';
import { startRelay, type Relay } from '../support/relay.js';
import { createPod, push, tagIsThere, until, untilMirrored } from '../support/stage.js';

const platforms = [{ architecture: 'amd64' }, { architecture: 'arm64' }];

/** Unused copies may go at once. */
function rule(registry: string, shared = false): string {
  const mirrors = [{ registry, path: '/kept', platforms, shared }];
  const spec = { filter: { include: [{ image: '.+' }] }, cleanup: { enabled: true, retention: '0s' }, mirrors };
  return JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'everything' }, spec });
}

const layers = [{ seed: 'f60-{platform}', size: 4 << 20 }];
const imageBytes = 2 * (4 << 20);

describe('two clusters keep their images in one registry', () => {
  let berlin: Stage;
  let paris: Stage;
  let mirror: Relay;
  let keepers: Keepers;
  beforeAll(async () => {
    berlin = await Stage.open({ dir: scratchFolder('f60-berlin'), clusterId: 'berlin' });
    paris = await Stage.open({ dir: scratchFolder('f60-paris'), clusterId: 'paris', beside: berlin });
    mirror = await startRelay(berlin.mirror.address);
    keepers = await openKeepers(berlin.temporalAddress);
    for (const cluster of [berlin, paris]) await cluster.apply(rule(mirror.address));
  }, 180_000);
  afterAll(async () => {
    await keepers?.close();
    await mirror?.close();
    await paris?.close();
    await berlin?.close();
  });

  const copy = (): string => `${mirror.address}/kept/library/web:1.0`;

  fault('F60', 'both claim one copy, which is sent once, and it outlives the interest of one and the manager of the other', async ({ chance }) => {
    const digest = await push(berlin, 'web:1.0', layers);
    const image = berlin.image('web:1.0');
    const [first, second] = chance.next() < 0.5 ? [berlin, paris] : [paris, berlin];

    await createPod(first, 'web', image);
    await new Promise((resolve) => setTimeout(resolve, chance.between(0, 3_000)));
    await createPod(second, 'web', image);
    for (const cluster of [berlin, paris]) await untilMirrored(cluster, image);

    expect(await berlin.crane('digest', copy())).toBe(digest);
    expect(await keepers.claimants(copy())).toEqual(['berlin', 'paris']);
    expect(mirror.sent()).toBeLessThan(1.3 * imageBytes);

    await berlin.kubectl('delete', 'pod', 'web', '--force', '--grace-period=0');
    await until('berlin to release its claim', async () => (await keepers.claimants(copy())).join() === 'paris');
    await paris.kuik.stop('kill');
    expect(await keepers.claimants(copy())).toEqual(['paris']);
    expect(await tagIsThere(copy())).toBe(true);

    // three days pass for the lease of a cluster that is gone: its own claim, with less time to live
    const [destination, publishAs, name] = [copy() as PlaceId, copy() as ImageName, image as ImageName];
    await keepers.claim(aClaim({ cluster: 'paris', destination, publishAs, image: name, sources: [name], platforms, retentionMs: 0, cleanup: true, renewal: true, ttlMs: 2_000 }));
    const states = async (): Promise<string[] | undefined> => (await keepers.status(copy()))?.claims.map(({ cluster, state }) => `${cluster} ${state}`);
    await until('the lease of paris to end', async () => (await states())?.join() === 'berlin released,paris expired');
    // its retention is over as well, so a deletion may begin; a manager that has watched for minutes only does not vouch for it
    expect(['Expiring', 'Deleting']).toContain((await keepers.status(copy()))?.phase);
    expect(await tagIsThere(copy())).toBe(true);
  }, 300_000);

  fault('F60', 'a cluster with a Temporal of its own cleans nothing up on a mirror that others share', async () => {
    const lyon = await Stage.open({ dir: scratchFolder('f60-lyon') });
    try {
      await push(lyon, 'api:1.0', layers);
      await lyon.apply(rule(mirror.address, true));
      await createPod(lyon, 'api', lyon.image('api:1.0'));
      await untilMirrored(lyon, lyon.image('api:1.0'));
      const path = '{range .status.conditions[?(@.type=="CleanupHealthy")]}{.status} {.reason}{end}';
      await until('the rule to say that clean-up is refused', async () => (await lyon.kubectl('get', 'cism', 'everything', '-o', `jsonpath=${path}`)) === 'False NotConnected');

      await lyon.kubectl('delete', 'pod', 'api', '--force', '--grace-period=0');
      const its = await openKeepers(lyon.temporalAddress);
      const destination = `${mirror.address}/kept/library/api:1.0`;
      await until('nobody to keep the copy any more', async () => (await statusText(its, destination)) === 'COMPLETED').finally(() => its.close());
      expect(await tagIsThere(destination)).toBe(true);
    } finally {
      await lyon.close();
    }
  }, 300_000);
});

async function statusText({ client }: Keepers, destination: string): Promise<string> {
  return (await client.workflow.getHandle(idsOf(destination).keeper).describe()).status.name;
}
