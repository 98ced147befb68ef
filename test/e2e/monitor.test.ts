import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { createPod, push, until } from '../support/stage.js';

/** Ten checks a second: what takes days on Docker Hub takes moments here. */
const configuration = `
monitoring:
  registries:
    default:
      interval: 10s
      maxPerInterval: 100
`;

describe('an image in use whose registry loses it', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('monitor'), configuration });
  }, 120_000);
  afterAll(() => stage?.close());

  const setSays = (path: string): Promise<string> => stage.kubectl('get', 'cisa', 'critical', '-o', `jsonpath=${path}`);
  const statusOf = async (name: string): Promise<string> => setSays(`{.status.images[?(@.image=="${stage.image(name)}")].status}`);

  test('is tracked, checked and reported, then missed, then found again', async () => {
    await push(stage, 'web:1.0');
    await push(stage, 'api:1.0');
    await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetAvailability', metadata: { name: 'critical' }, spec: { filter: { include: [{ image: '.+' }] } } }));
    await createPod(stage, 'web', stage.image('web:1.0'));
    await createPod(stage, 'api', stage.image('api:1.0'));

    await until('both images to be available', async () => (await setSays('{.status.counts.available}/{.status.imageCount}')) === '2/2');
    expect(await setSays('{.status.conditions[?(@.type=="AllImagesAvailable")].status}')).toBe('True');
    const digest = (await stage.crane('digest', stage.image('web:1.0'))).trim();

    await stage.crane('delete', stage.image('web:1.0'));
    await until('the set to miss it', async () => (await statusOf('web:1.0')) === 'NotFound');
    expect(await setSays('{.status.conditions[?(@.type=="AllImagesAvailable")].reason}')).toBe('ImagesUnavailable');

    await push(stage, 'web:1.0');
    await until('the set to find it again', async () => (await setSays('{.status.counts.available}/{.status.imageCount}')) === '2/2');
    expect((await stage.crane('digest', stage.image('web:1.0'))).trim()).toBe(digest);
    expect(await setSays('{.status.images[*].lastError}')).toBe('');
  });
});
